/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `run` and `create` about restarts and logs. Pure. See run_part.h. */
#ifndef KVBOX_CMD_RUN_POLICY_H
#define KVBOX_CMD_RUN_POLICY_H

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_policy {
	const char *restart, *log_driver;
	struct strv log_opts;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_POLICY_OPTS(t, in)                                                                  \
	OPT_STR(0, "log-driver", t, in.log_driver, "string",                                    \
		"Where the log goes: json-file, local or none", COMP_NONE),                     \
		OPT_LIST(0, "log-opt", t, in.log_opts, "list",                                  \
			 "Setting of the log: max-size=<size>, max-file=<number>", COMP_NONE),  \
		OPT_STR(0, "restart", t, in.restart, "string",                                  \
			"When to start it again: no, always, unless-stopped, on-failure[:<n>]", \
			COMP_NONE, .value = "no")

/* auto_remove is set before. */
int run_policy_set(const struct run_policy *a, struct container_spec *spec,
		   struct err *e) MUST_CHECK;
int run_policy_check(struct container_spec *spec, struct strv *warnings, struct err *e) MUST_CHECK;

#endif
