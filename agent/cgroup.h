/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cgroup (v2) per container, inside the guest: its limits, and a handle for all its processes.
 *
 * Controllers are enabled only for what is limited: each costs milliseconds at the start (in
 * software emulation 20 for all), and without limits they would only count what the VM as a whole
 * shows too.
 */
#ifndef KVBOX_AGENT_CGROUP_H
#define KVBOX_AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Mounts the hierarchy. Called once. */
int cgroup_prepare(struct err *e) MUST_CHECK;

/* Creates the container's cgroup. 0 means no limit. *ret is its folder. */
int cgroup_make(const char *name, int64_t memory, int64_t nano_cpus, int *ret,
		struct err *e) MUST_CHECK;
/* Kills every process in it. */
int cgroup_kill(int fd, struct err *e) MUST_CHECK;
/* Whether the kernel killed any process for want of memory: of it, or without a limit of the VM. */
bool cgroup_saw_oom(int fd);

#endif
