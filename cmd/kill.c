/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/target.h"
#include "cmd/verbs.h"
#include "engine/signame.h"

struct kill_args {
	const char *signal;
};

static int send_signal(struct client *client, int sig, struct err *e)
{
	if (sig != SIGKILL)
		return client_signal(client, sig, e);
	/* After it there is nothing left to wait for but the end; losing the monitor is that, too. */
	if (client_kill(client, e) < 0) {
		if (e->kind != ERR_UNAVAILABLE)
			return -1;
		err_clear(e);
	}
	return 0;
}

static int kill_one(struct cmd *c, int sig, const char *which, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;

	if (target_find(c, which, &container, &client, e) < 0)
		return -1;
	if (!client)
		return err_set(e, ERR_CONFLICT,
			       "cannot kill container: %s: container %s is not running", which,
			       container.id);
	if (send_signal(client, sig, e) < 0)
		return err_wrap(e, "cannot kill container: %s", which);
	return 0;
}

static int kill_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct kill_args *a = args;
	/* As Docker: an empty name is the one that kill has without. */
	const char *name = *a->signal ? a->signal : "KILL";
	struct err e = ERR_INIT;
	int sig, code = 0;

	if (signame_parse(name, &sig, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (kill_one(c, sig, operands->v[i], &e) < 0)
			code = cmd_error(&e);
		else
			printf("%s\n", operands->v[i]);
	}
	return code;
}

static const struct opt kill_opts[] = { OPT_STR('s', "signal", struct kill_args, signal, "string",
						"Signal to send", COMP_SIGNAL, .value = "KILL"),
					OPT_END };

const struct verb verb_kill = {
	.name = "kill",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Send a signal to running containers",
	.opts = kill_opts,
	.argsize = sizeof(struct kill_args),
	.comp = COMP_CONTAINER,
	.main = kill_main,
};
