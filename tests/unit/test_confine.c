/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "vmm/confine.h"
#include "vmm/confine_priv.h"
#include "vmm/driver.h"

/* ---- the filter ---------------------------------------------------------------------------------- */

/* What a call gives in a child under the filter: 0 or errno; -1: the child was killed. */
static int under_filter(unsigned flags, long nr, long a, long b)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct sock_filter filter[CONFINE_FILTER_MAX];
		struct sock_fprog program = { .filter = filter };

		program.len = (unsigned short)confine_filter(flags, filter);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
			_exit(255);
		errno = 0;
		syscall(nr, a, b, 0L, 0L, 0L);
		_exit(errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		return -1;
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static void calls_that_no_vmm_makes_are_refused_and_all_others_are_not(void **state)
{
	static const struct {
		unsigned flags;
		long nr, a, b;
		int want;
	} cases[] = {
		{ 0, SYS_mount, 0, 0, EPERM },
		{ 0, SYS_unshare, CLONE_NEWNET, 0, EPERM },
		{ 0, SYS_ptrace, 0, 0, EPERM },
		{ 0, SYS_setns, -1, 0, EPERM },
		{ 0, SYS_bpf, 0, 0, EPERM },
		{ 0, SYS_keyctl, 0, 0, EPERM },
		{ 0, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, EPERM },
		{ 0, SYS_clone, CLONE_NEWNS | SIGCHLD, 0, EPERM },
		{ 0, SYS_clone3, 0, 0, ENOSYS },
		{ 0, SYS_io_uring_setup, 0, 0, ENOSYS },
		{ VMM_SPAWN_IO_URING, SYS_io_uring_setup, 0, 0, EFAULT },
		{ 0, SYS_socket, AF_INET, SOCK_DGRAM, EAFNOSUPPORT },
		{ 0, SYS_socket, AF_NETLINK, SOCK_RAW, EAFNOSUPPORT },
		{ 0, SYS_socket, AF_UNIX, SOCK_STREAM, 0 },
		{ 0, SYS_socketpair, AF_UNIX, SOCK_STREAM, EFAULT },
		{ 0, SYS_socketpair, AF_TIPC, SOCK_STREAM, EAFNOSUPPORT },
		{ 0, SYS_socketpair, AF_INET, SOCK_STREAM, EAFNOSUPPORT },
		{ 0, SYS_execveat, -1, 0, EPERM },
		{ 0, SYS_vmsplice, -1, 0, EPERM },
		/* from one end of the tree to the other, and beside those */
		{ 0, SYS_shmget, 0, 0, EPERM },
		{ 0, SYS_semget, 0, 0, EPERM },
		{ 0, SYS_msgget, -1, 0, EPERM },
		{ 0, SYS_syslog, -1, 0, EPERM },
		{ 0, SYS_chroot, 0, 0, EPERM },
		{ 0, SYS_clock_settime, 0, 0, EPERM },
		{ 0, SYS_mq_open, 0, 0, EPERM },
		{ 0, SYS_perf_event_open, 0, 0, EPERM },
		{ 0, SYS_userfaultfd, -1, 0, EPERM },
		{ 0, SYS_pidfd_getfd, -1, 0, EPERM },
		{ 0, SYS_process_madvise, -1, 0, EPERM },
		{ 0, SYS_mount_setattr, -1, 0, EPERM },
		{ 0, SYS_mq_unlink, 0, 0, EFAULT },
		{ 0, SYS_close_range, 2, 1, EINVAL },
		{ 0, SYS_getpid, 0, 0, 0 },
		{ 0, SYS_fcntl, 0, F_GETFD, 0 },
#ifdef __x86_64__
		{ 0, 0x40000000 | SYS_getpid, 0, 0, ENOSYS },
#endif
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (under_filter(cases[i].flags, cases[i].nr, cases[i].a, cases[i].b) !=
		    cases[i].want)
			fail_msg("call %ld (%ld) does not give %d", cases[i].nr, cases[i].a,
				 cases[i].want);
}

static void the_filter_lets_threads_be_made(void **state)
{
	/* SIGCHLD makes it a process: what counts is that the flags pass. */
	(void)state;
	assert_int_equal(under_filter(0, SYS_clone, SIGCHLD, 0), 0);
}

static void the_filter_fits_with_all_that_can_be_asked_for(void **state)
{
	struct sock_filter filter[CONFINE_FILTER_MAX];

	(void)state;
	assert_true(confine_filter(0, filter) < CONFINE_FILTER_MAX);
	assert_true(confine_filter(VMM_SPAWN_IO_URING, filter) < CONFINE_FILTER_MAX);
}

/* ---- paths --------------------------------------------------------------------------------------- */

static const struct confine_path *find_target(const struct confine_paths *p, const char *target)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].target, target) == 0)
			return &p->v[i];
	return NULL;
}

static void a_static_program_gets_no_libraries(void **state)
{
	struct confine_paths p = { .text = STRV_INIT };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(confine_paths_add_program(&p, "/usr/bin/busybox", NULL, &e));
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].source, "/usr/bin/busybox");
	assert_int_equal(p.v[0].access, CONFINE_MAY_READ | CONFINE_MAY_EXEC);
	confine_paths_release(&p);
}

static void a_script_is_refused_with_the_reason(void **state)
{
	struct confine_paths p = { .text = STRV_INIT };
	char path[] = "/tmp/kvbox-confine.XXXXXX";
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_fails(confine_paths_add_program(&p, path, NULL, &e), "is a script");
	fd_close(fd);
	unlink(path);
	confine_paths_release(&p);
}

static void a_dynamic_program_gets_its_linker_and_the_folder_of_libraries(void **state)
{
	static const char *const data[] = { "share/misc", "share/nonexistent", NULL };
	auto_free char *linker = realpath("/lib64/ld-linux-x86-64.so.2", NULL);
	struct confine_paths p = { .text = STRV_INIT };
	const struct confine_path *found;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	if (!linker)
		skip();
	assert_ok(confine_paths_add_program(&p, "/usr/bin/env", data, &e));
	found = find_target(&p, linker);
	assert_non_null(found); /* in a folder that is there: only the right to execute */
	assert_int_equal(found->kind, CONFINE_RULE);
	assert_true(found->access & CONFINE_MAY_EXEC);
	*strrchr(linker, '/') = '\0';
	found = find_target(&p, linker);
	assert_non_null(found);
	assert_int_equal(found->access & (CONFINE_MAY_WRITE | CONFINE_MAY_EXEC), 0);
	assert_null(find_target(&p, "/usr/share/nonexistent"));
	if (stat("/usr/share/misc", &st) == 0)
		assert_non_null(find_target(&p, "/usr/share/misc"));
	/* nothing of the host's own */
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i].kind == CONFINE_BIND && strncmp(p.v[i].source, "/usr/", 5) != 0 &&
		    strncmp(p.v[i].source, "/lib", 4) != 0)
			assert_string_equal(p.v[i].source, "/etc/ld.so.cache");
	confine_paths_release(&p);
}

static void what_a_folder_has_is_not_mounted_twice(void **state)
{
	struct confine_paths p = { .text = STRV_INIT };

	(void)state;
	confine_paths_add(&p, CONFINE_BIND, "/usr/lib", "/usr/lib", CONFINE_MAY_READ);
	confine_paths_add(&p, CONFINE_BIND, "/usr/lib/a", "/usr/lib/a", CONFINE_MAY_READ);
	assert_int_equal(p.n, 1);
	confine_paths_add(&p, CONFINE_BIND, "/usr/lib64/a", "/usr/lib64/a", CONFINE_MAY_READ);
	assert_int_equal(p.n, 2);
	/* elsewhere, or for more than reading, is something else */
	confine_paths_add(&p, CONFINE_BIND, "/usr/lib/a", "/vm/a", CONFINE_MAY_READ);
	confine_paths_add(&p, CONFINE_BIND, "/usr/lib/b", "/usr/lib/b",
			  CONFINE_MAY_READ | CONFINE_MAY_WRITE);
	assert_int_equal(p.n, 4);
	assert_int_equal(p.v[3].kind, CONFINE_BIND);
	confine_paths_release(&p);
}

/* ---- users --------------------------------------------------------------------------------------- */

static void users_are_leased_to_one_vm_each(void **state)
{
	char dir[] = "/tmp/kvbox-confine.XXXXXX";
	struct err e = ERR_INIT;
	auto_close int root = -1;
	uid_t uid[20];
	int fd[20];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_ok(fd_open_dir(AT_FDCWD, dir, &root, &e));
	for (size_t i = 0; i < ARRAY_LEN(uid); i++) {
		assert_ok(confine_lease_uid(root, &uid[i], &fd[i], &e));
		assert_in_range(uid[i], CONFINE_UID_FIRST,
				CONFINE_UID_FIRST + CONFINE_UID_COUNT - 1);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(uid[i], uid[j]);
	}
	for (size_t i = 0; i < ARRAY_LEN(uid); i++)
		fd_close(fd[i]);
	assert_ok(dir_remove_tree(AT_FDCWD, dir, &e));
}

/* ---- the spec of a driver ------------------------------------------------------------------------ */

struct fixture {
	char dir[64];
	int fd;
	char *kernel, *layer, *upper, *pad;
	struct vmm_file files[2], upper_file;
	struct vmm_disk disks[2];
	struct confine_host host;
	struct vmm_spec spec;
};

static char *make_file(const struct fixture *f, const char *name, mode_t mode)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(f->fd, name, "x", 1, mode, &e));
	return xasprintf("%s/%s", f->dir, name);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	snprintf(f->dir, sizeof(f->dir), "/tmp/kvbox-confine.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_ok(fd_open_dir(AT_FDCWD, f->dir, &f->fd, &e));
	f->kernel = make_file(f, "vmlinux", 0644);
	f->layer = make_file(f, "layer", 0640);
	f->upper = make_file(f, "upper.img", 0600);
	f->pad = make_file(f, "pad", 0444);
	f->files[0] = f->files[1] = (struct vmm_file){ f->layer, 512 };
	f->upper_file = (struct vmm_file){ f->upper, 512 };
	f->disks[0] = (struct vmm_disk){ "kvb-layers", true, true, f->files, 2 };
	f->disks[1] = (struct vmm_disk){ "kvb-upper", false, false, &f->upper_file, 1 };
	f->host = (struct confine_host){ .run_root = f->fd, .cgroup = -1, .limits = "few" };
	f->spec = (struct vmm_spec){
		.binary = "/usr/bin/busybox",
		.kernel = f->kernel,
		.disks = f->disks,
		.ndisks = 2,
		.pad = f->pad,
		.run_fd = f->fd,
		.run_path = f->dir,
		.console_fd = -1,
		.log_fd = -1,
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
		.confine_host = &f->host,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fd_close(f->fd);
	assert_ok(dir_remove_tree(AT_FDCWD, f->dir, &e));
	free(f->kernel);
	free(f->layer);
	free(f->upper);
	free(f->pad);
	free(f);
	return 0;
}

static const struct vmm_driver driver = { .name = "test" };

static void a_driver_sees_short_names_that_are_the_same_in_each_vm(void **state)
{
	struct fixture *f = *state;
	const struct vmm_spec *s;
	struct confine *c = NULL;
	struct err e = ERR_INIT;

	assert_ok(confine_open(&driver, &f->spec, &c, &e));
	s = confine_spec(c);
	assert_string_equal(s->kernel, "/vm/kernel");
	assert_null(s->initramfs);
	assert_string_equal(s->pad, "/vm/pad");
	assert_string_equal(s->run_path, "/vm/v");
	assert_int_not_equal(s->run_fd, f->fd);
	assert_string_equal(s->disks[0].files[0].path, "/vm/kvb-layers.0");
	assert_string_equal(s->disks[0].files[1].path, "/vm/kvb-layers.1");
	assert_string_equal(s->disks[1].files[0].path, "/vm/kvb-upper");
	assert_int_equal(s->disks[1].files[0].size, 512);
	confine_close(c);
}

static void the_disk_belongs_to_the_leased_user_and_layers_are_readable(void **state)
{
	struct fixture *f = *state;
	struct confine *c = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_ok(confine_open(&driver, &f->spec, &c, &e));
	assert_int_equal(stat(f->upper, &st), 0);
	assert_true(st.st_uid >= CONFINE_UID_FIRST);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(f->layer, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	confine_close(c);
}

/* The member's text, or "". */
static char *report_of(const struct confine *c, const char *object, const char *member)
{
	auto_str struct str text = STR_INIT(8192);
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;
	const char *found;

	confine_report(c, &text);
	assert_ok(json_parse(text.buf, text.len, &j, &e));
	found = json_str(json_get(json_get(j, object), member));
	return xstrdup(found ? found : "");
}

static void a_kernel_that_only_root_may_read_keeps_the_user(void **state)
{
	struct fixture *f = *state;
	auto_free char *why = NULL;
	struct confine *c = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(f->kernel, 0600), 0);
	assert_ok(confine_open(&driver, &f->spec, &c, &e));
	why = report_of(c, "Missing", "user");
	assert_non_null(strstr(why, "vmlinux' is not readable for all"));
	/* and the disk is that user's again */
	assert_int_equal(stat(f->upper, &st), 0);
	assert_int_equal(st.st_uid, 0);
	confine_close(c);
}

static void a_program_runs_in_there_and_the_report_says_how(void **state)
{
	struct fixture *f = *state;
	char name[] = "busybox", applet[] = "cat", file[] = "/vm/kernel";
	char *argv[] = { name, applet, file, NULL };
	const struct spawn s = {
		.path = "/usr/bin/busybox", .argv = argv, .cwd = -1, .cgroup = -1
	};
	auto_free char *limits = NULL;
	struct proc p = PROC_INIT;
	struct confine *c = NULL;
	struct err e = ERR_INIT;
	int status;

	f->host.no_limits = "memory: it is a test";
	assert_ok(confine_open(&driver, &f->spec, &c, &e));
	if (vmm_spawn(confine_spec(c), &s, 0, &p, &e) < 0 && confine_weaken(c, &e)) {
		confine_close(c);
		skip(); /* a host without namespaces has no /vm */
	}
	assert_ok(spawn_wait(&p, &status, &e));
	assert_int_equal(status, 0);
	limits = report_of(c, "Missing", "cgroup");
	assert_string_equal(limits, "memory: it is a test");
	confine_close(c);
}

/* ---- files that come later ----------------------------------------------------------------------- */

/* A shell in the VMM's place, which is asked by lines and answers by one each. */
struct inside {
	struct confine *c;
	struct proc proc;
	int ask, answer;
};

static const char *ask(const struct inside *in, const char *line)
{
	static char text[256];
	size_t n = 0;

	assert_int_equal(write(in->ask, line, strlen(line)), strlen(line));
	assert_int_equal(write(in->ask, "\n", 1), 1);
	while (n < sizeof(text) - 1 && read(in->answer, text + n, 1) == 1 && text[n] != '\n')
		n++;
	text[n] = '\0';
	return text;
}

/* False where there are no namespaces. */
static bool start_inside(struct fixture *f, struct inside *in)
{
	char name[] = "busybox", applet[] = "sh", option[] = "-c";
	char script[] = "while read line; do eval \"$line\" 2>/dev/null; done";
	char *argv[] = { name, applet, option, script, NULL };
	struct spawn_fd fds[2] = { { -1, 0 }, { -1, 1 } };
	const struct spawn s = { .path = "/usr/bin/busybox",
				 .argv = argv,
				 .fds = fds,
				 .nfds = 2,
				 .cwd = -1,
				 .cgroup = -1 };
	struct err e = ERR_INIT;
	int to[2], from[2], r;

	*in = (struct inside){ .proc = PROC_INIT };
	assert_ok(confine_open(&driver, &f->spec, &in->c, &e));
	assert_ok(fd_pipe(to, &e));
	assert_ok(fd_pipe(from, &e));
	fds[0].from = to[0];
	fds[1].from = from[1];
	r = vmm_spawn(confine_spec(in->c), &s, VMM_SPAWN_RW_FOLDER, &in->proc, &e);
	fd_close(to[0]);
	fd_close(from[1]);
	in->ask = to[1];
	in->answer = from[0];
	return r == 0;
}

static void end_inside(struct inside *in)
{
	proc_destroy(&in->proc);
	fd_close(in->ask);
	fd_close(in->answer);
	confine_close(in->c);
}

/* What a driver does for a disk that is added. */
static void show(const struct inside *in, const char *path, bool readonly)
{
	const struct vmm_file file = { path, 512 };
	const struct vmm_disk disk = { "kvb-new", readonly, false, &file, 1 };
	auto_free char *name = NULL;
	struct err e = ERR_INIT;

	assert_ok(confine_show(in->c, &in->proc, &disk, &name, &e));
	assert_string_equal(name, "/vm/v/+kvb-new");
}

#define READ_IT	 "read text < /vm/v/+kvb-new && echo $text || echo none"
#define WRITE_IT "echo changed > /vm/v/+kvb-new && echo done || echo refused"

static void a_file_is_shown_later_and_hidden_again(void **state)
{
	struct fixture *f = *state;
	auto_free char *one = make_file(f, "one", 0600), *two = make_file(f, "two", 0640);
	auto_str struct str kept = STR_INIT(64);
	struct err e = ERR_INIT;
	struct inside in;

	assert_ok(file_write_replace(f->fd, "one", "first\n", 6, 0600, &e));
	assert_ok(file_write_replace(f->fd, "two", "second\n", 7, 0640, &e));
	if (!start_inside(f, &in)) {
		end_inside(&in);
		skip(); /* a host without namespaces */
	}
	assert_true(confine_shows(in.c));
	assert_string_equal(ask(&in, READ_IT), "none");
	show(&in, one, false);
	assert_string_equal(ask(&in, READ_IT), "first");
	assert_string_equal(ask(&in, WRITE_IT), "done");
	assert_ok(confine_hide(in.c, &in.proc, "kvb-new", &e));
	assert_string_equal(ask(&in, READ_IT), "none");
	assert_ok(file_read(f->fd, "one", &kept, &e));
	assert_string_equal(kept.buf, "changed\n");
	assert_fails(confine_hide(in.c, &in.proc, "kvb-new", &e), "(mount)");
	/* The name is free again; what is for reading only cannot be written. */
	show(&in, two, true);
	assert_string_equal(ask(&in, READ_IT), "second");
	assert_string_equal(ask(&in, WRITE_IT), "refused");
	end_inside(&in);
}

static void what_the_vmm_puts_in_the_way_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = make_file(f, "one", 0600);
	struct err e = ERR_INIT;
	struct inside in;

	assert_ok(file_write_replace(f->fd, "one", "first\n", 6, 0600, &e));
	if (!start_inside(f, &in)) {
		end_inside(&in);
		skip();
	}
	assert_string_equal(ask(&in, "echo mine > /vm/v/+kvb-new && echo done"), "done");
	show(&in, path, true);
	assert_string_equal(ask(&in, READ_IT), "first");
	/* A mount that is in use cannot be replaced by its user. */
	ask(&in, "/usr/bin/busybox rm -f /vm/v/+kvb-new; echo tried");
	assert_string_equal(ask(&in, READ_IT), "first");
	end_inside(&in);
}

static void nothing_is_shown_to_a_process_that_has_ended(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = make_file(f, "one", 0600), *name = NULL;
	const struct vmm_file file = { path, 512 };
	const struct vmm_disk disk = { "kvb-new", true, false, &file, 1 };
	struct err e = ERR_INIT;
	struct inside in;
	struct pollfd ended;

	if (!start_inside(f, &in)) {
		end_inside(&in);
		skip();
	}
	assert_int_equal(write(in.ask, "exit\n", 5), 5);
	/* Not waited for yet. */
	ended = (struct pollfd){ in.proc.pidfd, POLLIN, 0 };
	assert_int_equal(poll(&ended, 1, 60000), 1);
	assert_fails(confine_show(in.c, &in.proc, &disk, &name, &e), "cannot change what");
	end_inside(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_no_vmm_makes_are_refused_and_all_others_are_not),
		cmocka_unit_test(the_filter_lets_threads_be_made),
		cmocka_unit_test(the_filter_fits_with_all_that_can_be_asked_for),
		cmocka_unit_test(a_static_program_gets_no_libraries),
		cmocka_unit_test(a_script_is_refused_with_the_reason),
		cmocka_unit_test(a_dynamic_program_gets_its_linker_and_the_folder_of_libraries),
		cmocka_unit_test(what_a_folder_has_is_not_mounted_twice),
		cmocka_unit_test(users_are_leased_to_one_vm_each),
		cmocka_unit_test_setup_teardown(
			a_driver_sees_short_names_that_are_the_same_in_each_vm, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_disk_belongs_to_the_leased_user_and_layers_are_readable, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_kernel_that_only_root_may_read_keeps_the_user,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_program_runs_in_there_and_the_report_says_how,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_shown_later_and_hidden_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_the_vmm_puts_in_the_way_leads_nowhere, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_shown_to_a_process_that_has_ended, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
