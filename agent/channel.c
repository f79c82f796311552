/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor is watched edge-triggered, once and for all: a port whose host side is not
 * connected yet is permanently "hung up", which level-triggered would spin. So readiness is
 * remembered here, and reading and writing go on until EAGAIN.
 */
#include "agent/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/preamble.h"

/* Reads in one turn, so that a busy monitor cannot keep the agent from its processes. */
#define READS_A_TURN 16
/* How long a resting agent waits for the host to take its call, before the next one. */
#define REDIAL_MS 20

struct channel {
	struct loop *loop;
	struct boot_options options;
	int64_t start_us;
	struct source source;
	struct conn *conn;
	struct preamble_scan scan;
	bool scanning;	 /* the host's preamble was not seen yet */
	bool connecting; /* vsock: connect is under way */
	bool readable, writable;
	bool said_hello;
	bool resting; /* vsock: the connection was ended so that the VM can be saved */
	struct timer redial;
};

static void ready(void *ctx, uint32_t events)
{
	struct channel *c = ctx;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		c->writable = true;
}

struct channel *channel_new(struct loop *loop, const struct boot_options *options, int64_t start_us,
			    const struct conn_ops *ops, void *ctx)
{
	struct channel *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->options = *options;
	c->start_us = start_us;
	c->source = (struct source){ .fd = -1, .ready = ready, .ctx = c };
	c->conn = conn_new(ops, ctx);
	return c;
}

bool channel_is_open(const struct channel *c)
{
	return c->source.fd >= 0;
}

bool channel_said_hello(const struct channel *c)
{
	return c->said_hello;
}

struct conn *channel_conn(struct channel *c)
{
	return c->conn;
}

static int say_hello(struct channel *c, struct err *e)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct utsname u;

	message_out_hello(&m, "agent");
	jw_str(&m.json, "kernel", uname(&u) == 0 ? u.release : "");
	jw_int(&m.json, "start_us", c->start_us);
	jw_int(&m.json, "uptime_us", boot_us());
	return conn_send_message(c->conn, &m, e);
}

/* ---- opening --------------------------------------------------------------------------------- */

struct port_search {
	int dir;
	const char *name;
	char *ret;
	int found;
};

static int check_port(void *ctx, const char *entry, struct err *e)
{
	struct port_search *s = ctx;
	auto_free char *path = xconcat(entry, "/name", NULL);
	char name[64];
	auto_close int fd = -1;
	struct err none = ERR_INIT;
	ssize_t n;

	(void)e;
	if (s->found || strlen(entry) >= CHANNEL_PORT_SIZE)
		return 0;
	/* A port gets its name some time after it appeared; another event tells then. */
	if (fd_open(s->dir, path, O_RDONLY, 0, &fd, &none) < 0)
		return 0;
	n = fd_read_full(fd, name, sizeof(name) - 1, &none);
	if (n <= 0)
		return 0;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, s->name) == 0) {
		memcpy(s->ret, entry, strlen(entry) + 1);
		s->found = 1;
	}
	return 0;
}

int channel_find_port(int class_dir, const char *name, char ret[CHANNEL_PORT_SIZE], struct err *e)
{
	struct port_search s = { class_dir, name, ret, 0 };

	if (dir_each(class_dir, ".", check_port, &s, e) < 0)
		return -1;
	return s.found;
}

static int open_serial(struct channel *c, int *ret, struct err *e)
{
	auto_close int dir = -1;
	char name[CHANNEL_PORT_SIZE];
	auto_free char *path = NULL;
	struct err none = ERR_INIT;
	int r;

	/* The class is there once the driver is. */
	if (fd_open_dir(AT_FDCWD, "/sys/class/virtio-ports", &dir, &none) < 0)
		return 0;
	r = channel_find_port(dir, c->options.port_name, name, e);
	if (r <= 0)
		return r;
	path = xconcat("/dev/", name, NULL);
	if (fd_open(AT_FDCWD, path, O_RDWR | O_NONBLOCK, 0, ret, e) < 0)
		return -1;
	preamble_scan_init(&c->scan, NULL);
	c->scanning = true;
	return 1;
}

static int open_vsock(struct channel *c, int *ret, struct err *e)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK,
				    .svm_cid = VMADDR_CID_HOST,
				    .svm_port = c->options.port };
	auto_close int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* No socket family or no transport: its module or device is still to come. */
	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : err_sys(e, "cannot create a vsock socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno == ENODEV || errno == ENETUNREACH || errno == EADDRNOTAVAIL)
			return 0;
		if (errno != EINPROGRESS)
			return err_sys(e, "cannot connect to vsock port %u of the host",
				       c->options.port);
		c->connecting = true;
	}
	*ret = take_fd(&fd);
	return say_hello(c, e) < 0 ? -1 : 1;
}

int channel_try_open(struct channel *c, struct err *e)
{
	int r, fd = -1;

	if (c->options.channel == CHANNEL_SERIAL)
		r = open_serial(c, &fd, e);
	else
		r = open_vsock(c, &fd, e);
	if (r <= 0)
		return r;
	c->source.fd = fd;
	c->readable = true;
	c->writable = !c->connecting;
	loop_watch(c->loop, &c->source, EPOLLIN | EPOLLOUT | EPOLLET);
	return 1;
}

/* ---- moving bytes ---------------------------------------------------------------------------- */

/* Drops what comes before the preamble, then answers it. */
static int scan(struct channel *c, const char **p, size_t *n, struct err *e)
{
	size_t used;
	bool found = preamble_scan(&c->scan, *p, *n, &used);

	*p += used;
	*n -= used;
	if (!found)
		return 0;
	c->scanning = false;
	conn_send_raw(c->conn, c->scan.buf, PREAMBLE_SIZE);
	return say_hello(c, e);
}

/* 1: something was read, 0: there is nothing. */
static int read_some(struct channel *c, struct err *e)
{
	static char buf[65536]; /* no page of it is there before it is used */
	ssize_t got = read(c->source.fd, buf, sizeof(buf));
	const char *p = buf;
	size_t n;

	if (got < 0 && errno == EINTR)
		return 1;
	if (got < 0 && errno == EAGAIN) {
		c->readable = false;
		return 0;
	}
	if (got < 0)
		return err_sys(e, "cannot read from the host");
	if (got == 0 && c->options.channel == CHANNEL_VSOCK)
		return err_set(e, ERR_UNAVAILABLE, "the host closed the channel");
	if (got == 0) {
		/* A port whose host side is not connected. */
		c->readable = false;
		return 0;
	}
	n = (size_t)got;
	if (c->scanning && scan(c, &p, &n, e) < 0)
		return -1;
	return conn_feed(c->conn, p, n, e) < 0 ? -1 : 1;
}

static int write_all(struct channel *c, struct err *e)
{
	const void *p;
	size_t n;

	for (;;) {
		ssize_t done;

		conn_output(c->conn, &p, &n);
		if (n == 0) {
			c->said_hello = c->said_hello || !c->scanning;
			return 0;
		}
		if (!c->writable)
			return 0;
		done = write(c->source.fd, p, n);
		if (done < 0 && errno == EAGAIN)
			c->writable = false;
		else if (done < 0 && errno != EINTR)
			return err_sys(e, "cannot write to the host");
		else if (done > 0)
			conn_output_done(c->conn, (size_t)done);
	}
}

static int finish_connect(struct channel *c, struct err *e)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->source.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		errno = error;
		return err_sys(e, "cannot connect to vsock port %u of the host", c->options.port);
	}
	c->connecting = false;
	c->resting = false;
	return 0;
}

static void hang_up(struct channel *c)
{
	if (c->source.fd < 0)
		return;
	loop_forget(c->loop, &c->source);
	fd_close(take_fd(&c->source.fd));
	c->connecting = c->readable = c->writable = false;
	conn_reset(c->conn);
}

/*
 * No connection survives, and nobody tells a guest that it goes on somewhere else. So it dials as long as
 * nobody answers: the host of the saved VM does not listen any more, and that of a copy does.
 */
static void redial(void *ctx)
{
	struct channel *c = ctx;
	struct err ignored = ERR_INIT;

	if (!c->resting)
		return;
	hang_up(c);
	if (channel_try_open(c, &ignored) < 0) {
		err_clear(&ignored);
		hang_up(c);
	} else if (!c->connecting) {
		c->resting = false;
		return;
	}
	loop_timer_set(c->loop, &c->redial, REDIAL_MS);
}

int channel_turn(struct channel *c, struct err *e)
{
	if (c->connecting) {
		if (!c->writable)
			return 0;
		if (finish_connect(c, e) < 0) {
			if (!c->resting)
				return -1;
			err_clear(e);
			hang_up(c); /* until the timer */
			return 0;
		}
	}
	for (int i = 0; c->readable && i < READS_A_TURN; i++) {
		if (read_some(c, e) < 0)
			return -1;
	}
	if (write_all(c, e) < 0)
		return -1;
	return c->readable;
}

int channel_drain(struct channel *c, struct err *e)
{
	if (fd_set_nonblock(c->source.fd, false, e) < 0)
		return -1;
	c->writable = true;
	return write_all(c, e);
}

int channel_rest(struct channel *c, struct err *e)
{
	if (channel_drain(c, e) < 0 || fd_set_nonblock(c->source.fd, true, e) < 0)
		return -1;
	if (c->options.channel == CHANNEL_VSOCK) {
		hang_up(c);
		c->resting = true;
		c->redial = (struct timer){ .fire = redial, .ctx = c };
		loop_timer_set(c->loop, &c->redial, REDIAL_MS);
		return 0;
	}
	conn_reset(c->conn);
	preamble_scan_init(&c->scan, NULL);
	c->scanning = true;
	return 0;
}
