/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `run` and `create` about what the processes may do. See run_part.h.
 *
 * A seccomp profile's file is read here, once: the definition holds its text.
 */
#ifndef KVBOX_CMD_RUN_SECURITY_H
#define KVBOX_CMD_RUN_SECURITY_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_security {
	struct strv cap_add, cap_drop, options, groups, annotations;
	bool privileged;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_SECURITY_OPTS(t, in)                                                             \
	OPT_LIST(0, "annotation", t, in.annotations, "map",                                  \
		 "Note on the container for others to read: <key>=<value>", COMP_NONE),      \
		OPT_LIST(0, "cap-add", t, in.cap_add, "list", "Add a Linux capability",      \
			 COMP_NONE),                                                         \
		OPT_LIST(0, "cap-drop", t, in.cap_drop, "list", "Drop a Linux capability",   \
			 COMP_NONE),                                                         \
		OPT_LIST(0, "group-add", t, in.groups, "list",                               \
			 "Group to be in as well, by name or number", COMP_NONE),            \
		OPT_BOOL(0, "privileged", t, in.privileged,                                  \
			 "Allow everything inside the container's virtual machine"),         \
		OPT_LIST(0, "security-opt", t, in.options, "list",                           \
			 "seccomp=<file|builtin|unconfined>, no-new-privileges[=<bool>] or " \
			 "systempaths=unconfined",                                           \
			 COMP_NONE)

int run_security_set(const struct run_security *a, struct container_spec *spec,
		     struct err *e) MUST_CHECK;
int run_security_check(const struct run_security *a, struct container_spec *spec,
		       struct strv *warnings, struct err *e) MUST_CHECK;

#endif
