/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals of the command as a descriptor, so that a blocking call of the engine can watch for them.
 *
 * While it is open they are blocked: nothing kills the command in the middle of a change, what came is
 * read when it suits. SIGPIPE is ignored meanwhile. Processes that are started get none of this.
 */
#ifndef KVBOX_CMD_SIGNALS_H
#define KVBOX_CMD_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

struct signals {
	int fd; /* -1: not open */
	sigset_t before;
	void (*pipe_before)(int);
};
#define SIGNALS_INIT     \
	{                \
		.fd = -1 \
	}

enum signals_set {
	SIGNALS_ENDING, /* those that ask a program to end: HUP, INT, QUIT, TERM */
	SIGNALS_ALL,	/* all that can be caught but CHLD, URG and the faults */
};

/* Opens, or changes the set of an open one. */
int signals_open(struct signals *s, enum signals_set set, struct err *e) MUST_CHECK;
/* The next one that came, or 0. */
int signals_next(const struct signals *s);
/* Whether the signal asks a program to end. */
bool signals_is_ending(int sig);
void signals_release(struct signals *s);
#define auto_signals __attribute__((cleanup(signals_release)))

#endif
