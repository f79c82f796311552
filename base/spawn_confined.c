/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a confined child comes to life
 *
 *	parent				child
 *	clone, all namespaces at once,
 *	into its cgroup v2
 *	writes one byte			dies with its parent; its own descriptors; the root; the user
 *				->	reads it (end of file: the parent is gone, so exit)
 *	reads until end of file		limits, no_new_privs, capabilities, Landlock, filter
 *				<-	exec closes the pipe, or its end tells that something failed
 *	cgroups v1
 *
 * Not CLONE_VFORK as in spawn.c, since the parent has something to do meanwhile; so the child has a copy
 * of the parent's memory, in which it only makes system calls on tables that were made before: no
 * allocation, no locks. What became of each step stands in one page that both share.
 *
 * A process cannot be born into a cgroup v1, and to move it there waits for a grace period of the kernel: 4 to
 * 20 ms, against 1.5 ms for all the rest (measured). So that comes last, while the program is being loaded,
 * long before a guest runs in it.
 *
 * The parent-death signal is asked for twice: a change of user clears it.
 */
#include "base/spawn_confined.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confined_priv.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/spawn_priv.h"

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

static const char *const step_name[] = {
	[CONFINE_USER_NS] = "user-namespace",
	[CONFINE_NAMESPACES] = "namespaces",
	[CONFINE_ROOT] = "root",
	[CONFINE_PROC] = "proc",
	[CONFINE_USER] = "user",
	[CONFINE_CGROUP] = "cgroup",
	[CONFINE_NO_CORE] = "no-core-dumps",
	[CONFINE_NO_NEW_PRIVS] = "no-new-privileges",
	[CONFINE_NO_CAPS] = "no-capabilities",
	[CONFINE_LANDLOCK] = "landlock",
	[CONFINE_SECCOMP] = "seccomp",
};
_Static_assert(ARRAY_LEN(step_name) == CONFINE_STEP_COUNT, "step_name[] does not match its enum");

const char *confine_step_name(enum confine_step step)
{
	return step_name[step];
}

/* In memory that parent and child share. */
struct page {
	struct confine_result result;
	const char
		*failed; /* what the child could not do, NULL: it executed; a constant's address */
	int error;
};

struct child {
	const struct spawn *s;
	const struct confinement *c;
	struct page *page;
	struct spawn_table fds;
	int go[2], done[2];
	struct new_root root;
	char uid_map[32], gid_map[32];
};

/* ---- in the child: user and privileges ----------------------------------------------------------- */

static int write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);

	if (fd < 0)
		return -1;
	if (write(fd, text, n) != (ssize_t)n)
		return -1;
	close(fd);
	return 0;
}

/* The caller's own user, and nobody else, is there in the new user namespace. */
static int map_user(const struct child *k)
{
	if (write_map("/proc/self/setgroups", "deny") < 0 ||
	    write_map("/proc/self/uid_map", k->uid_map) < 0)
		return -1;
	return write_map("/proc/self/gid_map", k->gid_map);
}

static void drop_bounding_set(void)
{
	unsigned long cap = 0;

	/* Until there is no such capability. Who may not drop one may drop none. */
	while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
		cap++;
}

/* The bare calls: libc's would tell other threads, of which there are none. */
static int change_user(const struct confinement *c)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, c->gid, c->gid, c->gid) < 0)
		return -1;
	return syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0 ? -1 : 0;
}

static int drop_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return errno;
	/* Root would get back what the bounding set still has. */
	for (unsigned long cap = 0; geteuid() == 0; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break;
		if (has > 0)
			return EPERM;
	}
	return 0;
}

/* One byte, since the kernel pipes a dump of a process with limit 0 to a handler all the same. */
static int forbid_core(void)
{
	static const struct rlimit one = { 1, 1 }, none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &one) < 0 && setrlimit(RLIMIT_CORE, &none) < 0)
		return errno;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int landlock_error(struct child *k, int *abi)
{
	const struct confinement *c = k->c;
	int ruleset = landlock_ruleset(abi), error = 0;

	if (ruleset < 0)
		return errno;
	for (size_t i = 0; i < c->npaths && error == 0; i++) {
		const struct confine_path *p = &c->paths[i];

		if (p->kind != CONFINE_LINK && p->kind != CONFINE_PROCFS &&
		    landlock_allow(ruleset, *abi, c->root ? p->target : p->source, p->access) < 0)
			error = errno;
	}
	if (error == 0 && landlock_enforce(ruleset) < 0)
		error = errno;
	close(ruleset);
	return error;
}

static int filter_error(const struct confinement *c)
{
	struct sock_filter *filter;
	struct sock_fprog program = { .len = (unsigned short)c->filter_length };

	memcpy(&filter, &c->filter, sizeof(filter)); /* the kernel's type is not const */
	program.filter = filter;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? errno : 0;
}

/* ---- in the child: all together ------------------------------------------------------------------ */

static void __attribute__((noreturn)) fail(struct child *k, int step, const char *what)
{
	k->page->error = errno;
	k->page->failed = what;
	if (step >= 0)
		k->page->result.error[step] = errno;
	_exit(127);
}

/* Both pipes out of the way of the child's final descriptors. */
static int keep_pipes(struct child *k)
{
	close(k->go[1]);
	close(k->done[0]);
	k->go[0] = fcntl(k->go[0], F_DUPFD_CLOEXEC, k->fds.highest + 1);
	k->done[1] = fcntl(k->done[1], F_DUPFD_CLOEXEC, k->fds.highest + 1);
	return k->go[0] < 0 || k->done[1] < 0 ? -1 : 0;
}

static void wait_for_parent(const struct child *k)
{
	char c;
	ssize_t n;

	do {
		n = read(k->go[0], &c, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
}

static void lock_up(struct child *k)
{
	const struct confinement *c = k->c;
	int *error = k->page->result.error;

	error[CONFINE_NO_CORE] = forbid_core();
	error[CONFINE_NO_NEW_PRIVS] = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
	error[CONFINE_NO_CAPS] = drop_caps();
	if (c->landlock)
		error[CONFINE_LANDLOCK] = landlock_error(k, &k->page->result.landlock_abi);
	if (c->filter_length > 0)
		error[CONFINE_SECCOMP] = filter_error(c);
}

static void __attribute__((noreturn)) child_main(struct child *k)
{
	const struct confinement *c = k->c;
	int *error = k->page->result.error;

	spawn_child_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(k, -1, "parent-death signal");
	if (c->user_namespace && map_user(k) < 0)
		fail(k, CONFINE_USER_NS, "user namespace");
	if (k->s->session && setsid() < 0)
		fail(k, -1, "session");
	if (keep_pipes(k) < 0 || spawn_child_fds(k->s, &k->fds) < 0)
		fail(k, -1, "descriptors");
	if (c->root && confined_change_root(&k->root) < 0)
		fail(k, CONFINE_ROOT, "root folder");
	if (!c->root && chdir("/") < 0)
		fail(k, -1, "folder /");
	error[CONFINE_ROOT] = c->root ? 0 : CONFINE_NOT_ASKED;
	drop_bounding_set();
	if (c->change_user && change_user(c) < 0)
		fail(k, CONFINE_USER, "user");
	error[CONFINE_USER] = c->change_user ? 0 : CONFINE_NOT_ASKED;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(k, -1, "parent-death signal");
	wait_for_parent(k);
	lock_up(k);
	execve(k->s->path, k->s->argv, k->s->envp ? k->s->envp : environ);
	fail(k, -1, "exec");
}

/* ---- in the parent ------------------------------------------------------------------------------- */

/* As fork: the child has a copy of everything. The order of the last arguments differs between
 * architectures, and all of them are zero. clone3 only for what nothing else can do, since the filters of
 * container engines hide it. */
static pid_t clone_process(const struct child *k, unsigned long flags, int *pidfd)
{
	int *cgroup = &k->page->result.error[CONFINE_CGROUP];

	if (k->s->cgroup >= 0) {
		pid_t pid;

		*cgroup = 0;
		pid = spawn_clone_into(k->s->cgroup, flags, pidfd);
		if (pid >= 0)
			return pid;
		*cgroup = errno;
	}
	return (pid_t)syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
}

static pid_t start_child(struct child *k, int *pidfd)
{
	const struct confinement *c = k->c;
	unsigned long flags = (c->namespaces ? (unsigned long)NAMESPACES : 0UL) |
			      (c->user_namespace ? (unsigned long)CLONE_NEWUSER : 0UL);
	int *error = k->page->result.error;
	sigset_t all, old;
	pid_t pid;

	error[CONFINE_NAMESPACES] = c->namespaces ? 0 : CONFINE_NOT_ASKED;
	error[CONFINE_USER_NS] = c->user_namespace ? 0 : CONFINE_NOT_ASKED;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone_process(k, flags, pidfd);
	if (pid == 0)
		child_main(k);
	if (pid < 0) {
		int saved = errno;

		if (c->namespaces)
			error[CONFINE_NAMESPACES] = saved;
		if (c->user_namespace)
			error[CONFINE_USER_NS] = saved;
		k->page->error = saved;
		k->page->failed = "process";
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* Until the child has executed its program, or failed to. */
static void let_go(struct child *k, pid_t pid)
{
	const struct confinement *c = k->c;
	ssize_t n;
	char byte = 1;

	fd_close(take_fd(&k->done[1]));
	/* Never SIGPIPE, since the reading end is open here as well. */
	do {
		n = write(k->go[1], &byte, 1);
	} while (n < 0 && errno == EINTR);
	do {
		n = read(k->done[0], &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (c->place && !k->page->failed && k->page->result.error[CONFINE_CGROUP] != 0)
		k->page->result.error[CONFINE_CGROUP] = c->place(c->ctx, pid);
}

static int report(const struct child *k, const struct spawn *s, struct err *e)
{
	errno = k->page->error;
	err_sys(e, "cannot start '%s' (%s)", s->path, k->page->failed);
	if (e->sys == ENOENT)
		e->kind = ERR_NOT_FOUND;
	return -1;
}

static int run(struct child *k, struct proc *ret, struct err *e)
{
	struct proc p = PROC_INIT;

	p.pid = start_child(k, &p.pidfd);
	if (p.pid < 0)
		return report(k, k->s, e);
	let_go(k, p.pid);
	if (k->page->failed) {
		proc_destroy(&p);
		return report(k, k->s, e);
	}
	*ret = p;
	return 0;
}

static void close_pipes(struct child *k)
{
	for (int i = 0; i < 2; i++) {
		fd_close(k->go[i]);
		fd_close(k->done[i]);
	}
}

int spawn_confined(const struct spawn *s, const struct confinement *c, struct proc *ret,
		   struct confine_result *result, struct err *e)
{
	struct child k = { .s = s, .c = c, .go = { -1, -1 }, .done = { -1, -1 } };
	auto_free int *trees = xcalloc(c->npaths + 1, sizeof(*trees));
	int r = -1;

	for (size_t i = 0; i < CONFINE_STEP_COUNT; i++)
		result->error[i] = CONFINE_NOT_ASKED;
	result->landlock_abi = 0;
	if (spawn_check_fds(s, &k.fds, e) < 0)
		return -1;
	snprintf(k.uid_map, sizeof(k.uid_map), "1 %u 1\n", (unsigned)geteuid());
	snprintf(k.gid_map, sizeof(k.gid_map), "1 %u 1\n", (unsigned)getegid());
	k.page = fault("spawn_confined") ? MAP_FAILED
					 : mmap(NULL, sizeof(*k.page), PROT_READ | PROT_WRITE,
						MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k.page == MAP_FAILED)
		return err_sys(e, "cannot start '%s'", s->path);
	k.page->result = *result;
	k.root = (struct new_root){ c, trees, &k.page->result.error[CONFINE_PROC], NULL };
	if (fd_pipe(k.go, e) == 0 && fd_pipe(k.done, e) == 0)
		r = run(&k, ret, e);
	close_pipes(&k);
	*result = k.page->result;
	munmap(k.page, sizeof(*k.page));
	return r;
}

bool confine_failed_at(const struct confine_result *r, enum confine_step step)
{
	return r->error[step] > 0;
}
