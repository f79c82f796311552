/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two cgroups of a container, both named after its run folder (12 hex):
 *
 *	<cgroup v2>/kvbox/<name>	the monitor and what it starts: outside the caller's, which a CI step or
 *					a session's end would empty
 *	<hierarchy>/kvbox-vm/<name>	the VMM alone, with limits: in v2 where that has the controllers for
 *					memory, CPU and number of tasks, else in a v1 hierarchy for each
 *
 * Two, since in v2 a cgroup with limits for its children has no processes of its own, and a monitor should not
 * be what runs out of the VMM's memory. Best effort everywhere: a host that does not let us is no error, the
 * monitor then stays where its starter is, and `missing` says which limit is not there.
 */
#ifndef KVBOX_ENGINE_CGROUP_H
#define KVBOX_ENGINE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Makes the cgroup and opens its folder for spawn_start; -1 when that cannot be. */
int cgroup_make(const char *name);
/* For one that could not be used. */
void cgroup_unmake(const char *name);

/* The absolute folder of the caller's cgroup when it is the one of `name`, else ""; the caller frees. */
char *cgroup_own_path(const char *name);

/* Moves the caller out of it, to the one above, which waits for a grace period of the kernel: 4 to 20 ms. */
void cgroup_leave(const char *path);
/* Once nobody is in it. */
void cgroup_remove(const char *path);

/* ---- the VMM's ---- */

struct cgroup_limits {
	uint64_t memory; /* bytes */
	unsigned cpus;	 /* whole processors */
	unsigned tasks;
};

#define CGROUP_VM_MAX 3
struct cgroup_vm {
	int folder;		  /* v2: the cgroup itself; else -1 */
	int procs[CGROUP_VM_MAX]; /* files that the VMM's pid can be written to */
	size_t nprocs;
	struct str limits;  /* what is limited, for people */
	struct str missing; /* what is not, and why; empty: nothing */
};
#define CGROUP_VM_INIT                                               \
	{                                                            \
		-1, { -1, -1, -1 }, 0, STR_INIT(256), STR_INIT(1024) \
	}

/* Makes them, or sets the limits of those that are there. */
void cgroup_vm_make(const char *name, const struct cgroup_limits *limits, struct cgroup_vm *ret);
void cgroup_vm_release(struct cgroup_vm *c);
#define auto_cgroup_vm __attribute__((cleanup(cgroup_vm_release)))

/* Whether the kernel has killed there for want of memory. */
bool cgroup_vm_ran_out(const char *name);

/* Calls `each` with the absolute folder of each that exists. */
void cgroup_vm_each(const char *name, void (*each)(void *ctx, const char *path), void *ctx);
/* Removes those that are empty, as they are when the VMM is gone; false: one stays. */
bool cgroup_vm_remove(const char *name);

/* ---- of any container ---- */

/* Where folders with the names of containers may be, a NULL behind the last. */
extern const char *const cgroup_places[];

/*
 * Removes what nobody has been in for a minute: left by a monitor that was killed in its last moments, with no row and
 * no run folder that would tell of it. Stores share the places, so it may be any store's.
 */
void cgroup_sweep(void);

#endif
