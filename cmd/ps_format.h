/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps(1) for `top`: Docker runs the host's ps over a container's processes, so its users write ps options
 * ("-ef", "aux", "-eo pid,comm", "--sort=-rss"). Here the agent tells the processes, and this module is ps:
 * it knows procps's three ways to write options, its columns and their headings, and its words for what is
 * wrong.
 *
 *	ps_format_parse(&f, words, n, e)	("" or no words: "-ef")
 *	ps_list_add(&list, document, e)		(docs/protocol.md, container.processes; each piece of it)
 *	ps_list_end(&list, now)
 *	ps_format_print(&f, &list, &out, e)
 *	ps_list_release(&list); ps_format_release(&f)
 *
 * Numbers of processes are those inside the container: what `exec c kill` takes, and what a ps in there shows.
 * As with Docker a column with the heading PID is required, and columns are at least 20 wide. What a process
 * has named itself is shown without control characters. Threads, signals and memory maps are not told.
 */
#ifndef KVBOX_CMD_PS_FORMAT_H
#define KVBOX_CMD_PS_FORMAT_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "base/strv.h"

#define PS_COLUMNS_MAX 64
#define PS_KEYS_MAX    16

struct ps_column; /* ps_priv.h */

/* What is printed, of which processes, in which order. Zero-initialise. */
struct ps_format {
	struct {
		const struct ps_column *column;
		char *title;
	} columns[PS_COLUMNS_MAX];
	size_t n;
	struct {
		const struct ps_column *column;
		bool down;
	} keys[PS_KEYS_MAX];
	size_t n_keys;
	bool forest;	  /* children behind their parents, and lines before the command */
	bool short_names; /* the name in place of the command line */
	bool no_titles;
	/* A process has to be in one of them, unless all are empty. */
	struct strv pids, ppids, users, names, ttys;
	bool all, running_only;
};
int ps_format_parse(struct ps_format *ret, char *const *words, size_t n, struct err *e) MUST_CHECK;
void ps_format_release(struct ps_format *f);
#define auto_ps_format __attribute__((cleanup(ps_format_release)))

struct ps_process {
	int64_t pid, ns_pid, ppid, pgid, sid, tpgid;
	int64_t uid, euid, gid, egid;
	char *user, *group, *tty, *state, *comm;
	struct strv args;
	char *command; /* the args as one line */
	int64_t nice, priority, start_ticks, cpu_ticks, threads;
	int64_t rss_kib, vsz_kib, locked_kib, minor_faults, major_faults;
};

/* Zero-initialise. */
struct ps_list {
	struct ps_process *v;
	size_t n;
	int64_t hz, now_ticks, memory_kib;
	int64_t now; /* ns of the epoch */
};
/* The document is the guest's word: what does not fit is ERR_CORRUPT. */
int ps_list_add(struct ps_list *l, const struct json *document, struct err *e) MUST_CHECK;
/* All are there: puts them in order, with the numbers that they have inside the container. */
void ps_list_end(struct ps_list *l, int64_t now);
void ps_list_release(struct ps_list *l);
#define auto_ps_list __attribute__((cleanup(ps_list_release)))

/* Appends the table. */
int ps_format_print(const struct ps_format *f, const struct ps_list *l, struct str *out,
		    struct err *e) MUST_CHECK;

#endif
