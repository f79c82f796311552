/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/stdio.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

/* Reads in a row from one descriptor, before others get their turn. */
#define READS_A_TURN 4

static void ready(void *ctx, uint32_t events);

int stdio_open(struct stdio *s, struct stdio_env *env, uint32_t stream, int fd, struct err *e)
{
	s->env = env;
	s->stream = stream;
	s->source = (struct source){ .fd = fd, .ready = ready, .ctx = s };
	str_init(&s->pending, CONN_WINDOW);
	if (conn_open_stream(env->conn, stream, s, e) < 0) {
		s->stream = 0;
		return -1;
	}
	return 0;
}

void stdio_close(struct stdio *s)
{
	if (!s->env || s->source.fd < 0)
		return;
	loop_forget(s->env->loop, &s->source);
	fd_close(take_fd(&s->source.fd));
	str_release(&s->pending);
	if (s->stream) {
		conn_send_eof(s->env->conn, s->stream);
		conn_close_stream(s->env->conn, s->stream);
	}
	if (!s->is_input && s->ended)
		s->ended(s->ctx);
}

/* ---- from the process ------------------------------------------------------------------------ */

static void pump(struct stdio *s)
{
	static char buf[65536]; /* no page of it is there before it is used */
	for (int i = 0; i < READS_A_TURN; i++) {
		size_t most = conn_credit(s->env->conn, s->stream);
		ssize_t n;

		if (most == 0) {
			/* stdio_window goes on. */
			loop_watch(s->env->loop, &s->source, 0);
			return;
		}
		most = most < sizeof(buf) ? most : sizeof(buf);
		if (s->eof && most > s->left)
			most = s->left;
		n = most ? read(s->source.fd, buf, most) : 0;
		if (n > 0) {
			conn_send_data(s->env->conn, s->stream, buf, (size_t)n);
			s->left -= s->eof ? (size_t)n : 0;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		/* A terminal's master gives EIO when nobody has the other side open. */
		if (n == 0 || errno != EAGAIN || s->eof) {
			stdio_close(s);
			return;
		}
		break;
	}
	loop_watch(s->env->loop, &s->source, EPOLLIN);
}

void stdio_start(struct stdio *s)
{
	if (s->env && s->source.fd >= 0)
		loop_watch(s->env->loop, &s->source, EPOLLIN);
}

void stdio_finish(struct stdio *s)
{
	int n = 0;

	if (!s->env || s->source.fd < 0)
		return;
	/* Not until it is empty: somebody may go on writing for ever. */
	s->left = ioctl(s->source.fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
	s->eof = true;
	pump(s);
}

void stdio_window(struct stdio *s)
{
	if (!s->is_input && s->source.fd >= 0)
		pump(s);
}

/* ---- to the process -------------------------------------------------------------------------- */

/* How many bytes the descriptor took; -1 when it takes no more, ever. */
static ssize_t put(struct stdio *s, const char *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(s->source.fd, p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN)
			break;
		if (r <= 0)
			return -1;
		done += (size_t)r;
	}
	if (done)
		conn_consumed(s->env->conn, s->stream, done);
	return (ssize_t)done;
}

static void flush(struct stdio *s)
{
	ssize_t done = put(s, s->pending.buf, s->pending.len);

	if (done < 0) {
		stdio_close(s);
		return;
	}
	str_consume(&s->pending, (size_t)done);
	if (s->pending.len == 0 && s->eof && !s->is_pty) {
		stdio_close(s);
		return;
	}
	/* Errors too: a pipe that nobody reads any more is told to the peer at once. */
	loop_watch(s->env->loop, &s->source, s->pending.len ? EPOLLOUT : s->is_pty ? 0 : EPOLLERR);
}

void stdio_data(struct stdio *s, const void *p, size_t n)
{
	ssize_t done = 0;

	if (s->pending.len == 0)
		done = put(s, p, n);
	if (done >= 0)
		str_addn(&s->pending, (const char *)p + done, n - (size_t)done);
	if (done < 0)
		stdio_close(s);
	else
		flush(s);
}

void stdio_eof(struct stdio *s)
{
	/*
	 * From the reader of an output: it wants no more, so the process gets EPIPE (or SIGPIPE).
	 */
	s->eof = true;
	if (!s->is_input)
		stdio_close(s);
	else
		flush(s);
}

static void ready(void *ctx, uint32_t events)
{
	struct stdio *s = ctx;

	if (!s->is_input)
		pump(s);
	else if (events & EPOLLOUT)
		flush(s);
	else
		stdio_close(s);
}
