/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `run` and `create` about file systems and devices. Pure. See run_part.h. */
#ifndef KVBOX_CMD_RUN_FILES_H
#define KVBOX_CMD_RUN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_files {
	bool read_only;
	struct strv tmpfs, storage_opts, devices, device_rules;
	int64_t shm_size;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_FILES_OPTS(t, in)                                                                     \
	OPT_LIST(0, "device", t, in.devices, "list",                                              \
		 "Device of the container's virtual machine: /dev/fuse, /dev/net/tun, others",    \
		 COMP_NONE),                                                                      \
		OPT_LIST(0, "device-cgroup-rule", t, in.device_rules, "list",                     \
			 "Allow a kind of devices: \"<type> <major>:<minor> <rwm>\"", COMP_NONE,  \
			 .check = run_files_rule),                                                \
		OPT_BOOL(0, "read-only", t, in.read_only, "Make the root file system read-only"), \
		OPT_SIZE(0, "shm-size", t, in.shm_size, "bytes", "Size of /dev/shm", COMP_NONE),  \
		OPT_LIST(0, "storage-opt", t, in.storage_opts, "list",                            \
			 "size=<size>: of the container's writable disk", COMP_NONE),             \
		OPT_LIST(0, "tmpfs", t, in.tmpfs, "list",                                         \
			 "Mount a file system in memory: <path>[:<options>]", COMP_NONE)

int run_files_rule(const char *text, struct err *e) MUST_CHECK;

int run_files_set(const struct run_files *a, struct container_spec *spec, struct err *e) MUST_CHECK;
int run_files_check(const struct run_files *a, struct container_spec *spec,
		    struct err *e) MUST_CHECK;

#endif
