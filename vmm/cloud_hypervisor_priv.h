/* SPDX-License-Identifier: Apache-2.0 */
/* The Cloud Hypervisor driver's parts that tests look at: its command line, and what its events mean. */
#ifndef KVBOX_VMM_CLOUD_HYPERVISOR_PRIV_H
#define KVBOX_VMM_CLOUD_HYPERVISOR_PRIV_H

#include "base/err.h"
#include "base/strv.h"
#include "vmm/driver.h"

/* Descriptors in the VMM's process; its standard output is the guest's console. */
enum {
	CH_FD_API = 3, /* listening */
	CH_FD_EVENTS,  /* pipe to us */
	CH_FD_LOCK,
	CH_FD_RAM, /* of a saved VM */
};

/*
 * Files in the run folder. The first is there for a moment only, the second is made by the VMM, the third by
 * us: the VMM connects to it when the guest dials VMM_VSOCK_PORT.
 */
#define CH_FILE_API	"a"
#define CH_FILE_VSOCK	"v"
#define CH_FILE_DIALLED "v_1024"
/* Of a VM that is saved: its RAM, and the folder of the rest. */
#define CH_FILE_RAM	"ram"
#define CH_FOLDER_SAVED "s"

/* What the command line needs to know beside the spec. */
struct ch_plan {
	bool landlock; /* the host's kernel has as much of it as the VMM wants */
};

/* The guest kernel's command line, appended. */
int ch_cmdline(const struct vmm_spec *spec, struct str *ret, struct err *e) MUST_CHECK;

/* The run folder as the VMM names it: its path, or "." where sockets in it would have too long a path and the
 * VMM can start in there. */
const char *ch_folder(const struct vmm_spec *spec);

/* All of argv. Joined disks are expected as <serial>.vmdk in the run folder. */
int ch_args(const struct vmm_spec *spec, const struct ch_plan *plan, struct strv *ret,
	    struct err *e) MUST_CHECK;

/* Which events were reported already: each is once. */
struct ch_watch {
	bool ready, panicked, ended, reset;
};

/* One event of the VMM's monitor, a JSON object: true when *ret is one for the caller. */
bool ch_watch_event(struct ch_watch *w, const char *json, size_t n, struct vmm_event *ret);

/* ---- cloud_hypervisor_saved.c: vmm_spec.saving ---- */

/* Makes what a VM that is to be saved needs in its run folder. */
int ch_saved_prepare(const struct vmm_spec *spec, struct err *e) MUST_CHECK;
/* Takes what the VMM has saved out of the run folder. */
int ch_saved_collect(int run_fd, int ram_fd, int state_fd, struct err *e) MUST_CHECK;
/* Puts the folder back for a copy. */
int ch_saved_restore(const struct vmm_spec *spec, struct err *e) MUST_CHECK;
/* The copy's configuration out of the saved one's. */
int ch_saved_config(const struct vmm_spec *spec, const char *text, size_t n, struct str *ret,
		    struct err *e) MUST_CHECK;

/* Whether these bytes of a binary say that it can join files (the name of the image type). */
int ch_binary_joins(const char *binary, bool *ret, struct err *e) MUST_CHECK;

#endif
