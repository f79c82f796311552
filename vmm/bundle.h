/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file that has everything: the guest's kernel, its initramfs and a hypervisor, appended to our own
 * executable by scripts/bundle.
 *
 *	<executable> <files> <index: JSON> kvbox-bundle-1 <index's length, 16 hex digits> <its SHA-256>\n
 *
 * They are unpacked once, each checked against its digest in the index, into a folder that is named
 * after the index's digest: another build has another folder, and one that is there is complete. VMs boot
 * from files, and a file on a disk is shared by all of them and read on demand.
 */
#ifndef KVBOX_VMM_BUNDLE_H
#define KVBOX_VMM_BUNDLE_H

#include <stdbool.h>

#include "base/err.h"

#define BUNDLE_MAGIC "kvbox-bundle-1"

/* Whether the executable `self` has something appended: two system calls. */
bool bundle_is_there(const char *self);

/* Unpacks what `self` has below the folder `dirfd`, unless that was done before; sets *ret to the name of the
 * folder in there; the caller frees. ERR_NOT_FOUND: nothing is appended. ERR_CORRUPT: it is damaged. */
int bundle_unpack(const char *self, int dirfd, char **ret, struct err *e) MUST_CHECK;

#endif
