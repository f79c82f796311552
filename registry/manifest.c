/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/manifest.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define OCI_MANIFEST	"application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX	"application/vnd.oci.image.index.v1+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST	"application/vnd.docker.distribution.manifest.list.v2+json"

const char *const manifest_media_types[] = { DOCKER_MANIFEST, DOCKER_LIST, OCI_INDEX, OCI_MANIFEST,
					     NULL };

static const char *const config_types[] = {
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
	NULL,
};

/* How a layer is packed is found out from its data, so these are all alike. */
static const char *const layer_types[] = {
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.oci.image.layer.v1.tar+zstd",
	"application/vnd.docker.image.rootfs.diff.tar",
	"application/vnd.docker.image.rootfs.diff.tar.gzip",
	"application/vnd.docker.image.rootfs.diff.tar.zstd",
	NULL,
};

/* Documents as they are read; what they own is moved into the result once it is known to be good.
 */
struct raw_platform {
	char *os, *arch, *variant;
};
struct raw_descriptor {
	char *media_type, *digest;
	int64_t size;
	struct raw_platform platform;
	struct strv annotations;
};
struct raw_manifest {
	int64_t schema;
	char *media_type;
	struct raw_descriptor config;
	struct json_list layers, manifests;
};

static const struct json_field platform_fields[] = {
	JSON_STR("os", false, struct raw_platform, os),
	JSON_STR("architecture", false, struct raw_platform, arch),
	JSON_STR("variant", false, struct raw_platform, variant),
	JSON_END,
};
static const struct json_field descriptor_fields[] = {
	JSON_STR("mediaType", false, struct raw_descriptor, media_type),
	JSON_STR("digest", true, struct raw_descriptor, digest),
	JSON_INT("size", true, struct raw_descriptor, size),
	JSON_OBJ("platform", false, struct raw_descriptor, platform, platform_fields),
	JSON_MAP("annotations", false, struct raw_descriptor, annotations),
	JSON_END,
};
static const struct json_field manifest_fields[] = {
	JSON_INT("schemaVersion", false, struct raw_manifest, schema),
	JSON_STR("mediaType", false, struct raw_manifest, media_type),
	JSON_OBJ("config", false, struct raw_manifest, config, descriptor_fields),
	JSON_LIST("layers", false, struct raw_manifest, layers, struct raw_descriptor,
		  descriptor_fields),
	JSON_LIST("manifests", false, struct raw_manifest, manifests, struct raw_descriptor,
		  descriptor_fields),
	JSON_END,
};

static void raw_descriptor_release(struct raw_descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	free(d->platform.os);
	free(d->platform.arch);
	free(d->platform.variant);
	strv_release(&d->annotations);
}

static void raw_list_release(struct json_list *list)
{
	struct raw_descriptor *d = list->v;

	for (size_t i = 0; i < list->n; i++)
		raw_descriptor_release(&d[i]);
	free(d);
}

static void raw_manifest_release(struct raw_manifest *m)
{
	free(m->media_type);
	raw_descriptor_release(&m->config);
	raw_list_release(&m->layers);
	raw_list_release(&m->manifests);
}
#define auto_raw __attribute__((cleanup(raw_manifest_release)))

static void descriptor_release(struct descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	strv_release(&d->annotations);
}

void manifest_release(struct manifest *m)
{
	free(m->media_type);
	descriptor_release(&m->config);
	for (size_t i = 0; i < m->n; i++)
		descriptor_release(&m->entry[i]);
	free(m->entry);
	*m = (struct manifest)MANIFEST_INIT;
}

static bool is_one_of(const char *text, const char *const *list)
{
	while (*list && strcmp(text, *list) != 0)
		list++;
	return *list != NULL;
}

/* Moves `from` over. `what` names it in errors. */
static int take_descriptor(struct raw_descriptor *from, const char *what, int64_t max,
			   struct descriptor *ret, struct err *e)
{
	if (!digest_is_valid(from->digest))
		return err_set(e, ERR_CORRUPT, "manifest: %s: '%.80s' is no sha256 digest", what,
			       from->digest);
	if (from->size < 0 || from->size > max)
		return err_set(e, ERR_CORRUPT,
			       "manifest: %s: a size of %lld bytes is not possible (limit %lld)",
			       what, (long long)from->size, (long long)max);
	if (platform_set(&ret->platform, from->platform.os, from->platform.arch,
			 from->platform.variant, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "manifest: %s", what);
	}
	ret->media_type = from->media_type ? take_ptr(&from->media_type) : xstrdup("");
	ret->digest = take_ptr(&from->digest);
	ret->size = from->size;
	ret->annotations = from->annotations;
	from->annotations = (struct strv)STRV_INIT;
	return 0;
}

/* A type that is stated and not one of these. */
static bool is_foreign(const struct descriptor *d, const char *const *known)
{
	return d->media_type && d->media_type[0] && !is_one_of(d->media_type, known);
}

static int unsupported(const char *type, struct err *e)
{
	return err_set(e, ERR_INVALID, "unsupported media type '%.120s'", type);
}

static int take_list(struct json_list *list, int64_t max_size, const char *what, struct manifest *m,
		     struct err *e)
{
	struct raw_descriptor *from = list->v;

	m->entry = xcalloc(list->n, sizeof(*m->entry));
	for (size_t i = 0; i < list->n; i++) {
		/* Counted first, so that a half-taken one is released. */
		m->n = i + 1;
		if (take_descriptor(&from[i], what, max_size, &m->entry[i], e) < 0)
			return -1;
	}
	return 0;
}

static int take_image(struct raw_manifest *raw, struct manifest *m, struct err *e)
{
	if (!raw->config.digest)
		return err_set(e, ERR_CORRUPT, "manifest: config is missing");
	if (take_descriptor(&raw->config, "config", MANIFEST_CONFIG_MAX, &m->config, e) < 0)
		return -1;
	if (is_foreign(&m->config, config_types))
		return unsupported(m->config.media_type, e);
	if (take_list(&raw->layers, MANIFEST_LAYER_MAX, "layers", m, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		if (is_foreign(&m->entry[i], layer_types))
			return unsupported(m->entry[i].media_type, e);
	return 0;
}

static int check_type(struct raw_manifest *raw, bool is_index, struct err *e)
{
	const char *type = raw->media_type;
	bool names_index, names_image;

	if (!type || !type[0])
		return 0;
	names_index = str_eq(type, OCI_INDEX) || str_eq(type, DOCKER_LIST);
	names_image = str_eq(type, OCI_MANIFEST) || str_eq(type, DOCKER_MANIFEST);
	if (!names_index && !names_image)
		return unsupported(type, e);
	if (names_index != is_index)
		return err_set(e, ERR_CORRUPT, "manifest: the contents are not of type '%s'", type);
	return 0;
}

/* What the document is, by what it has in it. */
static int take_document(struct raw_manifest *raw, const struct json *j, struct manifest *m,
			 struct err *e)
{
	bool has_manifests = json_is_array(json_get(j, "manifests"));
	bool has_layers = json_is_array(json_get(j, "layers"));

	if (raw->schema == 1 || json_get(j, "fsLayers"))
		return err_set(e, ERR_INVALID,
			       "the image has a manifest of schema 1, a format given up long ago; "
			       "it must be pushed anew");
	if (raw->schema != 2)
		return err_set(e, ERR_CORRUPT, "manifest: schemaVersion is not 2");
	/* One digest must not mean two things, depending on who reads it. */
	if (has_manifests == has_layers)
		return err_set(e, ERR_CORRUPT, "manifest: neither an image's nor an index");
	if (check_type(raw, has_manifests, e) < 0)
		return -1;
	m->kind = has_manifests ? MANIFEST_INDEX : MANIFEST_IMAGE;
	m->media_type = raw->media_type && raw->media_type[0]
				? take_ptr(&raw->media_type)
				: xstrdup(has_manifests ? OCI_INDEX : OCI_MANIFEST);
	if (has_manifests)
		return take_list(&raw->manifests, (int64_t)MANIFEST_MAX, "manifests", m, e);
	return take_image(raw, m, e);
}

/* Before anything is allocated for them. */
static int check_counts(const struct json *j, struct err *e)
{
	if (json_len(json_get(j, "layers")) > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_CORRUPT, "more than %u layers", MANIFEST_LAYERS_MAX);
	if (json_len(json_get(j, "manifests")) > MANIFEST_ENTRIES_MAX)
		return err_set(e, ERR_CORRUPT, "more than %u manifests", MANIFEST_ENTRIES_MAX);
	return 0;
}

int manifest_parse(const char *text, size_t n, struct manifest *ret, struct err *e)
{
	auto_raw struct raw_manifest raw = { 0 };
	auto_manifest struct manifest m = MANIFEST_INIT;
	auto_json struct json *j = NULL;

	if (n > MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "manifest: larger than %zu bytes", MANIFEST_MAX);
	if (json_parse(text, n, &j, e) < 0 || check_counts(j, e) < 0 ||
	    json_read(j, manifest_fields, &raw, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "manifest");
	}
	if (take_document(&raw, j, &m, e) < 0)
		return -1;
	manifest_release(ret);
	*ret = m;
	m = (struct manifest)MANIFEST_INIT;
	return 0;
}

int manifest_choose(const struct manifest *index, const struct platform *want, size_t *ret,
		    struct err *e)
{
	char text[PLATFORM_TEXT_SIZE];
	size_t best = 0;
	int best_score = 0;

	for (size_t i = 0; i < index->n; i++) {
		int score = platform_match(want, &index->entry[i].platform);

		if (score > best_score) {
			best = i;
			best_score = score;
		}
	}
	/* An index around one image need not repeat its platform. */
	if (!best_score && index->n == 1 && !index->entry[0].platform.os[0])
		best_score = 1;
	if (!best_score) {
		platform_format_full(want, text);
		return err_set(e, ERR_NOT_FOUND,
			       "no matching manifest for %s in the manifest list entries", text);
	}
	*ret = best;
	return 0;
}
