/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/requests.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/console.h"
#include "agent/identity.h"
#include "agent/oom.h"
#include "agent/proclist.h"
#include "agent/setup.h"
#include "agent/stats.h"
#include "base/clock.h"
#include "base/mem.h"

/* How long a container.setup waits for a disk that is not there. */
#define DISK_WAIT_MS 10000
/* A clock that is less than this off is left alone: nanoseconds. */
#define CLOCK_SLACK 500000000

/* ---- answers --------------------------------------------------------------------------------- */

/*
 * A message that cannot be sent leaves the monitor waiting for it, so it is the end of the channel.
 */
static void send(struct agent *a, struct message_out *m)
{
	struct err e = ERR_INIT;

	if (conn_send_message(channel_conn(a->channel), m, &e) == 0)
		return;
	console_error("cannot answer: %s", e.msg);
	agent_power_off(a);
}

static void answer_error(struct agent *a, int64_t id, const struct err *error)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_error(&m, id, error);
	send(a, &m);
}

static void answer_ok(struct agent *a, int64_t id)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_reply(&m, id);
	send(a, &m);
}

static void answer_setup(struct agent *a, const struct container *c)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_reply(&m, a->setup_request);
	jw_int(&m.json, "root_us", c->mounted_us - a->setup_begin_us);
	jw_int(&m.json, "mount_us", boot_us() - a->setup_begin_us);
	send(a, &m);
}

static void log_to_monitor(struct agent *a, const char *text)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_event(&m, "agent.log");
	jw_str(&m.json, "message", text);
	send(a, &m);
}

/* ---- looking things up ----------------------------------------------------------------------- */

static struct container *look_up(const struct agent *a, const char *id)
{
	struct container *c = a->containers;

	while (c && strcmp(c->id, id) != 0)
		c = c->next;
	return c;
}

static int find_container(struct agent *a, const char *id, struct container **ret, struct err *e)
{
	struct container *c = look_up(a, id);

	if (!c)
		return err_set(e, ERR_NOT_FOUND, "no such container: %.64s", id);
	*ret = c;
	return 0;
}

/* Requests about one process; members that an operation does not have stay 0. */
struct target {
	char *container;
	int64_t process, signal, rows, cols;
};

static int read_target(struct agent *a, const struct message *m, struct target *t,
		       struct container **c, struct err *e)
{
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct target, container),
		JSON_INT("process", true, struct target, process),
		JSON_INT("signal", false, struct target, signal),
		JSON_INT("rows", false, struct target, rows),
		JSON_INT("cols", false, struct target, cols),
		JSON_END,
	};
	int r = json_read(m->json, fields, t, e);

	if (r == 0)
		r = find_container(a, t->container, c, e);
	free(t->container);
	t->container = NULL;
	return r;
}

/* ---- container.setup ------------------------------------------------------------------------- */

int agent_prepare(struct agent *a, struct err *e)
{
	if (a->prepared)
		return 0;
	while (boot_modules_step(&a->modules))
		;
	if (container_prepare(e) < 0) {
		/* ERR_NOT_FOUND would be taken for a disk that is still to come. */
		e->kind = ERR_SYSTEM;
		return -1;
	}
	a->prepared = true;
	return 0;
}

static void end_setup(struct agent *a)
{
	loop_timer_stop(a->loop, &a->setup_timer);
	container_setup_release(&a->setup);
	a->setup_request = 0;
}

/* Kills for want of memory are told once, and before the end of the process that was killed. */
static void tell_oom(void *ctx)
{
	struct agent *a = ctx;

	for (struct container *c = a->containers; c; c = c->next) {
		auto_message_out struct message_out m = MESSAGE_OUT_INIT;

		if (!oom_happened(c))
			continue;
		message_out_event(&m, "container.oom");
		jw_str(&m.json, "container", c->id);
		send(a, &m);
	}
}

/* With `last`, a disk that is missing is an error, else a reason to wait. */
static void try_setup(struct agent *a, bool last)
{
	struct container *c = NULL;
	struct err e = ERR_INIT;

	if (agent_prepare(a, &e) < 0 || container_make(&a->setup, &c, &e) < 0) {
		if (e.kind == ERR_NOT_FOUND && !last)
			return;
		answer_error(a, a->setup_request, &e);
	} else {
		c->next = a->containers;
		a->containers = c;
		stats_begin(c);
		/* Without it all works but one event. */
		if (oom_watch(a->loop, c, tell_oom, a, &e) < 0)
			log_to_monitor(a, e.msg);
		answer_setup(a, c);
	}
	end_setup(a);
}

static void setup_waited(void *ctx)
{
	try_setup(ctx, true);
}

void requests_devices_changed(struct agent *a)
{
	if (a->setup_request)
		try_setup(a, false);
}

static int op_setup(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct container_setup s = { 0 };
	int r;

	if (a->setup_request)
		return err_set(e, ERR_CONFLICT, "another container is being set up");
	r = setup_read(m, &s, e);
	if (r == 0 && look_up(a, s.id))
		r = err_set(e, ERR_CONFLICT, "container is set up already");
	if (r < 0) {
		container_setup_release(&s);
		return -1;
	}
	a->setup = s;
	a->setup_request = id;
	a->setup_begin_us = boot_us();
	a->setup_timer = (struct timer){ .fire = setup_waited, .ctx = a };
	try_setup(a, false);
	if (a->setup_request)
		loop_timer_set(a->loop, &a->setup_timer, DISK_WAIT_MS);
	return 0;
}

/* ---- process.* ------------------------------------------------------------------------------- */

static int op_start(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	__attribute__((cleanup(process_spec_release))) struct process_spec s = { 0 };
	auto_free char *container_id = NULL;
	struct container *c = NULL;

	if (a->off_request)
		return err_set(e, ERR_CONFLICT, "the virtual machine is shutting down");
	if (setup_read_process(m, &s, &container_id, e) < 0 ||
	    find_container(a, container_id, &c, e) < 0)
		return -1;
	return process_start_take(a->processes, c, &s, id, e);
}

static int op_signal(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct target t = { 0 };
	struct container *c = NULL;

	if (read_target(a, m, &t, &c, e) < 0 ||
	    setup_check_range("signal", t.signal, 1, SIGRTMAX, e) < 0)
		return -1;
	if (process_signal(a->processes, c, t.process, (int)t.signal, e) < 0)
		return -1;
	answer_ok(a, id);
	return 0;
}

static int op_resize(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct target t = { 0 };
	struct container *c = NULL;

	if (read_target(a, m, &t, &c, e) < 0 ||
	    setup_check_range("rows", t.rows, 0, SETUP_CELLS_MAX, e) < 0 ||
	    setup_check_range("cols", t.cols, 0, SETUP_CELLS_MAX, e) < 0)
		return -1;
	if (process_resize(a->processes, c, t.process, t.rows, t.cols, e) < 0)
		return -1;
	answer_ok(a, id);
	return 0;
}

static void process_started(void *ctx, int64_t request, const struct process *p, int64_t exec_us,
			    const struct err *e)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct agent *a = ctx;

	if (e) {
		answer_error(a, request, e);
		return;
	}
	message_out_reply(&m, request);
	jw_int(&m.json, "pid", process_pid(p));
	jw_int(&m.json, "exec_us", exec_us);
	send(a, &m);
}

static void process_ended(void *ctx, const struct process *p, bool by_signal, int status, bool oom)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct agent *a = ctx;

	/* Execs that end well are many, and have nothing to do with it. */
	if (oom || process_number(p) == PROCESS_MAIN)
		tell_oom(a);
	message_out_event(&m, "process.exit");
	jw_str(&m.json, "container", process_container(p)->id);
	jw_int(&m.json, "process", process_number(p));
	jw_int(&m.json, by_signal ? "signal" : "code", status);
	if (oom)
		jw_bool(&m.json, "oom", true);
	send(a, &m);
}

/* ---- readers, and the clock ------------------------------------------------------------------ */

/* Requests about a container as a whole. */
static int read_container(struct agent *a, const struct message *m, struct container **ret,
			  struct err *e)
{
	const char *id = json_str(json_get(m->json, "container"));

	return find_container(a, id ? id : "", ret, e);
}

static int op_stats(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct container *c = NULL;

	if (read_container(a, m, &c, e) < 0)
		return -1;
	message_out_reply(&out, id);
	stats_write(c, &out.json);
	send(a, &out);
	return 0;
}

static int op_processes(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct container *c = NULL;

	if (read_container(a, m, &c, e) < 0)
		return -1;
	message_out_reply(&out, id);
	proclist_write(c, json_int(json_get(m->json, "after"), 0), &out.json);
	send(a, &out);
	return 0;
}

static void trimmed(void *ctx, uint64_t freed)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct agent *a = ctx;

	message_out_reply(&m, a->trim_request);
	jw_int(&m.json, "freed", (int64_t)freed);
	send(a, &m);
}

static int op_trim(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	auto_free char *path = NULL;
	struct container *c = NULL;

	if (a->off_request)
		return err_set(e, ERR_CONFLICT, "the virtual machine is shutting down");
	if (read_container(a, m, &c, e) < 0)
		return -1;
	path = xasprintf("%s/upper", c->dir);
	if (trim_begin(&a->trimming, a->loop, path, trimmed, a, e) < 0)
		return -1;
	a->trim_request = id;
	return 0;
}

static int op_clock(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	int64_t now = json_int(json_get(m->json, "now"), 0), off;
	struct timespec t = { .tv_sec = now / 1000000000, .tv_nsec = now % 1000000000 };

	if (setup_check_range("now", now, 1, INT64_MAX, e) < 0)
		return -1;
	off = clock_now() - now;
	if ((off > CLOCK_SLACK || off < -CLOCK_SLACK) && clock_settime(CLOCK_REALTIME, &t) < 0)
		return err_sys(e, "cannot set the clock");
	answer_ok(a, id);
	return 0;
}

/* ---- shutdown -------------------------------------------------------------------------------- */

void agent_power_off(const struct agent *a)
{
	reboot(a->options.off_by_reboot ? RB_AUTOBOOT : RB_POWER_OFF);
	/* Not reached; if it ever is, the end of PID 1 is the end of the VM too. */
	abort();
}

static void finish_shutdown(struct agent *a)
{
	struct err e = ERR_INIT;

	trim_cancel(&a->trimming);
	for (const struct container *c = a->containers; c; c = c->next) {
		/* Nothing of it has to survive. */
		if (c->setup.is_volatile && !a->keep)
			continue;
		if (container_unmount(c, a->trim, &e) < 0) {
			log_to_monitor(a, e.msg);
			err_clear(&e);
		}
	}
	answer_ok(a, a->off_request);
	if (channel_drain(a->channel, &e) < 0)
		console_error("%s", e.msg);
	agent_power_off(a);
}

/* Perhaps the last one that a shutdown waits for. */
static void processes_reaped(void *ctx)
{
	struct agent *a = ctx;

	if (a->off_request && !processes_are_left(a->processes))
		finish_shutdown(a);
}

const struct process_ops requests_process_ops = { process_started, process_ended,
						  processes_reaped };

static int op_shutdown(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	if (a->off_request)
		return err_set(e, ERR_CONFLICT, "the virtual machine is shutting down");
	a->off_request = id;
	a->trim = json_bool(json_get(m->json, "trim"));
	a->keep = json_bool(json_get(m->json, "keep"));
	for (const struct container *c = a->containers; c; c = c->next) {
		struct err ignored = ERR_INIT;

		if (cgroup_kill(c->cgroup, &ignored) < 0)
			log_to_monitor(a, ignored.msg);
	}
	processes_reaped(a);
	return 0;
}

/* ---- saved VMs ------------------------------------------------------------------------------- */

/* What was set up cannot be told from what a copy would set up anew, so nothing may be. */
static int op_rest(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	(void)m;
	if (a->containers || a->setup_request || a->off_request || processes_are_left(a->processes))
		return err_set(e, ERR_CONFLICT, "the virtual machine is in use");
	/* All that every container needs is in the copies then. */
	if (agent_prepare(a, e) < 0 || identity_forget_disks(e) < 0)
		return -1;
	answer_ok(a, id);
	a->resting = true;
	return 0;
}

int requests_turn(struct agent *a, struct err *e)
{
	if (!a->resting)
		return 0;
	a->resting = false;
	return channel_rest(a->channel, e);
}

struct identity_request {
	int64_t now, entropy;
	struct strv macs;
};

static int take_identity(const struct message *m, struct identity_request *r, struct err *e)
{
	static const struct json_field fields[] = {
		JSON_INT("now", true, struct identity_request, now),
		JSON_INT("entropy", true, struct identity_request, entropy),
		JSON_MAP("macs", false, struct identity_request, macs),
		JSON_END,
	};

	if (json_read(m->json, fields, r, e) < 0)
		return -1;
	if (r->entropy < 0 || (uint64_t)r->entropy >= m->nblobs)
		return err_set(e, ERR_INVALID, "no such bytes");
	if (identity_set_macs(&r->macs, e) < 0)
		return -1;
	return identity_take(m->blobs[r->entropy].p, m->blobs[r->entropy].n, r->now, e);
}

static int op_identity(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct identity_request r = { .macs = STRV_INIT };
	int done = take_identity(m, &r, e);

	strv_release(&r.macs);
	if (done < 0)
		return -1;
	answer_ok(a, id);
	return 0;
}

/* ---- the connection's callbacks -------------------------------------------------------------- */

static const struct {
	const char *op;
	/* 0: was answered or will be; -1: the error is the answer. */
	int (*run)(struct agent *a, const struct message *m, int64_t id, struct err *e);
} operations[] = {
	{ "container.setup", op_setup }, { "process.start", op_start },
	{ "process.signal", op_signal }, { "process.resize", op_resize },
	{ "container.stats", op_stats }, { "container.processes", op_processes },
	{ "container.trim", op_trim },	 { "clock", op_clock },
	{ "shutdown", op_shutdown },	 { "rest", op_rest },
	{ "identity", op_identity },
};

static int run_request(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].op, message_op(m)) == 0)
			return operations[i].run(a, m, id, e);
	}
	return err_set(e, ERR_INVALID, "unknown operation '%.64s'", message_op(m));
}

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct agent *a = ctx;
	struct err failed = ERR_INIT;
	struct hello hello;
	int64_t id = message_id(m);

	if (m->type == FRAME_HELLO)
		return message_hello(m, "monitor", &hello, e);
	if (m->type != FRAME_REQUEST || id <= 0)
		return err_set(e, ERR_CORRUPT, "message that is not a request with an id");
	if (run_request(a, m, id, &failed) < 0)
		answer_error(a, id, &failed);
	return 0;
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)stream;
	(void)e;
	stdio_data(owner, p, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	(void)ctx;
	(void)stream;
	(void)e;
	stdio_eof(owner);
	return 0;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	(void)ctx;
	(void)stream;
	stdio_window(owner);
}

const struct conn_ops requests_ops = { on_message, on_data, on_eof, on_window };
