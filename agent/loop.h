/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's event loop: descriptors (epoll), timers, and a hook before each wait. One thread. */
#ifndef KVBOX_AGENT_LOOP_H
#define KVBOX_AGENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

struct loop;

/* A watched descriptor; embedded in what owns it. `ready` may free the source after loop_forget. */
struct source {
	int fd;
	uint32_t events; /* registered now; 0: not registered */
	void (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

struct timer {
	int64_t at; /* ns, monotonic; 0: not set */
	void (*fire)(void *ctx);
	void *ctx;
	struct timer *next;
};

int loop_new(struct loop **ret, struct err *e) MUST_CHECK;

/*
 * Watches for `events` (0: for none, not even errors). Registering can only fail for want of memory
 * or with a descriptor that cannot be watched; both abort.
 */
void loop_watch(struct loop *l, struct source *s, uint32_t events);
/*
 * As loop_watch with 0, and an event that is already on its way is dropped: call before closing the
 * fd.
 */
void loop_forget(struct loop *l, struct source *s);

void loop_timer_set(struct loop *l, struct timer *t, int ms);
void loop_timer_stop(struct loop *l, struct timer *t);

/*
 * Runs for ever. `turn` is called before each wait; `idle` tells that nothing was ready at the last
 * one. When it returns true there is more to do and the wait only looks.
 */
void loop_run(struct loop *l, bool (*turn)(void *ctx, bool idle), void *ctx)
	__attribute__((noreturn));

#endif
