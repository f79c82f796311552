/* SPDX-License-Identifier: Apache-2.0 */
/* pause and unpause: the whole virtual machine stands still. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

static int ask_one(struct cmd *c, const char *which, int (*ask)(struct client *, struct err *),
		   struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;

	if (target_running(c, which, &container, &client, e) < 0)
		return -1;
	return ask(client, e);
}

static int ask_all(struct cmd *c, const struct operands *operands,
		   int (*ask)(struct client *, struct err *))
{
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (ask_one(c, operands->v[i], ask, &e) < 0)
			code = cmd_error(&e);
		else
			printf("%s\n", operands->v[i]);
	}
	return code;
}

static int pause_main(struct cmd *c, void *args, const struct operands *operands)
{
	(void)args;
	return ask_all(c, operands, client_pause);
}

static int unpause_main(struct cmd *c, void *args, const struct operands *operands)
{
	(void)args;
	return ask_all(c, operands, client_resume);
}

const struct verb verb_pause = {
	.name = "pause",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Make everything in containers stand still",
	.comp = COMP_CONTAINER,
	.main = pause_main,
};

const struct verb verb_unpause = {
	.name = "unpause",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Let containers that stand still go on",
	.comp = COMP_CONTAINER,
	.main = unpause_main,
};
