/* SPDX-License-Identifier: Apache-2.0 */
/* `pull`: from a reference to an image in the store. pull_layers.c brings the bulk of it. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/blob.h"
#include "engine/gc.h"
#include "engine/image.h"
#include "engine/image_add.h"
#include "engine/image_priv.h"
#include "engine/pull_layers.h"
#include "registry/client.h"
#include "registry/manifest.h"
#include "registry/reference.h"

#define INDEX_DEPTH_MAX 3u

struct pulling {
	struct store *s;
	struct registry *registry;
	const struct image_listener *listener;
	struct reference ref;
	struct platform platform;
	bool platform_asked;
	char digest[DIGEST_TEXT_SIZE]; /* of what the reference names: index or manifest */
	struct manifest manifest;      /* the image's */
	struct image_parts parts;
};

static void pulling_release(struct pulling *p)
{
	registry_close(p->registry);
	reference_release(&p->ref);
	manifest_release(&p->manifest);
	image_parts_release(&p->parts);
}
#define auto_pulling __attribute__((cleanup(pulling_release)))

static int choose_platform(struct pulling *p, const char *asked, struct err *e)
{
	const char *otherwise = getenv("DOCKER_DEFAULT_PLATFORM");

	if (!asked || !asked[0])
		asked = otherwise && otherwise[0] ? otherwise : NULL;
	p->platform_asked = asked != NULL;
	if (asked)
		return platform_parse(asked, &p->platform, e);
	platform_host(&p->platform);
	return 0;
}

/* One document, kept as it came. */
static int get_manifest(struct pulling *p, const char *digest, char ret[DIGEST_TEXT_SIZE],
			struct err *e)
{
	auto_str struct str text = STR_INIT(MANIFEST_MAX);

	if (registry_manifest(p->registry, digest, &text, ret, e) < 0 ||
	    manifest_parse(text.buf, text.len, &p->manifest, e) < 0)
		return -1;
	return blob_store(p->s, ret, &text, e);
}

/* Down through the indexes to the platform's manifest. */
static int find_manifest(struct pulling *p, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];

	if (get_manifest(p, NULL, p->digest, e) < 0)
		return -1;
	memcpy(digest, p->digest, sizeof(digest));
	for (unsigned depth = 0; p->manifest.kind == MANIFEST_INDEX; depth++) {
		auto_free char *next = NULL;
		size_t at;

		if (depth == INDEX_DEPTH_MAX)
			return err_set(e, ERR_CORRUPT, "manifest: indexes within indexes");
		if (manifest_choose(&p->manifest, &p->platform, &at, e) < 0)
			return -1;
		next = xstrdup(p->manifest.entry[at].digest);
		if (get_manifest(p, next, digest, e) < 0)
			return -1;
	}
	p->parts.manifest = xstrdup(digest);
	p->parts.manifest_type = xstrdup(p->manifest.media_type);
	p->parts.id = xstrdup(p->manifest.config.digest);
	return 0;
}

/* The manifest names blobs, the configuration says what they unpack to. */
static int match_layers(struct pulling *p, struct err *e)
{
	const struct strv *diffids = &p->parts.config.layers;
	struct image_layers *layers = &p->parts.layers;

	if (diffids->n != p->manifest.n)
		return err_set(e, ERR_CORRUPT,
			       "the manifest has %zu layers and the image's configuration %zu",
			       p->manifest.n, diffids->n);
	layers->v = xcalloc(diffids->n, sizeof(*layers->v));
	layers->n = diffids->n;
	for (size_t i = 0; i < layers->n; i++) {
		const struct descriptor *d = &p->manifest.entry[i];

		layers->v[i] = (struct image_layer){
			.diffid = xstrdup(diffids->v[i]),
			.blob = xstrdup(d->digest),
			.blob_type = xstrdup(d->media_type),
			.blob_size = d->size,
		};
	}
	return 0;
}

static int check_platform(const struct pulling *p, const char *name, struct err *e)
{
	char want[PLATFORM_TEXT_SIZE], has[PLATFORM_TEXT_SIZE];

	if (!p->platform_asked || platform_match(&p->platform, &p->parts.config.platform))
		return 0;
	platform_format(&p->platform, want);
	platform_format(&p->parts.config.platform, has);
	return err_set(e, ERR_NOT_FOUND,
		       "image with reference %s was found but does not provide the specified "
		       "platform: wanted %s, actual: %s",
		       name, want, has);
}

static int get_config(struct pulling *p, struct err *e)
{
	auto_free char *name = reference_familiar(&p->ref);
	const struct descriptor *d = &p->manifest.config;

	if (registry_blob(p->registry, d->digest, d->size, &p->parts.doc, e) < 0 ||
	    image_config_parse(p->parts.doc.buf, p->parts.doc.len, &p->parts.config, e) < 0 ||
	    check_platform(p, name, e) < 0 || match_layers(p, e) < 0)
		return -1;
	return blob_store(p->s, d->digest, &p->parts.doc, e);
}

/* The image is there already: only names may be new. */
static int add_names(struct pulling *p, const struct image_names *names, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (blob_sync_folders(p->s, e) < 0 || tx_begin(&tx, store_db(p->s), e) < 0)
		return -1;
	if (names->tag && store_image_set_tag(p->s, names->tag, p->parts.id, e) < 0)
		return -1;
	if (store_image_set_digest(p->s, names->repository, names->digest, p->parts.id, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

/* Does the name stand for this image already? 1, 0 or -1. */
static int is_current(struct pulling *p, const char *tag, const char *repository, struct err *e)
{
	auto_free char *id = NULL;
	int r = tag ? store_image_by_tag(p->s, tag, &id, e)
		    : store_image_by_digest(p->s, repository, p->digest, &id, e);

	return r < 0 ? -1 : str_eq(id, p->parts.id);
}

/* Everything below the manifest, and the rows. */
static int bring_once(struct pulling *p, const struct image_names *names, struct err *e)
{
	int complete = image_is_complete(p->s, p->parts.id, e);

	if (complete < 0)
		return -1;
	if (complete)
		return add_names(p, names, e);
	if (get_config(p, e) < 0 ||
	    pull_layers(p->s, p->registry, &p->parts.layers, p->listener, e) < 0)
		return -1;
	return image_add(p->s, &p->parts, names, e);
}

/* Another command may remove the image between our look at it and our naming it. */
static int bring(struct pulling *p, const struct image_names *names, struct err *e)
{
	int tries = IMAGE_TRIES;

	while (bring_once(p, names, e) < 0) {
		if (e->kind != ERR_CONFLICT || --tries == 0)
			return -1;
		err_clear(e);
	}
	return 0;
}

static void tell_result(const struct pulling *p, bool current)
{
	auto_free char *name = reference_familiar(&p->ref);
	auto_free char *digest = xasprintf("Digest: %s", p->digest);
	auto_free char *status = xasprintf(
		"Status: %s for %s", current ? "Image is up to date" : "Downloaded newer image",
		name);

	pull_tell(p->listener, NULL, digest);
	pull_tell(p->listener, NULL, status);
}

static void tell_event(const struct pulling *p)
{
	auto_free char *shown = reference_familiar(&p->ref);
	auto_free char *name = reference_familiar_name(&p->ref);

	image_event_of(p->s, "pull", p->parts.id, shown, name);
}

static int pull_locked(struct pulling *p, struct err *e)
{
	auto_free char *repository = reference_name(&p->ref);
	auto_free char *tag = p->ref.digest ? NULL : reference_text(&p->ref);
	auto_free char *from = xasprintf("Pulling from %s", p->ref.path);
	struct image_names names = { tag, repository, p->digest };
	int current;

	if (registry_open(&p->ref, p->listener ? p->listener->cancel_fd : -1, &p->registry, e) <
		    0 ||
	    find_manifest(p, e) < 0)
		return -1;
	pull_tell(p->listener, p->ref.digest ? p->ref.digest : p->ref.tag, from);
	current = is_current(p, tag, repository, e);
	if (current < 0 || bring(p, &names, e) < 0)
		return -1;
	tell_result(p, current);
	tell_event(p);
	return 0;
}

/* What a failed pull has stored, unless somebody else is at work here; then it is for the next one.
 */
static void clean_up(struct store *s)
{
	struct gc_result collected;
	struct err ignored = ERR_INIT;

	if (gc_run(s, false, &collected, &ignored) < 0)
		log_debug("pull: cannot clean up: %s", ignored.msg);
}

int image_pull(struct store *s, const struct image_pull_args *args, const struct image_listener *l,
	       struct image *ret, struct err *e)
{
	auto_pulling struct pulling p = { .s = s, .listener = l, .ref = REFERENCE_INIT };
	int r;

	image_parts_init(&p.parts);
	if (reference_parse(args->ref, &p.ref, e) < 0 || choose_platform(&p, args->platform, e) < 0)
		return -1;
	reference_default_tag(&p.ref);
	if (store_collector_lock(s, LOCK_SHARED, true, e) < 0)
		return -1;
	r = pull_locked(&p, e);
	if (r == 0 && ret)
		r = store_image_load(s, p.parts.id, ret, e);
	store_collector_unlock(s);
	if (r < 0)
		clean_up(s);
	return r;
}
