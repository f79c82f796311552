/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `load`: images out of an archive. Two documents may say what is in it: manifest.json (`docker
 * save`) names the configuration and the layers of each image, index.json (OCI layout) the
 * manifests. An archive that has both is read by the first, and gives its images the manifests of
 * the second.
 *
 * Every blob is known by its digest from streaming by (load_archive.c); the layers go through the
 * same pipeline as pulled ones, out of the store instead of a registry.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/blob.h"
#include "engine/gc.h"
#include "engine/image.h"
#include "engine/image_add.h"
#include "engine/image_priv.h"
#include "engine/load_archive.h"
#include "engine/pull_layers.h"
#include "registry/manifest.h"
#include "registry/reference.h"

#define IMAGES_MAX	1024u
#define INDEX_DEPTH_MAX 3u
#define LAYER_TYPE	"application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE	"application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE	"application/vnd.oci.image.config.v1+json"

struct loading {
	struct store *s;
	const struct image_listener *listener;
	struct load_archive archive;
};

static void loading_release(struct loading *l)
{
	load_archive_release(&l->archive);
}
#define auto_loading __attribute__((cleanup(loading_release)))

/* One image of manifest.json. */
struct saved {
	char *config;
	struct strv tags;
	struct strv layers;
};
static const struct json_field saved_fields[] = {
	JSON_STR("Config", true, struct saved, config),
	JSON_STRV("RepoTags", false, struct saved, tags),
	JSON_STRV("Layers", true, struct saved, layers),
	JSON_END,
};

static void saved_release(struct saved *s)
{
	free(s->config);
	strv_release(&s->tags);
	strv_release(&s->layers);
}
#define auto_saved __attribute__((cleanup(saved_release)))

/* ---- blobs of the archive ---- */

static bool has_blob(const struct loading *l, const char *digest, int64_t *ret_size)
{
	for (size_t i = 0; i < l->archive.n; i++) {
		const struct load_entry *f = &l->archive.v[i];

		if (f->target || strcmp(f->digest, digest) != 0)
			continue;
		*ret_size = f->size;
		return true;
	}
	return false;
}

static int read_blob(struct loading *l, const char *digest, struct str *text, struct err *e)
{
	int64_t size;

	if (!has_blob(l, digest, &size))
		return err_set(e, ERR_CORRUPT, "invalid archive: blob %s is missing", digest);
	return blob_read(l->s, digest, text, e);
}

/* What a layer is packed with, in the words of its media type. */
static const char *packing(const struct loading *l, const char *digest)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *suffix;
	} kinds[] = { { "\x1f\x8b", 2, "+gzip" }, { "\x28\xb5\x2f\xfd", 4, "+zstd" } };
	auto_close int fd = -1;
	struct err ignored = ERR_INIT;
	char path[PATH_NAME_SIZE], head[4] = "";

	if (fd_open(store_paths(l->s)->root_fd, path_blob(digest, path), O_RDONLY, 0, &fd,
		    &ignored) < 0 ||
	    fd_read_full(fd, head, sizeof(head), &ignored) < 0)
		return "";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (memcmp(head, kinds[i].magic, kinds[i].n) == 0)
			return kinds[i].suffix;
	return "";
}

/* ---- one image ---- */

static void add_layer(struct image_layers *layers, const char *diffid, const char *blob,
		      int64_t size, char *type_take)
{
	layers->v = xreallocarray(layers->v, layers->n + 1, sizeof(*layers->v));
	layers->v[layers->n++] = (struct image_layer){
		.diffid = xstrdup(diffid),
		.blob = xstrdup(blob),
		.blob_type = type_take,
		.blob_size = size,
	};
}

/* An archive of `docker save` has no manifest; this is the one for its blobs as they came. */
static int make_manifest(struct loading *l, struct image_parts *p, struct err *e)
{
	auto_str struct str text = STR_INIT(MANIFEST_MAX);
	char digest[DIGEST_TEXT_SIZE];
	struct json_writer w;

	jw_init(&w, &text, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "schemaVersion", 2);
	jw_str(&w, "mediaType", MANIFEST_TYPE);
	jw_begin_object(&w, "config");
	jw_str(&w, "mediaType", CONFIG_TYPE);
	jw_str(&w, "digest", p->id);
	jw_int(&w, "size", (int64_t)p->doc.len);
	jw_end(&w);
	jw_begin_array(&w, "layers");
	for (size_t i = 0; i < p->layers.n; i++) {
		jw_begin_object(&w, NULL);
		jw_str(&w, "mediaType", p->layers.v[i].blob_type);
		jw_str(&w, "digest", p->layers.v[i].blob);
		jw_int(&w, "size", p->layers.v[i].blob_size);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	if (digest_of(text.buf, text.len, digest, e) < 0 || blob_store(l->s, digest, &text, e) < 0)
		return -1;
	p->manifest = xstrdup(digest);
	p->manifest_type = xstrdup(MANIFEST_TYPE);
	return 0;
}

static int read_config(struct loading *l, struct image_parts *p, const char *digest, struct err *e)
{
	if (read_blob(l, digest, &p->doc, e) < 0)
		return -1;
	p->id = xstrdup(digest);
	return image_config_parse(p->doc.buf, p->doc.len, &p->config, e);
}

/* The image's layers by its OCI manifest. */
static int use_manifest(struct loading *l, struct image_parts *p, const struct manifest *m,
			const char *digest, struct err *e)
{
	int64_t size;

	if (p->config.layers.n != m->n)
		return err_set(e, ERR_CORRUPT,
			       "invalid archive: the manifest has %zu layers and "
			       "the configuration %zu",
			       m->n, p->config.layers.n);
	for (size_t i = 0; i < m->n; i++) {
		if (!has_blob(l, m->entry[i].digest, &size))
			return err_set(e, ERR_CORRUPT, "invalid archive: layer %s is missing",
				       m->entry[i].digest);
		add_layer(&p->layers, p->config.layers.v[i], m->entry[i].digest, size,
			  xstrdup(m->entry[i].media_type));
	}
	p->manifest = xstrdup(digest);
	p->manifest_type = xstrdup(m->media_type);
	return 0;
}

/* The image's layers by the names of files that manifest.json lists. */
static int use_files(struct loading *l, struct image_parts *p, const struct strv *files,
		     struct err *e)
{
	if (p->config.layers.n != files->n)
		return err_set(e, ERR_CORRUPT,
			       "invalid manifest, layers length mismatch: expected "
			       "%zu, got %zu",
			       p->config.layers.n, files->n);
	for (size_t i = 0; i < files->n; i++) {
		const struct load_entry *f = load_archive_find(&l->archive, files->v[i]);

		if (!f)
			return err_set(e, ERR_CORRUPT, "invalid archive: '%.200s' is missing",
				       files->v[i]);
		add_layer(&p->layers, p->config.layers.v[i], f->digest, f->size,
			  xasprintf(LAYER_TYPE "%s", packing(l, f->digest)));
	}
	return make_manifest(l, p, e);
}

/* The name belonged to another image until now: say so, as Docker does. */
static int tell_renaming(struct loading *l, const char *tag, const char *id, struct err *e)
{
	auto_free char *before = NULL;
	auto_free char *shown = reference_shorten(tag);
	auto_free char *line = NULL;
	int r = store_image_by_tag(l->s, tag, &before, e);

	if (r <= 0 || str_eq(before, id))
		return r < 0 ? -1 : 0;
	line = xasprintf("The image %s already exists, renaming the old one with ID %s to empty "
			 "string",
			 shown, before);
	pull_tell(l->listener, NULL, line);
	return 0;
}

static int name_image(struct loading *l, const struct image_parts *p, const struct strv *tags,
		      struct err *e)
{
	auto_free char *line = NULL;

	for (size_t i = 0; i < tags->n; i++) {
		auto_free char *shown = reference_shorten(tags->v[i]);
		auto_free char *told = xasprintf("Loaded image: %s", shown);

		if (tell_renaming(l, tags->v[i], p->id, e) < 0 ||
		    store_image_set_tag(l->s, tags->v[i], p->id, e) < 0)
			return -1;
		pull_tell(l->listener, NULL, told);
	}
	if (tags->n > 0)
		return 0;
	line = xasprintf("Loaded image ID: %s", p->id);
	pull_tell(l->listener, NULL, line);
	return 0;
}

/* `tags` are canonical. */
static int add_and_name(struct loading *l, struct image_parts *p, const struct strv *tags,
			struct err *e)
{
	struct image_names none = { NULL, NULL, NULL };
	int complete = image_is_complete(l->s, p->id, e);

	if (complete < 0)
		return -1;
	if (!complete && (pull_layers(l->s, NULL, &p->layers, l->listener, e) < 0 ||
			  image_add(l->s, p, &none, e) < 0))
		return -1;
	return name_image(l, p, tags, e);
}

/* Another command may remove the image between our look at it and our naming it; then it is added anew,
 * out of files that the collector leaves alone meanwhile. */
static int finish(struct loading *l, struct image_parts *p, const struct strv *tags, struct err *e)
{
	int tries = IMAGE_TRIES;

	while (add_and_name(l, p, tags, e) < 0) {
		if (e->kind != ERR_CONFLICT || --tries == 0)
			return -1;
		err_clear(e);
	}
	image_event(l->s, "load", p->id, p->id, &p->config.labels);
	return 0;
}

static int add_tag(struct strv *tags, const char *text, struct err *e)
{
	auto_reference struct reference ref = REFERENCE_INIT;

	if (reference_parse(text, &ref, e) < 0)
		return err_wrap(e, "invalid archive: name '%.200s'", text);
	if (ref.digest)
		return 0;
	reference_default_tag(&ref);
	strv_add_take(tags, reference_text(&ref));
	return 0;
}

/* ---- index.json ---- */

/* Called with each image manifest below the index and the entry of index.json that led there. */
struct walk {
	struct loading *l;
	int (*each)(void *ctx, const struct descriptor *top, const char *digest,
		    const struct manifest *m, struct err *e);
	void *ctx;
};

/* Down to the manifest for this machine. */
static int walk_entry(const struct walk *w, const struct descriptor *top, struct err *e)
{
	auto_str struct str text = STR_INIT(MANIFEST_MAX);
	auto_manifest struct manifest m = MANIFEST_INIT;
	auto_free char *digest = xstrdup(top->digest);
	struct platform host;
	size_t at;

	platform_host(&host);
	for (unsigned depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
		if (read_blob(w->l, digest, &text, e) < 0 ||
		    manifest_parse(text.buf, text.len, &m, e) < 0)
			return -1;
		if (m.kind == MANIFEST_IMAGE)
			return w->each(w->ctx, top, digest, &m, e);
		if (manifest_choose(&m, &host, &at, e) < 0)
			return -1;
		free(digest);
		digest = xstrdup(m.entry[at].digest);
	}
	return err_set(e, ERR_CORRUPT, "manifest: indexes within indexes");
}

static int walk_index(const struct walk *w, struct err *e)
{
	auto_manifest struct manifest index = MANIFEST_INIT;
	const struct str *text = &w->l->archive.index;

	if (manifest_parse(text->buf, text->len, &index, e) < 0)
		return err_wrap(e, "invalid archive: index.json");
	if (index.kind != MANIFEST_INDEX || index.n > IMAGES_MAX)
		return err_set(e, ERR_CORRUPT, "invalid archive: index.json is no index of images");
	for (size_t i = 0; i < index.n; i++)
		if (walk_entry(w, &index.entry[i], e) < 0)
			return -1;
	return 0;
}

/* The name that tools leave on an entry. "latest" alone is the tag of a folder, and no image's
 * name. */
static int entry_tags(const struct descriptor *top, struct strv *tags, struct err *e)
{
	const char *full = strv_env_get(&top->annotations, "io.containerd.image.name");
	const char *name = strv_env_get(&top->annotations, "org.opencontainers.image.ref.name");

	if (full && full[0])
		return add_tag(tags, full, e);
	if (name && name[0] && !str_eq(name, "latest"))
		return add_tag(tags, name, e);
	return 0;
}

static int load_indexed(void *ctx, const struct descriptor *top, const char *digest,
			const struct manifest *m, struct err *e)
{
	struct loading *l = ctx;
	auto_image_parts struct image_parts p;
	auto_strv struct strv tags = STRV_INIT;

	image_parts_init(&p);
	if (read_config(l, &p, m->config.digest, e) < 0 || use_manifest(l, &p, m, digest, e) < 0 ||
	    entry_tags(top, &tags, e) < 0)
		return -1;
	return finish(l, &p, &tags, e);
}

/* ---- manifest.json ---- */

struct search {
	struct loading *l;
	struct image_parts *p;
	bool found;
};

static int match_entry(void *ctx, const struct descriptor *top, const char *digest,
		       const struct manifest *m, struct err *e)
{
	struct search *s = ctx;

	(void)top;
	if (s->found || !str_eq(m->config.digest, s->p->id))
		return 0;
	s->found = true;
	return use_manifest(s->l, s->p, m, digest, e);
}

/* The image's own manifest, where the archive has it; any trouble with it means that it has not. */
static bool find_own_manifest(struct loading *l, struct image_parts *p)
{
	struct search s = { l, p, false };
	struct walk w = { l, match_entry, &s };
	struct err ignored = ERR_INIT;

	if (l->archive.index.len == 0)
		return false;
	if (walk_index(&w, &ignored) < 0 && !p->manifest)
		image_layers_release(&p->layers);
	return p->manifest != NULL;
}

static int load_saved(struct loading *l, const struct json *j, struct err *e)
{
	auto_saved struct saved saved = { 0 };
	auto_image_parts struct image_parts p;
	auto_strv struct strv tags = STRV_INIT;
	const struct load_entry *config;

	image_parts_init(&p);
	if (json_read(j, saved_fields, &saved, e) < 0)
		return err_wrap(e, "invalid archive: manifest.json");
	config = load_archive_find(&l->archive, saved.config);
	if (!config)
		return err_set(e, ERR_CORRUPT, "invalid archive: '%.200s' is missing",
			       saved.config);
	if (read_config(l, &p, config->digest, e) < 0)
		return -1;
	if (!find_own_manifest(l, &p) && use_files(l, &p, &saved.layers, e) < 0)
		return -1;
	for (size_t i = 0; i < saved.tags.n; i++)
		if (add_tag(&tags, saved.tags.v[i], e) < 0)
			return -1;
	return finish(l, &p, &tags, e);
}

static int load_all_saved(struct loading *l, struct err *e)
{
	auto_json struct json *j = NULL;

	if (json_parse(l->archive.manifest.buf, l->archive.manifest.len, &j, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "invalid archive: manifest.json");
	}
	if (!json_is_array(j) || json_len(j) == 0 || json_len(j) > IMAGES_MAX)
		return err_set(e, ERR_CORRUPT,
			       "invalid archive: manifest.json is no list of images");
	for (size_t i = 0; i < json_len(j); i++)
		if (load_saved(l, json_at(j, i), e) < 0)
			return -1;
	return 0;
}

static int load_locked(struct loading *l, int fd, struct err *e)
{
	struct walk w = { l, load_indexed, l };

	if (load_archive_read(l->s, fd, l->listener ? l->listener->cancel_fd : -1, &l->archive, e) <
	    0)
		return -1;
	if (l->archive.manifest.len > 0)
		return load_all_saved(l, e);
	if (l->archive.index.len > 0)
		return walk_index(&w, e);
	return err_set(e, ERR_INVALID,
		       "invalid archive: it has neither manifest.json nor "
		       "index.json");
}

int image_load(struct store *s, int fd, const struct image_listener *listener, struct err *e)
{
	auto_loading struct loading l = { .s = s, .listener = listener };
	struct gc_result collected;
	struct err ignored = ERR_INIT;
	int r;

	load_archive_init(&l.archive);
	if (store_collector_lock(s, LOCK_SHARED, true, e) < 0)
		return -1;
	r = load_locked(&l, fd, e);
	store_collector_unlock(s);
	/* What the archive had besides its images, or all of it after a failure. */
	if (gc_run(s, false, &collected, &ignored) < 0)
		err_clear(&ignored);
	return r;
}
