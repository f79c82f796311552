/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying between the streams of a process and the command's descriptors.
 *
 * Nothing may wait inside write(): a reader that stalls on standard output must not keep signals, or
 * standard error, from getting through. Setting O_NONBLOCK would do, but the flag belongs to the open
 * file, which the command shares with the shell and others. So pipes and terminals are opened anew
 * through /proc, with a flag of our own; where that is refused, poll() is asked first and one page is
 * written, which a pipe that is ready always has room for.
 *
 * What a descriptor does not take is held; the credit that the monitor has bounds it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/client_priv.h"

#define INPUT_MAX	65536
#define DETACH_KEYS_MAX 16

/* ---- output ------------------------------------------------------------------------------------ */

static int reopen(int fd)
{
	struct err e = ERR_INIT;
	char path[40];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd_open(AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0, &own, &e) < 0) {
		log_debug("descriptor %d is written with care: %s", fd, e.msg);
		return -1;
	}
	return own;
}

static void sink_open(struct sink *s, int fd)
{
	struct stat st;

	s->fd = fd;
	s->mode = SINK_PLAIN;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode)) {
		s->mode = SINK_SOCKET;
	} else if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		s->own_fd = reopen(fd);
		if (s->own_fd < 0)
			s->mode = SINK_CAREFUL;
	}
}

static void sink_close(struct sink *s)
{
	fd_close(take_fd(&s->own_fd));
	s->fd = -1;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Returns how much was written, 0 when nothing can be now. */
static ssize_t sink_write(struct sink *s, const char *p, size_t n, struct err *e)
{
	int fd = s->own_fd >= 0 ? s->own_fd : s->fd;
	size_t done = 0;
	ssize_t k;

	if (s->mode == SINK_CAREFUL && n > PIPE_BUF)
		n = PIPE_BUF;
	while (done < n) {
		if (s->mode == SINK_SOCKET)
			k = send(fd, p + done, n - done, MSG_DONTWAIT);
		else
			k = write(fd, p + done, n - done);
		if (k < 0 && would_block())
			break;
		if (k < 0)
			return err_sys(e, "cannot write the container's output");
		done += (size_t)k;
	}
	return (ssize_t)done;
}

int client_take_output(struct client *c, struct sink *s, const void *p, size_t n, struct err *e)
{
	ssize_t done = 0;

	if (c->copying && s->fd < 0) {
		conn_consumed(c->conn, s->stream, n);
		return 0;
	}
	if (c->copying && s->held.len == 0 && s->mode != SINK_CAREFUL) {
		done = sink_write(s, p, n, e);
		if (done < 0)
			return -1;
	}
	str_addn(&s->held, (const char *)p + done, n - (size_t)done);
	if (done > 0)
		conn_consumed(c->conn, s->stream, (size_t)done);
	return 0;
}

static int sink_drain(struct client *c, struct sink *s, struct err *e)
{
	ssize_t done = (ssize_t)s->held.len;

	if (s->held.len == 0)
		return 0;
	if (s->fd >= 0)
		done = sink_write(s, s->held.buf, s->held.len, e);
	if (done < 0)
		return -1;
	str_consume(&s->held, (size_t)done);
	conn_consumed(c->conn, s->stream, (size_t)done);
	return 0;
}

/* ---- input ------------------------------------------------------------------------------------- */

struct input {
	const struct client_io *io;
	size_t matched; /* of the detach keys */
	bool detached;
};

static bool can_read(struct client *c, const struct input *in)
{
	if (in->io->in < 0 || !c->in.stream || c->in.ended || c->ended)
		return false;
	return conn_credit(c->conn, c->in.stream) > in->io->ndetach_keys;
}

/* Takes the detach keys out of what was typed; the rest goes to `out`, which has room for all of it and
 * the keys. Returns its length. */
static size_t filter_keys(struct input *in, const char *p, size_t n, char *out)
{
	const char *keys = in->io->detach_keys;
	size_t nkeys = in->io->ndetach_keys, k = 0, i;

	for (i = 0; i < n && !in->detached; i++) {
		if (in->matched && p[i] != keys[in->matched]) {
			/* It was no detaching after all. */
			memcpy(out + k, keys, in->matched);
			k += in->matched;
			in->matched = 0;
		}
		if (p[i] == keys[in->matched])
			in->matched++;
		else
			out[k++] = p[i];
		in->detached = in->matched == nkeys;
	}
	return k;
}

static void end_input(struct client *c, struct input *in)
{
	if (in->matched)
		conn_send_data(c->conn, c->in.stream, in->io->detach_keys, in->matched);
	in->matched = 0;
	conn_send_eof(c->conn, c->in.stream);
	c->in.ended = true;
}

static void read_input(struct client *c, struct input *in)
{
	char buf[INPUT_MAX], kept[INPUT_MAX + DETACH_KEYS_MAX];
	size_t room = conn_credit(c->conn, c->in.stream) - in->io->ndetach_keys;
	ssize_t n = read(in->io->in, buf, room < sizeof(buf) ? room : sizeof(buf));
	size_t k;

	if (n < 0 && would_block())
		return;
	if (n <= 0) {
		end_input(c, in);
		return;
	}
	if (in->io->ndetach_keys == 0) {
		conn_send_data(c->conn, c->in.stream, buf, (size_t)n);
		return;
	}
	k = filter_keys(in, buf, (size_t)n, kept);
	if (k)
		conn_send_data(c->conn, c->in.stream, kept, k);
}

/* ---- both -------------------------------------------------------------------------------------- */

/* Without an output there is nothing to wait for once the monitor has taken all input. */
static bool is_fed(struct client *c)
{
	return c->in.stream && c->in.ended && !c->out.stream && !c->err.stream &&
	       conn_credit(c->conn, c->in.stream) == CONN_WINDOW;
}

static bool is_done(const struct client *c)
{
	return c->ended && c->out.held.len == 0 && c->err.held.len == 0;
}

static struct pollfd watch_sink(const struct sink *s)
{
	int fd = s->own_fd >= 0 ? s->own_fd : s->fd;

	return (struct pollfd){ s->held.len > 0 ? fd : -1, POLLOUT, 0 };
}

static int copy(struct client *c, struct input *in, struct err *e)
{
	struct pollfd fds[3];

	while (!is_done(c) && !in->detached && !is_fed(c)) {
		if (c->gone && !c->ended)
			return client_gone(c, e);
		fds[0] = (struct pollfd){ can_read(c, in) ? in->io->in : -1, POLLIN, 0 };
		fds[1] = watch_sink(&c->out);
		fds[2] = watch_sink(&c->err);
		if (client_step(c, fds, 3, e) < 0)
			return -1;
		if (fds[0].revents && can_read(c, in))
			read_input(c, in);
		if (fds[1].revents && sink_drain(c, &c->out, e) < 0)
			return -1;
		if (fds[2].revents && sink_drain(c, &c->err, e) < 0)
			return -1;
	}
	if (c->ended && !in->detached)
		return 0;
	/* Behind what was typed before the detach keys. */
	if (in->detached)
		client_tell(c, "detach");
	return client_flush(c, e);
}

int client_run_streams(struct client *c, const struct client_io *io, struct client_result *ret,
		       struct err *e)
{
	struct input in = { .io = io };
	int r = 0;

	if (io->ndetach_keys > DETACH_KEYS_MAX)
		return err_set(e, ERR_INVALID, "too many detach keys");
	sink_open(&c->out, io->out);
	sink_open(&c->err, io->err);
	c->copying = true;
	/* What came before this call; more of it is driven by poll. */
	if ((c->out.mode != SINK_CAREFUL && sink_drain(c, &c->out, e) < 0) ||
	    (c->err.mode != SINK_CAREFUL && sink_drain(c, &c->err, e) < 0) || copy(c, &in, e) < 0)
		r = -1;
	sink_close(&c->out);
	sink_close(&c->err);
	if (r < 0)
		return -1;
	*ret = c->result;
	ret->detached = !c->ended;
	return 0;
}
