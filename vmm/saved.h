/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM of saved VMs: vmm_spec.ram_fd.
 *
 * A VM that is to be saved has it in a memfd, whose touched pages are then kept in a file. Copies get a
 * memfd again, filled from that file and sealed against writing and shrinking. For the VMM maps it
 * privately, but may open it for writing: QEMU before 8.2 then punches a hole into it whenever a guest
 * reports free pages, and every other copy would find zeros there.
 */
#ifndef KVBOX_VMM_SAVED_H
#define KVBOX_VMM_SAVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* `size` bytes of nothing. */
int vmm_ram_new(uint64_t size, int *ret, struct err *e) MUST_CHECK;
/* The contents of the file `fd`, sealed; several VMs may share it. */
int vmm_ram_load(int fd, int *ret, struct err *e) MUST_CHECK;
/* Whether it is what vmm_ram_load makes, and nobody can change it any more. */
bool vmm_ram_is_sealed(int fd);

#endif
