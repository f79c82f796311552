/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/schema.h"

/*
 * How it hangs together: tags and image_digests name images; an image names its layers in order
 * (the diff ids, with the compressed blobs they came from) and its chain; a chain names the same
 * layers, once for all images that share them. Files are named by rows only: blobs by images.id,
 * images.manifest, image_digests.digest and image_layers.blob; layer and chain files by layers
 * and chains; the folder of a container by its row. What no row names is garbage (gc.h).
 *
 * What `ps` reads of a container is in narrow columns of its own; the definition is in
 * container_specs, so that listing never touches the pages that hold documents.
 */
static const char step_1[] =
	"CREATE TABLE images ("
	" id TEXT PRIMARY KEY,"		/* digest of the config */
	" manifest TEXT NOT NULL,"	/* digest of the platform's manifest */
	" manifest_type TEXT NOT NULL," /* its media type */
	" os TEXT NOT NULL,"
	" arch TEXT NOT NULL,"
	" variant TEXT NOT NULL DEFAULT '',"
	" created_ns INTEGER NOT NULL," /* as the config says */
	" added_ns INTEGER NOT NULL,"
	" size INTEGER NOT NULL," /* of the layers unpacked, in bytes */
	" chain TEXT NOT NULL REFERENCES chains(id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE image_docs (" /* the config as JSON text */
	" image TEXT PRIMARY KEY REFERENCES images(id) ON DELETE CASCADE,"
	" doc TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE tags ("
	" reference TEXT PRIMARY KEY," /* canonical: registry/path:tag */
	" image TEXT NOT NULL REFERENCES images(id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX tags_image ON tags(image);"
	"CREATE TABLE image_digests (" /* what a registry calls the image */
	" repository TEXT NOT NULL,"   /* canonical: registry/path */
	" digest TEXT NOT NULL,"       /* of the manifest or index */
	" image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
	" PRIMARY KEY (repository, digest)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX image_digests_image ON image_digests(image);"
	"CREATE TABLE layers ("
	" diffid TEXT PRIMARY KEY,"
	" writer INTEGER NOT NULL," /* version of the EROFS writer, part of the file's name */
	" size INTEGER NOT NULL,"   /* of the EROFS file */
	" tar_size INTEGER NOT NULL,"
	" entries INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE chains ("
	" id TEXT PRIMARY KEY," /* OCI chain id of the top layer */
	" writer INTEGER NOT NULL,"
	" size INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE chain_layers (" /* position 0 is the bottom */
	" chain TEXT NOT NULL REFERENCES chains(id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" diffid TEXT NOT NULL REFERENCES layers(diffid),"
	" PRIMARY KEY (chain, position)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX chain_layers_diffid ON chain_layers(diffid);"
	"CREATE TABLE image_layers ("
	" image TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" diffid TEXT NOT NULL REFERENCES layers(diffid),"
	" blob TEXT NOT NULL," /* digest of the layer as it was pulled */
	" blob_size INTEGER NOT NULL,"
	" blob_type TEXT NOT NULL," /* media type */
	" PRIMARY KEY (image, position)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX image_layers_diffid ON image_layers(diffid);"
	"CREATE INDEX image_layers_blob ON image_layers(blob);"
	"CREATE TABLE sandboxes (" /* one per VM */
	" id TEXT PRIMARY KEY,"
	" created_ns INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE containers ("
	" id TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" sandbox TEXT NOT NULL REFERENCES sandboxes(id),"
	" state INTEGER NOT NULL," /* enum state */
	" created_ns INTEGER NOT NULL,"
	" started_ns INTEGER NOT NULL DEFAULT 0,"
	" finished_ns INTEGER NOT NULL DEFAULT 0,"
	" exit_code INTEGER NOT NULL DEFAULT 0,"
	" oom INTEGER NOT NULL DEFAULT 0,"
	" error TEXT NOT NULL DEFAULT '',"
	" auto_remove INTEGER NOT NULL,"
	" chain TEXT NOT NULL REFERENCES chains(id)," /* outlives an image removed by force */
	" image TEXT NOT NULL,"			      /* id */
	" image_ref TEXT NOT NULL,"		      /* as the user wrote it */
	" command TEXT NOT NULL,"		      /* as ps shows it */
	" labels TEXT NOT NULL"			      /* JSON object */
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX containers_sandbox ON containers(sandbox);"
	"CREATE TABLE container_specs ("
	" container TEXT PRIMARY KEY REFERENCES containers(id) ON DELETE CASCADE,"
	" doc TEXT NOT NULL"	   /* struct container_spec as JSON */
	") STRICT, WITHOUT ROWID;" /* before version 4 with: works the same, and writes a page more */
	"CREATE TABLE intents ("   /* store.h */
	" id INTEGER PRIMARY KEY,"
	" kind TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" data TEXT NOT NULL,"
	" created_ns INTEGER NOT NULL"
	") STRICT;";

static const char step_2[] =
	"ALTER TABLE containers ADD COLUMN restart_count INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE containers ADD COLUMN health TEXT NOT NULL DEFAULT '';"; /* State.Health */

/*
 * Every command parses the whole schema, and whoever changes a table writes all its indexes. So no table comes
 * before what it is for (as these three did), and a table that holds a handful of rows has no index. New stores
 * never had them.
 */
static const char step_3[] = "DROP INDEX IF EXISTS intents_subject;"
			     "DROP TABLE IF EXISTS leases;"
			     "DROP TABLE IF EXISTS networks;"
			     "DROP TABLE IF EXISTS volumes;";

/*
 * Each start and each end of a container writes every index of its table, which is a page each. Only commands that
 * remove images ask for those two. The intents are of a creation and a run that died before the update: nobody writes
 * such any more. What is left of a creation is collected, and a run is known by its row (store.h): "starting" (2), not
 * "created" (1).
 */
static const char step_4[] = "DROP INDEX IF EXISTS containers_chain;"
			     "DROP INDEX IF EXISTS containers_image;"
			     "UPDATE containers SET state = 2 WHERE state = 1 AND auto_remove = 1"
			     " AND id IN (SELECT subject FROM intents WHERE kind ="
			     " 'container.run');"
			     "DELETE FROM intents WHERE kind IN ('container.create',"
			     " 'container.run');";

static const char *const steps[] = { step_1, step_2, step_3, step_4 };

const struct db_schema store_schema = { steps, ARRAY_LEN(steps) };
