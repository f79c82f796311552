/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

struct attach_args {
	const char *detach_keys;
	bool no_stdin, sig_proxy;
};

/* Docker's client has these words, so they come without the engine's prefix. */
static const char *why_not(enum state state)
{
	if (!state_is_active(state) || state == ST_STARTING)
		return "You cannot attach to a stopped container, start it first";
	if (state == ST_PAUSED)
		return "You cannot attach to a paused container, unpause it first";
	if (state == ST_RESTARTING)
		return "You cannot attach to a restarting container, wait until it is running";
	return NULL;
}

/* A program that draws (a shell's prompt) does so again when the size changes, which it may not do now. */
static void nudge(struct client *client)
{
	struct client_size size;

	if (!isatty(1) || !term_size(&size))
		return;
	size.rows++;
	size.cols++;
	client_send_resize(client, &size);
}

static int attach_to(struct cmd *c, struct session *s, struct client *client)
{
	struct client_attached attached;
	struct err e = ERR_INIT;

	session_use(s, client);
	if (client_attach(client, &s->streams, &attached, &e) < 0)
		return s->ended_by ? 128 + s->ended_by : cmd_fail(c, &e);
	if (s->tty)
		nudge(client);
	return session_stream(s, c, client);
}

static int prepare(struct cmd *c, const struct attach_args *a, const struct container *container,
		   struct session *s, struct err *e)
{
	auto_spec struct container_spec spec = { .id = NULL };

	if (container_spec_load(c->store, container->id, &spec, e) < 0)
		return -1;
	s->tty = spec.tty;
	s->proxy = a->sig_proxy && !spec.tty;
	s->detach_fails = true;
	s->streams = (struct client_streams){ !a->no_stdin && spec.open_stdin, true, !spec.tty };
	return session_keys(s, c, a->detach_keys, e);
}

static int attach_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct attach_args *a = args;
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	auto_session struct session s = SESSION_INIT;
	struct err e = ERR_INIT;
	const char *problem;

	if (cmd_open(c, &e) < 0 || target_find(c, operands->v[0], &container, &client, &e) < 0)
		return cmd_fail(c, &e);
	problem = why_not(client ? container.state : ST_EXITED);
	if (problem) {
		fprintf(stderr, "%s\n", problem);
		return 1;
	}
	if (prepare(c, a, &container, &s, &e) < 0)
		return cmd_fail(c, &e);
	if (session_check_tty(s.tty, !a->no_stdin, &e) < 0)
		return cmd_refuse(c, &e);
	if (signals_open(&s.signals, SIGNALS_ALL, &e) < 0)
		return cmd_fail(c, &e);
	return attach_to(c, &s, client);
}

static const struct opt attach_opts[] = {
	OPT_STR(0, "detach-keys", struct attach_args, detach_keys, "string",
		"Keys that leave the container running in the background", COMP_NONE),
	OPT_BOOL(0, "no-stdin", struct attach_args, no_stdin, "Do not attach STDIN"),
	OPT_BOOL(0, "sig-proxy", struct attach_args, sig_proxy, "Pass signals on to the process",
		 .value = "true"),
	OPT_END
};

const struct verb verb_attach = {
	.name = "attach",
	.operands = "CONTAINER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Connect to the input and output of a running container",
	.opts = attach_opts,
	.argsize = sizeof(struct attach_args),
	.comp = COMP_CONTAINER,
	.main = attach_main,
};
