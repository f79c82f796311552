/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's console and the VMM's messages go straight to files, which the monitor does not read. A
 * hostile guest could fill the disk with them. So the kernel tells when one was written to, and a file
 * that has outgrown its limit begins anew: both are open for appending, and what counts is their end.
 */
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/monitor_priv.h"

#define OUTGROWN (1 << 20)

static void bound(struct monitor *m, const char *name)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	struct stat st;

	if (fd_open(m->dir, name, O_WRONLY, 0, &fd, &e) < 0 || fstat(fd, &st) < 0 ||
	    st.st_size <= OUTGROWN)
		return;
	if (ftruncate(fd, 0) < 0)
		log_debug("cannot cut '%s'", name);
}

static void on_written(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	char events[4096];

	(void)what;
	/* Which file it was does not matter. */
	while (read((int)fd, events, sizeof(events)) > 0)
		;
	bound(m, CONSOLE_FILE);
	bound(m, VMM_LOG_FILE);
	monitor_settle(m);
}

static bool watch(int fd, int dir, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	return inotify_add_watch(fd, path, IN_MODIFY) >= 0;
}

void monitor_outgrow_watch(struct monitor *m)
{
	auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	/* A host that is out of watches runs containers all the same. */
	if (fd < 0 || !watch(fd, m->dir, CONSOLE_FILE) || !watch(fd, m->dir, VMM_LOG_FILE)) {
		log_debug("the console's size is not watched");
		return;
	}
	m->outgrow_fd = take_fd(&fd);
	m->outgrow = monitor_event(m, m->outgrow_fd, EV_READ | EV_PERSIST, on_written, m);
	event_add(m->outgrow, NULL);
}

void monitor_outgrow_end(struct monitor *m)
{
	monitor_event_free(&m->outgrow);
	fd_close(take_fd(&m->outgrow_fd));
}
