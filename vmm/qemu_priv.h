/* SPDX-License-Identifier: Apache-2.0 */
/* The QEMU driver's parts that tests look at: its command line, and what its events mean. */
#ifndef KVBOX_VMM_QEMU_PRIV_H
#define KVBOX_VMM_QEMU_PRIV_H

#include "base/err.h"
#include "base/strv.h"
#include "vmm/driver.h"
#include "vmm/qmp.h"

/* Descriptors in the QEMU process. */
enum {
	QEMU_FD_QMP = 3,
	QEMU_FD_CHANNEL,
	QEMU_FD_CONSOLE,
	QEMU_FD_LOCK,
	QEMU_FD_RAM,
	QEMU_FD_NETS, /* the taps, one after the other */
};

/* What the command line needs to know beside the spec. */
struct qemu_plan {
	unsigned tsc_khz; /* the host's counter for a guest in software; 0: unknown */
};

/* The guest kernel's command line, appended. */
int qemu_cmdline(const struct vmm_spec *spec, const struct qemu_plan *plan, struct str *ret,
		 struct err *e) MUST_CHECK;

/* The run folder as QEMU names it: its path in a root of its own, else "." since it starts in there. (With a
 * path of more than about 100 bytes before a file of the firmware's, QEMU 7.2 hangs without a word.) */
const char *qemu_folder(const struct vmm_spec *spec);

/* All of argv. Joined disks are expected there as <serial>.vmdk, and the tables of a guest in
 * software (vmm/acpi.h) as the two files below. */
#define QEMU_FILE_TABLES "acpi.tables"
#define QEMU_FILE_LOADER "acpi.loader"
int qemu_args(const struct vmm_spec *spec, const struct qemu_plan *plan, struct strv *ret,
	      struct err *e) MUST_CHECK;

/* The bus of devices that come later. */
#define QEMU_HOTPLUG_BUS "hotplug"
/* The device that gives more memory, and the unit in which it does. */
#define QEMU_MEMORY_PATH      "/machine/peripheral/memory"
#define QEMU_MEMORY_BLOCK_MIB 2u
/* How much that is at most beside vmm_spec.memory_mib, a multiple of the unit; 0: there is none. */
unsigned qemu_memory_more(unsigned memory_mib, unsigned memory_max_mib);
/* As QEMU takes a MAC, appended. */
void qemu_mac(const unsigned char mac[VMM_MAC_SIZE], struct str *ret);

/* What has to be remembered between messages. */
struct qemu_watch {
	bool ready, panicked, ended, broken; /* reported already: each is once */
	int64_t last_id;		     /* of all commands that were sent */
	int64_t answered;		     /* id of the last one that was answered */
	int64_t capabilities;		     /* id of the handshake */
	int64_t status;			     /* id of our own question after the state, 0: none */
	bool pausing;			     /* a pause was asked for: STOP is its effect */
	int64_t saving;			     /* id of the command that saves, 0: none */
	int64_t vital; /* commands up to this id are the driver's own, and have to succeed */
};

enum qemu_step {
	QEMU_NOTHING, /* of no interest */
	QEMU_REPORT,  /* *ret is an event for the caller */
	QEMU_ASK,     /* the guest stands still and nobody asked for it: query-status tells why */
};

/* A text of QEMU's, with what cannot be printed as '?'. */
void qemu_set_text(struct vmm_event *ev, const char *text);

/* One message. */
enum qemu_step qemu_watch_message(struct qemu_watch *w, const struct qmp_message *m,
				  struct vmm_event *ret);

#endif
