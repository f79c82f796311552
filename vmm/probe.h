/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does KVM really work here?
 *
 * A /dev/kvm that opens proves nothing: software providers of it exist on which an ordinary kernel never
 * boots, and a VMM then hangs instead of failing. So KVM counts as usable when the processor has
 * hardware virtualisation (the vmx or svm flag, the kvm_intel or kvm_amd module, or an arm64 machine), a
 * VM can be created, and no boot has failed with it since the host started. That last one is told by the
 * monitor's watchdog (kvm_mark_bad) and kept in a file of the run root together with the host's boot id.
 */
#ifndef KVBOX_VMM_PROBE_H
#define KVBOX_VMM_PROBE_H

#include <stdbool.h>

#include "base/err.h"

struct kvm_state {
	bool usable;
	char reason[256]; /* why not; or by what it was recognised ("svm, VM created") */
};

/* Where to look; tests bring their own folder. Descriptors are borrowed. */
struct kvm_probe {
	int root;   /* folder that has dev/, proc/ and sys/; AT_FDCWD: the real ones */
	int run_fd; /* the run root, or -1 */
	bool arm64; /* the machine is one */
	/* Creates a VM on the opened /dev/kvm and drops it; 0 or -1. */
	int (*create_vm)(int kvm_fd, struct err *e);
};

/* Never fails: a thing that cannot be found out is a reason against KVM. */
void kvm_probe_run(const struct kvm_probe *p, struct kvm_state *ret);

/* The probe of this machine. */
void kvm_check(int run_fd, struct kvm_state *ret);

/* Remembers until the next boot of the host that a VM did not come up with KVM. `why` is one line; what
 * is not printable is replaced. */
int kvm_mark_bad(int run_fd, const char *why, struct err *e) MUST_CHECK;
/* Forgets that: `system check --repair`. */
int kvm_mark_good(int run_fd, struct err *e) MUST_CHECK;

#endif
