/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cgroup (v2) per container, inside the guest: its limits, what it has used, and a handle for
 * all its processes.
 *
 * Controllers are enabled only for what is limited: each costs milliseconds at the start (in
 * software emulation 20 for all), and without limits they would only count what the VM as a whole
 * shows too. A container that may write to its cgroup gets all of them.
 */
#ifndef KVBOX_AGENT_CGROUP_H
#define KVBOX_AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Of all, 0 or less (NULL or empty) is no limit, but for memory_swap. */
struct cgroup_limits {
	int64_t memory;		       /* bytes */
	int64_t memory_swap;	       /* memory and swap together; -1: any amount of swap */
	int64_t memory_reservation;    /* protected from reclaim */
	int64_t nano_cpus;	       /* billionths of a CPU; it wins over the next two */
	int64_t cpu_period, cpu_quota; /* microseconds */
	int64_t cpu_shares;	       /* 2 to 262144 */
	int64_t pids;
	char *cpuset_cpus, *cpuset_mems; /* "0-2,4" */
	bool delegated; /* not a limit: the container makes cgroups below, and needs all controllers */
};

void cgroup_limits_release(struct cgroup_limits *l);

/* Mounts the hierarchy. Called once. */
int cgroup_prepare(struct err *e) MUST_CHECK;

/* Creates the container's cgroup. *ret is its folder. */
int cgroup_make(const char *name, const struct cgroup_limits *l, int *ret,
		struct err *e) MUST_CHECK;
/* The cgroup that a process is in: the container's, or one that was made below it. */
int cgroup_open_of(pid_t pid, int *ret, struct err *e) MUST_CHECK;
/* Kills every process in it. */
int cgroup_kill(int fd, struct err *e) MUST_CHECK;
/* How many processes the kernel has killed for want of memory: of it, or without a limit of the VM. */
uint64_t cgroup_oom_kills(int fd);

/* A file that holds one number; 0 when there is no such file, or it says "max". */
uint64_t cgroup_number(int fd, const char *name);
/* The number behind `key` in the kernel's lines "key number"; 0 when there is none. */
uint64_t cgroup_key(const char *text, const char *key);
/* The same of a file. */
uint64_t cgroup_keyed_number(int dirfd, const char *name, const char *key);
/* Counting processes begins when somebody asks: those that are there are counted, too. */
void cgroup_count_pids(void);

/*
 * Calls `each` with every process in it and in the cgroups that it has made below (a Docker in the
 * container does), as the guest numbers them; in no order. Zombies are not told.
 */
void cgroup_each_process(int fd, void (*each)(void *ctx, pid_t pid), void *ctx);

/* cpu.max's text, "" when nothing is limited. */
void cgroup_cpu_max(const struct cgroup_limits *l, char ret[64]);
/* cpu.weight for Docker's shares, as runc converts them. */
unsigned int cgroup_cpu_weight(int64_t shares);
/* ERR_INVALID when a number in the list `want` is not in `have`, in Docker's words: `what` is "CPUs"
 * or "memory nodes". */
int cgroup_check_list(const char *what, const char *want, const char *have,
		      struct err *e) MUST_CHECK;

#endif
