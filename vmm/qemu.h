/* SPDX-License-Identifier: Apache-2.0 */
/* The driver for QEMU 7.2 and later, with KVM or in software. */
#ifndef KVBOX_VMM_QEMU_H
#define KVBOX_VMM_QEMU_H

#include "vmm/driver.h"

extern const struct vmm_driver vmm_qemu;

#endif
