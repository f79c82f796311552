/* SPDX-License-Identifier: Apache-2.0 */
/* The Cloud Hypervisor driver's parts that tests look at: its command line, and what its events mean. */
#ifndef KVBOX_VMM_CLOUD_HYPERVISOR_PRIV_H
#define KVBOX_VMM_CLOUD_HYPERVISOR_PRIV_H

#include "base/err.h"
#include "base/strv.h"
#include "vmm/api.h"
#include "vmm/driver.h"

/* Descriptors in the VMM's process; its standard output is the guest's console. */
enum {
	CH_FD_API = 3, /* listening */
	CH_FD_EVENTS,  /* pipe to us */
	CH_FD_LOCK,
	CH_FD_RAM, /* of a saved VM */
	CH_FD_NET, /* and the next: taps */
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
	bool landlock;	 /* the host's kernel has as much of it as the VMM wants */
	const char *hot; /* folder in which files of disks appear that are added; NULL: none do */
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
	char removed[VMM_SERIAL_MAX + 1]; /* the device that has gone with this event; "": none */
};

/* One event of the VMM's monitor, a JSON object: true when *ret is one for the caller. */
bool ch_watch_event(struct ch_watch *w, const char *json, size_t n, struct vmm_event *ret);

#define CH_API "/api/v1/"

/* A device that was added: its slot is free when it has no id. */
struct ch_device {
	char id[VMM_SERIAL_MAX + 1];
	bool shown;	   /* by confine_show */
	unsigned adding;   /* the request that adds it, as long as that is not answered */
	unsigned removing; /* the request that removes it, until it is gone */
	bool accepted;	   /* that request was answered */
	bool ejected;	   /* the guest has let go of it */
	unsigned
		barrier; /* asked for after both: its answer comes when the VMM has let go of it, too */
};

struct cloud_hypervisor {
	struct api api;
	struct ch_watch watch;
	int events; /* -1: at its end */
	struct str in;
	size_t used; /* bytes of `in` that were looked at */
	/* Of a VM that is to be saved: copies of the spec's descriptors, and the requests of vmm_save. */
	int run_fd, ram_fd, state_fd;
	char *saved_path; /* where the VMM writes; NULL: it is not to be saved */
	unsigned pausing, saving;
	struct ch_device devices[VMM_HOTPLUG_MAX];
	unsigned memory_mib; /* that was asked for last; 0: not known */
	unsigned resizing;   /* the request */
};

/* ---- cloud_hypervisor_hot.c: what changes while the guest runs ---- */

int ch_add_disk(struct vmm *vmm, const struct vmm_disk *disk, struct err *e) MUST_CHECK;
int ch_add_net(struct vmm *vmm, const struct vmm_net *net, struct err *e) MUST_CHECK;
int ch_remove(struct vmm *vmm, const char *id, struct err *e) MUST_CHECK;
int ch_resize_memory(struct vmm *vmm, unsigned mib, struct err *e) MUST_CHECK;
int ch_resize_vcpus(struct vmm *vmm, unsigned vcpus, struct err *e) MUST_CHECK;

/* Of every answer: the request that is done with it, 0 when none is. *failed may change. */
unsigned ch_hot_answered(struct vmm *vmm, unsigned request, bool *failed);
/* The guest has let go of that device: the request that is done with it, 0 when none is yet. */
unsigned ch_hot_ejected(struct vmm *vmm, const char *id);
/* After the end of the connection, and of what api_abandon tells: the next request that nobody will finish, 0 when
 * there are no more. */
unsigned ch_hot_lost(struct cloud_hypervisor *c);

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

/* ---- cloud_hypervisor_binary.c ---- */

int ch_examine(const char *binary, struct vmm_binary *ret, struct err *e) MUST_CHECK;
/* Whether these bytes of a binary say that it can join files (the name of the image type). */
int ch_binary_joins(const char *binary, bool *ret, struct err *e) MUST_CHECK;

#endif
