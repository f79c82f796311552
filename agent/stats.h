/* SPDX-License-Identifier: Apache-2.0 */
/* container.stats: what a container uses. It only reads; what cannot be read counts as 0. */
#ifndef KVBOX_AGENT_STATS_H
#define KVBOX_AGENT_STATS_H

#include "agent/container.h"
#include "base/json.h"

/* Before the container's first process. */
void stats_begin(struct container *c);
/* The reply's members (docs/protocol.md) into the open object. */
void stats_write(const struct container *c, struct json_writer *w);

/* ---- the kernel's texts ---- */

struct stats_cpu {
	uint64_t ticks; /* of all CPUs, whatever they did */
	unsigned int cpus;
};
struct stats_bytes {
	uint64_t in, out;
};

/* /proc/stat */
void stats_parse_cpu(const char *text, struct stats_cpu *ret);
/* The number of a line "Name:   123 kB" of /proc/meminfo, in bytes. */
uint64_t stats_meminfo(const char *text, const char *name);
/* /proc/vmstat: the bytes that a cgroup of all processes would count. */
uint64_t stats_vmstat_memory(const char *text);
/* /sys/block/x/stat: what was read and written, added to `ret`. */
void stats_add_disk(const char *text, struct stats_bytes *ret);
/* /proc/net/dev: of all interfaces but lo, received and sent. */
void stats_parse_net(const char *text, struct stats_bytes *ret);

#endif
