/* SPDX-License-Identifier: Apache-2.0 */
/* `events --filter`, with the rules of Docker's daemon. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/eventread.h"

void event_filter_release(struct event_filter *f)
{
	strv_release(&f->types);
	strv_release(&f->actions);
	strv_release(&f->scopes);
	strv_release(&f->labels);
	strv_release(&f->images);
	strv_release(&f->subjects);
}

/* Docker's kinds of things that have events; of most kvbox has none, and so none is ever found. */
static bool is_subject(const char *key)
{
	static const char *const kinds[] = { "container", "volume",  "network", "daemon", "plugin",
					     "node",	  "service", "secret",	"config" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], key) == 0)
			return true;
	}
	return false;
}

static struct strv *list_of(struct event_filter *f, const char *key)
{
	const struct {
		const char *key;
		struct strv *list;
	} lists[] = {
		{ "type", &f->types },	 { "event", &f->actions }, { "scope", &f->scopes },
		{ "label", &f->labels }, { "image", &f->images },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (strcmp(lists[i].key, key) == 0)
			return lists[i].list;
	}
	return NULL;
}

int event_filter_add(struct event_filter *f, const char *key, const char *value, struct err *e)
{
	struct strv *list = list_of(f, key);

	if (!list && !is_subject(key))
		return err_set(e, ERR_INVALID, "invalid filter '%.100s'", key);
	if (list)
		strv_add(list, value);
	else
		strv_addf(&f->subjects, "%s=%s", key, value);
	return 0;
}

static bool is_in(const struct strv *list, const char *text)
{
	return list->n == 0 || strv_has(list, text);
}

static bool begins_one_of(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_has_prefix(text, list->v[i]))
			return true;
	}
	return false;
}

/* Actions that tell more after a colon are meant by their first word. */
static bool action_fits(const struct strv *actions, const char *action)
{
	static const char *const telling[] = { "health_status", "exec_create", "exec_start" };

	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		if (strv_has(actions, telling[i]))
			return begins_one_of(actions, action);
	}
	return is_in(actions, action);
}

/* "key" or "key=value" */
static bool label_fits(const struct logged_event *ev, const char *want)
{
	auto_free char *key = xstrndup(want, strcspn(want, "="));
	const char *value = logged_event_attribute(ev, key);
	const char *equals = strchr(want, '=');

	return value && (!equals || strcmp(equals + 1, value) == 0);
}

static bool labels_fit(const struct logged_event *ev, const struct strv *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		if (!label_fits(ev, labels->v[i]))
			return false;
	}
	return true;
}

/* The name without its tag; the colon of a registry's port is none. */
static bool is_untagged(const char *name, const char *want)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');
	size_t n = colon ? (size_t)(colon - name) : strlen(name);

	return strlen(want) == n && memcmp(name, want, n) == 0;
}

static bool image_fits(const struct logged_event *ev, const struct strv *images)
{
	const char *name = logged_event_attribute(ev, str_eq(ev->type, "image") ? "name" : "image");

	for (size_t i = 0; i < images->n; i++) {
		const char *want = images->v[i];

		if (str_eq(want, ev->id) || is_untagged(ev->id, want))
			return true;
		if (name && (str_eq(want, name) || is_untagged(name, want)))
			return true;
	}
	return images->n == 0;
}

/* Of each kind that is asked for one has to fit. */
static bool subject_fits(const struct logged_event *ev, const struct strv *subjects,
			 const char *kind)
{
	const char *name = logged_event_attribute(ev, "name");
	size_t n = strlen(kind);

	for (size_t i = 0; i < subjects->n; i++) {
		const char *want = subjects->v[i];

		if (strncmp(want, kind, n) != 0 || want[n] != '=')
			continue;
		want += n + 1;
		if (str_has_prefix(ev->id, want) || (name && str_has_prefix(name, want)))
			return true;
	}
	return false;
}

static bool subjects_fit(const struct logged_event *ev, const struct strv *subjects)
{
	for (size_t i = 0; i < subjects->n; i++) {
		const char *text = subjects->v[i];
		auto_free char *kind = xstrndup(text, strcspn(text, "="));

		if (!subject_fits(ev, subjects, kind))
			return false;
	}
	return true;
}

bool event_fits(const struct logged_event *ev, const struct event_filter *f)
{
	return is_in(&f->types, ev->type) && action_fits(&f->actions, ev->action) &&
	       is_in(&f->scopes, "local") && labels_fit(ev, &f->labels) &&
	       image_fits(ev, &f->images) && subjects_fit(ev, &f->subjects);
}
