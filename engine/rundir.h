/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run folder of one VM, <runroot>/<first 12 hex of the id>/, and its three locks:
 *
 *	alive  held by the monitor for its life; others only test it
 *	vm     taken by the monitor on a new description for each start, inherited by the VMM,
 *	       the monitor's copy closed after the spawn: a VM is dead only when both are free
 *	op     held by the one command that changes rows, run folder or disks, while it does
 *
 * Other files there: c (control.sock), state.json (state.h), and whatever the driver needs.
 * Everything but the locks goes when the VM has ended; the folder goes with the container.
 */
#ifndef KVBOX_ENGINE_RUNDIR_H
#define KVBOX_ENGINE_RUNDIR_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/paths.h"

#define RUNDIR_NAME_SIZE 13
#define RUNDIR_SOCKET	 "c"
#define RUNDIR_ALIVE	 "alive"
#define RUNDIR_VM	 "vm"
#define RUNDIR_OP	 "op"

struct rundir {
	int fd; /* the folder */
	int op; /* descriptor that holds the op lock, or -1 */
	char name[RUNDIR_NAME_SIZE];
	bool killed; /* its VMM was, for good: whoever removes the folder need not wait for its end */
};
#define RUNDIR_INIT                  \
	{                            \
		-1, -1, { 0 }, false \
	}

/* Opens, and makes it with `create`. ERR_NOT_FOUND without. */
int rundir_open(const struct paths *p, const char *id, bool create, struct rundir *ret,
		struct err *e) MUST_CHECK;
/* Releases descriptors, and so the op lock if it is held. */
void rundir_release(struct rundir *d);
#define auto_rundir __attribute__((cleanup(rundir_release)))

/* Opens (and makes) the folder and takes `op`; with `wait` blocks until it is free. Returns 1
 * with the lock, 0 when it is held elsewhere. The folder is the one that has the name now, even
 * when another command removed it while this one waited. Only commands that know a row of `id`
 * (or are about to insert it) make folders: see container_lock. */
int rundir_lock(const struct paths *p, const char *id, bool wait, struct rundir *ret,
		struct err *e) MUST_CHECK;

/* For the monitor. ERR_CONFLICT when held elsewhere. The lock lives as long as the description. */
int rundir_take_alive(const struct rundir *d, int *ret, struct err *e) MUST_CHECK;
int rundir_take_vm(const struct rundir *d, int *ret, struct err *e) MUST_CHECK;

/* Tests: 1 held, 0 free (also when there is no such file). */
int rundir_alive(const struct rundir *d, struct err *e) MUST_CHECK;
int rundir_vm(const struct rundir *d, struct err *e) MUST_CHECK;
/* The same by id in three system calls, for listing. */
int rundir_alive_by_id(const struct paths *p, const char *id, struct err *e) MUST_CHECK;

/* Removes everything but the locks. Only under op. */
int rundir_clean(const struct rundir *d, struct err *e) MUST_CHECK;
/* Removes the folder. Only under op, and when vm is free (ERR_CONFLICT) or the VMM was killed. `alive` may be held
 * still only by the monitor that has the container removed at its end, which touches the folder
 * no more. */
int rundir_remove(const struct paths *p, struct rundir *d, struct err *e) MUST_CHECK;

#endif
