/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file that has everything: the guest's kernel, its initramfs and a hypervisor, appended to our own
 * executable by scripts/bundle.
 *
 *	<executable> kvbox-bundle-1 begins\n <files> <index: JSON>
 *	kvbox-bundle-1 <index's length, 16 hex digits> <its SHA-256>\n
 *
 * The last line says that there is something, the first one that a file without a last line was cut. VMs boot from
 * files, and a file on a disk is shared by all of them and read on demand: so they are unpacked once
 * (engine/bundled.h), each checked against its digest in the index.
 */
#ifndef KVBOX_VMM_BUNDLE_H
#define KVBOX_VMM_BUNDLE_H

#include "base/err.h"

#define BUNDLE_MAGIC	   "kvbox-bundle-1"
#define BUNDLE_BEGIN	   BUNDLE_MAGIC " begins\n"
#define BUNDLE_DIGEST_SIZE 65 /* hex digits and NUL */

/* What the executable `self` carries: 1 and the index's digest, which names all of it; 0: nothing. ERR_CORRUPT:
 * it was cut. Costs four system calls. */
int bundle_look(const char *self, char ret[BUNDLE_DIGEST_SIZE], struct err *e) MUST_CHECK;

/* Unpacks that into the folder `dirfd`, in which none of its files is, and brings it to the disk. What was made
 * before an error stays there. ERR_CORRUPT: it is damaged. ERR_CONFLICT: `self` has another digest by now. */
int bundle_unpack(const char *self, const char *digest, int dirfd, struct err *e) MUST_CHECK;

#endif
