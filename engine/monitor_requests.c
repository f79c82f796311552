/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask for on control.sock, and what they are told (docs/protocol.md). */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define ARGS_MAX 65536u
#define TEXT_MAX (128u * 1024)

static int64_t number(const struct json *j, const char *key)
{
	return json_int(json_get(j, key), 0);
}

/* ---- streams ----------------------------------------------------------------------------------- */

static int connect_stream(struct peer *p, struct stream_end *end, int64_t stream, struct err *e)
{
	if (stream == 0)
		return 0;
	if (stream < 0 || stream > UINT32_MAX)
		return err_set(e, ERR_INVALID, "bad stream number");
	if (conn_open_stream(p->conn, (uint32_t)stream, end, e) < 0)
		return -1;
	end->stream = (uint32_t)stream;
	return 0;
}

/* Opens the streams that `j` names. What belongs to them is told by attach_to. */
static int connect_streams(struct peer *p, const struct json *j, struct err *e)
{
	if (p->attached || p->exec)
		return err_set(e, ERR_CONFLICT, "this connection has its process already");
	if (connect_stream(p, &p->in.end, number(j, "stdin"), e) < 0 ||
	    connect_stream(p, &p->out[LOG_STDOUT].end, number(j, "stdout"), e) < 0 ||
	    connect_stream(p, &p->out[LOG_STDERR].end, number(j, "stderr"), e) < 0)
		return -1;
	return 0;
}

static bool has_streams(const struct peer *p)
{
	return p->in.end.stream || p->out[LOG_STDOUT].end.stream || p->out[LOG_STDERR].end.stream;
}

static void attach_to(struct peer *p, struct process *process)
{
	size_t i;

	p->in.process = process;
	for (i = 0; i < LOG_STREAM_COUNT; i++) {
		p->out[i].process = process;
		p->out[i].coupled = process->kind != PROCESS_MAIN;
		/* A stream that the process does not have is at its end. */
		if (process->out_ended[i] || !process->out[i])
			outlet_end(&p->out[i]);
	}
	inlet_resume(&p->in);
}

/* ---- start ------------------------------------------------------------------------------------- */

static void launch_main(struct monitor *m)
{
	const struct container_spec *s = &m->spec;
	auto_strv struct strv args = STRV_INIT;
	struct process_start start = {
		.kind = PROCESS_MAIN,
		.args = &args,
		.env = &s->env,
		.cwd = s->workdir && *s->workdir ? s->workdir : "/",
		.user = s->user ? s->user : "",
		.tty = s->tty,
		.in = s->open_stdin,
		.out = true,
		.err = true,
		.rows = m->rows,
		.cols = m->cols,
	};

	settings_main_args(m, &args);
	monitor_set_life(m, LIFE_LAUNCH);
	process_launch(m, &start, NULL, 0);
	if (m->starter && m->starter->start_request && m->main)
		attach_to(m->starter, m->main);
}

void request_launch_if_asked(struct monitor *m)
{
	bool again = m->state.started_at != 0;

	if (m->life == LIFE_READY && (again || (m->starter && m->starter->start_request)))
		launch_main(m);
}

static int do_start(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	if (!p->starter || p->start_request || p->attached)
		return err_set(e, ERR_INVALID, "only the command that starts the container may");
	if (connect_streams(p, json_get(msg->json, "attach"), e) < 0)
		return -1;
	p->start_request = id;
	p->attached = true;
	order_note_finishes(p, msg->json);
	p->m->rows = number(msg->json, "rows");
	p->m->cols = number(msg->json, "cols");
	request_launch_if_asked(p->m);
	return 0;
}

static void add_trace(struct monitor *m, struct message_out *out)
{
	auto_str struct str text = STR_INIT(MESSAGE_JSON_MAX / 4);

	if (!m->tracing)
		return;
	trace_write(&m->trace, &text);
	if (text.len > 0 && !text.over)
		message_out_blob(out, "trace", text.buf, text.len);
}

void request_started(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct peer *p = m->starter;

	if (!p || !p->start_request)
		return;
	message_out_reply(&out, p->start_request);
	add_trace(m, &out);
	peer_send(p, &out);
	p->start_request = 0;
	if (has_streams(p))
		monitor_tell(m, "attach", NULL);
}

void request_notice(struct monitor *m, const char *text)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (!m->starter)
		return;
	message_out_event(&out, "notice");
	jw_str(&out.json, "message", text);
	peer_send(m->starter, &out);
}

/* ---- attach and exec --------------------------------------------------------------------------- */

static int do_attach(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct monitor *m = p->m;

	if (order_refused(p, id, false, "attach"))
		return 0;
	if (connect_streams(p, msg->json, e) < 0)
		return -1;
	p->attached = true;
	order_note_finishes(p, msg->json);
	monitor_tell(m, "attach", NULL);
	message_out_reply(&out, id);
	jw_bool(&out.json, "tty", m->spec.tty);
	jw_bool(&out.json, "open_stdin", m->spec.open_stdin);
	peer_send(p, &out);
	attach_to(p, m->main);
	return 0;
}

struct exec_request {
	struct strv args, env;
	char *cwd;
};

static void exec_request_release(struct exec_request *x)
{
	strv_release(&x->args);
	strv_release(&x->env);
	free(x->cwd);
}

/* The container's own environment, then what was asked for, and TERM where there is a terminal. */
static int read_exec(struct monitor *m, const struct message *msg, bool tty, struct exec_request *x,
		     struct err *e)
{
	auto_strv struct strv added = STRV_INIT;
	size_t i;

	if (message_list(msg, "args", ARGS_MAX, &x->args, e) < 0 ||
	    message_list(msg, "env", ARGS_MAX, &added, e) < 0 ||
	    message_text(msg, "cwd", TEXT_MAX, &x->cwd, e) < 0)
		return -1;
	if (x->args.n == 0)
		return err_set(e, ERR_INVALID, "no exec command specified");
	strv_copy(&x->env, &m->spec.env);
	for (i = 0; i < added.n; i++)
		strv_env_set(&x->env, added.v[i]);
	if (tty && !strv_env_get(&x->env, "TERM"))
		strv_env_set(&x->env, "TERM=xterm");
	return 0;
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

static int do_exec(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	struct exec_request x = { .cwd = NULL };
	struct monitor *m = p->m;
	bool tty = json_bool(json_get(msg->json, "tty"));
	struct process_start start = { .kind = PROCESS_EXEC, .tty = tty };

	if (order_refused(p, id, false, "exec"))
		return 0;
	if (connect_streams(p, msg->json, e) < 0 || read_exec(m, msg, tty, &x, e) < 0) {
		exec_request_release(&x);
		return -1;
	}
	start.args = &x.args;
	start.env = &x.env;
	start.cwd = or_else(x.cwd, or_else(m->spec.workdir, "/"));
	start.user = or_else(json_str(json_get(msg->json, "user")), or_else(m->spec.user, ""));
	start.privileged = json_bool(json_get(msg->json, "privileged"));
	start.in = p->in.end.stream != 0;
	/* A terminal has to be read, also when nobody looks (exec -dt). */
	start.out = tty || p->out[LOG_STDOUT].end.stream != 0;
	start.err = p->out[LOG_STDERR].end.stream != 0;
	start.rows = number(msg->json, "rows");
	start.cols = number(msg->json, "cols");
	process_launch(m, &start, p, id);
	exec_request_release(&x);
	attach_to(p, p->exec);
	return 0;
}

void request_exec_answered(struct process *process, const struct message *reply,
			   const struct err *error)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct peer *p = process->owner;
	int64_t id = process->request;

	process->request = 0;
	if (!p || !id)
		return;
	if (error) {
		peer_reply_error(p, id, error);
		return;
	}
	message_out_reply(&out, id);
	jw_int(&out.json, "exec", process->number);
	jw_int(&out.json, "pid", number(reply->json, "pid"));
	peer_send(p, &out);
}

void request_exec_ended(struct process *process)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (!process->owner)
		return;
	message_out_event(&out, "exec.exit");
	jw_int(&out.json, "exec", process->number);
	jw_int(&out.json, "code", process->code);
	peer_send(process->owner, &out);
}

/* ---- all of them ------------------------------------------------------------------------------- */

static const struct {
	const char *op;
	request_handler *handle;
} requests[] = {
	{ "start", do_start },	    { "attach", do_attach },	    { "exec", do_exec },
	{ "signal", order_signal }, { "resize", order_resize },	    { "stop", order_stop },
	{ "wait", order_wait },	    { "pause", order_pause },	    { "resume", order_resume },
	{ "stats", order_stats },   { "top", order_top },	    { "rename", order_rename },
	{ "detach", order_detach }, { "finished", order_finished },
};

int request_handle(struct peer *p, const struct message *msg, struct err *e)
{
	struct err why = ERR_INIT;
	int64_t id = message_id(msg);
	size_t i;

	if (id <= 0)
		return err_set(e, ERR_CORRUPT, "a request without a number");
	for (i = 0; i < ARRAY_LEN(requests); i++) {
		if (!str_eq(requests[i].op, message_op(msg)))
			continue;
		if (requests[i].handle(p, id, msg, &why) < 0)
			peer_reply_error(p, id, &why);
		return 0;
	}
	err_set(&why, ERR_INVALID, "unknown request");
	peer_reply_error(p, id, &why);
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------------- */

/* Nobody is left who would start it again. */
static void stop_keeping(struct peer *gone)
{
	struct monitor *m = gone->m;

	for (const struct peer *p = m->peers; p; p = p->next) {
		if (p != gone && p->keeps)
			return;
	}
	m->keep = false;
}

void request_peer_gone(struct peer *p)
{
	struct monitor *m = p->m;
	struct err why = ERR_INIT;

	if (p->keeps && m->life < LIFE_FINISH)
		stop_keeping(p);
	if (p->exec) {
		p->exec->owner = NULL;
		p->exec->request = 0;
	}
	if (p->in.process && !p->in.ended)
		inlet_end(&p->in);
	finish_peer_gone(p);
	if (m->starter != p)
		return;
	m->starter = NULL;
	if (m->state.started_at == 0 && (m->life < LIFE_RUN || m->retry)) {
		err_set(&why, ERR_CANCELLED, "the command that starts the container has gone");
		monitor_fail(m, &why);
	}
}

static void tell_exit(struct peer *p)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct monitor *m = p->m;

	message_out_event(&out, "exit");
	jw_int(&out.json, "code", p->over ? p->over_code : m->state.exit_code);
	jw_str(&out.json, "error", m->state.error && !p->over ? m->state.error : "");
	add_trace(m, &out);
	peer_send(p, &out);
}

static void answer_wait(struct peer *p)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (!p->wait_request)
		return;
	message_out_reply(&out, p->wait_request);
	jw_int(&out.json, "code", p->m->state.exit_code);
	peer_send(p, &out);
	p->wait_request = 0;
}

static void settle_peer_end(struct peer *p)
{
	struct monitor *m = p->m;

	if (p->start_request && err_is_set(&m->failure))
		peer_reply_error(p, p->start_request, &m->failure);
	if (p->stop_request)
		peer_reply(p, p->stop_request);
	answer_wait(p);
	p->start_request = p->stop_request = 0;
	/* The starting command is still to ask, and to hear why not. */
	if (p->starter && !p->attached)
		return;
	if (!peer_is_drained(p) || p->exec)
		return;
	if (p->attached && m->state.started_at)
		tell_exit(p);
	peer_close(p);
}

void requests_settle_end(struct monitor *m)
{
	struct peer *p;

	for (p = m->peers; p; p = p->next)
		if (!p->gone && !p->closing)
			settle_peer_end(p);
}

void requests_run_over(struct monitor *m)
{
	struct peer *p;

	for (p = m->peers; p; p = p->next) {
		answer_wait(p);
		if (!p->attached || p->over)
			continue;
		p->over = true;
		p->over_code = (int)m->state.exit_code;
	}
}

void requests_settle_over(struct monitor *m)
{
	struct peer *p;

	for (p = m->peers; p; p = p->next) {
		if (!p->over || p->gone || p->closing || !peer_is_drained(p))
			continue;
		tell_exit(p);
		peer_close(p);
	}
}
