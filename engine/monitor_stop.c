/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending a container from outside: stop, kill, and signals by hand.
 *
 * stop sends the container's signal, SIGKILL when the time is up, and ends the VM itself when not even that
 * helps. Whatever the monitor is at, nothing is started after it. A signal by hand is only sent on; but as
 * with Docker it ends the restart policy when it is SIGKILL or the container's stop signal, or any signal
 * where the image and the user named no stop signal.
 */
#include <signal.h>

#include "base/log.h"
#include "engine/monitor_priv.h"
#include "engine/signame.h"

#define LAST_TIMEOUT 5 /* from SIGKILL of process 1 to the end of the VM */

static void send_kill(struct monitor *m)
{
	m->stop_stage = 2;
	monitor_add_timer(m->stop_timer, LAST_TIMEOUT * MONITOR_SECOND);
	process_signal(m, m->main, SIGKILL, NULL, NULL);
	pause_wake(m);
	monitor_tell_one(m, "kill", "signal=%d", SIGKILL);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (m->life == LIFE_RUN && m->stop_stage == 1)
		send_kill(m);
	else if (m->life == LIFE_RUN)
		monitor_end_hard(m); /* the guest does not even kill */
	monitor_settle(m);
}

void stop_open(struct monitor *m)
{
	m->stop_timer = monitor_event(m, -1, 0, on_timer, m);
}

void stop_release(struct monitor *m)
{
	monitor_event_free(&m->stop_timer);
}

void stop_reset(struct monitor *m)
{
	event_del(m->stop_timer);
	m->stop_stage = 0;
}

/* The container's own, 0 where nobody named one. */
static int named_signal(const struct monitor *m)
{
	const char *name = m->spec.stop_signal;
	struct err e = ERR_INIT;
	int sig;

	if (!name || !*name || signame_parse(name, &sig, &e) < 0)
		return 0;
	return sig;
}

/* True when process 1 runs; else the end is on its way. */
static bool begin(struct monitor *m)
{
	struct err why = ERR_INIT;

	restart_cancel(m);
	if (m->life == LIFE_RUN)
		return true;
	if (m->state.started_at) {
		monitor_give_up(m);
	} else if (m->life < LIFE_RUN || m->retry) {
		err_set(&why, ERR_CANCELLED, "stopped before it was started");
		monitor_fail(m, &why);
	}
	return false;
}

void monitor_stop(struct monitor *m, int sig, int64_t timeout)
{
	if (m->life < LIFE_FINISH)
		m->stop_asked = true;
	if (!begin(m))
		return;
	if (sig == 0)
		sig = named_signal(m);
	if (sig == 0)
		sig = SIGTERM;
	m->state.phase = VM_STOPPING;
	monitor_write_state(m);
	if (m->stop_stage < 2) {
		m->stop_stage = 1;
		if (timeout >= 0)
			monitor_add_timer(m->stop_timer,
					  (timeout > INT32_MAX ? INT32_MAX : timeout) *
						  MONITOR_SECOND);
	}
	process_signal(m, m->main, sig, NULL, NULL);
	pause_wake(m);
	monitor_tell_one(m, "kill", "signal=%d", sig);
}

void monitor_kill(struct monitor *m)
{
	if (begin(m))
		send_kill(m);
}

bool monitor_signalled(struct monitor *m, int64_t sig)
{
	int own = named_signal(m);

	m->restart.by_hand = true;
	if (own == 0 || sig == SIGKILL || sig == own) {
		restart_cancel(m);
		if (m->life == LIFE_RUN)
			pause_wake(m);
		else
			monitor_give_up(m);
	}
	return m->life == LIFE_RUN;
}
