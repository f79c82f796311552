/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading events.log (engine/eventlog.h), also while it is being written and across its renaming.
 *
 *	if (eventread_open(dirfd, EVENTREAD_OLD | EVENTREAD_FOLLOW, &r, e) < 0) ...
 *	while ((got = eventread_next(r, &event, e)) > 0) ...
 *	(0: nothing more at present; poll eventread_fd(), call eventread_next again)
 *
 * A damaged or unfinished line (a writer was killed in the middle of a write) is skipped.
 */
#ifndef KVBOX_ENGINE_EVENTREAD_H
#define KVBOX_ENGINE_EVENTREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

struct logged_event {
	int64_t time_ns;
	char *type, *action, *id;
	struct strv attributes; /* key=value, sorted by key */
};
#define LOGGED_EVENT_INIT    \
	{                    \
		.type = NULL \
	}
void logged_event_release(struct logged_event *ev);
#define auto_logged_event __attribute__((cleanup(logged_event_release)))
/* The attribute of that name, or NULL. */
const char *logged_event_attribute(const struct logged_event *ev, const char *name);

/*
 * `events --filter`: values of one list are alternatives, the lists add up; of labels all have to be
 * there. An action matches by its beginning where only that is given of those that tell more after a
 * colon ("exec_start", "health_status"). Containers and the like match by id, name, or beginnings of
 * them; images by id or name, with or without tag. NULL-initialise.
 */
struct event_filter {
	struct strv types, actions, scopes, labels, images;
	struct strv subjects; /* "container=x", "volume=y" ...: of these one must fit each type */
};
void event_filter_release(struct event_filter *f);
#define auto_event_filter __attribute__((cleanup(event_filter_release)))
/* ERR_INVALID "invalid filter 'x'" for a key that there is not. */
int event_filter_add(struct event_filter *f, const char *key, const char *value,
		     struct err *e) MUST_CHECK;
bool event_fits(const struct logged_event *ev, const struct event_filter *f);

struct eventread;

/* OLD: begins with the oldest event that is kept, not with the next one. FOLLOW: watches for more. */
enum eventread_flags { EVENTREAD_OLD = 1u << 0, EVENTREAD_FOLLOW = 1u << 1 };
/* `dirfd` (borrowed) is the root folder. A log that is not there is empty. */
int eventread_open(int dirfd, unsigned int flags, struct eventread **ret, struct err *e) MUST_CHECK;
void eventread_close(struct eventread *r);
void eventread_close_ptr(struct eventread **r);
#define auto_eventread __attribute__((cleanup(eventread_close_ptr)))

/* 1 and the next event (what `ret` held is released), or 0. */
int eventread_next(struct eventread *r, struct logged_event *ret, struct err *e) MUST_CHECK;
/* Readable when there may be more; -1 without FOLLOW. */
int eventread_fd(const struct eventread *r);

#endif
