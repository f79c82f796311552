/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define BATCH 32

struct loop {
	int epfd;
	struct timer *timers; /* soonest first */
	struct epoll_event batch[BATCH];
	int nbatch;
};

int loop_new(struct loop **ret, struct err *e)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *l;

	if (fd < 0)
		return err_sys(e, "cannot create an epoll descriptor");
	l = xcalloc(1, sizeof(*l));
	l->epfd = fd;
	*ret = l;
	return 0;
}

void loop_watch(struct loop *l, struct source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };
	int op = s->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == s->events)
		return;
	if (!events)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(l->epfd, op, s->fd, &ev) < 0)
		abort();
	s->events = events;
}

void loop_forget(struct loop *l, struct source *s)
{
	loop_watch(l, s, 0);
	for (int i = 0; i < l->nbatch; i++) {
		if (l->batch[i].data.ptr == s)
			l->batch[i].data.ptr = NULL;
	}
}

void loop_timer_set(struct loop *l, struct timer *t, int ms)
{
	struct timer **at = &l->timers;

	loop_timer_stop(l, t);
	t->at = clock_monotonic() + (int64_t)ms * 1000000;
	while (*at && (*at)->at <= t->at)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void loop_timer_stop(struct loop *l, struct timer *t)
{
	struct timer **at = &l->timers;

	if (!t->at)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->at = 0;
}

/* Milliseconds until the next timer, rounded up; -1 without one. */
static int time_left(const struct loop *l)
{
	int64_t left;

	if (!l->timers)
		return -1;
	left = l->timers->at - clock_monotonic();
	return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

static void fire_timers(struct loop *l)
{
	struct timer *t;

	while ((t = l->timers) && t->at <= clock_monotonic()) {
		loop_timer_stop(l, t);
		t->fire(t->ctx);
	}
}

void loop_run(struct loop *l, bool (*turn)(void *ctx, bool idle), void *ctx)
{
	bool idle = false;

	for (;;) {
		int timeout = turn(ctx, idle) ? 0 : time_left(l);
		int n = epoll_wait(l->epfd, l->batch, BATCH, timeout);

		if (n < 0 && errno != EINTR)
			abort();
		idle = n <= 0;
		l->nbatch = n < 0 ? 0 : n;
		for (int i = 0; i < l->nbatch; i++) {
			struct source *s = l->batch[i].data.ptr;

			if (s)
				s->ready(s->ctx, l->batch[i].events);
		}
		l->nbatch = 0;
		if (l->timers)
			fire_timers(l);
	}
}
