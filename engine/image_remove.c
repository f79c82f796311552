/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rmi`, with Docker's rules: a name is taken off, the image goes with its last name; an id takes
 * all names off if they are of one repository (or with force). Who still needs the image decides
 * what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/gc.h"
#include "engine/image_priv.h"
#include "engine/pull_layers.h"
#include "engine/store_image.h"
#include "registry/reference.h"

struct removal {
	struct store *s;
	const char *text; /* as the user wrote it */
	char *id;
	bool force;
	struct strv names; /* canonical, those that are left */
	struct strv lines; /* to tell after the commit */
	struct strv labels;
	int64_t users; /* containers made from it */
	char user[ID_TEXT_SIZE];
	bool active; /* one of them runs, and it is `user` */
};

static void removal_release(struct removal *r)
{
	free(r->id);
	strv_release(&r->names);
	strv_release(&r->lines);
	strv_release(&r->labels);
}
#define auto_removal __attribute__((cleanup(removal_release)))

static int repository_length(const char *name)
{
	const char *at = strchr(name, '@');
	const char *colon = strrchr(name, ':');

	return (int)(at ? at - name : colon ? colon - name : (ptrdiff_t)strlen(name));
}

static bool same_repository(const char *a, const char *b)
{
	int n = repository_length(a);

	return n == repository_length(b) && strncmp(a, b, (size_t)n) == 0;
}

/* At most one tag, and digests of that repository only. */
static bool is_single_reference(const struct strv *names)
{
	size_t tags = 0;

	for (size_t i = 0; i < names->n; i++) {
		tags += strchr(names->v[i], '@') == NULL;
		if (!same_repository(names->v[0], names->v[i]))
			return false;
	}
	return tags <= 1;
}

static int conflict(const struct removal *r, bool can_be_forced, struct err *e, const char *why)
{
	return err_set(e, ERR_CONFLICT, "conflict: unable to delete %.12s (%s) - %s",
		       digest_hex(r->id), can_be_forced ? "must be forced" : "cannot be forced",
		       why);
}

/* Whether the image itself may go. */
static int check_users(const struct removal *r, struct err *e)
{
	char why[96];

	if (r->users == 0 || (r->force && !r->active))
		return 0;
	snprintf(why, sizeof(why), "image is being used by %s container %.12s",
		 r->active ? "running" : "stopped", r->user);
	return conflict(r, !r->active, e, why);
}

static int untag(struct removal *r, size_t at, struct err *e)
{
	auto_free char *name = xstrdup(r->names.v[at]);
	auto_free char *shown = reference_shorten(name);
	char *digest = strchr(name, '@');

	strv_addf(&r->lines, "Untagged: %s", shown);
	strv_remove(&r->names, at);
	if (!digest)
		return store_image_drop_tag(r->s, name, e);
	*digest = '\0';
	return store_image_drop_digest(r->s, name, digest + 1, e);
}

static int untag_all(struct removal *r, struct err *e)
{
	while (r->names.n > 0)
		if (untag(r, 0, e) < 0)
			return -1;
	return 0;
}

static int delete_image(struct removal *r, struct err *e)
{
	auto_strv struct strv layers = STRV_INIT;

	if (untag_all(r, e) < 0 || store_image_delete(r->s, r->id, &layers, e) < 0)
		return -1;
	strv_addf(&r->lines, "Deleted: %s", r->id);
	for (size_t i = 0; i < layers.n && r->users == 0; i++)
		strv_addf(&r->lines, "Deleted: %s", layers.v[i]);
	return 0;
}

/* When a repository's last tag goes, its digests go with it. */
static int drop_digests_of(struct removal *r, const char *name, struct err *e)
{
	for (size_t i = 0; i < r->names.n; i++)
		if (!strchr(r->names.v[i], '@') && same_repository(r->names.v[i], name))
			return 0;
	for (size_t i = 0; i < r->names.n;) {
		if (!same_repository(r->names.v[i], name))
			i++;
		else if (untag(r, i, e) < 0)
			return -1;
	}
	return 0;
}

static int remove_name(struct removal *r, struct err *e)
{
	auto_reference struct reference ref = REFERENCE_INIT;
	auto_free char *name = NULL;

	if (!r->force && r->users > 0 && is_single_reference(&r->names))
		return err_set(e, ERR_CONFLICT,
			       "conflict: unable to remove repository reference \"%s\" (must "
			       "force) - container %.12s is using its referenced image %.12s",
			       r->text, r->user, digest_hex(r->id));
	if (reference_parse(r->text, &ref, e) < 0)
		return -1;
	reference_default_tag(&ref);
	if (ref.digest) {
		free(ref.tag);
		ref.tag = NULL;
	}
	name = reference_text(&ref);
	for (size_t i = 0; i < r->names.n; i++) {
		if (!str_eq(r->names.v[i], name))
			continue;
		if (untag(r, i, e) < 0)
			return -1;
		break;
	}
	if (!ref.digest && drop_digests_of(r, name, e) < 0)
		return -1;
	/* What runs keeps its image, which has no name then; that is no failure. */
	if (r->names.n > 0 || r->active)
		return 0;
	return delete_image(r, e);
}

static int remove_id(struct removal *r, struct err *e)
{
	if (!r->force && !is_single_reference(&r->names))
		return conflict(r, true, e, "image is referenced in multiple repositories");
	if (check_users(r, e) < 0)
		return -1;
	return delete_image(r, e);
}

/* Does the user's text name the image by its id? */
static bool names_id(const struct removal *r)
{
	return str_has_prefix(r->id, r->text) || str_has_prefix(digest_hex(r->id), r->text);
}

/* For events only: an image whose document is damaged can be removed too. */
static void load_labels(struct removal *r)
{
	auto_image struct image i;
	struct err ignored = ERR_INIT;

	image_init(&i);
	if (store_image_load(r->s, r->id, &i, &ignored) == 0)
		strv_copy(&r->labels, &i.config.labels);
}

static int remove_in_tx(struct removal *r, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(r->s));
	auto_tx struct tx tx = TX_INIT;
	int64_t users;
	char user[ID_TEXT_SIZE];

	if (tx_begin(&tx, store_db(r->s), e) < 0 ||
	    store_image_users(r->s, r->id, &users, user, e) < 0 ||
	    store_image_names(r->s, r->id, &r->names, e) < 0)
		return -1;
	/* Somebody may have made a container of it a moment ago. */
	if (users > r->users) {
		r->users = users;
		memcpy(r->user, user, sizeof(user));
	}
	if ((names_id(r) ? remove_id(r, e) : remove_name(r, e)) < 0)
		return -1;
	return tx_commit(&tx, e);
}

/* One event for each name, and one for the image; lines of layers have none. */
static void tell(const struct removal *r, const struct image_listener *l)
{
	for (size_t i = 0; i < r->lines.n; i++) {
		const char *line = r->lines.v[i], *what = strchr(line, ' ') + 1;

		pull_tell(l, NULL, line);
		if (str_has_prefix(line, "Untagged"))
			image_event(r->s, "untag", r->id, r->id, &r->labels);
		else if (strcmp(what, r->id) == 0)
			image_event(r->s, "delete", r->id, r->id, NULL);
	}
}

int image_remove(struct store *s, const char *text, bool force, const struct image_listener *l,
		 struct err *e)
{
	auto_removal struct removal r = { .s = s, .text = text, .force = force };
	struct gc_result collected;
	struct err ignored = ERR_INIT;
	int users;

	if (image_resolve(s, text, &r.id, e) < 0)
		return -1;
	load_labels(&r);
	/* Outside the transaction: it may have to finish containers whose monitor died. */
	users = container_count_image(s, r.id, r.user, &r.active, e);
	if (users < 0)
		return -1;
	r.users = users;
	if (remove_in_tx(&r, e) < 0)
		return -1;
	tell(&r, l);
	/* While somebody pulls, the files stay until the next collection. */
	if (gc_run(s, false, &collected, &ignored) < 0)
		err_clear(&ignored);
	return 0;
}
