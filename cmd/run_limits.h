/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `run` and `create` about memory, processors and other limits. Pure. See run_part.h. */
#ifndef KVBOX_CMD_RUN_LIMITS_H
#define KVBOX_CMD_RUN_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "cmd/ulimit.h"
#include "engine/spec.h"

struct run_limits {
	int64_t memory, memory_swap, memory_reservation, kernel_memory, nano_cpus;
	struct opt_int memory_swappiness, cpu_shares, cpu_period, cpu_quota, pids_limit,
		oom_score_adj, rt_period, rt_runtime;
	const char *cpuset_cpus, *cpuset_mems;
	bool oom_kill_disable;
	struct strv ulimits;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_LIMITS_OPTS(t, in)                                                                     \
	OPT_INT(0, "cpu-period", t, in.cpu_period, "int64",                                        \
		"Length of a period of --cpu-quota, in microseconds", COMP_NONE),                  \
		OPT_INT(0, "cpu-quota", t, in.cpu_quota, "int64",                                  \
			"CPU time in each period, in microseconds", COMP_NONE),                    \
		OPT_INT(0, "cpu-rt-period", t, in.rt_period, "int64",                              \
			"Without effect: there is no real-time CPU time to share out", COMP_NONE), \
		OPT_INT(0, "cpu-rt-runtime", t, in.rt_runtime, "int64",                            \
			"Without effect: there is no real-time CPU time to share out", COMP_NONE), \
		OPT_INT('c', "cpu-shares", t, in.cpu_shares, "int64",                              \
			"CPU time in relation to others (1024: the usual share)", COMP_NONE),      \
		OPT_CPUS(0, "cpus", t, in.nano_cpus, "decimal", "Most CPU time, in processors",    \
			 COMP_NONE),                                                               \
		OPT_STR(0, "cpuset-cpus", t, in.cpuset_cpus, "string",                             \
			"Processors to run on (0-3, 0,1)", COMP_NONE),                             \
		OPT_STR(0, "cpuset-mems", t, in.cpuset_mems, "string",                             \
			"Memory nodes to use (0-3, 0,1)", COMP_NONE),                              \
		OPT_SIZE(0, "kernel-memory", t, in.kernel_memory, "bytes", "Ignored", COMP_NONE,   \
			 .hidden = true),                                                          \
		OPT_SIZE('m', "memory", t, in.memory, "bytes",                                     \
			 "Most memory that the container can use", COMP_NONE),                     \
		OPT_SIZE(0, "memory-reservation", t, in.memory_reservation, "bytes",               \
			 "Memory that the container keeps when memory is short", COMP_NONE),       \
		OPT_SWAP(0, "memory-swap", t, in.memory_swap, "bytes",                             \
			 "Most memory and swap together (-1: not limited)", COMP_NONE),            \
		OPT_INT(0, "memory-swappiness", t, in.memory_swappiness, "int64",                  \
			"Without effect: version 2 of cgroups has no such setting", COMP_NONE,     \
			.value = "-1"),                                                            \
		OPT_BOOL(0, "oom-kill-disable", t, in.oom_kill_disable,                            \
			 "Without effect: version 2 of cgroups has no such setting"),              \
		OPT_INT(0, "oom-score-adj", t, in.oom_score_adj, "int",                            \
			"Which process is killed first when memory runs out (-1000 to 1000)",      \
			COMP_NONE),                                                                \
		OPT_INT(0, "pids-limit", t, in.pids_limit, "int64",                                \
			"Most processes and threads (-1: not limited)", COMP_NONE),                \
		OPT_LIST(0, "ulimit", t, in.ulimits, "ulimit",                                     \
			 "Resource limit of the processes: <name>=<soft>[:<hard>]", COMP_NONE,     \
			 .check = ulimit_check)

int run_limits_set(const struct run_limits *a, struct container_spec *spec,
		   struct err *e) MUST_CHECK;
int run_limits_check(const struct run_limits *a, struct container_spec *spec, struct strv *warnings,
		     struct err *e) MUST_CHECK;

#endif
