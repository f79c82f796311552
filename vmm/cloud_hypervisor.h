/* SPDX-License-Identifier: Apache-2.0 */
/* The driver for Cloud Hypervisor 51 and later; with KVM only. */
#ifndef KVBOX_VMM_CLOUD_HYPERVISOR_H
#define KVBOX_VMM_CLOUD_HYPERVISOR_H

#include "vmm/driver.h"

extern const struct vmm_driver vmm_cloud_hypervisor;

#endif
