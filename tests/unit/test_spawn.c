/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"

static int run_shell(const char *script, const struct spawn_fd *fds, size_t nfds, struct err *e)
{
	char *argv[] = { xstrdup("sh"), xstrdup("-c"), xstrdup(script), NULL };
	struct spawn s = {
		.path = "sh", .argv = argv, .fds = fds, .nfds = nfds, .cwd = -1, .cgroup = -1
	};
	struct proc p = PROC_INIT;
	int status = -1;
	int r = spawn_start(&s, &p, e);

	if (r == 0)
		r = spawn_wait(&p, &status, e);
	for (int i = 0; argv[i]; i++)
		free(argv[i]);
	return r < 0 ? -1 : status;
}

static void the_exit_code_and_the_signal_come_back(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(run_shell("exit 7", NULL, 0, &e), 7);
	assert_int_equal(run_shell("kill -9 $$", NULL, 0, &e), 137);
}

static void a_program_that_cannot_be_executed_is_an_error_of_the_start(void **state)
{
	char name[] = "/nonexistent/program", *argv[] = { name, NULL };
	struct spawn s = { .path = name, .argv = argv, .cwd = -1, .cgroup = -1 };
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(spawn_start(&s, &p, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	err_clear(&e);
	s.path = "/etc/passwd";
	assert_fails(spawn_start(&s, &p, &e), "Permission denied");
	s.path = "no-such-program-anywhere";
	assert_fails(spawn_start(&s, &p, &e), "cannot find program");
	assert_int_equal(p.pidfd, -1);
}

static bool is_usable(int cgroup)
{
	char name[] = "true", *argv[] = { name, NULL };
	struct spawn s = { .path = name, .argv = argv, .cwd = -1, .cgroup = cgroup };
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;
	int status;

	if (spawn_start(&s, &p, &e) < 0)
		return false;
	assert_ok(spawn_wait(&p, &status, &e));
	return true;
}

/* The cgroup that this process is in, in which a child can be born as well; -1 where the host refuses that. */
static int own_cgroup(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	auto_str struct str text = STR_INIT(65536);
	struct err e = ERR_INIT;
	const char *own;

	assert_ok(file_read(AT_FDCWD, "/proc/self/cgroup", &text, &e));
	own = strstr(text.buf, "0::");
	for (size_t i = 0; own && i < ARRAY_LEN(mounts); i++) {
		auto_free char *path = xasprintf("%s%.*s", mounts[i], (int)strcspn(own + 3, "\n"),
						 own + 3);
		auto_close int fd = -1;
		struct err ignored = ERR_INIT;

		if (fd_open_dir(AT_FDCWD, path, &fd, &ignored) == 0 && is_usable(fd))
			return take_fd(&fd);
	}
	return -1;
}

static void a_child_that_is_born_in_a_cgroup_is_like_any_other(void **state)
{
	auto_close int cgroup = own_cgroup();
	char sh[] = "sh", c[] = "-c", script[] = "exit 7", *argv[] = { sh, c, script, NULL };
	struct spawn s = { .path = sh, .argv = argv, .cwd = -1, .cgroup = cgroup };
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;

	(void)state;
	/* Again and again: nothing of a child is left in this process's memory. */
	for (int i = 0; i < 20; i++) {
		int status = -1;

		s.path = sh;
		assert_ok(spawn_start(&s, &p, &e));
		assert_ok(spawn_wait(&p, &status, &e));
		assert_int_equal(status, 7);
		s.path = "/nonexistent/program";
		assert_int_equal(spawn_start(&s, &p, &e), -1);
		assert_int_equal(e.kind, ERR_NOT_FOUND);
		err_clear(&e);
	}
}

static void a_child_has_exactly_the_listed_descriptors(void **state)
{
	/* 0, 1, 2, the pipe as 7, and the one that ls itself opens. */
	static const char script[] = "set -- /proc/self/fd/*; for f; do echo \"${f##*/}\"; done | "
				     "sort -n | tr '\\n' ' ' >&7";
	auto_close int leak = -1;
	struct err e = ERR_INIT;
	char buf[64] = { 0 };
	int pair[2];
	struct spawn_fd fds[1];

	(void)state;
	assert_ok(fd_open(AT_FDCWD, "/", O_RDONLY, 0, &leak, &e));
	assert_true(fcntl(leak, F_SETFD, 0) == 0); /* as if someone forgot O_CLOEXEC */
	assert_ok(fd_pipe(pair, &e));
	fds[0] = (struct spawn_fd){ pair[1], 7 };
	assert_int_equal(run_shell(script, fds, 1, &e), 0);
	fd_close(pair[1]);
	assert_true(fd_read_full(pair[0], buf, sizeof(buf) - 1, &e) > 0);
	fd_close(pair[0]);
	assert_memory_equal(buf, "0 1 2 ", 6);
	assert_non_null(strstr(buf, " 7 "));
	assert_true(strlen(buf) <= strlen("0 1 2 3 7 "));
}

static void descriptors_may_trade_places(void **state)
{
	int a[2], b[2];
	struct err e = ERR_INIT;
	struct spawn_fd fds[2];
	char buf[8] = { 0 };

	(void)state;
	assert_ok(fd_pipe(a, &e));
	assert_ok(fd_pipe(b, &e));
	fds[0] = (struct spawn_fd){ a[1], b[1] };
	fds[1] = (struct spawn_fd){ b[1], a[1] };
	{
		char script[128];

		snprintf(script, sizeof(script),
			 "echo b >/proc/self/fd/%d; echo a >/proc/self/fd/%d", a[1], b[1]);
		assert_int_equal(run_shell(script, fds, 2, &e), 0);
	}
	assert_int_equal(fd_read_full(a[0], buf, 2, &e), 2);
	assert_string_equal(buf, "a\n");
	assert_int_equal(fd_read_full(b[0], buf, 2, &e), 2);
	assert_string_equal(buf, "b\n");
	for (int i = 0; i < 2; i++) {
		fd_close(a[i]);
		fd_close(b[i]);
	}
}

static void signals_are_neither_blocked_nor_ignored_in_a_child(void **state)
{
	struct err e = ERR_INIT;
	sigset_t set;
	int r;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = run_shell("grep -q '^SigBlk:[[:space:]]*0*$' /proc/self/status &&"
		      "grep -q '^SigIgn:[[:space:]]*0*$' /proc/self/status",
		      NULL, 0, &e);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(r, 0);
}

static void a_child_dies_with_its_parent_when_asked_to(void **state)
{
	struct err e = ERR_INIT;
	int pair[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_ok(fd_pipe(pair, &e));
	pid = fork();
	if (pid == 0) {
		char sleep[] = "sleep", time[] = "100", *argv[] = { sleep, time, NULL };
		struct spawn_fd fds[1] = { { pair[1], 5 } };
		struct spawn s = { .path = "sleep",
				   .argv = argv,
				   .fds = fds,
				   .nfds = 1,
				   .cwd = -1,
				   .cgroup = -1,
				   .die_with_parent = true };
		struct proc p = PROC_INIT;

		_exit(spawn_start(&s, &p, &e) == 0 ? 0 : 1);
	}
	fd_close(pair[1]);
	/* The pipe ends when the grandchild, its only holder, is gone. */
	{
		struct pollfd pfd = { .fd = pair[0], .events = POLLIN };

		assert_int_equal(poll(&pfd, 1, 100000), 1);
	}
	assert_int_equal(fd_read_full(pair[0], &byte, 1, &e), 0);
	fd_close(pair[0]);
}

static void a_process_is_known_by_pid_and_start_time(void **state)
{
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;
	uint64_t start;

	(void)state;
	assert_ok(proc_start_time(getpid(), &start, &e));
	assert_ok(proc_open(getpid(), start, &p, &e));
	assert_ok(proc_signal(&p, 0, &e));
	proc_release(&p);
	assert_int_equal(proc_open(getpid(), start + 1, &p, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	err_clear(&e);
	assert_fails(proc_open(-1, 0, &p, &e), "is gone");
}

static void destroying_a_process_reaps_it(void **state)
{
	char sleep[] = "sleep", time[] = "100", *argv[] = { sleep, time, NULL };
	struct spawn s = { .path = "sleep", .argv = argv, .cwd = -1, .cgroup = -1 };
	struct proc p = PROC_INIT;
	struct err e = ERR_INIT;
	int status;
	pid_t pid;

	(void)state;
	assert_ok(spawn_start(&s, &p, &e));
	pid = p.pid;
	assert_int_equal(spawn_try_wait(&p, &status, &e), 0);
	proc_destroy(&p);
	assert_int_equal(kill(pid, 0), -1);
	proc_destroy(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_code_and_the_signal_come_back),
		cmocka_unit_test(a_program_that_cannot_be_executed_is_an_error_of_the_start),
		cmocka_unit_test(a_child_that_is_born_in_a_cgroup_is_like_any_other),
		cmocka_unit_test(a_child_has_exactly_the_listed_descriptors),
		cmocka_unit_test(descriptors_may_trade_places),
		cmocka_unit_test(signals_are_neither_blocked_nor_ignored_in_a_child),
		cmocka_unit_test(a_child_dies_with_its_parent_when_asked_to),
		cmocka_unit_test(a_process_is_known_by_pid_and_start_time),
		cmocka_unit_test(destroying_a_process_reaps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
