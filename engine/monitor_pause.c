/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pause: the whole guest stands still, and with it the agent and all timers in it.
 *
 * What clients may ask about a paused container (stats, top), the agent is asked before; a guest that does
 * not answer soon is paused all the same. Then the VMM is told, and when it has done it, state.json says
 * so. The monitor's own timers go on: the stop timeout is one of them, and SIGKILL wakes the guest. After
 * it went on the guest's clock is set, since it stood still too.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define ASK_TIMEOUT (5 * MONITOR_SECOND)

bool pause_is_on(const struct monitor *m)
{
	return m->pause.step != PAUSE_NONE && m->pause.step != PAUSE_ENDING;
}

static void drop_snapshots(struct pause *p)
{
	free(take_ptr(&p->stats));
	strv_release(&p->processes);
}

const char *pause_processes(const struct monitor *m, int64_t after)
{
	const struct pause *p = &m->pause;

	for (size_t i = 0; i < p->processes.n; i++) {
		if (p->pieces_after[i] == after)
			return p->processes.v[i];
	}
	/* The guest did not tell more in time. */
	return p->processes.n ? "{\"processes\":[]}" : NULL;
}

/* ---- before ------------------------------------------------------------------------------------ */

static void failed(struct monitor *m, struct err *why)
{
	m->pause.step = PAUSE_NONE;
	drop_snapshots(&m->pause);
	err_wrap(why, "cannot pause container %s", m->id);
	order_reply(m, &m->pause.pauser, why);
	/* Somebody may have asked for its end already. */
	order_reply(m, &m->pause.resumer, why);
	health_begin(m, false);
}

static void tell_vmm(struct monitor *m)
{
	struct err e = ERR_INIT;
	int r;

	event_del(m->pause.timer);
	r = vmm_pause(&m->vmm, &e);
	if (r < 0) {
		failed(m, &e);
		return;
	}
	m->pause.request = (unsigned)r;
	m->pause.step = PAUSE_GOING;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (m->pause.step == PAUSE_ASKING)
		tell_vmm(m);
	monitor_settle(m);
}

struct snapshot {
	unsigned number; /* of the pause */
	bool processes;	 /* else stats */
	int64_t after;
};

static void ask(struct monitor *m, bool processes, int64_t after);

/* One piece of the list; the number of its last process when there is another, else 0. */
static int64_t keep_piece(struct pause *p, int64_t after, const struct json *reply,
			  const char *text)
{
	const struct json *list = json_get(reply, "processes");
	size_t n = json_len(list);
	int64_t last = n ? json_int(json_get(json_at(list, n - 1), "pid"), 0) : 0;

	if (p->processes.n == PAUSE_PIECES_MAX)
		return 0;
	p->pieces_after[p->processes.n] = after;
	strv_add(&p->processes, text);
	return json_int(json_get(reply, "left_out"), 0) > 0 && last > after ? last : 0;
}

static void snapshot_done(struct monitor *m, void *ctx, const struct message *reply,
			  const struct err *error)
{
	auto_free struct snapshot *s = ctx;
	auto_str struct str text = STR_INIT(MESSAGE_MAX);
	struct err ignored = ERR_INIT;
	int64_t more = 0;

	if (s->number != m->pause.snapshots || m->pause.step != PAUSE_ASKING)
		return;
	if (!error)
		json_dump(reply->json, &text);
	if (!error && s->processes)
		more = keep_piece(&m->pause, s->after, reply->json, text.buf);
	else if (!error)
		m->pause.stats = str_take(&text, &ignored);
	if (more > 0) {
		/* It answers, so it may take as long again. */
		monitor_add_timer(m->pause.timer, ASK_TIMEOUT);
		ask(m, true, more);
	} else if (--m->pause.missing == 0) {
		tell_vmm(m);
	}
}

static void ask(struct monitor *m, bool processes, int64_t after)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct snapshot *s = xcalloc(1, sizeof(*s));

	*s = (struct snapshot){ m->pause.snapshots, processes, after };
	agent_begin(m, &out, processes ? "container.processes" : "container.stats");
	jw_str(&out.json, "container", m->id);
	if (after > 0)
		jw_int(&out.json, "after", after);
	agent_send(m, &out, snapshot_done, s);
}

void pause_begin(struct monitor *m, struct asker who)
{
	struct pause *p = &m->pause;

	p->step = PAUSE_ASKING;
	p->pauser = who;
	p->wake = false;
	p->snapshots++;
	p->missing = 2;
	health_suspend(m);
	monitor_add_timer(p->timer, ASK_TIMEOUT);
	ask(m, false, 0);
	ask(m, true, 0);
}

/* ---- meanwhile and after ----------------------------------------------------------------------- */

static void go_on(struct monitor *m)
{
	struct err e = ERR_INIT;
	int r = vmm_resume(&m->vmm, &e);

	if (r < 0) {
		err_wrap(&e, "cannot unpause container %s", m->id);
		order_reply(m, &m->pause.resumer, &e);
		return;
	}
	m->pause.request = (unsigned)r;
	m->pause.step = PAUSE_ENDING;
}

void pause_wake(struct monitor *m)
{
	struct pause *p = &m->pause;
	struct err e = ERR_INIT;

	switch (p->step) {
	case PAUSE_ASKING:
		event_del(p->timer);
		err_set(&e, ERR_CONFLICT, "it is about to end");
		failed(m, &e);
		break;
	case PAUSE_GOING:
		p->wake = true;
		break;
	case PAUSE_ON:
		go_on(m);
		break;
	case PAUSE_NONE:
	case PAUSE_ENDING:
		break;
	}
}

void pause_end(struct monitor *m, struct asker who)
{
	m->pause.resumer = who;
	if (m->pause.step == PAUSE_ON)
		go_on(m);
	else
		m->pause.wake = true;
}

static void stands_still(struct monitor *m)
{
	m->pause.step = PAUSE_ON;
	m->state.phase = VM_PAUSED;
	monitor_write_state(m);
	monitor_tell(m, "pause", NULL);
	order_reply(m, &m->pause.pauser, NULL);
	if (m->pause.wake)
		go_on(m);
}

static void set_clock(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "clock");
	jw_int(&out.json, "now", clock_now());
	agent_send(m, &out, NULL, NULL);
}

static void goes_on(struct monitor *m)
{
	m->pause.step = PAUSE_NONE;
	m->pause.wake = false;
	drop_snapshots(&m->pause);
	m->state.phase = m->stop_stage ? VM_STOPPING : VM_RUNNING;
	monitor_write_state(m);
	set_clock(m);
	monitor_tell(m, "unpause", NULL);
	order_reply(m, &m->pause.resumer, NULL);
	health_begin(m, false);
}

void pause_answered(struct monitor *m, const struct vmm_event *ev)
{
	struct err e = ERR_INIT;

	if (ev->request != m->pause.request)
		return;
	if (ev->failed)
		err_set(&e, ERR_SYSTEM, "the VMM refused: %s", ev->text);
	if (m->pause.step == PAUSE_GOING && ev->failed) {
		failed(m, &e);
	} else if (m->pause.step == PAUSE_GOING) {
		stands_still(m);
	} else if (m->pause.step == PAUSE_ENDING && ev->failed) {
		m->pause.step = PAUSE_ON;
		err_wrap(&e, "cannot unpause container %s", m->id);
		order_reply(m, &m->pause.resumer, &e);
	} else if (m->pause.step == PAUSE_ENDING) {
		goes_on(m);
	}
}

/* ---- life -------------------------------------------------------------------------------------- */

void pause_open(struct monitor *m)
{
	m->pause.timer = monitor_event(m, -1, 0, on_timer, m);
}

void pause_reset(struct monitor *m)
{
	struct err why = ERR_INIT, ignored = ERR_INIT;

	event_del(m->pause.timer);
	/* Its end was on its way when it was told to stand still: it has to shut down yet. */
	if ((m->pause.step == PAUSE_GOING || m->pause.step == PAUSE_ON) &&
	    vmm_resume(&m->vmm, &ignored) < 0)
		log_debug("%s", ignored.msg);
	m->pause.step = PAUSE_NONE;
	drop_snapshots(&m->pause);
	err_set(&why, ERR_CONFLICT, "container %s is not running", m->id);
	order_reply(m, &m->pause.pauser, &why);
	order_reply(m, &m->pause.resumer, &why);
}

void pause_release(struct monitor *m)
{
	drop_snapshots(&m->pause);
	monitor_event_free(&m->pause.timer);
}
