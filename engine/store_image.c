/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store_image.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/reference.h"

void image_layers_release(struct image_layers *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].diffid);
		free(l->v[i].blob);
		free(l->v[i].blob_type);
	}
	free(l->v);
	*l = (struct image_layers)IMAGE_LAYERS_INIT;
}

/* ---- adding ---- */

static int add_layer(struct db *db, const struct image_layer *l, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(&q, db,
		     "INSERT INTO layers (diffid, writer, size, tar_size, entries)"
		     " VALUES (?, ?, ?, ?, ?) ON CONFLICT (diffid) DO UPDATE SET"
		     " writer = excluded.writer, size = excluded.size,"
		     " tar_size = excluded.tar_size, entries = excluded.entries");
	stmt_bind_text(&q, 1, l->diffid);
	stmt_bind_int(&q, 2, LAYER_WRITER_VERSION);
	stmt_bind_int(&q, 3, l->size);
	stmt_bind_int(&q, 4, l->tar_size);
	stmt_bind_int(&q, 5, l->entries);
	return stmt_run(&q, e);
}

static int add_chain(struct db *db, const struct image_record *r, struct err *e)
{
	auto_stmt struct stmt chain = STMT_INIT, part = STMT_INIT;

	stmt_prepare(&chain, db,
		     "INSERT INTO chains (id, writer, size) VALUES (?, ?, ?)"
		     " ON CONFLICT (id) DO UPDATE SET writer = excluded.writer,"
		     " size = excluded.size");
	stmt_bind_text(&chain, 1, r->chain);
	stmt_bind_int(&chain, 2, LAYER_WRITER_VERSION);
	stmt_bind_int(&chain, 3, r->chain_size);
	if (stmt_run(&chain, e) < 0)
		return -1;
	stmt_prepare(&part, db,
		     "INSERT INTO chain_layers (chain, position, diffid) VALUES (?, ?, ?)"
		     " ON CONFLICT DO NOTHING");
	for (size_t i = 0; i < r->layers->n; i++) {
		stmt_bind_text(&part, 1, r->chain);
		stmt_bind_int(&part, 2, (int64_t)i);
		stmt_bind_text(&part, 3, r->layers->v[i].diffid);
		if (stmt_step(&part, e) < 0)
			return -1;
		stmt_reset(&part);
	}
	return 0;
}

static int add_image(struct db *db, const struct image_record *r, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int64_t size = 0;

	for (size_t i = 0; i < r->layers->n; i++)
		size += r->layers->v[i].tar_size;
	stmt_prepare(&q, db,
		     "INSERT INTO images (id, manifest, manifest_type, os, arch, variant,"
		     " created_ns, added_ns, size, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		     " ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest,"
		     " manifest_type = excluded.manifest_type");
	stmt_bind_text(&q, 1, r->id);
	stmt_bind_text(&q, 2, r->manifest);
	stmt_bind_text(&q, 3, r->manifest_type);
	stmt_bind_text(&q, 4, r->config->platform.os);
	stmt_bind_text(&q, 5, r->config->platform.arch);
	stmt_bind_text(&q, 6, r->config->platform.variant);
	stmt_bind_int(&q, 7, r->config->created);
	stmt_bind_int(&q, 8, clock_now());
	stmt_bind_int(&q, 9, size);
	stmt_bind_text(&q, 10, r->chain);
	return stmt_run(&q, e);
}

static int add_doc(struct db *db, const struct image_record *r, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(&q, db,
		     "INSERT INTO image_docs (image, doc) VALUES (?, ?)"
		     " ON CONFLICT DO NOTHING");
	stmt_bind_text(&q, 1, r->id);
	stmt_bind_text(&q, 2, r->doc);
	return stmt_run(&q, e);
}

/* The blobs follow the manifest: with another one of the same image they may be packed differently.
 */
static int add_image_layers(struct db *db, const struct image_record *r, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(
		&q, db,
		"INSERT INTO image_layers (image, position, diffid, blob, blob_size, blob_type)"
		" VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (image, position) DO UPDATE SET"
		" blob = excluded.blob, blob_size = excluded.blob_size,"
		" blob_type = excluded.blob_type");
	for (size_t i = 0; i < r->layers->n; i++) {
		const struct image_layer *l = &r->layers->v[i];

		stmt_bind_text(&q, 1, r->id);
		stmt_bind_int(&q, 2, (int64_t)i);
		stmt_bind_text(&q, 3, l->diffid);
		stmt_bind_text(&q, 4, l->blob);
		stmt_bind_int(&q, 5, l->blob_size);
		stmt_bind_text(&q, 6, l->blob_type);
		if (stmt_step(&q, e) < 0)
			return -1;
		stmt_reset(&q);
	}
	return 0;
}

int store_image_add(struct store *s, const struct image_record *r, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	struct db *db = store_db(s);

	if (tx_begin(&tx, db, e) < 0)
		return -1;
	for (size_t i = 0; i < r->layers->n; i++)
		if (add_layer(db, &r->layers->v[i], e) < 0)
			return -1;
	if (add_chain(db, r, e) < 0 || add_image(db, r, e) < 0 || add_doc(db, r, e) < 0 ||
	    add_image_layers(db, r, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

/* ---- layers and chains ---- */

int store_image_layer(struct store *s, struct image_layer *l, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT size, tar_size, entries FROM layers WHERE diffid = ? AND writer = ?");
	stmt_bind_text(&q, 1, l->diffid);
	stmt_bind_int(&q, 2, LAYER_WRITER_VERSION);
	r = stmt_step(&q, e);
	if (r <= 0)
		return r;
	l->size = stmt_int(&q, 0);
	l->tar_size = stmt_int(&q, 1);
	l->entries = stmt_int(&q, 2);
	return 1;
}

int store_image_chain(struct store *s, const char *chain, int64_t *ret_size, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(&q, store_db(s), "SELECT size FROM chains WHERE id = ? AND writer = ?");
	stmt_bind_text(&q, 1, chain);
	stmt_bind_int(&q, 2, LAYER_WRITER_VERSION);
	r = stmt_step(&q, e);
	if (r > 0)
		*ret_size = stmt_int(&q, 0);
	return r;
}

int store_image_layers(struct store *s, const char *id, struct image_layers *ret, struct err *e)
{
	auto_image_layers struct image_layers l = IMAGE_LAYERS_INIT;
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT i.diffid, i.blob, i.blob_type, i.blob_size, l.size, l.tar_size,"
		     " l.entries FROM image_layers i JOIN layers l ON l.diffid = i.diffid"
		     " WHERE i.image = ? ORDER BY i.position");
	stmt_bind_text(&q, 1, id);
	while ((r = stmt_step(&q, e)) > 0) {
		l.v = xreallocarray(l.v, l.n + 1, sizeof(*l.v));
		l.v[l.n++] = (struct image_layer){
			.diffid = xstrdup(stmt_text0(&q, 0)),
			.blob = xstrdup(stmt_text0(&q, 1)),
			.blob_type = xstrdup(stmt_text0(&q, 2)),
			.blob_size = stmt_int(&q, 3),
			.size = stmt_int(&q, 4),
			.tar_size = stmt_int(&q, 5),
			.entries = stmt_int(&q, 6),
		};
	}
	if (r < 0)
		return -1;
	image_layers_release(ret);
	*ret = l;
	l = (struct image_layers)IMAGE_LAYERS_INIT;
	return 0;
}

/* ---- names ---- */

/* The first column of the first row. */
static int first_text(struct stmt *q, char **ret, struct err *e)
{
	int r = stmt_step(q, e);

	if (r > 0)
		*ret = xstrdup(stmt_text0(q, 0));
	return r;
}

int store_image_by_tag(struct store *s, const char *reference, char **ret, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(&q, store_db(s), "SELECT image FROM tags WHERE reference = ?");
	stmt_bind_text(&q, 1, reference);
	return first_text(&q, ret, e);
}

int store_image_by_digest(struct store *s, const char *repository, const char *digest, char **ret,
			  struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(&q, store_db(s),
		     "SELECT image FROM image_digests WHERE repository = ? AND digest = ?");
	stmt_bind_text(&q, 1, repository);
	stmt_bind_text(&q, 2, digest);
	return first_text(&q, ret, e);
}

int store_image_by_prefix(struct store *s, const char *hex, char **ret, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	auto_free char *from = xasprintf("sha256:%s", hex);
	/* "g" comes behind every hex digit. */
	auto_free char *to = xasprintf("sha256:%sg", hex);
	auto_free char *id = NULL;
	int r;

	stmt_prepare(&q, store_db(s), "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2");
	stmt_bind_text(&q, 1, from);
	stmt_bind_text(&q, 2, to);
	r = first_text(&q, &id, e);
	if (r <= 0)
		return r;
	r = stmt_step(&q, e);
	if (r < 0)
		return -1;
	if (r > 0)
		return err_set(e, ERR_CONFLICT, "ambiguous image ID: several begin with '%s'", hex);
	*ret = take_ptr(&id);
	return 1;
}

int store_image_set_tag(struct store *s, const char *reference, const char *id, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt q = STMT_INIT;

	if (tx_begin(&tx, store_db(s), e) < 0)
		return -1;
	stmt_prepare(&q, store_db(s),
		     "INSERT INTO tags (reference, image) VALUES (?, ?)"
		     " ON CONFLICT (reference) DO UPDATE SET image = excluded.image");
	stmt_bind_text(&q, 1, reference);
	stmt_bind_text(&q, 2, id);
	return stmt_run(&q, e) < 0 ? -1 : tx_commit(&tx, e);
}

int store_image_set_digest(struct store *s, const char *repository, const char *digest,
			   const char *id, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt q = STMT_INIT;

	if (tx_begin(&tx, store_db(s), e) < 0)
		return -1;
	stmt_prepare(&q, store_db(s),
		     "INSERT INTO image_digests (repository, digest, image) VALUES (?, ?, ?)"
		     " ON CONFLICT (repository, digest) DO UPDATE SET image = excluded.image");
	stmt_bind_text(&q, 1, repository);
	stmt_bind_text(&q, 2, digest);
	stmt_bind_text(&q, 3, id);
	return stmt_run(&q, e) < 0 ? -1 : tx_commit(&tx, e);
}

int store_image_drop_tag(struct store *s, const char *reference, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt q = STMT_INIT;

	if (tx_begin(&tx, store_db(s), e) < 0)
		return -1;
	stmt_prepare(&q, store_db(s), "DELETE FROM tags WHERE reference = ?");
	stmt_bind_text(&q, 1, reference);
	return stmt_run(&q, e) < 0 ? -1 : tx_commit(&tx, e);
}

int store_image_drop_digest(struct store *s, const char *repository, const char *digest,
			    struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt q = STMT_INIT;

	if (tx_begin(&tx, store_db(s), e) < 0)
		return -1;
	stmt_prepare(&q, store_db(s),
		     "DELETE FROM image_digests WHERE repository = ? AND digest = ?");
	stmt_bind_text(&q, 1, repository);
	stmt_bind_text(&q, 2, digest);
	return stmt_run(&q, e) < 0 ? -1 : tx_commit(&tx, e);
}

int store_image_names(struct store *s, const char *id, struct strv *ret, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT reference, 0 AS kind FROM tags WHERE image = ?1 UNION ALL"
		     " SELECT repository || '@' || digest, 1 FROM image_digests WHERE image = ?1"
		     " ORDER BY kind, 1");
	stmt_bind_text(&q, 1, id);
	strv_clear(ret);
	while ((r = stmt_step(&q, e)) > 0)
		strv_add(ret, stmt_text0(&q, 0));
	return r;
}

int store_image_users(struct store *s, const char *id, int64_t *ret, char ret_id[ID_TEXT_SIZE],
		      struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	const char *one;
	int r;

	stmt_prepare(&q, store_db(s), "SELECT count(*), min(id) FROM containers WHERE image = ?");
	stmt_bind_text(&q, 1, id);
	r = stmt_step(&q, e);
	if (r < 0)
		return -1;
	*ret = stmt_int(&q, 0);
	one = stmt_text0(&q, 1);
	snprintf(ret_id, ID_TEXT_SIZE, "%.*s", ID_TEXT_SIZE - 1, one);
	return 0;
}

/* ---- reading and deleting images ---- */

static int load_row(struct store *s, const char *id, struct image *i, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT manifest, created_ns, size, chain,"
		     " (SELECT doc FROM image_docs WHERE image = ?1) FROM images WHERE id = ?1");
	stmt_bind_text(&q, 1, id);
	r = stmt_step(&q, e);
	if (r == 0)
		return err_set(e, ERR_NOT_FOUND, "No such image: %s", id);
	if (r < 0)
		return -1;
	i->id = xstrdup(id);
	i->manifest_digest = xstrdup(stmt_text0(&q, 0));
	i->created = stmt_int(&q, 1);
	i->size = stmt_int(&q, 2);
	i->chain = xstrdup(stmt_text0(&q, 3));
	i->config_text = xstrdup(stmt_text0(&q, 4));
	return 0;
}

static void add_name(struct strv *tags, struct strv *digests, const char *canonical)
{
	strv_add_take(strchr(canonical, '@') ? digests : tags, reference_shorten(canonical));
}

int store_image_load(struct store *s, const char *id, struct image *ret, struct err *e)
{
	auto_image struct image i;

	image_init(&i);
	if (load_row(s, id, &i, e) < 0 ||
	    image_config_parse(i.config_text, strlen(i.config_text), &i.config, e) < 0)
		return -1;
	image_release(ret);
	*ret = i;
	image_init(&i);
	return 0;
}

int image_load_names(struct store *s, struct image *i, struct err *e)
{
	auto_strv struct strv names = STRV_INIT;

	if (store_image_names(s, i->id, &names, e) < 0)
		return -1;
	strv_clear(&i->tags);
	strv_clear(&i->digests);
	for (size_t n = 0; n < names.n; n++)
		add_name(&i->tags, &i->digests, names.v[n]);
	return 0;
}

/* Both lists are sorted by image id, so one pass joins them. */
static int join_names(struct store *s, struct image_rows *rows, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	size_t at = 0;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT image, reference FROM tags UNION ALL"
		     " SELECT image, repository || '@' || digest FROM image_digests"
		     " ORDER BY 1, 2");
	while ((r = stmt_step(&q, e)) > 0) {
		const char *id = stmt_text0(&q, 0);

		while (at < rows->n && strcmp(rows->v[at].id, id) < 0)
			at++;
		if (at < rows->n && strcmp(rows->v[at].id, id) == 0)
			add_name(&rows->v[at].tags, &rows->v[at].digests, stmt_text0(&q, 1));
	}
	return r;
}

static int join_users(struct store *s, struct image_rows *rows, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	size_t at = 0;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT image, count(*) FROM containers GROUP BY image ORDER BY image");
	while ((r = stmt_step(&q, e)) > 0) {
		const char *id = stmt_text0(&q, 0);

		while (at < rows->n && strcmp(rows->v[at].id, id) < 0)
			at++;
		if (at < rows->n && strcmp(rows->v[at].id, id) == 0)
			rows->v[at].containers = stmt_int(&q, 1);
	}
	return r;
}

static int newest_first(const void *a, const void *b)
{
	const struct image_row *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	return strcmp(x->id, y->id);
}

int store_image_rows(struct store *s, struct image_rows *ret, struct err *e)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	auto_stmt struct stmt q = STMT_INIT;
	size_t cap = 0;
	int r;

	stmt_prepare(&q, store_db(s),
		     "SELECT id, created_ns, size, os, arch FROM images ORDER BY id");
	while ((r = stmt_step(&q, e)) > 0) {
		if (rows.n == cap) {
			cap = cap ? 2 * cap : 64;
			rows.v = xreallocarray(rows.v, cap, sizeof(*rows.v));
		}
		rows.v[rows.n++] = (struct image_row){
			.id = xstrdup(stmt_text0(&q, 0)),
			.created = stmt_int(&q, 1),
			.size = stmt_int(&q, 2),
			.os = xstrdup(stmt_text0(&q, 3)),
			.arch = xstrdup(stmt_text0(&q, 4)),
		};
	}
	if (r < 0 || join_names(s, &rows, e) < 0 || join_users(s, &rows, e) < 0)
		return -1;
	if (rows.n > 0)
		qsort(rows.v, rows.n, sizeof(*rows.v), newest_first);
	image_rows_release(ret);
	*ret = rows;
	rows = (struct image_rows)IMAGE_ROWS_INIT;
	return 0;
}

static int own_layers(struct db *db, const char *id, struct strv *ret, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;
	int r;

	stmt_prepare(
		&q, db,
		"SELECT DISTINCT i.diffid FROM image_layers i WHERE i.image = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM image_layers o WHERE o.diffid = i.diffid AND o.image <> ?1)"
		" ORDER BY i.position DESC");
	stmt_bind_text(&q, 1, id);
	while ((r = stmt_step(&q, e)) > 0)
		strv_add(ret, stmt_text0(&q, 0));
	return r;
}

int store_image_delete(struct store *s, const char *id, struct strv *ret_layers, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt tags = STMT_INIT, image = STMT_INIT;
	struct db *db = store_db(s);

	if (tx_begin(&tx, db, e) < 0 || own_layers(db, id, ret_layers, e) < 0)
		return -1;
	stmt_prepare(&tags, db, "DELETE FROM tags WHERE image = ?");
	stmt_bind_text(&tags, 1, id);
	if (stmt_run(&tags, e) < 0)
		return -1;
	stmt_prepare(&image, db, "DELETE FROM images WHERE id = ?");
	stmt_bind_text(&image, 1, id);
	if (stmt_run(&image, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}
