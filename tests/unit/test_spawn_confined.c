/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn_confined.h"
#include "base/str.h"

#define BUSYBOX "/bin/busybox"
#define UID	2000000123u

/* As root, or with a user namespace, or (in the poorest of containers) not at all. */
static bool can_confine(struct confinement *c)
{
	c->namespaces = c->root = true;
	c->user_namespace = geteuid() != 0;
	c->landlock = true;
	return access(BUSYBOX, X_OK) == 0;
}

/* A program of one static file, and a place to write to. */
static const struct confine_path paths[] = {
	{ CONFINE_BIND, BUSYBOX, "/busybox", CONFINE_MAY_READ | CONFINE_MAY_EXEC },
	{ CONFINE_BIND, "/dev/null", "/dev/null",
	  CONFINE_MAY_READ | CONFINE_MAY_WRITE | CONFINE_IS_DEVICE },
	{ CONFINE_BIND, "/nonexistent/file", "/not/there", CONFINE_MAY_READ | CONFINE_OPTIONAL },
	{ CONFINE_LINK, "busybox", "/etc/link", 0 },
	{ CONFINE_BIND, "/etc/passwd", "/data", CONFINE_MAY_READ },
	{ CONFINE_PROCFS, "proc", "/proc", 0 },
	{ CONFINE_RULE, "/", "/", CONFINE_MAY_READ },
};

/* Runs the shell command inside; `ret` is what it prints. Its exit code, or -1. */
static int run(const struct confinement *c, const char *command, struct str *ret,
	       struct confine_result *result, struct err *e)
{
	char name[] = "sh", option[] = "-c";
	auto_free char *text = xstrdup(command);
	char *argv[] = { name, option, text, NULL };
	struct spawn_fd out = { -1, 1 };
	const struct spawn s = {
		.path = c->root ? "/busybox" : BUSYBOX,
		.argv = argv,
		.fds = &out,
		.nfds = 1,
		.cwd = -1,
		.cgroup = -1,
	};
	struct proc p = PROC_INIT;
	int pipe[2], status = -1;
	char *room = str_reserve(ret, 4096);
	ssize_t n;

	assert_int_equal(fd_pipe(pipe, e), 0);
	out.from = pipe[1];
	if (spawn_confined(&s, c, &p, result, e) < 0) {
		fd_close(pipe[0]);
		fd_close(pipe[1]);
		return -1;
	}
	fd_close(pipe[1]);
	n = fd_read_full(pipe[0], room, 4096, e);
	assert_true(n >= 0);
	str_grow(ret, (size_t)n);
	fd_close(pipe[0]);
	assert_int_equal(spawn_wait(&p, &status, e), 0);
	return status;
}

static struct confinement plain(void)
{
	return (struct confinement){ .paths = paths, .npaths = ARRAY_LEN(paths) };
}

static void the_new_root_has_exactly_what_is_listed(void **state)
{
	struct confinement c = plain();
	struct confine_result r;
	auto_str struct str out = STR_INIT(8192);
	struct err e = ERR_INIT;

	(void)state;
	if (!can_confine(&c))
		skip();
	assert_int_equal(run(&c,
			     "echo / /*; echo /dev/*; echo $$ $PPID; "
			     "[ -s /data ] && echo data; [ -L /etc/link ] && echo link; "
			     "echo >/new; echo x >/data; /busybox true && echo exec",
			     &out, &r, &e),
			 0);
	assert_string_equal(out.buf,
			    "/ /busybox /data /dev /etc /proc\n/dev/null\n1 0\ndata\nlink\nexec\n");
	assert_int_equal(r.error[CONFINE_NAMESPACES], 0);
	assert_int_equal(r.error[CONFINE_ROOT], 0);
	assert_int_equal(r.error[CONFINE_NO_NEW_PRIVS], 0);
	assert_int_equal(r.error[CONFINE_NO_CAPS], 0);
	assert_int_equal(r.error[CONFINE_USER], CONFINE_NOT_ASKED);
	assert_int_equal(r.error[CONFINE_CGROUP], CONFINE_NOT_ASKED);
}

static void the_child_is_the_user_that_was_asked_for_and_has_no_capabilities(void **state)
{
	struct confinement c = plain();
	struct confine_result r;
	auto_str struct str out = STR_INIT(8192);
	struct err e = ERR_INIT;

	(void)state;
	if (!can_confine(&c) || geteuid() != 0)
		skip();
	c.change_user = true;
	c.uid = c.gid = UID;
	c.landlock = false; /* /proc is not in its rules */
	assert_int_equal(run(&c,
			     "/busybox id -u; /busybox id -G; "
			     "/busybox grep -E '^(CapPrm|CapBnd|NoNewPrivs)' /proc/self/status",
			     &out, &r, &e),
			 0);
	assert_string_equal(out.buf, "2000000123\n2000000123\nCapPrm:\t0000000000000000\n"
				     "CapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
	assert_int_equal(r.error[CONFINE_USER], 0);
}

static void without_a_root_landlock_alone_keeps_files_away(void **state)
{
	static const struct confine_path only[] = {
		{ CONFINE_BIND, BUSYBOX, "/busybox", CONFINE_MAY_READ | CONFINE_MAY_EXEC },
		{ CONFINE_BIND, "/dev", "/dev", CONFINE_MAY_READ | CONFINE_MAY_WRITE },
	};
	struct confinement c = { .paths = only, .npaths = ARRAY_LEN(only), .landlock = true };
	struct confine_result r;
	auto_str struct str out = STR_INIT(8192);
	struct err e = ERR_INIT;
	int code;

	(void)state;
	code = run(&c, "while read -r x; do echo read; break; done </etc/passwd; echo end", &out,
		   &r, &e);
	if (r.error[CONFINE_LANDLOCK] > 0)
		skip();
	assert_int_equal(code, 0);
	assert_string_equal(out.buf, "end\n");
	assert_true(r.landlock_abi > 0);
}

static void a_step_that_fails_is_named_and_nothing_runs(void **state)
{
	static const struct confine_path bad[] = { { CONFINE_BIND, "/nonexistent/x", "/x", 0 } };
	struct confinement c = plain();
	struct confine_result r;
	auto_str struct str out = STR_INIT(8192);
	struct err e = ERR_INIT;

	(void)state;
	if (!can_confine(&c))
		skip();
	c.paths = bad;
	c.npaths = 1;
	assert_int_equal(run(&c, "true", &out, &r, &e), -1);
	assert_non_null(strstr(e.msg, "root folder"));
	assert_true(confine_failed_at(&r, CONFINE_ROOT));
	assert_int_equal(r.error[CONFINE_ROOT], ENOENT);
	/* a program that is not there is no step's failure */
	err_clear(&e);
	c.paths = paths;
	c.npaths = 0;
	assert_int_equal(run(&c, "true", &out, &r, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_false(confine_failed_at(&r, CONFINE_ROOT));
}

static int refuse(void *ctx, pid_t pid)
{
	*(pid_t *)ctx = pid;
	return EACCES;
}

static void what_the_placing_says_is_reported(void **state)
{
	struct confinement c = { .place = refuse };
	struct confine_result r;
	auto_str struct str out = STR_INIT(8192);
	struct err e = ERR_INIT;
	pid_t placed = 0;

	(void)state;
	c.ctx = &placed;
	assert_int_equal(run(&c, "echo on", &out, &r, &e), 0);
	assert_string_equal(out.buf, "on\n");
	assert_true(placed > 0);
	assert_int_equal(r.error[CONFINE_CGROUP], EACCES);
}

/* The parent starts one and is gone; its child holds the pipe open as long as it lives. */
static void a_confined_child_dies_with_its_parent(void **state)
{
	char name[] = "sleep", time[] = "1000", *argv[] = { name, time, NULL };
	struct pollfd p = { .events = POLLIN };
	struct err e = ERR_INIT;
	int pair[2], status;
	pid_t parent;

	(void)state;
	assert_ok(fd_pipe(pair, &e));
	parent = fork();
	if (parent == 0) {
		struct confinement c = plain();
		const struct spawn_fd out = { pair[1], 1 };
		const struct spawn s = {
			.path = "/busybox", .argv = argv, .fds = &out, .nfds = 1, .cgroup = -1
		};
		struct confine_result r;
		struct proc child;

		_exit(!can_confine(&c) || spawn_confined(&s, &c, &child, &r, &e) < 0);
	}
	fd_close(pair[1]);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	p.fd = pair[0];
	assert_int_equal(poll(&p, 1, 100000), 1);
	fd_close(pair[0]);
	if (status != 0)
		skip();
}

static void each_step_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < CONFINE_STEP_COUNT; i++)
		assert_true(strlen(confine_step_name((enum confine_step)i)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_new_root_has_exactly_what_is_listed),
		cmocka_unit_test(the_child_is_the_user_that_was_asked_for_and_has_no_capabilities),
		cmocka_unit_test(without_a_root_landlock_alone_keeps_files_away),
		cmocka_unit_test(a_step_that_fails_is_named_and_nothing_runs),
		cmocka_unit_test(what_the_placing_says_is_reported),
		cmocka_unit_test(a_confined_child_dies_with_its_parent),
		cmocka_unit_test(each_step_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
