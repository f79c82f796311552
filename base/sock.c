/* SPDX-License-Identifier: Apache-2.0 */
/* The socket half of base/fd.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"

#define SOCK_FDS_MAX 8

/*
 * A socket's address is a path of at most 107 bytes. The name relative to its folder always fits when
 * the folder is reached through its descriptor.
 */
static int sock_address(int dirfd, const char *name, struct sockaddr_un *ret, struct err *e)
{
	int n;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (dirfd == AT_FDCWD)
		n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name);
	else
		n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dirfd,
			     name);
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
		return err_set(e, ERR_INVALID, "socket path '%.100s' is too long", name);
	return 0;
}

static int sock_new(int *ret, struct err *e)
{
	auto_close int fd = fault("sock.new") ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "cannot create a socket");
	if (fd <= STDERR_FILENO)
		return fd_dup(fd, ret, e);
	*ret = take_fd(&fd);
	return 0;
}

int sock_listen(int dirfd, const char *name, int *ret, struct err *e)
{
	auto_close int fd = -1;
	struct sockaddr_un sa;

	if (sock_address(dirfd, name, &sa, e) < 0 || sock_new(&fd, e) < 0)
		return -1;
	/* Who may write to a socket's file may connect. The file takes its mode from the socket, less the
	 * umask, which may be anything. */
	if (fchmod(fd, 0600) < 0)
		return err_sys(e, "cannot set the mode of socket '%s'", name);
	if (fault("sock.bind") || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, "cannot bind socket '%s'", name);
	if (listen(fd, SOMAXCONN) < 0)
		return err_sys(e, "cannot listen on '%s'", name);
	*ret = take_fd(&fd);
	return 0;
}

/* How long connect() waits for a place in the queue of one who accepts nobody; 0: for ever. */
static int limit_wait(int fd, int64_t ms, struct err *e)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return err_sys(e, "cannot set a socket's time limit");
	return 0;
}

static int refuse_deaf(const char *name, int64_t ms, struct err *e)
{
	err_set(e, ERR_SYSTEM, "'%s' accepts no connection within %lld ms", name, (long long)ms);
	e->sys = EAGAIN;
	return -1;
}

int sock_connect(int dirfd, const char *name, int64_t patience, int *ret, struct err *e)
{
	auto_close int fd = -1;
	struct sockaddr_un sa;

	if (sock_address(dirfd, name, &sa, e) < 0 || sock_new(&fd, e) < 0 ||
	    limit_wait(fd, patience > 0 ? patience : 1, e) < 0)
		return -1;
	while (fault("sock.connect") || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			return refuse_deaf(name, patience, e);
		err_sys(e, "cannot connect to '%s'", name);
		if (e->sys == ENOENT || e->sys == ECONNREFUSED)
			e->kind = ERR_UNAVAILABLE;
		return -1;
	}
	if (limit_wait(fd, 0, e) < 0)
		return -1;
	*ret = take_fd(&fd);
	return 0;
}

int sock_accept(int fd, int *ret, struct err *e)
{
	auto_close int conn = -1;

	do
		conn = fault("sock.accept") ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	while (conn < 0 && errno == EINTR);
	if (conn < 0)
		return err_sys(e, "cannot accept a connection");
	if (conn <= STDERR_FILENO)
		return fd_dup(conn, ret, e);
	*ret = take_fd(&conn);
	return 0;
}

union fds_buffer {
	struct cmsghdr align;
	char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
};

int sock_send_fds(int fd, const void *buf, size_t n, const int *fds, size_t nfds, struct err *e)
{
	union fds_buffer control = { 0 };
	struct iovec iov = { .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;
	ssize_t r;

	if (nfds > SOCK_FDS_MAX)
		return err_set(e, ERR_INVALID, "too many descriptors for one message");
	memcpy(&iov.iov_base, &buf, sizeof(buf));
	if (nfds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(head), fds, nfds * sizeof(int));
	}
	do
		r = fault("sock.send") ? -1 : sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "cannot send");
	/* The descriptors travel with the first byte; the rest is plain data. */
	return fd_write_full(fd, (const char *)buf + r, n - (size_t)r, e);
}

ssize_t sock_recv_fds(int fd, void *buf, size_t n, int *fds, size_t *nfds, struct err *e)
{
	union fds_buffer control;
	struct iovec iov = { buf, n };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	size_t room = *nfds;
	ssize_t r;

	do
		r = fault("sock.recv") ? -1 : recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "cannot receive");
	*nfds = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		size_t count;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int got;

			memcpy(&got, CMSG_DATA(h) + i * sizeof(int), sizeof(got));
			if (*nfds < room)
				fds[(*nfds)++] = got;
			else
				fd_close(got);
		}
	}
	return r;
}
