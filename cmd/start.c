/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/starting.h"
#include "cmd/target.h"
#include "cmd/verbs.h"
#include "engine/container.h"

struct start_args {
	bool attach, interactive;
	const char *detach_keys;
};

/* Starts the container, or attaches to the one that runs already; without streams `ret` may stay NULL. */
static int start_or_attach(struct cmd *c, const struct container *container, struct session *s,
			   struct client **ret, struct err *e)
{
	const struct starting_options options = { .session = s };
	auto_container_lock struct container_lock lock = CONTAINER_LOCK_INIT;
	auto_client struct client *client = NULL;
	struct client_attached attached;

	if (container_lock_start(c->store, container->id, &lock, e) < 0)
		return -1;
	if (!state_is_active(lock.row.state))
		return starting_run(c, &lock, &options, ret, e);
	if (!s->streams.out && !s->streams.in && container->state == ST_PAUSED)
		return err_set(e, ERR_CONFLICT,
			       "cannot start a paused container, try unpause instead");
	if (!s->streams.out && !s->streams.in)
		return 0;
	container_unlock(&lock);
	if (client_connect(&c->paths, container->id, &client, e) < 0)
		return -1;
	session_use(s, client);
	target_offer_finish(c, container->id, client);
	if (client_attach(client, &s->streams, &attached, e) < 0)
		return -1;
	*ret = take_ptr(&client);
	return 0;
}

static int start_one(struct cmd *c, const char *which, struct session *s, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;

	if (container_find(c->store, which, &container, e) < 0 ||
	    start_or_attach(c, &container, s, &client, e) < 0)
		return -1;
	printf("%s\n", which);
	return 0;
}

static int start_many(struct cmd *c, const struct operands *operands, struct session *s)
{
	auto_str struct str failed = STR_INIT(STR_HUGE);

	for (int i = 0; i < operands->n; i++) {
		struct err e = ERR_INIT;

		if (start_one(c, operands->v[i], s, &e) == 0)
			continue;
		if (e.kind == ERR_CANCELLED && s->ended_by)
			return cmd_interrupted(c, s->ended_by);
		cmd_error(&e);
		str_addf(&failed, "%s%s", failed.len ? ", " : "", operands->v[i]);
	}
	if (!failed.len)
		return 0;
	fflush(stdout);
	fprintf(stderr, "Error: failed to start containers: %s\n", failed.buf);
	return 1;
}

static int start_failed(struct cmd *c, const struct session *s, const struct err *e)
{
	if (e->kind == ERR_CANCELLED && s->ended_by)
		return cmd_interrupted(c, s->ended_by);
	return cmd_error(e);
}

static int start_attached(struct cmd *c, const struct start_args *a, const char *which,
			  struct session *s)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	auto_spec struct container_spec spec = { .id = NULL };
	struct err e = ERR_INIT;

	if (container_find(c->store, which, &container, &e) < 0 ||
	    container_spec_load(c->store, container.id, &spec, &e) < 0 ||
	    session_keys(s, c, a->detach_keys, &e) < 0)
		return start_failed(c, s, &e);
	s->tty = spec.tty;
	s->proxy = !spec.tty;
	s->streams = (struct client_streams){ a->interactive && spec.open_stdin, true, !spec.tty };
	if (start_or_attach(c, &container, s, &client, &e) < 0)
		return start_failed(c, s, &e);
	return session_stream(s, c, client);
}

static int start_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct start_args *a = args;
	auto_session struct session s = SESSION_INIT;
	struct err e = ERR_INIT;

	if ((a->attach || a->interactive) && operands->n > 1) {
		(void)err_set(&e, ERR_INVALID,
			      "you cannot start and attach multiple containers at once");
		return cmd_refuse(c, &e);
	}
	if (signals_open(&s.signals, SIGNALS_ALL, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	if (a->attach || a->interactive)
		return start_attached(c, a, operands->v[0], &s);
	return start_many(c, operands, &s);
}

static const struct opt start_opts[] = {
	OPT_BOOL('a', "attach", struct start_args, attach,
		 "Attach STDOUT and STDERR and pass signals on"),
	OPT_STR(0, "detach-keys", struct start_args, detach_keys, "string",
		"Keys that leave the container running in the background", COMP_NONE),
	OPT_BOOL('i', "interactive", struct start_args, interactive, "Attach STDIN"), OPT_END
};

const struct verb verb_start = {
	.name = "start",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Start containers that do not run",
	.opts = start_opts,
	.argsize = sizeof(struct start_args),
	.comp = COMP_CONTAINER,
	.main = start_main,
};
