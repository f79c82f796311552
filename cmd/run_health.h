/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `run` and `create` about the health check, over what the image says. Pure. See run_part.h. */
#ifndef KVBOX_CMD_RUN_HEALTH_H
#define KVBOX_CMD_RUN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_health {
	const char *cmd;
	int64_t interval, timeout, start_period, start_interval;
	struct opt_int retries;
	bool none;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_HEALTH_OPTS(t, in)                                                                   \
	OPT_STR(0, "health-cmd", t, in.cmd, "string", "Command that tells whether all is well",  \
		COMP_NONE),                                                                      \
		OPT_DURATION(0, "health-interval", t, in.interval, "duration",                   \
			     "Time between two checks (ms|s|m|h)", COMP_NONE),                   \
		OPT_INT(0, "health-retries", t, in.retries, "int",                               \
			"How many checks fail in a row before the container is unhealthy",       \
			COMP_NONE),                                                              \
		OPT_DURATION(0, "health-start-interval", t, in.start_interval, "duration",       \
			     "Time between two checks while the container starts (ms|s|m|h)",    \
			     COMP_NONE),                                                         \
		OPT_DURATION(0, "health-start-period", t, in.start_period, "duration",           \
			     "Time at the start in which failed checks do not count (ms|s|m|h)", \
			     COMP_NONE),                                                         \
		OPT_DURATION(0, "health-timeout", t, in.timeout, "duration",                     \
			     "Most time for one check (ms|s|m|h)", COMP_NONE),                   \
		OPT_BOOL(0, "no-healthcheck", t, in.none, "Do without the image's health check")

int run_health_set(const struct run_health *a, struct container_spec *spec,
		   struct err *e) MUST_CHECK;
int run_health_check(const struct container_spec *spec, struct err *e) MUST_CHECK;
/* Fills in what no option said from the image's HEALTHCHECK (JSON, or NULL: it has none). */
int run_health_image(struct container_spec *spec, const char *healthcheck,
		     struct err *e) MUST_CHECK;

#endif
