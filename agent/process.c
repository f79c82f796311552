/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "agent/boot.h"
#include "agent/cgroup.h"
#include "agent/console.h"
#include "agent/devices.h"
#include "base/fd.h"
#include "base/mem.h"

/* How long an output that somebody else holds open is read after its process ended. */
#define OUTPUT_GRACE_MS 100

enum { IN, OUT, ERR, STREAMS };

struct process {
	struct processes *owner;
	struct container *container;
	int64_t number;
	int64_t request; /* to answer, while starting */
	int64_t begin_us;
	pid_t pid;
	struct source end; /* pidfd: readable when it has ended */
	int pty;	   /* for resizing; -1 without a terminal */
	bool running;	   /* exec succeeded */
	bool reaped, by_signal;
	int status;
	struct source exec_status;
	struct timer grace;
	struct stdio io[STREAMS];
	struct process *next;
};

struct processes {
	struct loop *loop;
	const struct process_ops *ops;
	void *ctx;
	struct process *list;
	int own_pid_ns;
	bool had_main; /* a first process of a container was started */
	struct source
		children; /* signalfd; not there before one is started that may leave us others */
	struct stdio_env io;
};

void process_spec_release(struct process_spec *s)
{
	strv_release(&s->child.args);
	strv_release(&s->child.env);
	free(s->child.cwd);
	free(s->child.user);
	strv_release(&s->child.groups);
	privileges_release(&s->child.privileges);
	*s = (struct process_spec){ 0 };
}

struct processes *processes_new(struct loop *loop, struct conn *conn, const struct process_ops *ops,
				void *ctx)
{
	struct processes *ps = xcalloc(1, sizeof(*ps));

	ps->loop = loop;
	ps->ops = ops;
	ps->ctx = ctx;
	ps->own_pid_ns = -1;
	ps->children.fd = -1;
	ps->io.loop = loop;
	ps->io.conn = conn;
	return ps;
}

const struct container *process_container(const struct process *p)
{
	return p->container;
}

int64_t process_number(const struct process *p)
{
	return p->number;
}

pid_t process_pid(const struct process *p)
{
	return p->pid;
}

bool processes_are_left(const struct processes *ps)
{
	for (const struct process *p = ps->list; p; p = p->next) {
		if (!p->reaped)
			return true;
	}
	return false;
}

static struct process *find(const struct processes *ps, const struct container *c, int64_t number)
{
	struct process *p = ps->list;

	while (p && !(p->container == c && p->number == number))
		p = p->next;
	return p;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void process_free(struct process *p)
{
	struct process **at = &p->owner->list;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	loop_timer_stop(p->owner->loop, &p->grace);
	for (int i = 0; i < STREAMS; i++) {
		p->io[i].ended = NULL;
		stdio_close(&p->io[i]);
	}
	if (p->exec_status.fd >= 0) {
		loop_forget(p->owner->loop, &p->exec_status);
		fd_close(p->exec_status.fd);
	}
	if (p->end.fd >= 0) {
		loop_forget(p->owner->loop, &p->end);
		fd_close(p->end.fd);
	}
	fd_close(p->pty);
	free(p);
}

static bool is_open(const struct stdio *s)
{
	return s->env && s->source.fd >= 0;
}

/* An output ended, or the process did. */
static void maybe_ended(void *ctx)
{
	struct process *p = ctx;
	bool oom = false;

	if (!p->reaped || !p->running || is_open(&p->io[OUT]) || is_open(&p->io[ERR]))
		return;
	if (p->by_signal && p->status == SIGKILL && p->container->cgroup >= 0)
		oom = cgroup_oom_kills(p->container->cgroup) > 0;
	p->owner->ops->ended(p->owner->ctx, p, p->by_signal, p->status, oom);
	process_free(p);
}

static void grace_over(void *ctx)
{
	struct process *p = ctx;

	/* maybe_ended frees the process when the last one is closed. */
	for (int i = OUT; i < STREAMS; i++)
		p->io[i].ended = NULL;
	stdio_finish(&p->io[OUT]);
	stdio_finish(&p->io[ERR]);
	for (int i = OUT; i < STREAMS; i++)
		p->io[i].ended = maybe_ended;
	maybe_ended(p);
}

/* The container's namespaces have no first process any more. */
static void forget_main(struct process *p)
{
	if (p->number != PROCESS_MAIN)
		return;
	fd_close(p->container->main_pidfd);
	p->container->main_pidfd = -1;
}

static void on_reaped(struct process *p, const siginfo_t *info)
{
	p->reaped = true;
	loop_forget(p->owner->loop, &p->end);
	p->by_signal = info->si_code != CLD_EXITED;
	p->status = info->si_status;
	forget_main(p);
	if (!p->running) {
		process_free(p);
		return;
	}
	stdio_close(&p->io[IN]);
	if (is_open(&p->io[OUT]) || is_open(&p->io[ERR]))
		loop_timer_set(p->owner->loop, &p->grace, OUTPUT_GRACE_MS);
	maybe_ended(p);
}

/* ---- exec's result --------------------------------------------------------------------------- */

/* The child ends by itself and is forgotten when it is reaped; its number is free at once. */
static void exec_failed(struct process *p, const struct err *e)
{
	forget_main(p);
	p->number = 0;
	p->owner->ops->started(p->owner->ctx, p->request, p, 0, e);
	for (int i = 0; i < STREAMS; i++)
		p->io[i].ended = NULL;
	for (int i = 0; i < STREAMS; i++)
		stdio_close(&p->io[i]);
}

static void exec_succeeded(struct process *p)
{
	p->running = true;
	p->owner->ops->started(p->owner->ctx, p->request, p, boot_us() - p->begin_us, NULL);
	stdio_start(&p->io[OUT]);
	stdio_start(&p->io[ERR]);
}

/* The status pipe: an error as the child left it, or the end when exec closed it. */
static void read_exec_status(void *ctx, uint32_t events)
{
	struct process *p = ctx;
	struct err e;
	ssize_t n = read(p->exec_status.fd, &e, sizeof(e));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_forget(p->owner->loop, &p->exec_status);
	fd_close(take_fd(&p->exec_status.fd));
	if (n == (ssize_t)sizeof(e)) {
		e.msg[sizeof(e.msg) - 1] = '\0';
		exec_failed(p, &e);
	} else {
		exec_succeeded(p);
	}
}

static struct process *find_pid(const struct processes *ps, pid_t pid)
{
	struct process *p = ps->list;

	while (p && (p->pid != pid || p->reaped))
		p = p->next;
	return p;
}

/* Every child that has ended, also those that were left to the agent. */
static void reap(struct processes *ps)
{
	siginfo_t info;

	for (;;) {
		struct process *p;

		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
			return;
		p = find_pid(ps, info.si_pid);
		/* Its exec failed or succeeded, and nobody has looked yet. */
		if (p && p->exec_status.fd >= 0)
			read_exec_status(p, 0);
		if (p)
			on_reaped(p, &info);
	}
}

/* One has ended; others may have, too. */
static void on_end(void *ctx, uint32_t events)
{
	struct processes *ps = ((struct process *)ctx)->owner;

	(void)events;
	reap(ps);
	ps->ops->reaped(ps->ctx);
}

static void on_child(void *ctx, uint32_t events)
{
	struct processes *ps = ctx;
	struct signalfd_siginfo info;

	(void)events;
	while (read(ps->children.fd, &info, sizeof(info)) > 0)
		;
	reap(ps);
	ps->ops->reaped(ps->ctx);
}

/*
 * A process that came into the container (exec) is a child of the agent, and can give it children that no
 * pidfd tells of (CLONE_PARENT); until they are reaped, the container's first process does not end. That one can
 * not: the kernel refuses it to the init of a PID namespace.
 */
static int watch_children(struct processes *ps, struct err *e)
{
	sigset_t set;

	if (ps->children.fd >= 0)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ps->children = (struct source){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = on_child,
		.ctx = ps,
	};
	if (ps->children.fd < 0)
		return err_sys(e, "cannot watch the children");
	loop_watch(ps->loop, &ps->children, EPOLLIN);
	return 0;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* The child's sides of what was made for it. */
struct child_ends {
	int stdio[3];
	int status; /* written by the child */
};

static void child_ends_close(struct child_ends *ends)
{
	for (int i = 0; i < 3; i++)
		fd_close(take_fd(&ends->stdio[i]));
	fd_close(take_fd(&ends->status));
}

/* `at`: IN, OUT or ERR. */
static int make_pipe(struct process *p, int at, int64_t stream, struct child_ends *ends,
		     struct err *e)
{
	int fds[2], ours;

	if (stream == 0)
		return 0;
	if (fd_pipe(fds, e) < 0)
		return -1;
	ours = at == IN ? fds[1] : fds[0];
	ends->stdio[at] = at == IN ? fds[0] : fds[1];
	if (fd_set_nonblock(ours, true, e) < 0) {
		fd_close(ours);
		return -1;
	}
	return stdio_open(&p->io[at], &p->owner->io, (uint32_t)stream, ours, e);
}

static int set_size(int pty, int64_t rows, int64_t cols, struct err *e)
{
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	if (ioctl(pty, TIOCSWINSZ, &ws) < 0)
		return err_sys(e, "cannot set the size of the terminal");
	return 0;
}

static int make_pty(struct process *p, const struct process_spec *s, struct err *e)
{
	int fd;

	if (!s->stdout_stream)
		return err_set(e, ERR_INVALID, "a terminal needs an output stream");
	if (devices_open_pty(p->container->pts, &p->pty, e) < 0 ||
	    set_size(p->pty, s->rows, s->cols, e) < 0)
		return -1;
	p->io[IN].is_pty = p->io[OUT].is_pty = true;
	/* A descriptor for each direction, since they are watched apart from each other. */
	if (s->stdin_stream) {
		if (fd_dup(p->pty, &fd, e) < 0 ||
		    stdio_open(&p->io[IN], &p->owner->io, (uint32_t)s->stdin_stream, fd, e) < 0)
			return -1;
	}
	if (fd_dup(p->pty, &fd, e) < 0)
		return -1;
	return stdio_open(&p->io[OUT], &p->owner->io, (uint32_t)s->stdout_stream, fd, e);
}

static int make_streams(struct process *p, const struct process_spec *s, struct child_ends *ends,
			struct err *e)
{
	int status[2];

	if (fd_pipe(status, e) < 0)
		return -1;
	p->exec_status.fd = status[0];
	ends->status = status[1];
	if (fd_set_nonblock(status[0], true, e) < 0)
		return -1;
	if (s->tty)
		return make_pty(p, s, e);
	if (make_pipe(p, IN, s->stdin_stream, ends, e) < 0 ||
	    make_pipe(p, OUT, s->stdout_stream, ends, e) < 0 ||
	    make_pipe(p, ERR, s->stderr_stream, ends, e) < 0)
		return -1;
	return 0;
}

static void run_child(const struct child_plan *plan, int status) __attribute__((noreturn));

static void run_child(const struct child_plan *plan, int status)
{
	struct err e = ERR_INIT, none = ERR_INIT;

	if (child_exec(plan, &e) < 0 && fd_write_full(status, &e, sizeof(e), &none) < 0)
		_exit(126);
	_exit(127);
}

/*
 * In the container's PID namespace: children of a process are born in the one it has set for them.
 */
static int enter_pid_namespace(struct processes *ps, const struct container *c, struct err *e)
{
	if (ps->own_pid_ns < 0 &&
	    fd_open(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY, 0, &ps->own_pid_ns, e) < 0)
		return -1;
	if (setns(c->main_pidfd, CLONE_NEWPID) < 0)
		return err_set(e, ERR_CONFLICT, "container is not running");
	return 0;
}

/*
 * Inline, since with CLONE_VM the child goes on below this frame of the stack, while the parent waits: a function
 * that it has returned from would be overwritten.
 */
static inline __attribute__((always_inline)) pid_t clone_process(struct clone_args *args)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args))
			 : "rcx", "r11", "memory");
	if (r >= 0)
		return (pid_t)r;
	errno = (int)-r;
	return -1;
#else
	args->flags &= ~(uint64_t)(CLONE_VM | CLONE_VFORK);
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
#endif
}

static __attribute__((noinline)) pid_t clone_into(struct clone_args *args, int cgroup,
						  const struct child_plan *plan, int status)
{
	pid_t pid;

	args->cgroup = (uint64_t)(unsigned int)cgroup;
	pid = clone_process(args);
	if (pid == 0)
		run_child(plan, status);
	return pid;
}

/*
 * A container that has made cgroups of its own (a Docker or systemd in it) has left the one that we have
 * made, which takes no processes any more. Then where its first process is.
 */
static pid_t clone_beside_main(const struct process *p, struct clone_args *args,
			       const struct child_plan *plan, int status, struct err *e)
{
	const struct process *first = find(p->owner, p->container, PROCESS_MAIN);
	auto_close int cgroup = -1;
	pid_t pid;

	if (!first)
		return err_set(e, ERR_CONFLICT, "container is not running");
	if (cgroup_open_of(first->pid, &cgroup, e) < 0)
		return -1;
	pid = clone_into(args, cgroup, plan, status);
	return pid < 0 ? err_sys(e, "cannot start a process") : pid;
}

/*
 * This VM's own IPC and UTS namespaces are as new as any for the first container, and nobody else needs them. A
 * second one gets its own, and so does the first when it is started again: what it left is not to be seen.
 */
static uint64_t new_namespaces(struct processes *ps)
{
	bool first = !ps->had_main;

	ps->had_main = true;
	return CLONE_NEWPID | CLONE_NEWNS | (first ? 0 : CLONE_NEWIPC | CLONE_NEWUTS);
}

static int clone_child(struct process *p, const struct child_plan *plan, int status, struct err *e)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t)(uintptr_t)&p->end.fd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	/*
	 * The first process uses this one's memory until it executes its command: a copy would be most of the
	 * work. What it has allocated by then stays, which is no matter once; and it waits for nobody but disks,
	 * so this one may wait for it. An exec may wait for processes of the container (FUSE, a frozen cgroup).
	 */
	if (plan->is_main)
		args.flags |= new_namespaces(p->owner) | CLONE_VM | CLONE_VFORK;
	else if (watch_children(p->owner, e) < 0 ||
		 enter_pid_namespace(p->owner, p->container, e) < 0)
		return -1;
	pid = clone_into(&args, p->container->cgroup, plan, status);
	if (pid < 0 && errno == EBUSY && !plan->is_main)
		pid = clone_beside_main(p, &args, plan, status, e);
	else if (pid < 0)
		err_sys(e, "cannot start a process");
	/* Back, or later first processes would be born in there too. */
	if (!plan->is_main && setns(p->owner->own_pid_ns, CLONE_NEWPID) < 0)
		abort();
	p->pid = pid;
	return pid < 0 ? -1 : 0;
}

static int check_start(struct processes *ps, const struct container *c,
		       const struct process_spec *s, struct err *e)
{
	if (find(ps, c, s->number))
		return err_set(e, ERR_CONFLICT, "process %lld exists already",
			       (long long)s->number);
	if (s->number != PROCESS_MAIN && c->main_pidfd < 0)
		return err_set(e, ERR_CONFLICT, "container is not running");
	return 0;
}

int process_start_take(struct processes *ps, struct container *c, struct process_spec *spec,
		       int64_t request, struct err *e)
{
	__attribute__((cleanup(process_spec_release))) struct process_spec s = *spec;
	__attribute__((cleanup(child_ends_close))) struct child_ends ends = { { -1, -1, -1 }, -1 };
	struct child_plan plan = { .spec = &s.child,
				   .container = c,
				   .is_main = s.number == PROCESS_MAIN };
	struct process *p;

	*spec = (struct process_spec){ 0 };
	if (check_start(ps, c, &s, e) < 0)
		return -1;
	p = xcalloc(1, sizeof(*p));
	p->owner = ps;
	p->container = c;
	p->number = s.number;
	p->request = request;
	p->begin_us = boot_us();
	p->pty = -1;
	p->end = (struct source){ .fd = -1, .ready = on_end, .ctx = p };
	p->grace = (struct timer){ .fire = grace_over, .ctx = p };
	p->exec_status = (struct source){ .fd = -1, .ready = read_exec_status, .ctx = p };
	for (int i = 0; i < STREAMS; i++) {
		p->io[i].is_input = i == IN;
		p->io[i].ended = maybe_ended;
		p->io[i].ctx = p;
		p->io[i].source.fd = -1;
	}
	if (make_streams(p, &s, &ends, e) < 0) {
		process_free(p);
		return -1;
	}
	memcpy(plan.stdio, ends.stdio, sizeof(plan.stdio));
	plan.pty = p->pty;
	if (clone_child(p, &plan, ends.status, e) < 0) {
		process_free(p);
		return -1;
	}
	if (plan.is_main && fd_dup(p->end.fd, &c->main_pidfd, e) < 0)
		abort();
	p->next = ps->list;
	ps->list = p;
	loop_watch(ps->loop, &p->exec_status, EPOLLIN);
	/* By its edge: who traces it gets the first word of its end, and may take long to hear that. */
	loop_watch(ps->loop, &p->end, EPOLLIN | EPOLLET);
	return 0;
}

/* ---- requests for a running one -------------------------------------------------------------- */

static struct process *find_alive(const struct processes *ps, const struct container *c,
				  int64_t number, struct err *e)
{
	struct process *p = find(ps, c, number);

	if (p && !p->reaped)
		return p;
	err_set(e, ERR_NOT_FOUND, "process %lld does not run", (long long)number);
	return NULL;
}

int process_signal(struct processes *ps, const struct container *c, int64_t number, int sig,
		   struct err *e)
{
	struct process *p = find_alive(ps, c, number, e);

	if (!p)
		return -1;
	if (pidfd_send_signal(p->end.fd, sig, NULL, 0) < 0)
		return err_sys(e, "cannot send signal %d", sig);
	return 0;
}

int process_resize(struct processes *ps, const struct container *c, int64_t number, int64_t rows,
		   int64_t cols, struct err *e)
{
	struct process *p = find_alive(ps, c, number, e);

	if (!p)
		return -1;
	if (p->pty < 0)
		return err_set(e, ERR_INVALID, "process %lld has no terminal", (long long)number);
	return set_size(p->pty, rows, cols, e);
}
