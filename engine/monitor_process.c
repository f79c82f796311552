/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of the container: number 1, those of exec, and health checks. The agent's streams of a process
 * have the process as their owner; its output goes to the log (number 1) and to the outlets of the clients.
 *
 * A process stays in the table until it has ended and its owner was told, which is after the last of its
 * output. That may be long after its VM is gone, where another run follows: its streams are no longer the
 * agent's then, and its number may be in use again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define COMMAND_MAX 4096 /* of it, in events */

static void answered(struct monitor *m, void *ctx, const struct message *reply,
		     const struct err *error)
{
	struct process *p = ctx;
	struct err why = ERR_INIT;

	if (error)
		p->ended = true;
	else
		p->started = true;
	if (p->kind != PROCESS_MAIN) {
		if (!error)
			monitor_tell_exec(m, "exec_start", p);
		if (p->kind == PROCESS_CHECK)
			health_answered(m, error);
		else
			request_exec_answered(p, reply, error);
		return;
	}
	if (m->life != LIFE_LAUNCH)
		return;
	if (error) {
		why = *error;
		monitor_fail(m, &why);
		return;
	}
	monitor_phase(m, "exec");
	monitor_set_life(m, LIFE_RUN);
}

static uint32_t open_stream(struct process *p)
{
	uint32_t id = agent_new_stream(p->m);
	struct err e = ERR_INIT;

	if (p->m->agent.conn && conn_open_stream(p->m->agent.conn, id, p, &e) < 0)
		log_debug("cannot open a stream: %s", e.msg);
	return id;
}

/* As Docker tells it in events. */
static char *command_line(const struct strv *args)
{
	auto_str struct str text = STR_INIT(COMMAND_MAX);
	struct err ignored = ERR_INIT;
	char *line;
	size_t i;

	for (i = 0; i < args->n; i++)
		str_addf(&text, "%s%s", i ? " " : "", args->v[i]);
	line = str_take(&text, &ignored);
	return line ? line : xstrdup(args->v[0]);
}

static struct process *add_process(struct monitor *m, const struct process_start *s)
{
	struct process *p = xcalloc(1, sizeof(*p));

	p->m = m;
	p->kind = s->kind;
	p->tty = s->tty;
	p->number = ++m->last_process;
	p->next = m->processes;
	m->processes = p;
	if (s->kind == PROCESS_MAIN) {
		m->main = p;
	} else {
		random_id(p->exec_id);
		p->command = command_line(s->args);
		monitor_tell_exec(m, "exec_create", p);
	}
	return p;
}

void process_launch(struct monitor *m, const struct process_start *s, struct peer *owner,
		    int64_t request)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct process *p = add_process(m, s);

	p->owner = owner;
	p->request = request;
	if (owner)
		owner->exec = p;
	if (s->kind == PROCESS_CHECK)
		m->health.process = p;
	p->in = s->in ? open_stream(p) : 0;
	p->out[LOG_STDOUT] = s->out ? open_stream(p) : 0;
	p->out[LOG_STDERR] = s->err && !s->tty ? open_stream(p) : 0;

	agent_begin(m, &out, "process.start");
	jw_str(&out.json, "container", m->id);
	jw_int(&out.json, "process", p->number);
	message_out_list(&out, "args", s->args);
	message_out_list(&out, "env", s->env);
	message_out_text(&out, "cwd", s->cwd);
	jw_str(&out.json, "user", s->user);
	jw_bool(&out.json, "tty", s->tty);
	jw_int(&out.json, "rows", s->rows);
	jw_int(&out.json, "cols", s->cols);
	jw_int(&out.json, "stdin", p->in);
	jw_int(&out.json, "stdout", p->out[LOG_STDOUT]);
	jw_int(&out.json, "stderr", p->out[LOG_STDERR]);
	settings_tell_process(m, s->privileged, &out);
	agent_send(m, &out, answered, p);
}

struct process *process_find(struct monitor *m, int64_t number)
{
	struct process *p;

	/* One that has ended may be of an earlier run. */
	for (p = m->processes; p; p = p->next)
		if (p->number == number && !p->ended)
			return p;
	return NULL;
}

/* ---- output ------------------------------------------------------------------------------------ */

static int output_of(const struct process *p, uint32_t stream)
{
	if (stream && stream == p->out[LOG_STDOUT])
		return LOG_STDOUT;
	if (stream && stream == p->out[LOG_STDERR])
		return LOG_STDERR;
	return -1;
}

static struct outlet *owner_outlet(struct process *p, int which)
{
	return p->owner && p->owner->exec == p ? &p->owner->out[which] : NULL;
}

void process_consumed(struct process *p, unsigned which, size_t n)
{
	if (p->m->agent.conn && !p->out_ended[which])
		conn_consumed(p->m->agent.conn, p->out[which], n);
}

void process_output_dropped(struct outlet *o)
{
	if (o->process && o->coupled && o->held.len > 0)
		process_consumed(o->process, o->which, o->held.len);
	str_clear(&o->held);
}

int process_data(struct monitor *m, struct process *p, uint32_t stream, const void *bytes, size_t n)
{
	int which = output_of(p, stream);
	struct outlet *o;
	struct err e = ERR_INIT;
	struct peer *peer;

	if (which < 0)
		return -1;
	if (p->kind == PROCESS_CHECK) {
		health_output(m, bytes, n);
		process_consumed(p, (unsigned)which, n);
		return 0;
	}
	if (p->kind == PROCESS_EXEC) {
		o = owner_outlet(p, which);
		process_consumed(p, (unsigned)which, o ? outlet_write(o, bytes, n) : n);
		return 0;
	}
	if (m->log && logfile_write(m->log, (enum log_stream)which, bytes, n, &e) < 0)
		log_debug("%s", e.msg);
	for (peer = m->peers; peer; peer = peer->next)
		if (peer->out[which].process == p)
			outlet_write(&peer->out[which], bytes, n);
	process_consumed(p, (unsigned)which, n);
	return 0;
}

static void end_output(struct monitor *m, struct process *p, int which)
{
	struct err e = ERR_INIT;
	struct outlet *o;
	struct peer *peer;

	if (!p->out[which] || p->out_ended[which])
		return;
	p->out_ended[which] = true;
	if (p->kind != PROCESS_MAIN) {
		o = owner_outlet(p, which);
		if (o)
			outlet_end(o);
		return;
	}
	if (m->log && logfile_eof(m->log, (enum log_stream)which, &e) < 0)
		log_debug("%s", e.msg);
	for (peer = m->peers; peer; peer = peer->next)
		if (peer->out[which].process == p)
			outlet_end(&peer->out[which]);
}

void process_window(struct monitor *m, struct process *p)
{
	struct peer *peer;

	for (peer = m->peers; peer; peer = peer->next)
		if (peer->in.process == p)
			inlet_resume(&peer->in);
}

void process_eof(struct monitor *m, struct process *p, uint32_t stream)
{
	int which = output_of(p, stream);

	if (which >= 0) {
		end_output(m, p, which);
		return;
	}
	p->in_ended = true;
	process_window(m, p);
}

/* ---- the end ----------------------------------------------------------------------------------- */

static void close_streams(struct process *p)
{
	struct conn *conn = p->m->agent.conn;
	size_t i;

	if (!conn)
		return;
	conn_close_stream(conn, p->in);
	for (i = 0; i < LOG_STREAM_COUNT; i++)
		conn_close_stream(conn, p->out[i]);
}

static void end_process(struct monitor *m, struct process *p, int code)
{
	int i;

	if (p->ended)
		return;
	p->ended = true;
	p->code = code;
	for (i = 0; i < LOG_STREAM_COUNT; i++)
		end_output(m, p, i);
	process_window(m, p);
	close_streams(p);
	if (p->kind != PROCESS_MAIN && p->started)
		monitor_tell_exec(m, "exec_die", p);
	if (p->kind == PROCESS_CHECK)
		health_exited(m, code);
}

int process_exit_event(struct monitor *m, const struct message *msg, struct err *e)
{
	int64_t number = json_int(json_get(msg->json, "process"), 0);
	int64_t code = json_int(json_get(msg->json, "code"), -1);
	int64_t sig = json_int(json_get(msg->json, "signal"), -1);
	struct process *p = process_find(m, number);

	if (sig >= 0)
		code = 128 + sig;
	if (code < 0 || code > 255)
		return err_set(e, ERR_CORRUPT, "the agent tells an exit code that cannot be");
	if (!p || !p->started || p->ended)
		return err_set(e, ERR_CORRUPT,
			       "the agent tells the end of a process that does not run");
	end_process(m, p, (int)code);
	if (p == m->main) {
		if (json_bool(json_get(msg->json, "oom")))
			m->state.oom = true;
		monitor_exited(m, (int)code);
	}
	return 0;
}

void process_all_lost(struct monitor *m)
{
	struct process *p;

	for (p = m->processes; p; p = p->next)
		end_process(m, p, 128 + 9);
}

bool process_all_ended(const struct monitor *m)
{
	const struct process *p;

	for (p = m->processes; p; p = p->next) {
		if (!p->ended)
			return false;
	}
	return true;
}

static bool has_output_left(struct process *p)
{
	int i;

	for (i = 0; i < LOG_STREAM_COUNT; i++) {
		struct outlet *o = owner_outlet(p, i);

		if (o && !outlet_is_done(o))
			return true;
	}
	return false;
}

static void free_process(struct process *p)
{
	free(p->command);
	free(p);
}

static void forget(struct process *p)
{
	size_t i;

	if (p->owner && p->owner->exec == p) {
		p->owner->exec = NULL;
		p->owner->in.process = NULL;
		for (i = 0; i < LOG_STREAM_COUNT; i++)
			p->owner->out[i].process = NULL;
	}
	if (p->m->health.process == p)
		p->m->health.process = NULL;
	close_streams(p);
	free_process(p);
}

/* Its streams were the last VM's agent's. */
static void forget_streams(struct process *p)
{
	p->in = 0;
	memset(p->out, 0, sizeof(p->out));
}

void process_run_over(struct monitor *m)
{
	struct process **at = &m->processes, *p;
	struct peer *peer;
	size_t i;

	for (p = m->processes; p; p = p->next)
		forget_streams(p);
	for (peer = m->peers; peer && m->main; peer = peer->next) {
		if (peer->in.process != m->main)
			continue;
		peer->in.process = NULL;
		for (i = 0; i < LOG_STREAM_COUNT; i++)
			peer->out[i].process = NULL;
	}
	while ((p = *at) && p != m->main)
		at = &p->next;
	if (p) {
		*at = p->next;
		free_process(p);
	}
	m->main = NULL;
	m->last_process = 0;
}

void process_settle(struct monitor *m)
{
	struct process **at = &m->processes, *p;

	while ((p = *at)) {
		/* A request that is still to be answered keeps it, too. */
		if (p == m->main || !p->ended || p->request || has_output_left(p)) {
			at = &p->next;
			continue;
		}
		if (p->started && p->kind == PROCESS_EXEC)
			request_exec_ended(p);
		*at = p->next;
		forget(p);
	}
}

void process_free_all(struct monitor *m)
{
	struct process *p;

	while ((p = m->processes)) {
		m->processes = p->next;
		free_process(p);
	}
	m->main = NULL;
}

/* ---- orders ------------------------------------------------------------------------------------ */

void process_signal(struct monitor *m, struct process *p, int64_t sig, agent_done *done, void *ctx)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "process.signal");
	jw_str(&out.json, "container", m->id);
	jw_int(&out.json, "process", p->number);
	jw_int(&out.json, "signal", sig);
	agent_send(m, &out, done, ctx);
}

void process_resize(struct monitor *m, struct process *p, int64_t rows, int64_t cols)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	agent_begin(m, &out, "process.resize");
	jw_str(&out.json, "container", m->id);
	jw_int(&out.json, "process", p->number);
	jw_int(&out.json, "rows", rows);
	jw_int(&out.json, "cols", cols);
	agent_send(m, &out, NULL, NULL);
}
