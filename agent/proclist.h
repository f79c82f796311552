/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.processes: what ps(1) shows, of the processes of one container. /proc tells, and what it
 * tells is the processes' own word: a name may hold blanks, brackets, newlines, bytes that are not UTF-8.
 */
#ifndef KVBOX_AGENT_PROCLIST_H
#define KVBOX_AGENT_PROCLIST_H

#include <stddef.h>
#include <stdint.h>

#include "agent/container.h"
#include "base/json.h"

/* The reply's members (docs/protocol.md) into the open object, of the processes whose number is above
 * `after`. */
void proclist_write(const struct container *c, int64_t after, struct json_writer *w);

/* /proc/x/stat without its name. Numbers are ps's: see proc(5). */
struct proclist_stat {
	char state;
	int64_t ppid, pgid, sid, tty, tpgid;
	int64_t minor_faults, major_faults;
	int64_t cpu_ticks; /* in user and kernel mode */
	int64_t priority, nice, threads;
	int64_t start_ticks;
	int64_t vsz; /* bytes */
	int64_t rss; /* pages */
};

/* *name is in `text`, *n bytes. False when it is not such a text. */
bool proclist_parse_stat(const char *text, size_t len, struct proclist_stat *ret, const char **name,
			 size_t *n);
/* Number `at` (the first is 0) of a line "Key:\t1\t2" of /proc/x/status, -1 for the last; `otherwise`
 * when it is not there. */
int64_t proclist_status(const char *text, const char *key, int at, int64_t otherwise);
/* "pts/0", "ttyS0", "?", of a device number as /proc/x/stat has it. */
void proclist_tty(int64_t dev, char ret[32]);

#endif
