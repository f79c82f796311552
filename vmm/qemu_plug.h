/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that come and go while QEMU runs: disks and network interfaces behind its hotplug bridge, one a slot.
 *
 * Each takes several commands, of which one is on its way at a time; what was done is undone, latest first, when
 * one of them fails, so that the same can be asked for again. A device that is removed is gone when QEMU says so,
 * which the guest decides: it may be never, and it may be without having been asked. QEMU counts as hostile: what
 * it says of devices that there are not, or twice, is nothing.
 *
 * Nothing is owned but memory: descriptors are handed over with the first command, or closed.
 */
#ifndef KVBOX_VMM_QEMU_PLUG_H
#define KVBOX_VMM_QEMU_PLUG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "vmm/driver.h"
#include "vmm/qemu_priv.h"
#include "vmm/qmp.h"

struct qemu_plug {
	unsigned char step; /* of a table; 0: the slot is free */
	bool gone;	    /* QEMU says so, in the middle of something */
	bool refused;	    /* the same for: the guest does not let go of it */
	bool failed;	    /* the request */
	unsigned number;    /* another one for each device there ever was */
	int64_t pending;    /* id of the command on its way, 0: none */
	int64_t request;    /* number of what the caller asked for, 0: nothing */
	char id[VMM_SERIAL_MAX + 1];
	bool readonly;			 /* disk */
	unsigned char mac[VMM_MAC_SIZE]; /* net */
	char why[sizeof(((struct vmm_event *)0)->text)];
};

struct qemu_plugs {
	unsigned room; /* slots */
	unsigned last_number;
	struct strv first; /* ids of the devices that were there from the beginning */
	struct qemu_plug v[VMM_HOTPLUG_MAX];
};

void qemu_plugs_init(struct qemu_plugs *plugs, const struct vmm_spec *spec);
void qemu_plugs_release(struct qemu_plugs *plugs);
/* Whether there is any device that was not there from the beginning. */
bool qemu_plugs_any(const struct qemu_plugs *plugs);

/* Each returns the request's number. ERR_INVALID without room, ERR_CONFLICT for an id that is taken or busy,
 * ERR_NOT_FOUND for one that was not added. */
int qemu_plug_disk(struct qemu_plugs *plugs, struct qmp *qmp, const struct vmm_disk *disk,
		   struct err *e) MUST_CHECK;
int qemu_plug_net(struct qemu_plugs *plugs, struct qmp *qmp, const struct vmm_net *net,
		  struct err *e) MUST_CHECK;
int qemu_unplug(struct qemu_plugs *plugs, struct qmp *qmp, const char *id,
		struct err *e) MUST_CHECK;

/* An answer or event: 1 when it was for a device here, with *step QEMU_NOTHING or QEMU_REPORT, else 0; -1 when
 * the next command could not be sent. */
int qemu_plugs_message(struct qemu_plugs *plugs, struct qmp *qmp, const struct qmp_message *m,
		       enum qemu_step *step, struct vmm_event *ret, struct err *e) MUST_CHECK;

#endif
