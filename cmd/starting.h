/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container, for `run` and `start`: state, monitor, and the wait until its process runs. */
#ifndef KVBOX_CMD_STARTING_H
#define KVBOX_CMD_STARTING_H

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "engine/client.h"
#include "engine/container.h"

struct starting_options {
	struct session *session; /* streams, size and signals */
	bool trace;
};

/*
 * Under the lock, which is released in any case before this waits. When the container could not be
 * started (or the session was interrupted), this returns after its monitor has cleaned up.
 */
int starting_run(struct cmd *c, struct container_lock *lock, const struct starting_options *options,
		 struct client **ret, struct err *e) MUST_CHECK;

#endif
