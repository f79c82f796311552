/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `run` and `create` that are about the host in Docker: its namespaces, its schedulers, its way
 * to run containers. What has the same effect in a virtual machine is accepted; what no program can tell
 * is accepted with a warning; what a program would miss is refused. See run_part.h.
 */
#ifndef KVBOX_CMD_RUN_HOST_H
#define KVBOX_CMD_RUN_HOST_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_host {
	const char *ipc, *pid, *uts, *userns, *cgroupns, *runtime, *cgroup_parent;
	struct opt_int blkio_weight;
	struct strv blkio_weights, read_bps, write_bps, read_iops, write_iops, sysctls;
	bool init, content_trust;
};

#define RUN_HOST_DISK_HELP "Without effect: the disk is the virtual machine's own"

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_HOST_OPTS(t, in)                                                                     \
	OPT_UINT16(0, "blkio-weight", t, in.blkio_weight, "uint16", RUN_HOST_DISK_HELP,          \
		   COMP_NONE),                                                                   \
		OPT_LIST(0, "blkio-weight-device", t, in.blkio_weights, "list",                  \
			 RUN_HOST_DISK_HELP, COMP_NONE, .check = run_host_weight),               \
		OPT_STR(0, "cgroup-parent", t, in.cgroup_parent, "string",                       \
			"Without effect: the cgroup is the virtual machine's own", COMP_NONE),   \
		OPT_STR(0, "cgroupns", t, in.cgroupns, "string",                                 \
			"Cgroup namespace to use: private", COMP_NONE),                          \
		OPT_LIST(0, "device-read-bps", t, in.read_bps, "list", RUN_HOST_DISK_HELP,       \
			 COMP_NONE, .check = run_host_bytes),                                    \
		OPT_LIST(0, "device-read-iops", t, in.read_iops, "list", RUN_HOST_DISK_HELP,     \
			 COMP_NONE, .check = run_host_operations),                               \
		OPT_LIST(0, "device-write-bps", t, in.write_bps, "list", RUN_HOST_DISK_HELP,     \
			 COMP_NONE, .check = run_host_bytes),                                    \
		OPT_LIST(0, "device-write-iops", t, in.write_iops, "list", RUN_HOST_DISK_HELP,   \
			 COMP_NONE, .check = run_host_operations),                               \
		OPT_BOOL(0, "disable-content-trust", t, in.content_trust, "Ignored",             \
			 .hidden = true),                                                        \
		OPT_BOOL(0, "init", t, in.init,                                                  \
			 "Run an init that passes signals on and collects processes"),           \
		OPT_STR(0, "ipc", t, in.ipc, "string",                                           \
			"IPC namespace to use: private, shareable or none", COMP_NONE),          \
		OPT_STR(0, "pid", t, in.pid, "string",                                           \
			"PID namespace to use: only the container's own", COMP_NONE),            \
		OPT_STR(0, "runtime", t, in.runtime, "string",                                   \
			"Without effect: there is one way to run a container", COMP_NONE),       \
		OPT_LIST(0, "sysctl", t, in.sysctls, "map",                                      \
			 "Set a parameter of the container's kernel: <name>=<value>", COMP_NONE, \
			 .check = run_host_sysctl),                                              \
		OPT_STR(0, "userns", t, in.userns, "string",                                     \
			"User namespace to use: only the container's own", COMP_NONE),           \
		OPT_STR(0, "uts", t, in.uts, "string",                                           \
			"UTS namespace to use: host gives it the host's name", COMP_NONE)

/* Checks of the table. */
int run_host_weight(const char *text, struct err *e) MUST_CHECK;
int run_host_bytes(const char *text, struct err *e) MUST_CHECK;
int run_host_operations(const char *text, struct err *e) MUST_CHECK;
int run_host_sysctl(const char *text, struct err *e) MUST_CHECK;

int run_host_set(const struct run_host *a, struct container_spec *spec, struct err *e) MUST_CHECK;
/* After the host name was set. */
int run_host_check(const struct run_host *a, struct container_spec *spec, struct strv *warnings,
		   struct err *e) MUST_CHECK;

#endif
