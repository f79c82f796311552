/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.sock: connections of commands. Each has a struct conn and at most the streams of one process.
 * What a client does not read waits in bounded buffers (proto/conn.h, monitor_outlet.c).
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define PEERS_MAX 512
/* Without a free descriptor a connection cannot even be refused; trying at once again would never end. */
#define ACCEPT_PAUSE (MONITOR_SECOND / 5)

/* ---- callbacks of the connection --------------------------------------------------------------- */

static int on_message(void *ctx, const struct message *msg, struct err *e)
{
	struct peer *p = ctx;
	struct hello h;

	switch (msg->type) {
	case FRAME_HELLO:
		if (message_hello(msg, "client", &h, e) < 0)
			return -1;
		p->greeted = true;
		return 0;
	case FRAME_REQUEST:
		return request_handle(p, msg, e);
	case FRAME_REPLY:
	case FRAME_EVENT:
	case FRAME_DATA:
	case FRAME_EOF:
	case FRAME_WINDOW:
	case FRAME_TYPE_END:
		break;
	}
	return err_set(e, ERR_CORRUPT, "a client sends a reply or an event");
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *bytes, size_t n,
		   struct err *e)
{
	struct peer *p = ctx;

	(void)stream;
	if (owner != &p->in)
		return err_set(e, ERR_CORRUPT, "a client sends input on an output stream");
	inlet_write(&p->in, bytes, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	struct peer *p = ctx;
	size_t i;

	(void)e;
	(void)stream;
	if (owner == &p->in) {
		inlet_end(&p->in);
		return 0;
	}
	/* It reads no more: what comes is dropped, and an exec goes on as if it were read. */
	for (i = 0; i < LOG_STREAM_COUNT; i++)
		if (owner == &p->out[i]) {
			process_output_dropped(&p->out[i]);
			conn_close_stream(p->conn, p->out[i].end.stream);
			outlet_release(&p->out[i]);
		}
	return 0;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	struct stream_end *end = owner;

	(void)ctx;
	(void)stream;
	if (end->is_outlet)
		outlet_resume(owner);
}

static const struct conn_ops peer_ops = { on_message, on_data, on_eof, on_window };

/* ---- reading and writing ----------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct peer *p = ctx;
	struct monitor *m = p->m;
	struct err e = ERR_INIT;
	ssize_t n;

	(void)what;
	n = read(fd, m->buf, MONITOR_READ_SIZE);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		p->gone = true;
	} else if (n > 0 && conn_feed(p->conn, m->buf, (size_t)n, &e) < 0) {
		log_debug("client dropped: %s", e.msg);
		p->gone = true;
	}
	monitor_settle(m);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct peer *p = ctx;

	(void)fd;
	(void)what;
	monitor_settle(p->m);
}

static bool flush(struct peer *p)
{
	bool wrote = false;
	const void *out;
	ssize_t k;
	size_t n;

	while (!p->gone) {
		conn_output(p->conn, &out, &n);
		if (n == 0) {
			p->gone = p->closing;
			break;
		}
		k = send(p->fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
			event_add(p->writable, NULL);
			break;
		}
		if (k < 0) {
			p->gone = true;
			break;
		}
		conn_output_done(p->conn, (size_t)k);
		wrote = true;
	}
	return wrote;
}

bool clients_flush(struct monitor *m)
{
	bool wrote = false;
	struct peer *p;

	for (p = m->peers; p; p = p->next)
		wrote |= flush(p);
	return wrote;
}

/* ---- life of a connection ---------------------------------------------------------------------- */

static void send_hello(struct peer *p, const struct err *error)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_hello(&out, "monitor");
	if (error) {
		jw_begin_object(&out.json, "error");
		jw_str(&out.json, "kind", err_kind_name(error->kind));
		jw_str(&out.json, "message", error->msg);
		jw_end(&out.json);
	}
	peer_send(p, &out);
}

void peer_add(struct monitor *m, int fd, bool starter, const struct err *error)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	struct err e = ERR_INIT;
	size_t i;

	p->m = m;
	p->fd = fd;
	p->starter = starter;
	p->conn = conn_new(&peer_ops, p);
	p->serial = ++m->last_serial;
	inlet_init(&p->in);
	p->in.end.peer = p;
	for (i = 0; i < LOG_STREAM_COUNT; i++) {
		outlet_init(&p->out[i]);
		p->out[i].end.peer = p;
		p->out[i].which = (unsigned)i;
	}
	p->next = m->peers;
	m->peers = p;
	m->npeers++;
	p->readable = monitor_event(m, fd, EV_READ | EV_PERSIST, on_readable, p);
	p->writable = monitor_event(m, fd, EV_WRITE, on_writable, p);
	if (fd_set_nonblock(fd, true, &e) < 0) {
		p->gone = true;
		return;
	}
	event_add(p->readable, NULL);
	send_hello(p, error);
	p->closing = error != NULL;
	if (starter)
		m->starter = p;
}

void peer_close(struct peer *p)
{
	p->closing = true;
}

void peer_lose(struct peer *p, const char *why)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (p->lost)
		return;
	log_debug("client cut off: %s", why);
	message_out_event(&out, "lost");
	jw_str(&out.json, "message", why);
	peer_send(p, &out);
	p->lost = true;
	peer_close(p);
}

void peer_send(struct peer *p, struct message_out *out)
{
	struct err e = ERR_INIT;

	if (p->gone || conn_send_message(p->conn, out, &e) == 0)
		return;
	log_debug("client dropped: %s", e.msg);
	p->gone = true;
}

void peer_reply(struct peer *p, int64_t id)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_reply(&out, id);
	peer_send(p, &out);
}

void peer_reply_error(struct peer *p, int64_t id, const struct err *error)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_error(&out, id, error);
	peer_send(p, &out);
}

struct peer *peer_find(struct monitor *m, uint64_t serial)
{
	struct peer *p;

	for (p = m->peers; p; p = p->next)
		if (p->serial == serial && !p->gone)
			return p;
	return NULL;
}

bool peer_is_drained(const struct peer *p)
{
	return outlet_is_done(&p->out[LOG_STDOUT]) && outlet_is_done(&p->out[LOG_STDERR]);
}

static void peer_free(struct peer *p)
{
	size_t i;

	request_peer_gone(p);
	monitor_event_free(&p->readable);
	monitor_event_free(&p->writable);
	for (i = 0; i < LOG_STREAM_COUNT; i++) {
		process_output_dropped(&p->out[i]);
		outlet_release(&p->out[i]);
	}
	inlet_release(&p->in);
	conn_free(p->conn);
	fd_close(p->fd);
	p->m->npeers--;
	free(p);
}

bool clients_free_gone(struct monitor *m)
{
	struct peer **at = &m->peers, *p;
	bool freed = false;

	while ((p = *at)) {
		if (!p->gone) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		peer_free(p);
		freed = true;
	}
	return freed;
}

void clients_free_all(struct monitor *m)
{
	struct peer *p;

	for (p = m->peers; p; p = p->next)
		p->gone = true;
	clients_free_gone(m);
}

/* ---- the socket -------------------------------------------------------------------------------- */

static void on_accept_again(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (m->acceptable)
		event_add(m->acceptable, NULL);
}

static void accept_later(struct monitor *m, const struct err *why)
{
	log_debug("%s", why->msg);
	if (why->sys == EAGAIN || why->sys == EINTR || why->sys == ECONNABORTED)
		return;
	event_del(m->acceptable);
	monitor_add_timer(m->accept_again, ACCEPT_PAUSE);
}

static void on_connection(evutil_socket_t listener, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;
	int fd;

	(void)what;
	if (sock_accept(listener, &fd, &e) < 0)
		accept_later(m, &e);
	else if (m->npeers >= PEERS_MAX)
		fd_close(fd);
	else
		peer_add(m, fd, false, NULL);
	monitor_settle(m);
}

int clients_open(struct monitor *m, struct err *e)
{
	/* Nobody listens on one that is there: `alive` is ours. */
	if (file_remove(m->run.fd, RUNDIR_SOCKET, e) < 0 ||
	    sock_listen(m->run.fd, RUNDIR_SOCKET, &m->listener, e) < 0 ||
	    fd_set_nonblock(m->listener, true, e) < 0)
		return -1;
	m->acceptable = monitor_event(m, m->listener, EV_READ | EV_PERSIST, on_connection, m);
	event_add(m->acceptable, NULL);
	m->accept_again = monitor_event(m, -1, 0, on_accept_again, m);
	return 0;
}

void clients_close_socket(struct monitor *m)
{
	monitor_event_free(&m->acceptable);
	monitor_event_free(&m->accept_again);
	fd_close(m->listener);
	m->listener = -1;
}
