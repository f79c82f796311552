/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `kvbox run`: make the container, start its monitor, wait until its process runs, and be its terminal
 * until it ends.
 *
 * From the first change on signals are only noted (cmd/signals.h). One that asks kvbox to end stops a
 * pull, and stops a start through the client: the monitor then takes everything down again. So an end
 * at any step leaves nothing behind; kill -9 leaves what the next command removes (intents, `alive`).
 */
#include <stdio.h>
#include <unistd.h>

#include "cmd/create.h"
#include "cmd/run_trace.h"
#include "cmd/session.h"
#include "cmd/starting.h"
#include "cmd/verbs.h"

struct run {
	struct cmd *cmd;
	const struct run_args *args;
	struct container_spec spec;
	struct session session;
	struct run_trace trace;
};

static void print_notice(const char *text)
{
	fprintf(stderr, "%s\n", text);
}

static int check_options(struct run *r, struct err *e)
{
	const struct run_args *a = r->args;
	bool attach_stdin = a->attach.n ? strv_has(&a->attach, "stdin") : a->interactive;

	if (session_keys(&r->session, r->cmd, a->detach_keys, e) < 0)
		return -1;
	r->session.tty = a->tty;
	r->session.proxy = a->sig_proxy && !a->detach;
	r->session.notice = print_notice;
	if (a->detach && a->attach.n)
		return err_set(e, ERR_INVALID,
			       "conflicting options: cannot specify both --attach and --detach");
	return a->detach ? 0 : session_check_tty(a->tty, attach_stdin, e);
}

/* The exit code of a start that was not to be. */
static int start_failed(const struct run *r, const struct err *e)
{
	int code;

	if (e->kind == ERR_CANCELLED && r->session.ended_by)
		return cmd_interrupted(r->cmd, r->session.ended_by);
	code = cmd_fail(r->cmd, e);
	return e->kind == ERR_NO_COMMAND ? 127 : e->kind == ERR_NOT_EXEC ? 126 : code;
}

static int start_and_stream(struct run *r, struct container_lock *lock)
{
	const struct starting_options options = { .session = &r->session, .trace = r->args->trace };
	auto_client struct client *client = NULL;
	struct err e = ERR_INIT;
	int code;

	r->session.streams = (struct client_streams){ r->spec.attach_stdin, r->spec.attach_stdout,
						      r->spec.attach_stderr && !r->spec.tty };
	if (starting_run(r->cmd, lock, &options, &client, &e) < 0)
		return start_failed(r, &e);
	run_trace_phase(&r->trace, "start");
	if (r->args->detach) {
		printf("%s\n", r->spec.id);
		code = 0;
	} else {
		if (!r->session.streams.out && !r->session.streams.err)
			printf("%s\n", r->spec.id);
		code = session_stream(&r->session, r->cmd, client);
		run_trace_phase(&r->trace, "run");
	}
	if (run_trace_merge(&r->trace, client_trace(client), &e) < 0)
		fprintf(stderr, "%s: %s\n", r->cmd->prog, e.msg);
	return code;
}

static int run_steps(struct run *r, const struct operands *operands)
{
	auto_container_lock struct container_lock lock = CONTAINER_LOCK_INIT;
	struct err e = ERR_INIT;
	int code = create_options(r->cmd, r->args, operands, &r->spec);

	if (code)
		return code;
	if (check_options(r, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	if (run_trace_open(&r->trace, r->args->trace, &e) < 0)
		return cmd_refuse(r->cmd, &e);
	if (signals_open(&r->session.signals, SIGNALS_ENDING, &e) < 0 || cmd_open(r->cmd, &e) < 0)
		return cmd_fail(r->cmd, &e);
	run_trace_phase(&r->trace, "store");
	code = create_container(r->cmd, r->args, operands->v[0], &r->session.signals, &r->spec,
				&lock);
	if (code)
		return code;
	run_trace_phase(&r->trace, "create");
	if (signals_open(&r->session.signals, SIGNALS_ALL, &e) < 0)
		return cmd_fail(r->cmd, &e);
	code = start_and_stream(r, &lock);
	if (run_trace_finish(&r->trace, &e) < 0)
		fprintf(stderr, "%s: %s\n", r->cmd->prog, e.msg);
	return code;
}

static int run_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct run r = { .cmd = c, .args = args, .session = SESSION_INIT, .trace = RUN_TRACE_INIT };
	int code;

	spec_init(&r.spec);
	code = run_steps(&r, operands);
	session_release(&r.session);
	run_trace_release(&r.trace);
	spec_release(&r.spec);
	return code;
}

static const struct opt run_opts[] = {
	CREATE_OPTS,
	OPT_BOOL('d', "detach", struct run_args, detach,
		 "Run in the background and print the container's ID"),
	OPT_STR(0, "detach-keys", struct run_args, detach_keys, "string",
		"Keys that leave the container running in the background", COMP_NONE),
	OPT_BOOL(0, "sig-proxy", struct run_args, sig_proxy, "Pass signals on to the process",
		 .value = "true"),
	OPT_STR(0, "trace", struct run_args, trace, "file",
		"Write a timeline of the start to this file (Chrome trace)", COMP_FILE),
	OPT_END
};

const struct verb verb_run = {
	.name = "run",
	.operands = "IMAGE [COMMAND] [ARG...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Run a command in a new container",
	.opts = run_opts,
	.argsize = sizeof(struct run_args),
	.stop_at_operand = true,
	.comp = COMP_IMAGE,
	.main = run_main,
	.refuse_code = EXIT_DOCKER,
	.fail_code = EXIT_DOCKER,
};
