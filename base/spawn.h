/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes. Only this and spawn_confined.h start any (the guest's agent has a starter of its own).
 *
 * A child gets exactly the descriptors that are listed, default signal actions and an empty signal mask.
 * Failure to execute comes back as an error of spawn_start. `struct proc` keeps pid and pidfd; beside a
 * pid on disk its start time is stored (proc_start_time), since pids are used again.
 */
#ifndef KVBOX_BASE_SPAWN_H
#define KVBOX_BASE_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct proc {
	pid_t pid; /* 0: none */
	int pidfd; /* -1: none */
};
/* clang-format off */
#define PROC_INIT { 0, -1 }
/* clang-format on */

struct spawn_fd {
	int from; /* a descriptor of this process; borrowed */
	int to;	  /* its number in the child: 0, 1, 2, 3, ... */
};

struct spawn {
	const char *path; /* absolute, or looked up in PATH */
	char *const *argv;
	char *const *envp; /* NULL: this process's */
	const struct spawn_fd *fds;
	size_t nfds;
	int cwd;	      /* folder to start in, or -1 */
	bool session;	      /* setsid */
	bool die_with_parent; /* PDEATHSIG SIGKILL, without the race of a parent already gone */
	int cgroup;	      /* folder of a cgroup v2 to start in, or -1 */
};

/* 0, 1 and 2 that are not listed are /dev/null. */
int spawn_start(const struct spawn *s, struct proc *ret, struct err *e) MUST_CHECK;

/* Waits for the end; *status as waitid gives it: exit code, or 128 + signal. */
int spawn_wait(struct proc *p, int *status, struct err *e) MUST_CHECK;
/* The same without waiting: 1 when it has ended, 0 when it runs. */
int spawn_try_wait(struct proc *p, int *status, struct err *e) MUST_CHECK;
int proc_signal(const struct proc *p, int sig, struct err *e) MUST_CHECK;
/* Kills, waits and releases; for a child whose result does not matter. */
void proc_destroy(struct proc *p);
void proc_release(struct proc *p); /* closes the pidfd only */

/* A process that is not our child: pidfd by pid and start time; ERR_NOT_FOUND when that one is gone. */
int proc_open(pid_t pid, uint64_t start_time, struct proc *ret, struct err *e) MUST_CHECK;
/* Field 22 of /proc/<pid>/stat, in clock ticks after boot. */
int proc_start_time(pid_t pid, uint64_t *ret, struct err *e) MUST_CHECK;

/* /proc/self/exe resolved; the caller frees. */
char *proc_own_path(struct err *e) MUST_CHECK;

#endif
