/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "engine/client.h"
#include "engine/container.h"

struct rm_args {
	bool force, volumes;
};

/* Ends it in order, so that who is attached sees the exit code; what that leaves, force removes. */
static void kill_first(struct cmd *c, const char *id)
{
	auto_client struct client *client = NULL;
	struct err ignored = ERR_INIT;

	if (client_connect(&c->paths, id, &client, &ignored) < 0 ||
	    client_stop(client, SIGKILL, 0, &ignored) < 0)
		log_debug("cannot kill %s through its monitor: %s", id, ignored.msg);
}

static int rm_one(struct cmd *c, const struct rm_args *a, const char *which, struct err *e)
{
	const unsigned int flags = (a->force ? REMOVE_FORCE : 0u) |
				   (a->volumes ? REMOVE_VOLUMES : 0u);
	auto_container struct container container = CONTAINER_INIT;
	struct err why = ERR_INIT;

	if (container_find(c->store, which, &container, e) < 0)
		return -1;
	if (a->force && state_is_active(container.state))
		kill_first(c, container.id);
	if (container_remove(c->store, container.id, flags, &why) == 0)
		return 0;
	/* With --rm it went by itself when it ended. */
	if (why.kind == ERR_NOT_FOUND && container.auto_remove)
		return 0;
	return err_move(e, &why);
}

static int rm_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct rm_args *a = args;
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (rm_one(c, a, operands->v[i], &e) == 0)
			printf("%s\n", operands->v[i]);
		else if (e.kind != ERR_NOT_FOUND || !a->force)
			code = cmd_error(&e);
	}
	return code;
}

static const struct opt rm_opts[] = {
	OPT_BOOL('f', "force", struct rm_args, force, "Kill the container first if it runs"),
	OPT_BOOL('v', "volumes", struct rm_args, volumes, "Remove its anonymous volumes as well"),
	OPT_END
};

const struct verb verb_rm = {
	.name = "rm",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Remove containers",
	.opts = rm_opts,
	.argsize = sizeof(struct rm_args),
	.comp = COMP_CONTAINER,
	.main = rm_main,
};
