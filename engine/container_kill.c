/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending what lives of a container whose monitor cannot do it any more (or is not asked to).
 *
 * Three ways, each for where the one before does not reach: the cgroup that is named after the
 * run folder (cgroup.h), since cgroup.kill misses nobody; monitor and VMM by recorded pid and
 * start time; and, as a lock does not tell whose it is, every process that has the very lock
 * file open.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/str.h"
#include "engine/cgroup.h"
#include "engine/container_priv.h"
#include "engine/state.h"

/* How long a killed process may take to be gone (an uninterruptible write to a slow disk). */
#define DEATH_MS	20000
#define REMOVE_MS	10
#define CGROUP_TEXT_MAX ((size_t)256 << 10)
#define VICTIMS_MAX	4096
#define NS_PER_MS	1000000

/* Processes that were found; each is held by its pidfd, so the pid cannot change its meaning. */
struct victims {
	struct proc *v;
	size_t n;
};

static void victims_release(struct victims *v)
{
	for (size_t i = 0; i < v->n; i++)
		proc_release(&v->v[i]);
	free(v->v);
	*v = (struct victims){ NULL, 0 };
}
#define auto_victims __attribute__((cleanup(victims_release)))

static void victims_add_take(struct victims *v, struct proc *p)
{
	if (v->n >= VICTIMS_MAX) {
		proc_release(p);
		return;
	}
	v->v = xreallocarray(v->v, v->n + 1, sizeof(*v->v));
	v->v[v->n++] = *p;
	*p = (struct proc)PROC_INIT;
}

/* By pid and start time; who is gone is no error. */
static void victims_add(struct victims *v, int64_t pid, int64_t start)
{
	struct proc p = PROC_INIT;
	struct err ignored = ERR_INIT;

	if (pid > 1 && pid != getpid() && proc_open((pid_t)pid, (uint64_t)start, &p, &ignored) == 0)
		victims_add_take(v, &p);
}

/* By pid alone, as it is now. */
static int open_now(pid_t pid, struct proc *ret)
{
	struct err ignored = ERR_INIT;
	uint64_t start;

	if (pid <= 1 || pid == getpid() || proc_start_time(pid, &start, &ignored) < 0)
		return -1;
	return proc_open(pid, start, ret, &ignored);
}

static int victims_kill(const struct victims *v, struct err *e)
{
	int64_t deadline = clock_monotonic() + (int64_t)DEATH_MS * NS_PER_MS;

	for (size_t i = 0; i < v->n; i++) {
		struct err ignored = ERR_INIT;

		(void)!proc_signal(&v->v[i], SIGKILL, &ignored);
	}
	for (size_t i = 0; i < v->n; i++) {
		struct pollfd p = { .fd = v->v[i].pidfd, .events = POLLIN };
		int r;

		do {
			int64_t left = (deadline - clock_monotonic()) / NS_PER_MS;

			r = poll(&p, 1, left > 0 ? (int)left : 0);
		} while (r < 0 && errno == EINTR);
		if (r <= 0)
			return err_set(e, ERR_SYSTEM, "process %d does not end although killed",
				       (int)v->v[i].pid);
	}
	return 0;
}

/* ---- by cgroup ---- */

/* Only a cgroup that was made for this VM, and not one that this process is in itself. */
static bool may_kill_cgroup(const struct rundir *d)
{
	auto_str struct str own = STR_INIT(CGROUP_TEXT_MAX);
	auto_free char *tail = xasprintf("/%s\n", d->name);
	struct err ignored = ERR_INIT;

	return file_read(AT_FDCWD, "/proc/self/cgroup", &own, &ignored) == 0 &&
	       !strstr(own.buf, tail);
}

static void victims_add_cgroup(struct victims *v, int dirfd)
{
	auto_str struct str text = STR_INIT(CGROUP_TEXT_MAX);
	auto_strv struct strv pids = STRV_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(dirfd, "cgroup.procs", &text, &ignored) < 0)
		return;
	strv_split(&pids, text.buf, '\n');
	for (size_t i = 0; i < pids.n; i++) {
		struct proc p = PROC_INIT;
		uint64_t pid;

		err_clear(&ignored);
		if (parse_u64(pids.v[i], INT32_MAX, &pid, &ignored) == 0 &&
		    open_now((pid_t)pid, &p) == 0)
			victims_add_take(v, &p);
	}
}

static int kill_cgroup(const char *path, struct err *e)
{
	auto_victims struct victims v = { NULL, 0 };
	auto_close int dir = -1;
	auto_close int fd = -1;
	struct err why = ERR_INIT;

	if (fd_open_dir(AT_FDCWD, path, &dir, &why) < 0)
		return 0;
	/* Who they are is only for waiting; cgroup.kill also gets those who are born meanwhile. */
	victims_add_cgroup(&v, dir);
	if (v.n > 0 && (fd_open(dir, "cgroup.kill", O_WRONLY, 0, &fd, &why) < 0 ||
			fd_write_full(fd, "1", 1, &why) < 0))
		log_debug("cannot use cgroup.kill: %s", why.msg);
	if (victims_kill(&v, e) < 0)
		return -1;
	/* Of those who were born meanwhile nobody tells when they are gone; they were killed. */
	for (int i = 0; rmdir(path) < 0; i++) {
		if (errno != EBUSY || i == DEATH_MS / REMOVE_MS) {
			log_debug("cgroup '%s' stays: %s", path, strerror(errno));
			break;
		}
		poll(NULL, 0, REMOVE_MS);
	}
	return 0;
}

struct vm_cgroups {
	struct err *e;
	int r;
};

static void kill_vm_cgroup(void *ctx, const char *path)
{
	struct vm_cgroups *v = ctx;

	if (v->r == 0)
		v->r = kill_cgroup(path, v->e);
}

/* Where the cgroups of a VM are, whether its monitor came to write that down or not. */
static int kill_cgroups(const struct rundir *d, struct err *e)
{
	struct vm_cgroups vm = { e, 0 };
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	if (!may_kill_cgroup(d))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_free char *path = xasprintf("%s/kvbox/%s", places[i], d->name);

		if (kill_cgroup(path, e) < 0)
			return -1;
	}
	cgroup_vm_each(d->name, kill_vm_cgroup, &vm);
	return vm.r;
}

/* ---- by open lock file ---- */

struct search {
	struct stat file;
	int fds; /* /proc/<pid>/fd */
	bool found;
	struct victims *victims;
};

static int look_at_fd(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	struct stat st;

	(void)e;
	if (!s->found && fstatat(s->fds, name, &st, 0) == 0 && st.st_ino == s->file.st_ino &&
	    st.st_dev == s->file.st_dev)
		s->found = true;
	return 0;
}

static int look_at_process(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	struct err ignored = ERR_INIT;
	struct proc p = PROC_INIT;
	auto_close int fds = -1;
	char path[64];
	uint64_t pid;

	(void)e;
	if (parse_u64(name, INT32_MAX, &pid, &ignored) < 0 || open_now((pid_t)pid, &p) < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	err_clear(&ignored);
	s->found = false;
	if (fd_open_dir(AT_FDCWD, path, &fds, &ignored) == 0) {
		s->fds = fds;
		/* It may end while it is looked at. */
		(void)!dir_each(fds, ".", look_at_fd, s, &ignored);
	}
	if (s->found)
		victims_add_take(s->victims, &p);
	proc_release(&p);
	return 0;
}

static int kill_holders(const struct rundir *d, const char *file, struct err *e)
{
	auto_victims struct victims v = { NULL, 0 };
	struct search s = { .victims = &v };

	if (fstatat(d->fd, file, &s.file, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (dir_each(AT_FDCWD, "/proc", look_at_process, &s, e) < 0)
		return -1;
	return victims_kill(&v, e);
}

/* ---- all together ---- */

static int kill_recorded(const struct rundir *d, struct err *e)
{
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	auto_victims struct victims v = { NULL, 0 };
	struct err why = ERR_INIT;

	if (vmstate_read(d->fd, &state, &why) < 0)
		return 0; /* none, or damaged: then by the lock files */
	victims_add(&v, state.pid, state.pid_start);
	victims_add(&v, state.vmm_pid, state.vmm_start);
	return victims_kill(&v, e);
}

int container_kill_survivors(struct container_lock *l, struct err *e)
{
	int alive, vm;

	if (kill_cgroups(&l->dir, e) < 0 || kill_recorded(&l->dir, e) < 0)
		return -1;
	alive = rundir_alive(&l->dir, e);
	if (alive < 0 || (alive > 0 && kill_holders(&l->dir, RUNDIR_ALIVE, e) < 0))
		return -1;
	vm = rundir_vm(&l->dir, e);
	if (vm < 0 || (vm > 0 && kill_holders(&l->dir, RUNDIR_VM, e) < 0))
		return -1;
	alive = rundir_alive(&l->dir, e);
	vm = alive < 0 ? -1 : rundir_vm(&l->dir, e);
	if (vm < 0)
		return -1;
	if (alive > 0 || vm > 0)
		return err_set(e, ERR_SYSTEM, "cannot end the %s of container %.12s",
			       vm > 0 ? "VM" : "monitor", l->row.id);
	return 0;
}
