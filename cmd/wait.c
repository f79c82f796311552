/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

static int wait_one(struct cmd *c, const char *which, int *ret, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_container struct container after = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	struct err why = ERR_INIT;

	if (target_find(c, which, &container, &client, e) < 0)
		return -1;
	*ret = container.exit_code;
	if (!client && !state_is_active(container.state))
		return 0;
	if (client && client_wait(client, ret, &why) == 0)
		return 0;
	if (client && why.kind != ERR_UNAVAILABLE)
		return err_move(e, &why);
	/* The monitor has gone, without a word or since the container was found: what was read then is of an
	 * earlier run. Finding the container again finds out how this one ended. */
	if (container_find(c->store, container.id, &after, e) < 0)
		return -1;
	*ret = after.exit_code;
	return 0;
}

static int wait_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct err e = ERR_INIT;
	int ended, code = 0;

	(void)args;
	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (wait_one(c, operands->v[i], &ended, &e) < 0)
			code = cmd_error(&e);
		else
			printf("%d\n", ended);
		fflush(stdout);
	}
	return code;
}

const struct verb verb_wait = {
	.name = "wait",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Wait until containers have ended and print their exit codes",
	.comp = COMP_CONTAINER,
	.main = wait_main,
};
