/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flat VMDK descriptors: a small text file that makes one disk out of several files without copying
 * them. QEMU and Cloud Hypervisor (v54 and later) read it; the disk must be opened read-only by the VMM,
 * since the lines say RW (QEMU takes a line that says RDONLY for a disk of size 0).
 */
#ifndef KVBOX_VMM_VMDK_H
#define KVBOX_VMM_VMDK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "vmm/driver.h"

/* What QEMU reads of a descriptor and of a path in it. */
#define VMDK_TEXT_MAX (((size_t)1 << 20) - 1)
#define VMDK_PATH_MAX 511

/*
 * Appends the descriptor of a disk of `total` bytes: the files one after the other, then `pad`, of which as
 * much is used as is missing. Sizes are multiples of 512. ERR_INVALID for paths that the format cannot hold
 * (relative, a quote or a control character in it, longer than VMDK_PATH_MAX) and when the files do not
 * fit.
 */
int vmdk_write(const struct vmm_file *files, size_t nfiles, const char *pad, uint64_t total,
	       struct str *ret, struct err *e) MUST_CHECK;

/* For drivers: writes the descriptor of each joined disk of the spec into the run folder, as
 * <serial>.vmdk. */
int vmdk_write_disks(const struct vmm_spec *spec, struct err *e) MUST_CHECK;

#endif
