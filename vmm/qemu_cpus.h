/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors that come and go while QEMU runs, with KVM. Each that was not there from the beginning is a device;
 * they come in their order. One that was asked to go does so when the guest lets it, and comes back then if it is
 * wanted again meanwhile.
 */
#ifndef KVBOX_VMM_QEMU_CPUS_H
#define KVBOX_VMM_QEMU_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/driver.h"
#include "vmm/qemu_priv.h"
#include "vmm/qmp.h"

#define QEMU_CPUS_MAX 255

struct qemu_cpu {
	unsigned char state; /* of an enum; 0: it is not there */
	bool again;	     /* wanted again while it goes */
	bool drop;	     /* no more wanted while it comes */
	bool counts;	     /* the command on its way belongs to the request */
	int64_t pending;     /* id of the command on its way, 0: none */
};

struct qemu_cpus {
	unsigned first, max; /* there from the beginning, at most */
	int64_t request;     /* number of what the caller asked for, 0: nothing */
	unsigned unanswered; /* commands of it */
	bool failed;
	char why[sizeof(((struct vmm_event *)0)->text)];
	struct qemu_cpu v[QEMU_CPUS_MAX];
};

void qemu_cpus_init(struct qemu_cpus *cpus, const struct vmm_spec *spec);
/* Whether there is any, or may be, that was not there from the beginning. */
bool qemu_cpus_any(const struct qemu_cpus *cpus);
/* Returns the request's number; ERR_CONFLICT while another one is on its way. */
int qemu_cpus_resize(struct qemu_cpus *cpus, struct qmp *qmp, unsigned n, struct err *e) MUST_CHECK;
/* As qemu_plugs_message. */
int qemu_cpus_message(struct qemu_cpus *cpus, struct qmp *qmp, const struct qmp_message *m,
		      enum qemu_step *step, struct vmm_event *ret, struct err *e) MUST_CHECK;

#endif
