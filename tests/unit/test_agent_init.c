/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/init.h"
#include "base/fd.h"
#include "base/str.h"

/* Runs it in a process of its own, which adopts orphans as process 1 does. */
static pid_t start(const char *script, int out)
{
	char name[] = INIT_PATH, dash[] = "--", sh[] = "sh", c[] = "-c";
	auto_str struct str text = STR_INIT(1000);
	pid_t pid = fork();

	if (pid)
		return pid;
	str_add(&text, script);
	if (out >= 0)
		dup2(out, 1);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	_exit(init_main(5, (char *[]){ name, dash, sh, c, text.buf, NULL }));
}

static int code_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void it_is_known_by_its_name(void **state)
{
	(void)state;
	assert_true(init_is_wanted("/sbin/docker-init"));
	assert_true(init_is_wanted("docker-init"));
	assert_false(init_is_wanted("/init"));
	assert_false(init_is_wanted("/docker-init/init"));
	assert_false(init_is_wanted(NULL));
}

static void it_ends_as_its_command_does(void **state)
{
	(void)state;
	assert_int_equal(code_of(start("exit 7", -1)), 7);
	assert_int_equal(code_of(start("exit 0", -1)), 0);
	assert_int_equal(code_of(start("kill -9 $$", -1)), 137);
	assert_int_equal(code_of(start("kill -TERM $$", -1)), 143);
}

static void a_command_that_cannot_be_started_gives_dockers_codes(void **state)
{
	char name[] = INIT_PATH, dash[] = "--", missing[] = "/no/such/file", folder[] = "/etc";
	char *const commands[] = { missing, folder };
	static const int codes[] = { 127, 126 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			close(2);
			_exit(init_main(3, (char *[]){ name, dash, commands[i], NULL }));
		}
		assert_int_equal(code_of(pid), codes[i]);
	}
}

static void signals_reach_the_command(void **state)
{
	struct err e = ERR_INIT;
	int fds[2];
	pid_t pid;
	char c;

	(void)state;
	assert_ok(fd_pipe(fds, &e));
	pid = start("trap 'exit 55' USR1; echo; while :; do sleep 0.05; done", fds[1]);
	fd_close(fds[1]);
	/* The trap is set once it has said so. */
	assert_int_equal(fd_read_full(fds[0], &c, 1, &e), 1);
	assert_int_equal(kill(pid, SIGUSR1), 0);
	assert_int_equal(code_of(pid), 55);
	fd_close(fds[0]);
}

static void orphans_are_reaped(void **state)
{
	(void)state;
	/* The inner shell's child is left behind, ends, and must not stay as a zombie of the init. */
	assert_int_equal(code_of(start("sh -c 'sh -c \"exit 0\" & echo $! > /dev/null' ; sleep 0.3;"
				       "n=0; while grep -qs '^State:.Z' $(grep -lsE "
				       "\"^PPid:.$PPID$\" /proc/[0-9]*/status); do "
				       "n=$((n + 1)); [ $n -lt 1000 ] || exit 1; sleep 0.1; done",
				       -1)),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_known_by_its_name),
		cmocka_unit_test(it_ends_as_its_command_does),
		cmocka_unit_test(a_command_that_cannot_be_started_gives_dockers_codes),
		cmocka_unit_test(signals_reach_the_command),
		cmocka_unit_test(orphans_are_reaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
