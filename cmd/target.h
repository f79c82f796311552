/* SPDX-License-Identifier: Apache-2.0 */
/* The container that an operand names, and a connection to its monitor. */
#ifndef KVBOX_CMD_TARGET_H
#define KVBOX_CMD_TARGET_H

#include "cmd/cmd.h"
#include "engine/client.h"
#include "engine/container.h"

/* The connection stays NULL when the container does not run, or ends at this moment. */
int target_find(struct cmd *c, const char *which, struct container *ret, struct client **ret_client,
		struct err *e) MUST_CHECK;

/* The same, but ERR_CONFLICT "container <id> is not running" when there is no connection. */
int target_running(struct cmd *c, const char *which, struct container *ret,
		   struct client **ret_client, struct err *e) MUST_CHECK;

/* The two above do this: whoever waits for the end on this connection folds it into the store (client_offer_finish). */
void target_offer_finish(struct cmd *c, const char *id, struct client *client);

/* Writes one of the container's events, beyond those that the engine writes. */
void target_event(struct cmd *c, const struct container *container, const char *action);

#endif
