/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives the free blocks of a file system back to the host while it is in use: a piece at a time, between
 * which the loop serves everybody else. In software emulation all of it takes 0.2 s, a piece some
 * milliseconds. Blocks that were freed but are not committed yet are left to the next time.
 */
#ifndef KVBOX_AGENT_TRIM_H
#define KVBOX_AGENT_TRIM_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/loop.h"
#include "base/err.h"

struct trim {
	struct loop *loop; /* NULL: nothing is going on */
	struct timer timer;
	int fd;
	uint64_t at, freed;
	/* `freed`: the bytes that were given back */
	void (*done)(void *ctx, uint64_t freed);
	void *ctx;
};

bool trim_is_on(const struct trim *t);
/* Of the file system with the folder `path`. `done` is called later, unless it is cancelled. */
int trim_begin(struct trim *t, struct loop *loop, const char *path,
	       void (*done)(void *ctx, uint64_t freed), void *ctx, struct err *e) MUST_CHECK;
/* Lets go of the file system. */
void trim_cancel(struct trim *t);

#endif
