/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a child starts
 *
 * One clone with CLONE_VM | CLONE_VFORK and CLONE_PIDFD, as posix_spawn does it, because posix_spawn
 * itself offers neither the parent-death signal nor a cgroup. The child runs on a stack of its own in
 * the parent's memory while the parent's thread stands still; it makes system calls on tables that were
 * prepared before and touches nothing else. What fails there is left as errno in those tables, so an
 * exec that fails is an error of spawn_start.
 *
 * Into a cgroup a child is born (clone3's CLONE_INTO_CGROUP): to move a process there later waits for a
 * grace period of the kernel, which takes ten milliseconds. libc has no function for that call that gives the child
 * its stack. On x86-64 four instructions do; elsewhere such a child has a copy of the parent's memory, which takes
 * the parent twice as long, and the tables are in a mapping that both share.
 *
 * Signals are blocked around it, so that no handler of the parent runs in the child; the child then sets
 * every action to its default and the mask to empty.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/spawn_priv.h"
#include "base/str.h"
#include "base/strv.h"

#define CHILD_STACK ((size_t)64 * 1024)
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_UNPOISON_MEMORY_REGION
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

struct child {
	const struct spawn *s;
	const char *path;
	pid_t parent;
	struct spawn_table fds;
	int error;
};

int spawn_child_fds(const struct spawn *s, struct spawn_table *t)
{
	bool given[3] = { false, false, false };
	int null;

	/* First away from all final numbers, then onto them: the lists may overlap in any way. */
	for (size_t i = 0; i < s->nfds; i++) {
		t->park[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, t->highest + 1);
		if (t->park[i] < 0)
			return -1;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	/* Everything is close-on-exec from birth; this is the belt to those braces. */
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < s->nfds; i++) {
		if (dup2(t->park[i], s->fds[i].to) < 0)
			return -1;
		if (s->fds[i].to < 3)
			given[s->fds[i].to] = true;
	}
	for (int n = 0; n < 3; n++)
		if (!given[n] && dup2(null, n) < 0)
			return -1;
	return 0;
}

/*
 * The bare system call, since libc's hides two signals that may have been inherited as ignored. All
 * zero is SIG_DFL, no flags, an empty mask, in the kernel's layout.
 */
void spawn_child_signals(void)
{
	static const uint64_t dfl[4];
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, dfl, NULL, (size_t)(NSIG - 1) / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_main(void *arg)
{
	struct child *c = arg;
	const struct spawn *s = c->s;

	spawn_child_signals();
	if (s->die_with_parent) {
		/* The parent may be gone already, and then nobody will send the signal. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			goto failed;
		if (getppid() != c->parent)
			_exit(127);
	}
	if (s->session && setsid() < 0)
		goto failed;
	if (s->cwd >= 0 && fchdir(s->cwd) < 0)
		goto failed;
	if (spawn_child_fds(s, &c->fds) < 0)
		goto failed;
	execve(c->path, s->argv, s->envp ? s->envp : environ);
failed:
	c->error = errno;
	_exit(127);
}

/* The absolute path of a program, looked up as execvp does but in this process. */
char *spawn_find_program(const char *name, struct err *e)
{
	const char *path = getenv("PATH");
	auto_strv struct strv dirs = STRV_INIT;

	if (strchr(name, '/'))
		return xstrdup(name);
	strv_split(&dirs, path ? path : "/usr/local/bin:/usr/bin:/bin", ':');
	for (size_t i = 0; i < dirs.n; i++) {
		auto_free char *full = xasprintf("%s/%s", dirs.v[i][0] ? dirs.v[i] : ".", name);

		if (access(full, X_OK) == 0)
			return take_ptr(&full);
	}
	err_set(e, ERR_NOT_FOUND, "cannot find program '%s' in PATH", name);
	return NULL;
}

pid_t spawn_clone_into(int cgroup, unsigned long flags, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

#if defined(__x86_64__)
/* The child comes out of the call on its own stack, so all that it may do is to go on to its function, which does not
 * return. What the two instructions need of the parent's is in registers. */
static pid_t clone_child_into(struct child *c, void *stack, int *pidfd)
{
	const struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = CHILD_STACK,
		.cgroup = (uint64_t)c->s->cgroup,
	};
	long r;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movq %[c], %%rdi\n\t"
			 "call *%[run]\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(&args),
			   "S"(sizeof(args)), [c] "r"(c), [run] "r"(child_main)
			 : "rcx", "r11", "memory", "cc");
	if (r >= 0)
		return (pid_t)r;
	errno = (int)-r;
	return -1;
}
#else
static pid_t clone_child_into(struct child *c, void *stack, int *pidfd)
{
	pid_t pid = spawn_clone_into(c->s->cgroup, CLONE_VFORK, pidfd);

	(void)stack;
	if (pid == 0)
		child_main(c);
	return pid;
}
#endif

/* glibc's clone() switches stacks portably; it takes the pidfd where the parent's tid would go. */
static pid_t clone_child(struct child *c, void *stack, int *pidfd)
{
	if (c->s->cgroup >= 0)
		return clone_child_into(c, stack, pidfd);
	return clone(child_main, (char *)stack + CHILD_STACK,
		     CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c, pidfd);
}

int spawn_check_fds(const struct spawn *s, struct spawn_table *t, struct err *e)
{
	if (s->nfds > SPAWN_FDS_MAX)
		return err_set(e, ERR_INVALID, "too many descriptors for '%s'", s->path);
	t->highest = 2;
	for (size_t i = 0; i < s->nfds; i++)
		if (s->fds[i].to > t->highest)
			t->highest = s->fds[i].to;
	return 0;
}

/* Room for the tables, and for a stack above them. */
static struct child *map_child(const struct spawn *s)
{
	int shared = s->cgroup >= 0 ? MAP_SHARED : MAP_PRIVATE;
	void *room = fault("spawn") ? MAP_FAILED
				    : mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
					   shared | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (room == MAP_FAILED)
		return NULL;
	/* An earlier child left its stack by exec, with the sanitizer's marks of live frames on it. */
	ASAN_UNPOISON_MEMORY_REGION(room, CHILD_STACK);
	return room;
}

static int run_child(struct child *c, struct proc *ret)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	ret->pid = clone_child(c, c, &ret->pidfd);
	error = ret->pid < 0 ? errno : c->error;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return error;
}

int spawn_start(const struct spawn *s, struct proc *ret, struct err *e)
{
	auto_free char *path = spawn_find_program(s->path, e);
	struct proc p = PROC_INIT;
	struct spawn_table fds;
	struct child *c;
	int error;

	if (!path || spawn_check_fds(s, &fds, e) < 0)
		return -1;
	c = map_child(s);
	if (!c)
		return err_sys(e, "cannot start '%s'", s->path);
	*c = (struct child){ .s = s, .path = path, .parent = getpid(), .fds = fds };
	error = run_child(c, &p);
	munmap(c, CHILD_STACK);
	if (error == 0) {
		*ret = p;
		return 0;
	}
	if (p.pid > 0)
		proc_destroy(&p);
	errno = error;
	err_sys(e, "cannot start '%s'", s->path);
	if (e->sys == ENOENT)
		e->kind = ERR_NOT_FOUND;
	return -1;
}

/* 1 when the child has ended, 0 when it runs (only with WNOHANG). */
static int wait_for(struct proc *p, int options, int *status, struct err *e)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED | options) < 0)
		if (errno != EINTR)
			return err_sys(e, "cannot wait for process %d", (int)p->pid);
	if (info.si_pid == 0)
		return 0;
	*status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	proc_release(p);
	return 1;
}

int spawn_wait(struct proc *p, int *status, struct err *e)
{
	return wait_for(p, 0, status, e) < 0 ? -1 : 0;
}

int spawn_try_wait(struct proc *p, int *status, struct err *e)
{
	return wait_for(p, WNOHANG, status, e);
}

int proc_signal(const struct proc *p, int sig, struct err *e)
{
	if (p->pidfd < 0)
		return err_set(e, ERR_NOT_FOUND, "process is gone");
	if (pidfd_send_signal(p->pidfd, sig, NULL, 0) < 0) {
		bool gone = errno == ESRCH;

		err_sys(e, "cannot signal process %d", (int)p->pid);
		if (gone)
			e->kind = ERR_NOT_FOUND;
		return -1;
	}
	return 0;
}

void proc_destroy(struct proc *p)
{
	struct err ignored = ERR_INIT;
	int status;

	if (p->pid <= 0)
		return;
	pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
	if (spawn_wait(p, &status, &ignored) < 0)
		proc_release(p);
}

void proc_release(struct proc *p)
{
	fd_close(p->pidfd);
	*p = (struct proc)PROC_INIT;
}

int proc_start_time(pid_t pid, uint64_t *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(4096);
	auto_strv struct strv field = STRV_INIT;
	char path[32];
	char *after;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(AT_FDCWD, path, &text, e) < 0)
		return -1;
	/* The second field is the program's name in brackets and may hold anything. */
	after = strrchr(text.buf, ')');
	if (!after || after[1] != ' ')
		return err_set(e, ERR_CORRUPT, "cannot read '%s'", path);
	strv_split(&field, after + 2, ' ');
	if (field.n < 20)
		return err_set(e, ERR_CORRUPT, "cannot read '%s'", path);
	return parse_u64(field.v[19], UINT64_MAX, ret, e);
}

int proc_open(pid_t pid, uint64_t start_time, struct proc *ret, struct err *e)
{
	auto_close int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
	struct err why = ERR_INIT;
	uint64_t found;

	/* The descriptor first: what is read afterwards is about that very process or a dead one. */
	if (fd < 0 || proc_start_time(pid, &found, &why) < 0 || found != start_time)
		return err_set(e, ERR_NOT_FOUND, "process %d is gone", (int)pid);
	ret->pid = pid;
	ret->pidfd = take_fd(&fd);
	return 0;
}

char *proc_own_path(struct err *e)
{
	char buf[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf));

	if (n < 0 || (size_t)n >= sizeof(buf)) {
		err_sys(e, "cannot find this program's own file");
		return NULL;
	}
	return xstrndup(buf, (size_t)n);
}
