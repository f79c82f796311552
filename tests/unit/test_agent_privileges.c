/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "agent/privileges.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static void limits_are_cut_to_what_the_kernel_takes(void **state)
{
	static const struct {
		struct privileges_rlimit want;
		uint64_t max, soft, hard;
	} cases[] = {
		{ { 7, 10, 20 }, 100, 10, 20 },
		{ { 7, 10, 2000 }, 100, 10, 100 },
		{ { 7, 2000, 2000 }, 100, 100, 100 },
		{ { 7, -1, -1 }, 100, 100, 100 },
		{ { 7, -1, -1 }, RLIM_INFINITY, RLIM_INFINITY, RLIM_INFINITY },
		{ { 7, 30, 20 }, RLIM_INFINITY, 20, 20 },
		{ { 7, 0, 0 }, RLIM_INFINITY, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t soft = 1, hard = 1;

		privileges_clamp(&cases[i].want, cases[i].max, &soft, &hard);
		assert_int_equal(soft, cases[i].soft);
		assert_int_equal(hard, cases[i].hard);
	}
}

/* ---- for real, in a process that is thrown away ----------------------------------------------- */

/* All that is allowed, but for getppid: ENOTTY, which it never gives otherwise. */
static const struct sock_filter no_getppid[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 25),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

struct plan {
	uid_t uid;
	uint64_t capabilities;
	bool filter, no_new_privs;
};

static void run_shell(const struct plan *plan, int out) __attribute__((noreturn));

static void run_shell(const struct plan *plan, int out)
{
	struct privileges p;
	struct user u = { .uid = plan->uid, .gid = plan->uid };
	struct err e = ERR_INIT;

	privileges_init(&p);
	p.capabilities = plan->capabilities;
	p.no_new_privs = plan->no_new_privs;
	if (plan->filter) {
		p.filter_size = sizeof(no_getppid);
		p.filter = xcalloc(1, sizeof(no_getppid));
		memcpy(p.filter, no_getppid, sizeof(no_getppid));
	}
	p.nrlimits = 1;
	p.rlimits[0] = (struct privileges_rlimit){ RLIMIT_NOFILE, 100, 200 };
	if (privileges_set_limits(&p, &e) < 0 || privileges_become(&p, &u, &e) < 0 ||
	    privileges_install_filter(&p, &e) < 0)
		_exit(1);
	dup2(out, 1);
	execl("/bin/sh", "sh", "-c",
	      "sed -n "
	      "'s/^\\(Uid\\|CapInh\\|CapPrm\\|CapEff\\|CapBnd\\|CapAmb\\|NoNewPrivs\\|Seccomp\\):"
	      "[[:blank:]]*/\\1=/p' /proc/self/status | cut -f 1 | tr '\\n' ' '; ulimit -n",
	      (char *)NULL);
	_exit(2);
}

static char *shell_says(const struct plan *plan)
{
	auto_str struct str text = STR_INIT(4096);
	struct err e = ERR_INIT;
	int fds[2], status;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	assert_ok(fd_pipe(fds, &e));
	pid = fork();
	if (pid == 0)
		run_shell(plan, fds[1]);
	fd_close(fds[1]);
	n = fd_read_full(fds[0], buf, sizeof(buf), &e);
	fd_close(fds[0]);
	assert_true(n >= 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	str_addn(&text, buf, (size_t)n);
	return str_take(&text, &e);
}

static void a_process_has_what_is_left_to_its_user(void **state)
{
	static const struct {
		struct plan plan;
		const char *want;
	} cases[] = {
		{ { 0, 0x4fb, false, false },
		  "Uid=0 CapInh=0000000000000000 CapPrm=00000000000004fb CapEff=00000000000004fb "
		  "CapBnd=00000000000004fb CapAmb=0000000000000000 NoNewPrivs=0 Seccomp=0 100\n" },
		{ { 1234, 0x4fb, false, true },
		  "Uid=1234 CapInh=0000000000000000 CapPrm=0000000000000000 "
		  "CapEff=0000000000000000 "
		  "CapBnd=00000000000004fb CapAmb=0000000000000000 NoNewPrivs=1 Seccomp=0 100\n" },
		{ { 1234, 0x4fb, true, false },
		  "Uid=1234 CapInh=0000000000000000 CapPrm=0000000000000000 "
		  "CapEff=0000000000000000 "
		  "CapBnd=00000000000004fb CapAmb=0000000000000000 NoNewPrivs=0 Seccomp=2 100\n" },
		{ { 0, 0x4fb, true, false },
		  "Uid=0 CapInh=0000000000000000 CapPrm=00000000000004fb CapEff=00000000000004fb "
		  "CapBnd=00000000000004fb CapAmb=0000000000000000 NoNewPrivs=0 Seccomp=2 100\n" },
		{ { 1234, 0, true, true },
		  "Uid=1234 CapInh=0000000000000000 CapPrm=0000000000000000 "
		  "CapEff=0000000000000000 "
		  "CapBnd=0000000000000000 CapAmb=0000000000000000 NoNewPrivs=1 Seccomp=2 100\n" },
	};

	(void)state;
	if (getuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = shell_says(&cases[i].plan);

		assert_string_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_cut_to_what_the_kernel_takes),
		cmocka_unit_test(a_process_has_what_is_left_to_its_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
