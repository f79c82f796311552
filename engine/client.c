/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/client_priv.h"
#include "engine/rundir.h"

#define TRACE_MAX (256u * 1024)
#define MORE_MAX  4
/* A monitor never waits for anything but its loop: one that says nothing for so long was stopped. */
#define HELLO_WAIT ((int64_t)20 * 1000000000)

int client_gone(const struct client *c, struct err *e)
{
	if (c->lost[0])
		return err_set(e, ERR_SYSTEM, "the rest of the output is lost: %s", c->lost);
	return err_set(e, ERR_UNAVAILABLE, "the container's monitor has gone");
}

/* ---- from the monitor -------------------------------------------------------------------------- */

static int take_hello(struct client *c, const struct message *msg, struct err *e)
{
	struct hello h;

	if (message_reply_error(msg, e) < 0 || message_hello(msg, "monitor", &h, e) < 0)
		return -1;
	c->greeted = true;
	return 0;
}

static int take_trace(struct client *c, const struct message *msg, struct err *e)
{
	char *text = NULL;

	if (message_text(msg, "trace", TRACE_MAX, &text, e) < 0)
		return -1;
	if (text) {
		free(c->trace);
		c->trace = text;
	}
	return 0;
}

/* A message lives as long as its callback. */
static int keep_document(struct client *c, const struct message *msg, struct err *e)
{
	auto_str struct str text = STR_INIT(MESSAGE_MAX);

	json_free(c->document);
	c->document = NULL;
	json_dump(msg->json, &text);
	return json_parse(text.buf, text.len, &c->document, e);
}

static int take_reply(struct client *c, const struct message *msg, struct err *e)
{
	/* Answers to client_send_signal and its like are not waited for. */
	if (message_id(msg) != c->want || c->answered)
		return 0;
	c->answered = true;
	if (message_reply_error(msg, &c->answer) < 0)
		return 0;
	c->attached.tty = json_bool(json_get(msg->json, "tty"));
	c->attached.open_stdin = json_bool(json_get(msg->json, "open_stdin"));
	c->code = json_int(json_get(msg->json, "code"), 0);
	if (json_get(msg->json, "exec"))
		c->exec = json_int(json_get(msg->json, "exec"), 0);
	if (c->keeping)
		return keep_document(c, msg, e);
	return take_trace(c, msg, e);
}

static void take_end(struct client *c, const struct message *msg)
{
	const char *text = json_str(json_get(msg->json, "error"));
	size_t n = text ? strlen(text) : 0;

	c->ended = true;
	c->result.code = (int)json_int(json_get(msg->json, "code"), 0) & 255;
	if (n >= sizeof(c->result.error))
		n = sizeof(c->result.error) - 1;
	memcpy(c->result.error, text ? text : "", n);
	c->result.error[n] = '\0';
}

static int take_event(struct client *c, const struct message *msg, struct err *e)
{
	const char *event = message_event(msg), *text;

	if (str_eq(event, "exit") && c->exec == 0) {
		take_end(c, msg);
		return take_trace(c, msg, e);
	}
	if (str_eq(event, "exec.exit") && c->exec &&
	    json_int(json_get(msg->json, "exec"), 0) == c->exec)
		take_end(c, msg);
	/* Not from in here, where a message is read. */
	if (str_eq(event, "finish"))
		c->offer.due = c->offer.finish != NULL;
	if (str_eq(event, "lost")) {
		text = json_str(json_get(msg->json, "message"));
		snprintf(c->lost, sizeof(c->lost), "%s", text && *text ? text : "unknown");
	}
	if (str_eq(event, "notice") && c->hooks.notice) {
		text = json_str(json_get(msg->json, "message"));
		c->hooks.notice(c->hooks.ctx, text ? text : "");
	}
	return 0;
}

static int on_message(void *ctx, const struct message *msg, struct err *e)
{
	switch (msg->type) {
	case FRAME_HELLO:
		return take_hello(ctx, msg, e);
	case FRAME_REPLY:
		return take_reply(ctx, msg, e);
	case FRAME_EVENT:
		return take_event(ctx, msg, e);
	case FRAME_REQUEST:
	case FRAME_DATA:
	case FRAME_EOF:
	case FRAME_WINDOW:
	case FRAME_TYPE_END:
		break;
	}
	return err_set(e, ERR_CORRUPT, "the monitor sends a request");
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	struct client *c = ctx;

	(void)stream;
	if (owner == &c->in)
		return err_set(e, ERR_CORRUPT, "the monitor sends output on the input stream");
	return client_take_output(c, owner, p, n, e);
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	struct client *c = ctx;

	(void)stream;
	(void)e;
	if (owner == &c->in)
		c->in.ended = true;
	return 0;
}

static const struct conn_ops client_ops = { on_message, on_data, on_eof, NULL };

/* ---- the socket -------------------------------------------------------------------------------- */

/* 1: all is written, 0: the socket takes no more now. */
static int flush(struct client *c)
{
	const void *p;
	ssize_t k;
	size_t n;

	for (;;) {
		conn_output(c->conn, &p, &n);
		if (n == 0)
			return 1;
		k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k < 0) {
			/* That it is closed, reading tells, after the monitor's last words. */
			return errno == EAGAIN || errno == EINTR ? 0 : 1;
		}
		conn_output_done(c->conn, (size_t)k);
	}
}

void client_push(struct client *c)
{
	(void)flush(c);
}

static int receive(struct client *c, struct err *e)
{
	ssize_t n = recv(c->fd, c->buf, sizeof(c->buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		c->gone = true;
		return 0;
	}
	return conn_feed(c->conn, c->buf, (size_t)n, e);
}

/* Milliseconds for poll(). */
static int time_left(const struct client *c)
{
	int64_t left;

	if (c->deadline == 0)
		return -1;
	left = (c->deadline - clock_monotonic()) / 1000000;
	return left > 0 ? (int)left : 0;
}

int client_step(struct client *c, struct pollfd *more, size_t n, struct err *e)
{
	struct pollfd fds[2 + MORE_MAX];
	bool written = flush(c);

	fds[0] = (struct pollfd){ c->fd, (short)(written ? POLLIN : POLLIN | POLLOUT), 0 };
	fds[1] = (struct pollfd){ c->hooks.event ? c->hooks.event_fd : -1, POLLIN, 0 };
	if (n)
		memcpy(fds + 2, more, n * sizeof(*more));
	if (poll(fds, 2 + n, time_left(c)) < 0) {
		if (errno != EINTR)
			return err_sys(e, "cannot wait for the monitor");
		return 0;
	}
	if (n)
		memcpy(more, fds + 2, n * sizeof(*more));
	if (fds[1].revents && c->hooks.event(c->hooks.ctx, c, e) < 0)
		return -1;
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR) && receive(c, e) < 0)
		return -1;
	if (c->offer.due)
		client_finish_due(c);
	return 0;
}

int client_flush(struct client *c, struct err *e)
{
	struct pollfd p = { c->fd, POLLOUT, 0 };

	while (!flush(c))
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for the monitor");
	return 0;
}

int client_request(struct client *c, struct message_out *out, struct err *e)
{
	c->want = c->last_id;
	c->answered = false;
	err_clear(&c->answer);
	return conn_send_message(c->conn, out, e);
}

int client_answer(struct client *c, struct err *e)
{
	while (!c->answered) {
		if (c->gone)
			return client_gone(c, e);
		if (client_step(c, NULL, 0, e) < 0)
			return -1;
	}
	c->want = 0;
	if (err_is_set(&c->answer))
		return err_move(e, &c->answer);
	return 0;
}

int client_ask(struct client *c, struct message_out *out, struct err *e)
{
	return client_request(c, out, e) < 0 ? -1 : client_answer(c, e);
}

void client_begin(struct client *c, struct message_out *out, const char *op)
{
	message_out_request(out, op, ++c->last_id);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void sink_init(struct sink *s)
{
	s->fd = s->own_fd = -1;
	str_init(&s->held, 2 * CONN_WINDOW);
}

static void sink_release(struct sink *s)
{
	fd_close(s->own_fd);
	str_release(&s->held);
}

void client_free(struct client *c)
{
	if (!c)
		return;
	conn_free(c->conn);
	fd_close(c->fd);
	proc_release(&c->monitor);
	sink_release(&c->out);
	sink_release(&c->err);
	json_free(c->document);
	free(c->trace);
	free(c);
}

void client_free_ptr(struct client **c)
{
	client_free(*c);
}

static int no_answer(struct err *e)
{
	err_clear(e);
	return err_set(e, ERR_SYSTEM, "the container's monitor does not answer");
}

static int greet(struct client *c, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_hello(&out, "client");
	if (fd_set_nonblock(c->fd, true, e) < 0 || conn_send_message(c->conn, &out, e) < 0)
		return -1;
	while (!c->greeted) {
		if (c->gone)
			return client_gone(c, e);
		if (time_left(c) == 0)
			return no_answer(e);
		if (client_step(c, NULL, 0, e) < 0)
			return -1;
	}
	c->deadline = 0;
	return 0;
}

static int open_take(int fd, int64_t deadline, struct client **ret, struct err *e)
{
	auto_client struct client *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	c->deadline = deadline;
	c->monitor = (struct proc)PROC_INIT;
	c->hooks.event_fd = -1;
	c->conn = conn_new(&client_ops, c);
	sink_init(&c->out);
	sink_init(&c->err);
	if (greet(c, e) < 0)
		return -1;
	*ret = take_ptr(&c);
	return 0;
}

int client_open_fd_take(int fd, struct client **ret, struct err *e)
{
	return open_take(fd, 0, ret, e);
}

int client_connect(const struct paths *paths, const char *id, struct client **ret, struct err *e)
{
	return client_connect_within(paths, id, HELLO_WAIT, ret, e);
}

int client_connect_within(const struct paths *paths, const char *id, int64_t patience,
			  struct client **ret, struct err *e)
{
	auto_rundir struct rundir dir = RUNDIR_INIT;
	int64_t deadline = clock_monotonic() + patience;
	int fd;

	if (rundir_open(paths, id, false, &dir, e) < 0) {
		if (e->kind == ERR_NOT_FOUND)
			e->kind = ERR_UNAVAILABLE;
		return -1;
	}
	if (sock_connect(dir.fd, RUNDIR_SOCKET, patience / 1000000, &fd, e) < 0)
		return e->sys == EAGAIN ? no_answer(e) : -1;
	return open_take(fd, deadline, ret, e);
}

void client_set_hooks(struct client *c, const struct client_hooks *hooks)
{
	c->hooks = *hooks;
}

const char *client_trace(const struct client *c)
{
	return c->trace;
}

/* ---- requests ---------------------------------------------------------------------------------- */

static int open_stream(struct client *c, bool wanted, uint32_t *stream, void *owner, struct err *e)
{
	if (!wanted)
		return 0;
	if (conn_open_stream(c->conn, c->last_stream + 1, owner, e) < 0)
		return -1;
	*stream = ++c->last_stream;
	return 0;
}

static int open_streams(struct client *c, const struct client_streams *s, struct err *e)
{
	if (open_stream(c, s->in, &c->in.stream, &c->in, e) < 0 ||
	    open_stream(c, s->out, &c->out.stream, &c->out, e) < 0 ||
	    open_stream(c, s->err, &c->err.stream, &c->err, e) < 0)
		return -1;
	return 0;
}

static void name_streams(struct client *c, struct message_out *out)
{
	jw_int(&out->json, "stdin", c->in.stream);
	jw_int(&out->json, "stdout", c->out.stream);
	jw_int(&out->json, "stderr", c->err.stream);
}

void client_name_size(struct message_out *out, const struct client_size *size)
{
	jw_int(&out->json, "rows", size ? size->rows : 0);
	jw_int(&out->json, "cols", size ? size->cols : 0);
}

int client_start(struct client *c, const struct client_streams *streams,
		 const struct client_size *size, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (open_streams(c, streams, e) < 0)
		return -1;
	client_begin(c, &out, "start");
	jw_begin_object(&out.json, "attach");
	name_streams(c, &out);
	jw_end(&out.json);
	client_name_size(&out, size);
	client_name_offer(c, &out);
	return client_ask(c, &out, e);
}

int client_attach(struct client *c, const struct client_streams *streams,
		  struct client_attached *ret, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (open_streams(c, streams, e) < 0)
		return -1;
	client_begin(c, &out, "attach");
	name_streams(c, &out);
	client_name_offer(c, &out);
	if (client_ask(c, &out, e) < 0)
		return -1;
	if (ret)
		*ret = c->attached;
	return 0;
}

int client_exec(struct client *c, const struct client_exec *x, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (open_streams(c, &x->streams, e) < 0)
		return -1;
	client_begin(c, &out, "exec");
	message_out_list(&out, "args", x->args);
	if (x->env)
		message_out_list(&out, "env", x->env);
	if (x->cwd)
		message_out_text(&out, "cwd", x->cwd);
	if (x->user)
		jw_str(&out.json, "user", x->user);
	jw_bool(&out.json, "tty", x->tty);
	jw_bool(&out.json, "privileged", x->privileged);
	client_name_size(&out, &x->size);
	name_streams(c, &out);
	return client_ask(c, &out, e);
}
