/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of clients that are orders to the container, or questions about it. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"
#include "engine/names.h"

#define SIGNAL_MAX	     64
#define STOP_TIMEOUT_DEFAULT 10

static int64_t number(const struct json *j, const char *key)
{
	return json_int(json_get(j, key), 0);
}

static struct asker asker(const struct peer *p, int64_t id)
{
	return (struct asker){ p->serial, id };
}

void order_reply(struct monitor *m, struct asker *who, const struct err *error)
{
	struct peer *p = who->id ? peer_find(m, who->serial) : NULL;

	if (p && error)
		peer_reply_error(p, who->id, error);
	else if (p)
		peer_reply(p, who->id);
	who->id = 0;
}

/* ---- what it is at ----------------------------------------------------------------------------- */

bool monitor_runs(const struct monitor *m)
{
	return m->life == LIFE_RUN && m->main && !m->main->ended;
}

static bool is_restarting(const struct monitor *m)
{
	return m->restart.pending || (m->state.started_at && m->life < LIFE_RUN);
}

bool order_refused(struct peer *p, int64_t id, bool even_paused, const char *action)
{
	struct monitor *m = p->m;
	struct err e = ERR_INIT;

	if (is_restarting(m))
		err_set(&e, ERR_CONFLICT,
			"Container %s is restarting, wait until the container is running", m->id);
	else if (!monitor_runs(m))
		err_set(&e, ERR_CONFLICT, "container %s is not running", m->id);
	else if (!even_paused && pause_is_on(m))
		err_set(&e, ERR_CONFLICT, "Container %s is paused, unpause the container before %s",
			m->id, action);
	else
		return false;
	peer_reply_error(p, id, &e);
	return true;
}

/* ---- passed on to the agent -------------------------------------------------------------------- */

static struct asker *keep_asker(const struct peer *p, int64_t id)
{
	struct asker *who = xcalloc(1, sizeof(*who));

	*who = asker(p, id);
	return who;
}

static void relay_answer(struct monitor *m, void *ctx, const struct message *reply,
			 const struct err *error)
{
	auto_free struct asker *who = ctx;

	(void)reply;
	order_reply(m, who, error);
}

void order_reply_copy(struct monitor *m, struct asker who, const struct json *document)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct peer *p = peer_find(m, who.serial);
	const struct json *value;
	const char *key = NULL;

	if (!p)
		return;
	message_out_reply(&out, who.id);
	/* Not by index: a guest may send thousands. */
	while (json_next(document, &key, &value)) {
		auto_str struct str text = STR_INIT(MESSAGE_JSON_MAX);

		if (str_eq(key, "id"))
			continue;
		json_dump(value, &text);
		jw_raw(&out.json, key, text.buf);
	}
	peer_send(p, &out);
}

static void relay_document(struct monitor *m, void *ctx, const struct message *reply,
			   const struct err *error)
{
	auto_free struct asker *who = ctx;

	if (error)
		order_reply(m, who, error);
	else
		order_reply_copy(m, *who, reply->json);
}

/* A question to the agent. */
static void ask_agent(struct peer *p, int64_t id, const char *op, int64_t after)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct monitor *m = p->m;

	agent_begin(m, &out, op);
	jw_str(&out.json, "container", m->id);
	if (after > 0)
		jw_int(&out.json, "after", after);
	agent_send(m, &out, relay_document, keep_asker(p, id));
}

/* The same of a paused guest: what it answered before. */
static int answer_kept(struct peer *p, int64_t id, const char *kept, struct err *e)
{
	auto_json struct json *document = NULL;
	struct monitor *m = p->m;

	if (!kept)
		return err_set(e, ERR_UNAVAILABLE, "Container %s is paused", m->id);
	if (json_parse(kept, strlen(kept), &document, e) < 0)
		return -1;
	order_reply_copy(m, asker(p, id), document);
	return 0;
}

int order_stats(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	(void)msg;
	if (order_refused(p, id, true, ""))
		return 0;
	if (pause_is_on(p->m))
		return answer_kept(p, id, p->m->pause.stats, e);
	ask_agent(p, id, "container.stats", 0);
	return 0;
}

int order_top(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	int64_t after = number(msg->json, "after");

	if (order_refused(p, id, true, ""))
		return 0;
	if (pause_is_on(p->m))
		return answer_kept(p, id, pause_processes(p->m, after), e);
	ask_agent(p, id, "container.processes", after);
	return 0;
}

/* ---- signals and sizes ------------------------------------------------------------------------- */

static int no_such_exec(struct peer *p, int64_t id, struct err *e)
{
	if (order_refused(p, id, true, ""))
		return 0;
	return err_set(e, ERR_NOT_FOUND, "the process does not run any more");
}

static int signal_exec(struct peer *p, int64_t id, struct process *process, int64_t sig,
		       struct err *e)
{
	if (!process)
		return no_such_exec(p, id, e);
	process_signal(p->m, process, sig, relay_answer, keep_asker(p, id));
	return 0;
}

static int signal_main(struct peer *p, int64_t id, int64_t sig)
{
	struct asker who = asker(p, id);
	struct monitor *m = p->m;

	if (!is_restarting(m) && order_refused(p, id, true, ""))
		return 0;
	if (!monitor_signalled(m, sig)) {
		order_reply(m, &who, NULL);
		return 0;
	}
	monitor_tell_one(m, "kill", "signal=%lld", (long long)sig);
	if (!pause_is_on(m)) {
		process_signal(m, m->main, sig, relay_answer, keep_asker(p, id));
		return 0;
	}
	/* It gets the signal when it goes on, which may be much later. */
	process_signal(m, m->main, sig, NULL, NULL);
	order_reply(m, &who, NULL);
	return 0;
}

int order_signal(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	int64_t sig = number(msg->json, "signal"), exec = number(msg->json, "exec");

	if (sig < 1 || sig > SIGNAL_MAX)
		return err_set(e, ERR_INVALID, "invalid signal: %lld", (long long)sig);
	if (exec)
		return signal_exec(p, id, process_find(p->m, exec), sig, e);
	return signal_main(p, id, sig);
}

int order_resize(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	int64_t exec = number(msg->json, "exec"), rows = number(msg->json, "rows"),
		cols = number(msg->json, "cols");
	struct process *process = exec ? process_find(p->m, exec) : p->m->main;
	auto_strv struct strv size = STRV_INIT;
	struct monitor *m = p->m;

	if (order_refused(p, id, true, ""))
		return 0;
	if (!process)
		return no_such_exec(p, id, e);
	process_resize(m, process, rows, cols);
	if (!exec) {
		/* Of the next run, too. */
		m->rows = rows;
		m->cols = cols;
		strv_addf(&size, "height=%lld", (long long)rows);
		strv_addf(&size, "width=%lld", (long long)cols);
		monitor_tell(m, "resize", &size);
	}
	peer_reply(p, id);
	return 0;
}

/* ---- stop and wait ----------------------------------------------------------------------------- */

void order_note_finishes(struct peer *p, const struct json *request)
{
	if (json_bool(json_get(request, "finishes")))
		p->finishes = true;
}

int order_stop(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	int64_t sig = number(msg->json, "signal");
	int64_t timeout = json_int(json_get(msg->json, "timeout"), SPEC_STOP_TIMEOUT_DEFAULT);

	if (sig < 0 || sig > SIGNAL_MAX)
		return err_set(e, ERR_INVALID, "invalid signal: %lld", (long long)sig);
	if (p->stop_request)
		return err_set(e, ERR_CONFLICT, "already stopping");
	if (timeout == SPEC_STOP_TIMEOUT_DEFAULT)
		timeout = p->m->spec.stop_timeout;
	if (timeout == SPEC_STOP_TIMEOUT_DEFAULT)
		timeout = STOP_TIMEOUT_DEFAULT;
	p->stop_request = id;
	order_note_finishes(p, msg->json);
	if (json_bool(json_get(msg->json, "keep")))
		p->keeps = p->m->keep = true;
	if (json_bool(json_get(msg->json, "kill")))
		monitor_kill(p->m);
	else
		monitor_stop(p->m, (int)sig, timeout);
	return 0;
}

int order_wait(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	if (p->wait_request)
		return err_set(e, ERR_CONFLICT, "already waiting");
	p->wait_request = id;
	order_note_finishes(p, msg->json);
	return 0;
}

int order_finished(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	const char *error = json_str(json_get(msg->json, "error"));

	if (finish_answered(p, error ? error : "", e) < 0)
		return -1;
	peer_reply(p, id);
	return 0;
}

/* ---- pause ------------------------------------------------------------------------------------- */

int order_pause(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	struct monitor *m = p->m;

	(void)msg;
	if (order_refused(p, id, true, ""))
		return 0;
	if (m->pause.step != PAUSE_NONE)
		return err_set(e, ERR_CONFLICT, "Container %s is already paused", m->id);
	if (!vmm_can(m->choice.driver, VMM_CAP_PAUSE))
		return err_set(e, ERR_INVALID, "cannot pause container %s: %s has no pause", m->id,
			       m->choice.driver->name);
	pause_begin(m, asker(p, id));
	return 0;
}

int order_resume(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	struct monitor *m = p->m;

	(void)msg;
	if (!monitor_runs(m) || !pause_is_on(m) || m->pause.resumer.id)
		return err_set(e, ERR_CONFLICT, "Container %s is not paused", m->id);
	pause_end(m, asker(p, id));
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------------------- */

int order_rename(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	const char *name = json_str(json_get(msg->json, "name"));
	struct monitor *m = p->m;

	if (name_check(name ? name : "", e) < 0)
		return -1;
	free(m->spec.name);
	m->spec.name = xstrdup(name);
	peer_reply(p, id);
	return 0;
}

/* The user has typed the detach keys; the end of the connection follows. */
int order_detach(struct peer *p, int64_t id, const struct message *msg, struct err *e)
{
	(void)msg;
	(void)e;
	if (p->exec)
		monitor_tell_one(p->m, "exec_detach", "execID=%s", p->exec->exec_id);
	else if (p->attached)
		monitor_tell(p->m, "detach", NULL);
	peer_reply(p, id);
	return 0;
}
