/* SPDX-License-Identifier: Apache-2.0 */
/* All operands are stopped at a time, and started one after the other as they have ended. */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/starting.h"
#include "cmd/stopping.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

static int start_again(struct cmd *c, const char *id, struct session *s, struct err *e)
{
	const struct starting_options options = { .session = s };
	auto_container_lock struct container_lock lock = CONTAINER_LOCK_INIT;
	auto_client struct client *client = NULL;

	if (container_lock_start(c->store, id, &lock, e) < 0)
		return -1;
	/* Somebody else was quicker. */
	if (state_is_active(lock.row.state))
		return 0;
	return starting_run(c, &lock, &options, &client, e);
}

static int restart_one(struct cmd *c, struct stopping *stopping, const char *which,
		       struct session *s, struct err *e)
{
	if (!*stopping->container.id)
		return err_move(e, &stopping->error);
	if (stopping->client)
		session_use(s, stopping->client);
	if (stopping_end(stopping, e) < 0 || start_again(c, stopping->container.id, s, e) < 0)
		return err_wrap(e, "Cannot restart container %s", which);
	target_event(c, &stopping->container, "restart");
	printf("%s\n", which);
	fflush(stdout);
	return 0;
}

static int restart_all(struct cmd *c, struct stopping *stopping, const struct operands *operands,
		       struct session *s)
{
	int code = 0;

	for (int i = 0; i < operands->n; i++) {
		struct err e = ERR_INIT;

		if (restart_one(c, &stopping[i], operands->v[i], s, &e) == 0)
			continue;
		if (e.kind == ERR_CANCELLED && s->ended_by)
			return cmd_interrupted(c, s->ended_by);
		code = cmd_error(&e);
	}
	return code;
}

static int restart_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_free struct stopping *stopping = xcalloc((size_t)operands->n, sizeof(*stopping));
	auto_session struct session s = SESSION_INIT;
	struct stop_order order;
	struct err e = ERR_INIT;
	int code;

	if (stopping_order(args, &order, &e) < 0 || cmd_open(c, &e) < 0 ||
	    signals_open(&s.signals, SIGNALS_ALL, &e) < 0)
		return cmd_fail(c, &e);
	order.again = true;
	for (int i = 0; i < operands->n; i++)
		stopping_begin(c, &order, operands->v[i], &stopping[i]);
	code = restart_all(c, stopping, operands, &s);
	for (int i = 0; i < operands->n; i++)
		stopping_release(&stopping[i]);
	return code;
}

static const struct opt restart_opts[] = { STOP_OPTS, OPT_END };

const struct verb verb_restart = {
	.name = "restart",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Stop containers and start them again",
	.opts = restart_opts,
	.argsize = sizeof(struct stop_args),
	.comp = COMP_CONTAINER,
	.main = restart_main,
};
