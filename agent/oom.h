/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of a container that the kernel killed for want of memory. Where the container has a limit, its
 * cgroup tells at once; without one it is the whole VM that runs out, of which only a counter tells, so
 * somebody has to ask.
 */
#ifndef KVBOX_AGENT_OOM_H
#define KVBOX_AGENT_OOM_H

#include "agent/container.h"
#include "agent/loop.h"

/* Calls `changed` when the container's cgroup tells something, for ever. No limit on memory: never. */
int oom_watch(struct loop *loop, const struct container *c, void (*changed)(void *ctx), void *ctx,
	      struct err *e) MUST_CHECK;
/* Whether there were any since the last call that said so. */
bool oom_happened(struct container *c);

#endif
