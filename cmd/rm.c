/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/target.h"
#include "cmd/verbs.h"
#include "engine/client.h"
#include "engine/container.h"

struct rm_args {
	bool force, link, volumes;
};

/* Ends it in order, so that who is attached sees the exit code; what that leaves, force removes. */
static void kill_first(struct cmd *c, const char *id)
{
	auto_client struct client *client = NULL;
	struct err ignored = ERR_INIT;

	if (client_connect(&c->paths, id, &client, &ignored) == 0) {
		target_offer_finish(c, id, client);
		if (client_kill(client, &ignored) == 0)
			return;
	}
	log_debug("cannot kill %s through its monitor: %s", id, ignored.msg);
}

/* Docker's links, which nothing makes here: a container's own name is none, and no other can be there. */
static int remove_link(struct cmd *c, const char *which, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;

	if (strchr(which, '/'))
		return err_set(e, ERR_CONFLICT, "there is no link '%.200s': kvbox has none", which);
	if (container_find(c->store, which, &container, e) < 0)
		return -1;
	return err_set(e, ERR_CONFLICT,
		       "Conflict, cannot remove the default link name of the container");
}

static int rm_one(struct cmd *c, const struct rm_args *a, const char *which, struct err *e)
{
	const unsigned int flags = (a->force ? REMOVE_FORCE : 0u) |
				   (a->volumes ? REMOVE_VOLUMES : 0u);
	auto_container struct container container = CONTAINER_INIT;
	struct err why = ERR_INIT;

	if (a->link)
		return remove_link(c, which, e);
	if (container_find(c->store, which, &container, e) < 0)
		return -1;
	if (a->force && state_is_active(container.state))
		kill_first(c, container.id);
	if (container_remove(c->store, container.id, flags, &why) == 0)
		return 0;
	if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	/* With --rm it went by itself when it ended, else another command was quicker. */
	if (container.auto_remove)
		return 0;
	return err_set(e, ERR_CONFLICT, "removal of container %s is already in progress", which);
}

/* Without the slashes around it. */
static char *name_of(const char *operand)
{
	size_t n;

	operand += strspn(operand, "/");
	n = strlen(operand);
	while (n > 0 && operand[n - 1] == '/')
		n--;
	return xstrndup(operand, n);
}

/* Returns the exit code. */
static int rm_named(struct cmd *c, const struct rm_args *a, const char *operand)
{
	auto_free char *name = name_of(operand);
	struct err e = ERR_INIT;
	bool missing;

	if (!*name) {
		fflush(stdout);
		fprintf(stderr, "container name cannot be empty\n");
		return 1;
	}
	if (rm_one(c, a, name, &e) == 0) {
		printf("%s\n", operand);
		return 0;
	}
	/* As Docker: told, but no failure with -f. */
	missing = a->force && e.kind == ERR_NOT_FOUND;
	cmd_error(&e);
	return missing ? 0 : 1;
}

static int rm_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++)
		code |= rm_named(c, args, operands->v[i]);
	return code;
}

static const struct opt rm_opts[] = {
	OPT_BOOL('f', "force", struct rm_args, force, "Kill the container first if it runs"),
	OPT_BOOL('l', "link", struct rm_args, link, "Remove the link of that name"),
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
