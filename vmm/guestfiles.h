/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every VM boots: the guest's kernel and its initramfs (with the agent in it).
 *
 * KVBOX_KERNEL and KVBOX_INITRAMFS name them; what is not named is ../libexec/kvbox/vmlinux and
 * ../libexec/kvbox/initramfs beside the folder of our own executable, or in the folder KVBOX_LIBEXEC, which
 * one executable that carries them (bundle.h) sets for itself.
 */
#ifndef KVBOX_VMM_GUESTFILES_H
#define KVBOX_VMM_GUESTFILES_H

#include "base/err.h"

struct guest_files {
	char *kernel; /* absolute */
	char *initramfs;
	char *about; /* which kernel that is, one line: kernel.txt beside it; "" where there is none */
};
#define GUEST_FILES_INIT         \
	{                        \
		NULL, NULL, NULL \
	}

/* ERR_UNAVAILABLE when one is missing: names the file and how to make it. The kernel's first bytes are
 * looked at, since a compressed one would only hang. */
int guest_files_find(struct guest_files *ret, struct err *e) MUST_CHECK;
void guest_files_release(struct guest_files *g);
#define auto_guest_files __attribute__((cleanup(guest_files_release)))

/* <folder of our executable>/../libexec/kvbox/<name>, or <KVBOX_LIBEXEC>/<name>; the caller frees. NULL with an
 * error. */
char *guest_libexec_path(const char *name, struct err *e) MUST_CHECK;

#endif
