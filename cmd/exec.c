/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/env.h"
#include "cmd/session.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

struct exec_args {
	bool detach, interactive, privileged, tty;
	const char *detach_keys, *user, *workdir;
	struct strv env, env_files;
};

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
		.privileged = a->privileged,
		.streams = s->streams,
		.size = session_size(s),
	};

	for (int i = 1; i < operands->n; i++)
		strv_add(&words, operands->v[i]);
	return client_exec(client, &x, e);
}

static int exec_failed(struct cmd *c, const struct session *s, const struct err *e)
{
	bool waited = s->streams.out;
	int code;

	if (e->kind == ERR_CANCELLED && s->ended_by)
		return cmd_interrupted(c, s->ended_by);
	code = cmd_fail(c, e);
	/* With -d there is no command whose code it could be. */
	if (!waited)
		return code;
	return e->kind == ERR_NO_COMMAND ? 127 : e->kind == ERR_NOT_EXEC ? 126 : code;
}

static int collect_env(const struct exec_args *a, struct strv *ret, struct err *e)
{
	if (a->tty)
		strv_add(ret, "TERM=xterm");
	if (env_collect(&a->env_files, &a->env, ret, e) < 0)
		return -1;
	/* Bare names have nothing to take away: the container's own environment stands below. */
	for (size_t i = ret->n; i-- > 0;) {
		if (!strchr(ret->v[i], '='))
			strv_remove(ret, i);
	}
	return 0;
}

static int exec_steps(struct cmd *c, const struct exec_args *a, const struct operands *operands,
		      struct session *s)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	auto_strv struct strv env = STRV_INIT;
	struct err e = ERR_INIT;

	if (collect_env(a, &env, &e) < 0)
		return cmd_refuse(c, &e);
	s->tty = a->tty;
	s->detach_fails = true;
	if (!a->detach)
		s->streams = (struct client_streams){ a->interactive, true, !a->tty };
	if (cmd_open(c, &e) < 0 || target_find(c, operands->v[0], &container, &client, &e) < 0)
		return cmd_fail(c, &e);
	/* Docker's order: that there is no such container is told first. */
	if (session_check_tty(s->tty, s->streams.in, &e) < 0)
		return cmd_refuse(c, &e);
	if (!client) {
		(void)err_set(&e, ERR_CONFLICT, "container %s is not running", container.id);
		return cmd_fail(c, &e);
	}
	if (session_keys(s, c, a->detach_keys, &e) < 0 ||
	    signals_open(&s->signals, SIGNALS_ALL, &e) < 0)
		return cmd_fail(c, &e);
	session_use(s, client);
	if (exec_start(a, &env, operands, s, client, &e) < 0)
		return exec_failed(c, s, &e);
	return a->detach ? 0 : session_stream(s, c, client);
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
		 COMP_NONE, .check = env_check),
	OPT_LIST(0, "env-file", struct exec_args, env_files, "list",
		 "Set environment variables from the lines of a file", COMP_FILE),
	OPT_BOOL('i', "interactive", struct exec_args, interactive, "Keep STDIN open"),
	OPT_BOOL(0, "privileged", struct exec_args, privileged,
		 "Give the command all capabilities and no system call filter"),
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
