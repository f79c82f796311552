/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VMM may have, and nothing else: the policy over base/spawn_confined.h.
 *
 * vmm_start makes a `struct confine` when the caller says where a VMM is to live (vmm_spec.confine_host),
 * and gives the driver a copy of the spec in which every path is the name inside the VMM's own root: the
 * kernel is /vm/kernel, the disk with serial S is /vm/S (its n-th file /vm/S.n when it has several), the
 * padding /vm/pad; run_fd and run_path become a folder of the VMM's own, /vm/v. The names are the same in
 * each VM. The driver starts its program by vmm_spawn, and needs to know no more.
 *
 * What the host does not allow is left out: vmm_start asks confine_weaken after a failure and lets the driver
 * start again, with the host's own paths when there can be no root. confine_report tells what was applied
 * and what was not, and why.
 */
#ifndef KVBOX_VMM_CONFINE_H
#define KVBOX_VMM_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/spawn.h"
#include "base/str.h"

struct vmm_spec;
struct vmm_disk;
struct vmm_driver;

/* Where a VMM is to live; all of it is borrowed as long as the VM is. */
struct confine_host {
	int run_root; /* folder in whose file "uids" users are leased */
	/* The cgroup v2 it is born in (its folder, or -1); files "cgroup.procs" of those that it is put into
	 * otherwise; what they limit. */
	int cgroup;
	const int *cgroup_procs;
	size_t ncgroup_procs;
	const char *limits;    /* "2304 MiB of memory, ..." */
	const char *no_limits; /* what is not limited, and why; "": nothing */
};

struct confine;

/* Leases a user (root only), makes the folder of the VMM, names its files. */
int confine_open(const struct vmm_driver *d, const struct vmm_spec *spec, struct confine **ret,
		 struct err *e) MUST_CHECK;
/* The spec for the driver; valid until confine_weaken or confine_close. */
const struct vmm_spec *confine_spec(const struct confine *c);
/* After a failed start: true when something was given up, so that it may work now. */
bool confine_weaken(struct confine *c, struct err *e);
/* One line of JSON: {"User":N,"Applied":[...],"Missing":{step:reason},...}. */
void confine_report(const struct confine *c, struct str *ret);
/* Ends the lease: when the VMM is gone. NULL is fine. */
void confine_close(struct confine *c);

/* ---- for drivers --------------------------------------------------------------------------------- */

enum {
	VMM_SPAWN_RW_FOLDER = 1u << 0, /* it makes files and sockets in its folder */
	VMM_SPAWN_IO_URING = 1u << 1,  /* it uses io_uring */
	/* It opens the root folder, and looks for files from there on. */
	VMM_SPAWN_LIST_ROOT = 1u << 2,
};
/* Instead of spawn_start, which it is when `spec` has no confinement. */
int vmm_spawn(const struct vmm_spec *spec, const struct spawn *s, unsigned flags, struct proc *ret,
	      struct err *e) MUST_CHECK;
/* Lets the VMM's user have a file or socket that was made for it (chown). */
int confine_give(struct confine *c, int dirfd, const char *name, struct err *e) MUST_CHECK;

/*
 * Files that come while the VMM runs (a disk that is added): only in a root folder of its own, and with
 * VMM_SPAWN_RW_FOLDER, since they appear in its folder, which Landlock allows it. confine_show returns the name by
 * which the VMM finds the disk's only file (the caller frees it), confine_hide ends that; what the VMM has open it
 * keeps. Both wait for a helper process, which takes about a millisecond. Without confinement a file
 * keeps its name.
 */
bool confine_shows(const struct confine *c);
int confine_show(const struct confine *c, const struct proc *p, const struct vmm_disk *disk,
		 char **ret, struct err *e) MUST_CHECK;
int confine_hide(const struct confine *c, const struct proc *p, const char *serial,
		 struct err *e) MUST_CHECK;

#endif
