/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/env.h"
#include "cmd/session.h"
#include "cmd/verbs.h"
#include "engine/container.h"

struct exec_args {
	bool detach, interactive, tty;
	const char *detach_keys, *user, *workdir;
	struct strv env, env_files;
};

static int connect_to(struct cmd *c, const char *which, struct client **ret, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	struct err why = ERR_INIT;

	if (container_find(c->store, which, &container, e) < 0)
		return -1;
	if (state_is_active(container.state) &&
	    client_connect(&c->paths, container.id, ret, &why) == 0)
		return 0;
	if (err_is_set(&why) && why.kind != ERR_UNAVAILABLE)
		return err_move(e, &why);
	return err_set(e, ERR_CONFLICT, "container %s is not running", container.id);
}

static int exec_start(const struct exec_args *a, const struct strv *env,
		      const struct operands *operands, struct session *s, struct client *client,
		      struct err *e)
{
	auto_strv struct strv words = STRV_INIT;
	struct client_exec x = {
		.args = &words,
		.env = env,
		.cwd = a->workdir,
		.user = a->user,
		.tty = a->tty,
		.streams = s->streams,
		.size = session_size(s),
	};

	for (int i = 1; i < operands->n; i++)
		strv_add(&words, operands->v[i]);
	return client_exec(client, &x, e);
}

/* As Docker, kvbox itself ends when it is asked to; the process goes on. */
static int exec_stream(struct cmd *c, struct session *s, struct client *client)
{
	struct client_result result = { 0 };
	struct err e = ERR_INIT;

	if (session_run(s, client, &result, &e) < 0)
		return session_failed(s, c, &e);
	if (result.error[0])
		fprintf(stderr, "%s: %s\n", c->prog, result.error);
	return result.detached ? 0 : result.code;
}

static int exec_failed(struct cmd *c, const struct session *s, const struct err *e)
{
	int code;

	if (e->kind == ERR_CANCELLED && s->ended_by)
		return cmd_interrupted(c, s->ended_by);
	code = cmd_fail(c, e);
	return e->kind == ERR_NO_COMMAND ? 127 : e->kind == ERR_NOT_EXEC ? 126 : code;
}

static int exec_steps(struct cmd *c, const struct exec_args *a, const struct operands *operands,
		      struct session *s)
{
	auto_client struct client *client = NULL;
	auto_strv struct strv env = STRV_INIT;
	struct err e = ERR_INIT;

	if (a->tty)
		strv_add(&env, "TERM=xterm");
	if (keys_parse(a->detach_keys ? a->detach_keys : KEYS_DEFAULT, &s->keys, &e) < 0 ||
	    env_collect(&a->env_files, &a->env, &env, &e) < 0)
		return cmd_refuse(c, &e);
	if (!a->detach && session_check_tty(a->tty, a->interactive, &e) < 0)
		return cmd_refuse(c, &e);
	/* Bare names have nothing to take away: the container's own environment stands below. */
	for (size_t i = env.n; i-- > 0;) {
		if (!strchr(env.v[i], '='))
			strv_remove(&env, i);
	}
	s->tty = a->tty;
	if (!a->detach)
		s->streams = (struct client_streams){ a->interactive, true, !a->tty };
	if (cmd_open(c, &e) < 0 || connect_to(c, operands->v[0], &client, &e) < 0)
		return cmd_fail(c, &e);
	if (signals_open(&s->signals, SIGNALS_ALL, &e) < 0)
		return cmd_fail(c, &e);
	session_use(s, client);
	if (exec_start(a, &env, operands, s, client, &e) < 0)
		return exec_failed(c, s, &e);
	return a->detach ? 0 : exec_stream(c, s, client);
}

static int exec_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_session struct session session = SESSION_INIT;

	return exec_steps(c, args, operands, &session);
}

static const struct opt exec_opts[] = {
	OPT_BOOL('d', "detach", struct exec_args, detach,
		 "Leave the command running in the background"),
	OPT_STR(0, "detach-keys", struct exec_args, detach_keys, "string",
		"Keys that leave the command running in the background", COMP_NONE),
	OPT_LIST('e', "env", struct exec_args, env, "list", "Set an environment variable",
		 COMP_NONE),
	OPT_LIST(0, "env-file", struct exec_args, env_files, "list",
		 "Set environment variables from the lines of a file", COMP_FILE),
	OPT_BOOL('i', "interactive", struct exec_args, interactive, "Keep STDIN open"),
	OPT_BOOL('t', "tty", struct exec_args, tty, "Give the command a terminal"),
	OPT_STR('u', "user", struct exec_args, user, "string",
		"User to run as: <name|uid>[:<group|gid>]", COMP_NONE),
	OPT_STR('w', "workdir", struct exec_args, workdir, "string", "Folder to start in",
		COMP_NONE),
	OPT_END
};

const struct verb verb_exec = {
	.name = "exec",
	.operands = "CONTAINER COMMAND [ARG...]",
	.min_operands = 2,
	.max_operands = OPT_MANY,
	.summary = "Run a command in a running container",
	.opts = exec_opts,
	.argsize = sizeof(struct exec_args),
	.stop_at_operand = true,
	.comp = COMP_CONTAINER,
	.main = exec_main,
};
