/* SPDX-License-Identifier: Apache-2.0 */
/* stop, kill and wait: what is asked of the monitor of a container that runs. */
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "engine/client.h"
#include "engine/container.h"
#include "engine/signame.h"

/* The container, and a connection to its monitor unless it does not run (or ends at this moment). */
static int find_and_connect(struct cmd *c, const char *which, struct container *ret,
			    struct client **ret_client, struct err *e)
{
	struct err why = ERR_INIT;

	if (container_find(c->store, which, ret, e) < 0)
		return -1;
	if (!state_is_active(ret->state) ||
	    client_connect(&c->paths, ret->id, ret_client, &why) == 0 ||
	    why.kind == ERR_UNAVAILABLE)
		return 0;
	return err_move(e, &why);
}

/* ---- stop ---- */

struct stop_args {
	const char *signal;
	struct opt_int timeout;
};

/* One operand while all of them are being stopped. */
struct stopping {
	struct container container;
	struct client *client; /* NULL: does not run, or `error` is set */
	struct err error;
};

static void stop_begin(struct cmd *c, const struct stop_args *a, int sig, const char *which,
		       struct stopping *s)
{
	int timeout = a->timeout.set ? (int)a->timeout.v : CLIENT_STOP_DEFAULT;

	if (timeout < 0 && a->timeout.set)
		timeout = CLIENT_STOP_FOREVER;
	if (find_and_connect(c, which, &s->container, &s->client, &s->error) < 0 || !s->client)
		return;
	if (client_begin_stop(s->client, sig, timeout, &s->error) < 0)
		client_free_ptr(&s->client);
}

/* Waits for the end; returns the exit code. */
static int stop_end(struct stopping *s, const char *which)
{
	if (s->client && client_end_stop(s->client, &s->error) < 0)
		(void)err_wrap(&s->error, "cannot stop container: %s", which);
	client_free_ptr(&s->client);
	container_release(&s->container);
	if (err_is_set(&s->error))
		return cmd_error(&s->error);
	printf("%s\n", which);
	fflush(stdout);
	return 0;
}

static int stop_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_free struct stopping *s = xcalloc((size_t)operands->n, sizeof(*s));
	const struct stop_args *a = args;
	struct err e = ERR_INIT;
	int sig = 0, code = 0;

	if (a->signal && *a->signal && signame_parse(a->signal, &sig, &e) < 0)
		return cmd_fail(c, &e);
	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++)
		stop_begin(c, a, sig, operands->v[i], &s[i]);
	for (int i = 0; i < operands->n; i++)
		code |= stop_end(&s[i], operands->v[i]);
	return code;
}

static const struct opt stop_opts[] = { OPT_STR('s', "signal", struct stop_args, signal, "string",
						"Signal that asks the container to end",
						COMP_SIGNAL),
					OPT_INT('t', "timeout", struct stop_args, timeout, "int",
						"Seconds until it is killed", COMP_NONE),
					OPT_INT(0, "time", struct stop_args, timeout, "int",
						"As --timeout", COMP_NONE, .hidden = true),
					OPT_END };

const struct verb verb_stop = {
	.name = "stop",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Stop running containers",
	.opts = stop_opts,
	.argsize = sizeof(struct stop_args),
	.comp = COMP_CONTAINER,
	.main = stop_main,
};

/* ---- kill ---- */

struct kill_args {
	const char *signal;
};

static int kill_one(struct cmd *c, int sig, const char *which, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	struct err ignored = ERR_INIT;
	int code;

	if (find_and_connect(c, which, &container, &client, e) < 0)
		return -1;
	if (!client)
		return err_set(e, ERR_CONFLICT,
			       "cannot kill container: %s: container %s is not running", which,
			       container.id);
	if (client_signal(client, sig, e) < 0)
		return err_wrap(e, "cannot kill container: %s", which);
	/* After SIGKILL there is nothing left to wait for but the end; losing the monitor is that, too. */
	if (sig == SIGKILL && client_wait(client, &code, &ignored) < 0 &&
	    ignored.kind != ERR_UNAVAILABLE)
		return err_move(e, &ignored);
	return 0;
}

static int kill_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct kill_args *a = args;
	struct err e = ERR_INIT;
	int sig, code = 0;

	if (signame_parse(a->signal, &sig, &e) < 0 || cmd_open(c, &e) < 0)
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

/* ---- wait ---- */

static int wait_one(struct cmd *c, const char *which, int *ret, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_container struct container after = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	struct err why = ERR_INIT;

	if (find_and_connect(c, which, &container, &client, e) < 0)
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
