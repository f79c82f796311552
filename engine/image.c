/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/eventlog.h"
#include "engine/image_priv.h"
#include "engine/store_image.h"
#include "registry/reference.h"

void image_init(struct image *i)
{
	memset(i, 0, sizeof(*i));
	image_config_init(&i->config);
}

void image_release(struct image *i)
{
	free(i->id);
	free(i->manifest_digest);
	strv_release(&i->tags);
	strv_release(&i->digests);
	free(i->chain);
	image_config_release(&i->config);
	free(i->config_text);
	memset(i, 0, sizeof(*i));
}

void image_row_release(struct image_row *row)
{
	free(row->id);
	free(row->os);
	free(row->arch);
	strv_release(&row->tags);
	strv_release(&row->digests);
}

void image_rows_release(struct image_rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		image_row_release(&r->v[i]);
	free(r->v);
	*r = (struct image_rows)IMAGE_ROWS_INIT;
}

/* The hex digits of an id or its beginning, or NULL when it is none. */
static const char *id_digits(const char *text)
{
	const char *hex = str_has_prefix(text, "sha256:") ? text + 7 : text;
	size_t n = strlen(hex);

	return n > 0 && n <= 64 && hex_is(hex, n) ? hex : NULL;
}

static int by_name(struct store *s, const struct reference *ref, char **ret, struct err *e)
{
	auto_free char *repository = reference_name(ref);
	auto_free char *text = reference_text(ref);

	if (ref->digest)
		return store_image_by_digest(s, repository, ref->digest, ret, e);
	return store_image_by_tag(s, text, ret, e);
}

int image_resolve(struct store *s, const char *text, char **ret, struct err *e)
{
	auto_reference struct reference ref = REFERENCE_INIT;
	auto_free char *shown = NULL;
	const char *hex = id_digits(text);
	int r = 0;

	if (hex && strlen(hex) == 64) {
		r = store_image_by_prefix(s, hex, ret, e);
		return r ? r : err_set(e, ERR_NOT_FOUND, "No such image: sha256:%s", hex);
	}
	if (reference_parse(text, &ref, e) < 0)
		return -1;
	reference_default_tag(&ref);
	shown = reference_familiar(&ref);
	r = by_name(s, &ref, ret, e);
	if (r == 0 && hex)
		r = store_image_by_prefix(s, hex, ret, e);
	return r ? r : err_set(e, ERR_NOT_FOUND, "No such image: %s", shown);
}

int image_find(struct store *s, const char *text, struct image *ret, struct err *e)
{
	auto_free char *id = NULL;

	if (image_resolve(s, text, &id, e) < 0)
		return -1;
	return store_image_load(s, id, ret, e);
}

void image_event(struct store *s, const char *action, const char *subject, const char *name,
		 const struct strv *labels)
{
	auto_strv struct strv attributes = STRV_INIT;

	strv_addf(&attributes, "name=%s", name);
	if (labels)
		strv_add_all(&attributes, labels);
	eventlog_add(store_paths(s), "image", action, subject, &attributes);
}

void image_event_of(struct store *s, const char *action, const char *id, const char *subject,
		    const char *name)
{
	auto_image struct image i;
	struct err ignored = ERR_INIT;

	image_init(&i);
	(void)!store_image_load(s, id, &i, &ignored);
	image_event(s, action, subject, name, &i.config.labels);
}

int image_list(struct store *s, struct image_rows *ret, struct err *e)
{
	return store_image_rows(s, ret, e);
}

int image_tag(struct store *s, const char *source, const char *target, struct err *e)
{
	auto_reference struct reference ref = REFERENCE_INIT;
	auto_free char *id = NULL;
	auto_free char *text = NULL;
	auto_free char *shown = NULL;

	if (image_resolve(s, source, &id, e) < 0 || reference_parse(target, &ref, e) < 0)
		return -1;
	if (ref.digest)
		return err_set(e, ERR_INVALID, "refusing to create a tag with a digest reference");
	reference_default_tag(&ref);
	text = reference_text(&ref);
	shown = reference_familiar(&ref);
	if (store_image_set_tag(s, text, id, e) < 0)
		return -1;
	image_event_of(s, "tag", id, id, shown);
	return 0;
}
