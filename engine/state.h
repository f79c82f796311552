/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json of a run folder: what the monitor says about its VM, since monitors never open the
 * database. Written by the monitor alone (temporary file and rename, without fsync: it describes
 * processes), read by every command. `alive` (rundir.h) says whether to believe it.
 */
#ifndef KVBOX_ENGINE_STATE_H
#define KVBOX_ENGINE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define VMSTATE_FORMAT 1
#define VMSTATE_FILE   "state.json"
#define VMSTATE_SPARE  "state.spare"

/* What the monitor is at; "exited" is the last thing it writes. */
enum vmstate_phase {
	VM_STARTING, /* the container's process does not run yet */
	VM_RUNNING,
	VM_PAUSED,
	VM_STOPPING,
	VM_RESTARTING, /* ended; the restart policy waits to start it again */
	VM_EXITED,
	VM_PHASE_COUNT,
};

struct vmstate {
	enum vmstate_phase phase;
	int64_t pid; /* of the monitor */
	int64_t pid_start;
	int64_t vmm_pid; /* 0: none yet */
	int64_t vmm_start;
	char *cgroup;	    /* absolute path of the cgroup v2 folder that holds both; empty: none */
	int64_t started_at; /* ns; 0: the process never ran */
	int64_t finished_at;
	int64_t exit_code;
	bool oom;
	bool keep; /* "exited", of --rm: it is about to be started again, not to be removed */
	int64_t restart_count;
	char *health; /* Docker's JSON of State.Health, compact, Status first; "": no check */
	char *error;
	char *driver; /* "qemu" */
	char *accel;  /* "kvm" or "tcg" */
	char *accel_reason;
	char *confinement; /* of the VMM: JSON of vmm/confine.h; "": none */
};
#define VMSTATE_INIT                 \
	{                            \
		.phase = VM_STARTING \
	}

void vmstate_release(struct vmstate *s);
#define auto_vmstate __attribute__((cleanup(vmstate_release)))

/* In the run folder `dirfd`. ERR_NOT_FOUND when there is none yet, ERR_CORRUPT when it is
 * damaged or of a format that is not known. NULL texts are written as empty ones; read texts are
 * never NULL. */
int vmstate_write(int dirfd, const struct vmstate *s, struct err *e) MUST_CHECK;
/* Space for the last state, so that a full disk cannot lose how the container ended. vmstate_write_last
 * uses it up where vmstate_write fails; of the health it keeps the status only. */
int vmstate_reserve(int dirfd, struct err *e) MUST_CHECK;
int vmstate_write_last(int dirfd, const struct vmstate *s, struct err *e) MUST_CHECK;
int vmstate_read(int dirfd, struct vmstate *ret, struct err *e) MUST_CHECK;

#endif
