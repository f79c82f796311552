/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a copy of a saved VM one of its own.
 *
 * All copies begin with the same memory: the same state of the random number generator, the same idea of
 * the time, and the addresses of the saved VM's network interfaces.
 */
#ifndef KVBOX_AGENT_IDENTITY_H
#define KVBOX_AGENT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

#define IDENTITY_ENTROPY_MIN 32
#define IDENTITY_ENTROPY_MAX 512

/*
 * `entropy` are bytes from the host that no other copy gets; `now_ns` is the host's time, nanoseconds
 * since 1970. boot_id needs nothing: the kernel makes it when it is first read, which nobody did.
 */
int identity_take(const void *entropy, size_t n, int64_t now_ns, struct err *e) MUST_CHECK;
/* Before the VM is saved, since a copy would need ten times as long: drops what the kernel has read of its disks,
 * which nobody reads again before a container is set up. */
int identity_forget_disks(struct err *e) MUST_CHECK;

/*
 * Each is "present=new", as 02:00:00:00:00:01: the interface with the first address gets the other. All are found
 * before the first is changed. ERR_NOT_FOUND when there is none with that address.
 */
#define IDENTITY_MACS_MAX 64
int identity_set_macs(const struct strv *macs, struct err *e) MUST_CHECK;

#endif
