/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times, sizes and states in Docker's words. Pure; texts are appended to a str. Times are in nanoseconds.
 */
#ifndef KVBOX_CMD_HUMAN_H
#define KVBOX_CMD_HUMAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* "Less than a second", "3 minutes", "About an hour", "2 weeks" */
void human_duration(struct str *out, int64_t ns);
/* "1.04MB", "77.8kB": three digits, powers of 1000 */
void human_size(struct str *out, int64_t bytes);
/* "7.637GiB": four digits, powers of 1024 */
void human_memory(struct str *out, int64_t bytes);

/* At most `max` characters of UTF-8 text, the last an ellipsis when it was cut. */
void human_ellipsis(struct str *out, const char *text, size_t max);
/* In double quotes with control characters escaped, as Go's %q. */
void human_quote(struct str *out, const char *text);
/* The id for people: 12 hex digits, "sha256:" dropped. */
#define HUMAN_ID_SIZE 13
void human_id(char ret[HUMAN_ID_SIZE], const char *id);

struct human_state {
	const char *
		state; /* Docker's word: created, running, paused, exited, dead, removing, restarting */
	int64_t now, started, finished;
	int exit_code;
	const char *health; /* "starting", "healthy", "unhealthy"; NULL or "": no check */
};
/* "Up 3 minutes (healthy)", "Exited (137) 2 hours ago", "Created" */
void human_status(struct str *out, const struct human_state *s);

#endif
