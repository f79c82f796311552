/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How big a VM is made for a container.
 *
 * The container's own limits are exact and set inside the guest (memory.max, cpu.max); the VM only has to
 * be big enough for them. Memory that the guest never touches costs the host nothing.
 */
#ifndef KVBOX_VMM_SIZE_H
#define KVBOX_VMM_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct vmm_size {
	unsigned memory_mib;
	unsigned vcpus;
};

struct vmm_host {
	uint64_t memory; /* bytes of RAM, or of our cgroup's limit where that is less */
	unsigned cpus;	 /* that we may run on */
};

/* This machine, as far as this process may use it. */
int vmm_host_read(struct vmm_host *ret, struct err *e) MUST_CHECK;

/*
 * memory: the container's limit in bytes, 0 = none; nano_cpus: the limit in 1e-9 processors, 0 = none.
 *
 * RAM: with a limit that much and what kernel and agent need on top, without one a quarter of the host but
 * at most 2 GiB; 256 MiB at least. vCPUs: in software 1 (each more makes a start slower), with KVM the
 * host's up to 4; more where nano_cpus asks for more, but never more than the host has.
 */
void vmm_size_choose(const struct vmm_host *host, int64_t memory, int64_t nano_cpus, bool kvm,
		     struct vmm_size *ret);

#endif
