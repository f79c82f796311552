/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping containers for `stop` and `restart`: all operands are asked first, then waited for one by one. */
#ifndef KVBOX_CMD_STOPPING_H
#define KVBOX_CMD_STOPPING_H

#include "cmd/cmd.h"
#include "engine/client.h"
#include "engine/container.h"

struct stop_args {
	const char *signal;
	struct opt_int timeout;
};

/* The options of both verbs; a struct stop_args is their target. */
#define STOP_OPTS                                                                               \
	OPT_STR('s', "signal", struct stop_args, signal, "string",                              \
		"Signal that asks the container to end", COMP_SIGNAL),                          \
		OPT_INT('t', "timeout", struct stop_args, timeout, "int",                       \
			"Seconds until it is killed", COMP_NONE),                               \
		OPT_INT(0, "time", struct stop_args, timeout, "int", "As --timeout", COMP_NONE, \
			.hidden = true)

struct stop_order {
	int sig;     /* 0: the container's own */
	int timeout; /* seconds, or CLIENT_STOP_... */
	bool again;  /* it is started again afterwards: one of --rm is kept */
};
int stopping_order(const struct stop_args *a, struct stop_order *ret, struct err *e) MUST_CHECK;

/* One operand; zero-initialise. */
struct stopping {
	struct container container;
	struct client *client; /* NULL: does not run, or `error` is set */
	struct err error;
};

/* What goes wrong waits in `error`. */
void stopping_begin(struct cmd *c, const struct stop_order *order, const char *which,
		    struct stopping *s);
/* Waits for the end. */
int stopping_end(struct stopping *s, struct err *e) MUST_CHECK;
void stopping_release(struct stopping *s);

#endif
