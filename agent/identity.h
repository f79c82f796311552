/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a copy of a saved VM one of its own.
 *
 * All copies begin with the same memory: the same state of the random number generator, the same idea of
 * the time, and what the kernel has read of disks that were behind the slots when the VM was saved.
 */
#ifndef KVBOX_AGENT_IDENTITY_H
#define KVBOX_AGENT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IDENTITY_ENTROPY_MIN 32
#define IDENTITY_ENTROPY_MAX 512

/*
 * `entropy` are bytes from the host that no other copy gets; `now_ns` is the host's time, nanoseconds
 * since 1970. boot_id needs nothing: the kernel makes it when it is first read, which nobody did.
 */
int identity_take(const void *entropy, size_t n, int64_t now_ns, struct err *e) MUST_CHECK;

#endif
