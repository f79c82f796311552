/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which VMM runs a container, and whether with KVM.
 *
 * A driver's binary is looked up in its variable (KVBOX_QEMU, ...), then in ../libexec/kvbox beside our
 * own executable's folder, then in PATH. "auto" takes, in this order: the best driver with KVM where KVM
 * really works (vmm/probe.h), else the best one that runs in software. Nothing is executed: this is on
 * the path of every start and takes well under a millisecond.
 */
#ifndef KVBOX_VMM_SELECT_H
#define KVBOX_VMM_SELECT_H

#include <stdbool.h>

#include "base/err.h"
#include "vmm/driver.h"

struct vmm_wish {
	const char *vmm; /* "auto" or a driver's name; NULL or empty: KVBOX_VMM, else "auto" */
	const char *
		accel; /* "auto", "kvm" or "tcg"; NULL: KVBOX_ACCEL, else "auto". "kvm" skips the checks
			    * of the probe and "tcg" does without KVM */
	int run_fd; /* the run root, where a failure of KVM is remembered; -1: not looked at */
};
#define VMM_WISH_INIT          \
	{                      \
		NULL, NULL, -1 \
	}

struct vmm_choice {
	const struct vmm_driver *driver;
	char *binary; /* absolute, or as the variable has it */
	struct vmm_binary about;
	bool kvm;
	/* KVM was asked for, or a VMM that needs it: a boot that fails is not to be retried in software. */
	bool forced;
	char *reason; /* for people: why this accelerator, "no KVM: ..." */
};
#define VMM_CHOICE_INIT                                   \
	{                                                 \
		NULL, NULL, { "", 0 }, false, false, NULL \
	}

/* "kvm" or "tcg", as state.json and info have it. */
const char *vmm_choice_accel(const struct vmm_choice *c);

/* ERR_INVALID unless it is "auto" or the name of a driver. */
int vmm_name_check(const char *name, struct err *e) MUST_CHECK;

/* ERR_INVALID: no such driver or accelerator. ERR_UNAVAILABLE: no binary; the message names what was
 * looked for and the package that has it. */
int vmm_select(const struct vmm_wish *wish, struct vmm_choice *ret, struct err *e) MUST_CHECK;
void vmm_choice_release(struct vmm_choice *c);
#define auto_vmm_choice __attribute__((cleanup(vmm_choice_release)))

/* The binary of one driver, by the same rules; the caller frees. NULL: not found (ERR_UNAVAILABLE). */
char *vmm_binary_find(const struct vmm_driver *d, struct err *e) MUST_CHECK;

#endif
