/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel to the agent: bytes between its socket and proto/conn.h, requests and their answers.
 *
 * Whatever comes from there is hostile. A violation of the protocol marks the channel as lost with a
 * reason; monitor_settle then ends the VM. The bare end of the channel has no reason: the VMM's own end
 * follows and tells more.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"
#include "engine/template.h"

/* What agent_drain reads at most after the end of a VMM: more cannot wait in a socket. */
#define DRAIN_MAX (64u * 1024 * 1024)

/* Giving back the free blocks of the disk takes 0.2 s in software emulation: not after a short run, which
 * cannot have freed much. */
#define TRIM_AFTER ((int64_t)10 * 1000000000)

static void lose(struct monitor *m, struct err *why)
{
	if (!m->agent.lost && why)
		m->agent.why = *why;
	m->agent.lost = true;
}

bool agent_is_up(const struct monitor *m)
{
	return m->agent.conn && m->agent.greeted && !m->agent.lost;
}

uint32_t agent_new_stream(struct monitor *m)
{
	return ++m->agent.last_stream;
}

/* ---- requests ---------------------------------------------------------------------------------- */

void agent_begin(struct monitor *m, struct message_out *out, const char *op)
{
	message_out_request(out, op, ++m->agent.last_id);
}

void agent_send(struct monitor *m, struct message_out *out, agent_done *done, void *ctx)
{
	struct agent_request *r;
	struct err e = ERR_INIT;

	if (!agent_is_up(m))
		err_set(&e, ERR_UNAVAILABLE, "the container's agent is not there");
	else if (conn_send_message(m->agent.conn, out, &e) == 0) {
		r = xcalloc(1, sizeof(*r));
		*r = (struct agent_request){ m->agent.requests, m->agent.last_id, done, ctx };
		m->agent.requests = r;
		return;
	}
	if (done)
		done(m, ctx, NULL, &e);
}

static int take_reply(struct monitor *m, const struct message *msg, struct err *e)
{
	int64_t id = message_id(msg);
	struct agent_request **at, *r;
	struct err told = ERR_INIT;
	int failed;

	for (at = &m->agent.requests; *at && (*at)->id != id; at = &(*at)->next)
		;
	r = *at;
	if (!r)
		return err_set(e, ERR_CORRUPT, "the agent answers what was not asked");
	*at = r->next;
	failed = message_reply_error(msg, &told);
	if (r->done)
		r->done(m, r->ctx, failed < 0 ? NULL : msg, failed < 0 ? &told : NULL);
	else if (failed < 0)
		log_debug("agent: %s", told.msg);
	free(r);
	return 0;
}

static void drop_requests(struct monitor *m)
{
	struct agent_request *r;
	struct err e = ERR_INIT;

	err_set(&e, ERR_UNAVAILABLE, "the container's virtual machine has ended");
	while ((r = m->agent.requests)) {
		m->agent.requests = r->next;
		if (r->done)
			r->done(m, r->ctx, NULL, &e);
		free(r);
	}
}

/* When the disks were mounted, by the guest's own account of what it did after that. */
static void trace_mounts(struct monitor *m, const struct message *reply)
{
	int64_t all = json_int(json_get(reply->json, "mount_us"), -1);
	int64_t root = json_int(json_get(reply->json, "root_us"), -1);
	int64_t now = clock_monotonic();

	if (!m->tracing || m->state.restart_count || root < 0 || root > all ||
	    all - root > (now - m->phase_begin) / 1000)
		return;
	trace_add(&m->trace, "guest", "mounts", m->phase_begin, now - (all - root) * 1000);
}

static void setup_done(struct monitor *m, void *ctx, const struct message *reply,
		       const struct err *error)
{
	struct err why = ERR_INIT;

	(void)ctx;
	if (m->life != LIFE_SETUP)
		return;
	if (error) {
		why = *error;
		err_wrap(&why, "cannot set up the container");
		monitor_fail(m, &why);
		return;
	}
	trace_mounts(m, reply);
	monitor_phase(m, "setup");
	monitor_set_life(m, LIFE_READY);
}

void agent_setup(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "container.setup");
	jw_str(&out.json, "container", m->id);
	vm_disks_tell(m, &out.json);
	settings_tell_container(m, &out.json);
	agent_send(m, &out, setup_done, NULL);
}

static void shutdown_done(struct monitor *m, void *ctx, const struct message *reply,
			  const struct err *error)
{
	(void)ctx;
	(void)reply;
	if (!error || m->life != LIFE_SHUTDOWN)
		return; /* the VMM ends by itself now */
	log_debug("orderly shutdown failed: %s", error->msg);
	monitor_set_life(m, LIFE_KILL);
}

void agent_shutdown(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "shutdown");
	jw_bool(&out.json, "trim", clock_now() - m->state.started_at >= TRIM_AFTER);
	jw_bool(&out.json, "keep", m->keep);
	agent_send(m, &out, shutdown_done, NULL);
}

/* ---- from the agent ---------------------------------------------------------------------------- */

/* The guest's own clock of its first milliseconds, laid on the host's by the arrival of the HELLO. */
static void trace_boot(struct monitor *m, const struct hello *h)
{
	int64_t now = clock_monotonic(), up = h->uptime_us * 1000, start = h->start_us * 1000;
	int64_t begin = m->phase_begin;

	m->phase_begin = now;
	if (!m->tracing || m->state.restart_count)
		return;
	if (start < 0 || start > up || now - up < begin) {
		trace_add(&m->trace, "monitor", "boot", begin, now);
		return;
	}
	trace_add(&m->trace, "monitor", "firmware", begin, now - up);
	trace_add(&m->trace, "guest", "kernel", now - up, now - up + start);
	trace_add(&m->trace, "guest", "agent", now - up + start, now);
}

static void identity_told(struct monitor *m, void *ctx, const struct message *reply,
			  const struct err *error)
{
	struct err why = ERR_INIT;

	(void)ctx;
	(void)reply;
	if (!error || m->life != LIFE_SETUP)
		return;
	why = *error;
	err_wrap(&why, "cannot make a copy of a saved virtual machine its own");
	monitor_fail(m, &why);
}

/* The first thing that a copy hears; what is asked behind it is done after it. */
static void tell_identity(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "identity");
	template_identity(&out, NULL, 0);
	agent_send(m, &out, identity_told, NULL);
}

static int take_hello(struct monitor *m, const struct message *msg, struct err *e)
{
	struct hello h;

	if (message_hello(msg, "agent", &h, e) < 0)
		return -1;
	if (m->agent.greeted)
		return err_set(e, ERR_CORRUPT, "the agent says hello twice");
	m->agent.greeted = true;
	memcpy(m->agent.kernel, h.kernel, sizeof(m->agent.kernel));
	trace_boot(m, &h);
	if (m->life != LIFE_BOOT)
		return 0;
	monitor_vm_judge_kvm(m);
	if (m->from_template)
		tell_identity(m);
	monitor_set_life(m, LIFE_SETUP);
	return 0;
}

/* A guest may say so as often as it likes; the events of a second are one. */
static void take_oom(struct monitor *m)
{
	int64_t now = clock_monotonic();

	if (m->oom_told && now - m->oom_told < MONITOR_SECOND)
		return;
	m->oom_told = now;
	m->state.oom = true;
	monitor_write_state(m);
	monitor_tell(m, "oom", NULL);
}

static int take_event(struct monitor *m, const struct message *msg, struct err *e)
{
	const char *event = message_event(msg), *text;

	if (str_eq(event, "process.exit"))
		return process_exit_event(m, msg, e);
	if (str_eq(event, "container.oom"))
		take_oom(m);
	if (str_eq(event, "agent.log")) {
		text = json_str(json_get(msg->json, "message"));
		log_debug("agent: %.400s", text ? text : "");
	}
	return 0; /* a newer agent may tell more than we know */
}

static int on_message(void *ctx, const struct message *msg, struct err *e)
{
	struct monitor *m = ctx;

	switch (msg->type) {
	case FRAME_HELLO:
		return take_hello(m, msg, e);
	case FRAME_REPLY:
		return take_reply(m, msg, e);
	case FRAME_EVENT:
		return take_event(m, msg, e);
	case FRAME_REQUEST:
	case FRAME_DATA:
	case FRAME_EOF:
	case FRAME_WINDOW:
	case FRAME_TYPE_END:
		break;
	}
	return err_set(e, ERR_CORRUPT, "the agent sends a request");
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	if (process_data(ctx, owner, stream, p, n) < 0)
		return err_set(e, ERR_CORRUPT, "the agent sends output on an input stream");
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	(void)e;
	process_eof(ctx, owner, stream);
	return 0;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	(void)stream;
	process_window(ctx, owner);
}

static const struct conn_ops agent_ops = { on_message, on_data, on_eof, on_window };

/* ---- the socket -------------------------------------------------------------------------------- */

static int feed(struct monitor *m, const char *p, size_t n, struct err *e)
{
	size_t used;

	if (m->agent.scanning) {
		if (!preamble_scan(&m->agent.scan, p, n, &used))
			return 0;
		m->agent.scanning = false;
		p += used;
		n -= used;
	}
	return n ? conn_feed(m->agent.conn, p, n, e) : 0;
}

/* 1: something was read, 0: nothing more for now or for ever. */
static int read_once(struct monitor *m)
{
	struct err e = ERR_INIT;
	ssize_t n;

	if (m->agent.fd < 0 || m->agent.lost || m->agent.listening)
		return 0;
	n = read(m->agent.fd, m->buf, MONITOR_READ_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		lose(m, NULL);
		return 0;
	}
	if (feed(m, m->buf, (size_t)n, &e) < 0) {
		lose(m, &e);
		return 0;
	}
	return 1;
}

void agent_drain(struct monitor *m)
{
	size_t total = 0;

	while (total < DRAIN_MAX && read_once(m))
		total += MONITOR_READ_SIZE;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	read_once(m);
	monitor_settle(m);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	monitor_settle(ctx);
}

static void watch(struct monitor *m)
{
	m->agent.readable = monitor_event(m, m->agent.fd, EV_READ | EV_PERSIST, on_readable, m);
	m->agent.writable = monitor_event(m, m->agent.fd, EV_WRITE, on_writable, m);
	event_add(m->agent.readable, NULL);
}

static void listen_on(struct monitor *m);

/* The connection of this boot: the listener has done its work. */
static void adopt_call(struct monitor *m)
{
	struct agent *a = &m->agent;
	struct err e = ERR_INIT;

	monitor_event_free(&a->readable);
	fd_close(a->fd);
	a->fd = take_fd(&a->call);
	a->listening = false;
	if (fd_set_nonblock(a->fd, true, &e) < 0)
		lose(m, &e);
	else
		watch(m);
}

/* A call that ends before its first byte is none: a guest that was saved while it dialled has given it up. */
static void on_call(evutil_socket_t call, short what, void *ctx)
{
	struct monitor *m = ctx;
	char first;

	(void)what;
	if (recv(call, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
		adopt_call(m);
	} else {
		monitor_event_free(&m->agent.readable);
		fd_close(take_fd(&m->agent.call));
		listen_on(m);
	}
	monitor_settle(m);
}

static void on_connection(evutil_socket_t listener, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;

	(void)what;
	if (sock_accept(listener, &m->agent.call, &e) < 0) {
		log_debug("%s", e.msg);
		return;
	}
	monitor_event_free(&m->agent.readable);
	m->agent.readable = monitor_event(m, m->agent.call, EV_READ, on_call, m);
	event_add(m->agent.readable, NULL);
}

static void listen_on(struct monitor *m)
{
	struct agent *a = &m->agent;

	a->readable = monitor_event(m, a->fd, EV_READ | EV_PERSIST, on_connection, m);
	event_add(a->readable, NULL);
}

static void start_preamble(struct monitor *m)
{
	unsigned char mine[PREAMBLE_SIZE];

	preamble_make(mine);
	preamble_scan_init(&m->agent.scan, mine);
	m->agent.scanning = true;
	conn_send_raw(m->agent.conn, mine, sizeof(mine));
}

int agent_open(struct monitor *m, struct err *e)
{
	auto_message_out struct message_out hello = MESSAGE_OUT_INIT;
	struct agent *a = &m->agent;

	*a = (struct agent){ .fd = take_fd(&m->vmm.channel), .call = -1, .last_id = a->last_id };
	a->conn = conn_new(&agent_ops, m);
	if (m->vmm.channel_kind == VMM_CHANNEL_VSOCK) {
		a->listening = true;
		listen_on(m);
	} else {
		start_preamble(m);
		watch(m);
	}
	message_out_hello(&hello, "monitor");
	return conn_send_message(a->conn, &hello, e);
}

bool agent_flush(struct monitor *m)
{
	struct agent *a = &m->agent;
	bool wrote = false;
	const void *p;
	ssize_t k;
	size_t n;

	while (a->fd >= 0 && !a->listening && !a->lost) {
		conn_output(a->conn, &p, &n);
		if (n == 0)
			break;
		k = send(a->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k < 0) {
			/* Of an end the reading side finds out, after the last words of the guest. */
			if (errno == EAGAIN || errno == EINTR)
				event_add(a->writable, NULL);
			break;
		}
		conn_output_done(a->conn, (size_t)k);
		wrote = true;
	}
	return wrote;
}

void agent_unwatch(struct monitor *m)
{
	monitor_event_free(&m->agent.readable);
	monitor_event_free(&m->agent.writable);
}

void agent_close(struct monitor *m)
{
	struct agent *a = &m->agent;

	agent_unwatch(m);
	fd_close(a->fd);
	fd_close(a->call);
	a->fd = a->call = -1;
	a->greeted = false;
	drop_requests(m);
	conn_free(a->conn);
	a->conn = NULL;
	a->lost = a->loss_seen = false;
	err_clear(&a->why);
}
