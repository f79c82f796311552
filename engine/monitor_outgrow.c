/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's console and the VMM's messages go straight to files, which the monitor does not read. A
 * hostile guest could fill the disk with them. So the kernel tells when one was written to, and a file
 * that has outgrown its limit begins anew: both are open for appending, and what counts is their end.
 *
 * A guest that boots writes often, and a serial port each character by itself: so the first word of it only
 * begins a while in which nothing is listened to, and then one look is taken at all that was written. It ends when
 * nothing was, so that nobody wakes for a quiet guest; it is short for one that writes a lot.
 */
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/monitor_priv.h"

#define OUTGROWN (1 << 20)
#define WHILE_NS (MONITOR_SECOND / 2)
#define HURRY_NS (MONITOR_SECOND / 50)

/* True when it had outgrown its limit. */
static bool bound(struct monitor *m, const char *name)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	struct stat st;

	if (fstatat(m->dir, name, &st, 0) < 0 || st.st_size <= OUTGROWN)
		return false;
	if (fd_open(m->dir, name, O_WRONLY, 0, &fd, &e) < 0 || ftruncate(fd, 0) < 0)
		log_debug("cannot cut '%s'", name);
	return true;
}

static void on_while_over(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	char events[4096];
	bool written = false, outgrown = false;

	(void)fd;
	(void)what;
	/* Which file it was does not matter. */
	while (read(m->outgrow_fd, events, sizeof(events)) > 0)
		written = true;
	if (!written) {
		event_add(m->outgrow, NULL);
		return;
	}
	outgrown |= bound(m, CONSOLE_FILE);
	outgrown |= bound(m, VMM_LOG_FILE);
	monitor_add_timer(m->outgrow_while, outgrown ? HURRY_NS : WHILE_NS);
}

static void on_written(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	monitor_add_timer(m->outgrow_while, WHILE_NS);
}

static bool watch(int fd, int dir, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	return inotify_add_watch(fd, path, IN_MODIFY) >= 0;
}

/* The next VM writes to the same files. */
void monitor_outgrow_watch(struct monitor *m)
{
	if (m->outgrow_fd < 0)
		m->outgrow_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* A host that is out of watches runs containers all the same. */
	if (m->outgrow_fd < 0 || !watch(m->outgrow_fd, m->dir, CONSOLE_FILE) ||
	    !watch(m->outgrow_fd, m->dir, VMM_LOG_FILE)) {
		log_debug("the console's size is not watched");
		return;
	}
	m->outgrow = monitor_event(m, m->outgrow_fd, EV_READ, on_written, m);
	m->outgrow_while = monitor_event(m, -1, 0, on_while_over, m);
	monitor_add_timer(m->outgrow_while, WHILE_NS);
}

void monitor_outgrow_end(struct monitor *m)
{
	monitor_event_free(&m->outgrow);
	monitor_event_free(&m->outgrow_while);
}

/* Not before somebody who waits for the end was told: closing waits for a grace period of the kernel, 4 to 20 ms. */
void monitor_outgrow_release(struct monitor *m)
{
	fd_close(take_fd(&m->outgrow_fd));
}
