/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image of more layers than its VMM has room for disks is copied into one file, once (engine/joined.h). It
 * may be gigabytes, so `kvbox join <id>` does it, a child that dies with us, while the monitor listens to its
 * clients; the boot goes on when it has ended.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/joined.h"
#include "engine/monitor.h"
#include "engine/monitor_priv.h"

#define SAID_MAX 512 /* more than a struct err holds */

/* The error of the child, which it has written to what it has for standard output. */
static void take_words(struct monitor *m, struct err *why)
{
	char text[SAID_MAX];
	struct err ignored = ERR_INIT;
	ssize_t n = fd_pread_full(m->join.said, text, sizeof(text) - 1, 0, &ignored);

	text[n > 0 ? n : 0] = '\0';
	err_set(why, ERR_SYSTEM, "%s", n > 0 ? text : "cannot copy the image's layers");
	err_wrap(why, "cannot start the virtual machine");
}

static void on_joined(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err why = ERR_INIT, e = ERR_INIT;
	int status = 0;

	(void)fd;
	(void)what;
	if (spawn_try_wait(&m->join.child, &status, &e) == 0) {
		event_add(m->join.ended, NULL);
		return;
	}
	if (status != 0)
		take_words(m, &why);
	m->join.tried = status == 0;
	join_end(m);
	monitor_phase(m, "join");
	if (status != 0)
		monitor_fail(m, &why);
	else
		monitor_boot(m);
	monitor_settle(m);
}

int join_begin(struct monitor *m, struct err *e)
{
	auto_free char *self = proc_own_path(e);
	char verb[] = "join", name[] = "kvbox";
	char *const argv[] = { name, verb, m->id, NULL };
	struct spawn_fd fds[] = { { -1, STDOUT_FILENO }, { STDERR_FILENO, STDERR_FILENO } };
	const struct spawn s = {
		.path = self,
		.argv = argv,
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.cwd = -1,
		.cgroup = -1,
		.die_with_parent = true,
	};

	if (!self || fd_memfd("kvbox-join", &m->join.said, e) < 0)
		return -1;
	fds[0].from = m->join.said;
	if (spawn_start(&s, &m->join.child, e) < 0) {
		fd_close(take_fd(&m->join.said));
		return -1;
	}
	m->join.ended = monitor_event(m, m->join.child.pidfd, EV_READ, on_joined, m);
	event_add(m->join.ended, NULL);
	return 0;
}

void join_end(struct monitor *m)
{
	struct err ignored = ERR_INIT;

	if (!m->join.ended)
		return;
	monitor_event_free(&m->join.ended);
	/* Not waited for: it may be in the middle of a write, and we may not block. */
	if (m->join.child.pidfd >= 0 && proc_signal(&m->join.child, SIGKILL, &ignored) < 0)
		log_debug("%s", ignored.msg);
	proc_release(&m->join.child);
	fd_close(take_fd(&m->join.said));
}

/* ---- the child --------------------------------------------------------------------------------- */

static int join(const char *id, struct err *e)
{
	auto_paths struct paths paths = PATHS_INIT;
	auto_spec struct container_spec spec = { .id = NULL };
	auto_close int dir = -1;
	char name[PATH_NAME_SIZE];

	if (paths_open(NULL, NULL, false, &paths, e) < 0 ||
	    fd_open_dir(paths.root_fd, path_container(id, NULL, name), &dir, e) < 0 ||
	    spec_read_file(dir, &spec, e) < 0)
		return -1;
	return joined_make(&paths, spec.chain, &spec.layers, name, e);
}

int monitor_join_main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2 || !hex_is(argv[1], ID_TEXT_SIZE - 1))
		return 1;
	if (join(argv[1], &e) == 0)
		return 0;
	printf("%s", e.msg);
	return fflush(stdout) == 0 ? 1 : 2;
}
