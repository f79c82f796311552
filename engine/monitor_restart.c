/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The restart policy. Each run has a VM of its own; between two of them the monitor waits as Docker does:
 * 100 ms at first, twice as long each time, a minute at most, and from the beginning again after a run of
 * ten seconds. The time counts from the end of the process.
 *
 * Who stops or kills the container ends this, whatever it is at. With kvbox there is no daemon: the policy
 * holds for as long as the monitor lives, and so not beyond a restart of the host.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/monitor_priv.h"

#define DELAY_FIRST (MONITOR_SECOND / 10)
#define DELAY_MAX   (60 * MONITOR_SECOND)
#define LONG_RUN    (10 * MONITOR_SECOND)

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (m->life == LIFE_RESTART)
		monitor_set_life(m, LIFE_BOOT);
	monitor_settle(m);
}

void restart_open(struct monitor *m)
{
	m->restart.timer = monitor_event(m, -1, 0, on_timer, m);
}

void restart_release(struct monitor *m)
{
	monitor_event_free(&m->restart.timer);
}

void restart_began(struct monitor *m)
{
	m->restart.pending = false;
	m->restart.began = clock_monotonic();
}

static bool wants_restart(const struct monitor *m, int code)
{
	const char *policy = m->spec.restart_policy;

	if (m->restart.cancelled || m->spec.auto_remove || !policy)
		return false;
	if (str_eq(policy, "always"))
		return true;
	if (str_eq(policy, "unless-stopped"))
		return !m->restart.by_hand;
	if (str_eq(policy, "on-failure"))
		return code != 0 &&
		       (m->spec.restart_max <= 0 || m->state.restart_count < m->spec.restart_max);
	return false;
}

void restart_decide(struct monitor *m, int code)
{
	struct restart *r = &m->restart;
	int64_t now = clock_monotonic();

	r->pending = wants_restart(m, code);
	if (!r->pending)
		return;
	if (r->delay == 0 || now - r->began >= LONG_RUN)
		r->delay = DELAY_FIRST;
	else
		r->delay = r->delay * 2 < DELAY_MAX ? r->delay * 2 : DELAY_MAX;
	r->due = now + r->delay;
	m->state.restart_count++;
}

void restart_cancel(struct monitor *m)
{
	m->restart.cancelled = true;
}

void restart_wait(struct monitor *m)
{
	int64_t left = m->restart.due - clock_monotonic();

	/* Never at once: this is the middle of the end of the last VM. */
	monitor_add_timer(m->restart.timer, left > 0 ? left : 0);
}
