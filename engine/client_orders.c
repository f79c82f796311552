/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a monitor in one request and its answer: orders to the container, questions about it. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "engine/client_priv.h"

static void send_only(struct client *c, struct message_out *out)
{
	struct err e = ERR_INIT;

	if (conn_send_message(c->conn, out, &e) < 0)
		log_debug("%s", e.msg);
	else
		client_push(c);
}

/* ---- the end ----------------------------------------------------------------------------------- */

void client_offer_finish(struct client *c, int (*finish)(void *ctx, const char *id, struct err *e),
			 void *ctx, const char *id)
{
	c->offer.finish = finish;
	c->offer.ctx = ctx;
	snprintf(c->offer.id, sizeof(c->offer.id), "%s", id);
}

void client_name_offer(const struct client *c, struct message_out *out)
{
	if (c->offer.finish)
		jw_bool(&out->json, "finishes", true);
}

void client_finish_due(struct client *c)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct err why = ERR_INIT;
	sigset_t stops, before;

	c->offer.due = false;
	client_begin(c, &out, "finished");
	/* Ctrl-Z has to wait: nobody is to be stopped who holds a lock of the store. */
	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stops, &before);
	if (c->offer.finish(c->offer.ctx, c->offer.id, &why) < 0)
		jw_str(&out.json, "error", why.msg);
	sigprocmask(SIG_SETMASK, &before, NULL);
	send_only(c, &out);
}

/* ---- orders ------------------------------------------------------------------------------------ */

static void begin_signal(struct client *c, struct message_out *out, int sig)
{
	client_begin(c, out, "signal");
	jw_int(&out->json, "signal", sig);
	jw_int(&out->json, "exec", c->exec);
}

void client_send_signal(struct client *c, int sig)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	begin_signal(c, &out, sig);
	send_only(c, &out);
}

void client_send_resize(struct client *c, const struct client_size *size)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "resize");
	client_name_size(&out, size);
	jw_int(&out.json, "exec", c->exec);
	send_only(c, &out);
}

void client_tell(struct client *c, const char *op)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, op);
	send_only(c, &out);
}

int client_signal(struct client *c, int sig, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	begin_signal(c, &out, sig);
	return client_ask(c, &out, e);
}

static int begin_stop(struct client *c, int sig, int timeout, bool keep, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "stop");
	jw_int(&out.json, "signal", sig);
	jw_int(&out.json, "timeout", timeout);
	jw_bool(&out.json, "keep", keep);
	client_name_offer(c, &out);
	return client_request(c, &out, e) < 0 ? -1 : client_flush(c, e);
}

int client_begin_stop(struct client *c, int sig, int timeout, struct err *e)
{
	return begin_stop(c, sig, timeout, false, e);
}

int client_begin_restop(struct client *c, int sig, int timeout, struct err *e)
{
	return begin_stop(c, sig, timeout, true, e);
}

int client_end_stop(struct client *c, struct err *e)
{
	return client_answer(c, e);
}

int client_stop(struct client *c, int sig, int timeout, struct err *e)
{
	return client_begin_stop(c, sig, timeout, e) < 0 ? -1 : client_end_stop(c, e);
}

int client_kill(struct client *c, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "stop");
	jw_bool(&out.json, "kill", true);
	client_name_offer(c, &out);
	return client_ask(c, &out, e);
}

static int ask_bare(struct client *c, const char *op, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, op);
	return client_ask(c, &out, e);
}

int client_pause(struct client *c, struct err *e)
{
	return ask_bare(c, "pause", e);
}

int client_resume(struct client *c, struct err *e)
{
	return ask_bare(c, "resume", e);
}

int client_begin_stats(struct client *c, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "stats");
	c->keeping = true;
	return client_request(c, &out, e) < 0 ? -1 : client_flush(c, e);
}

int client_end_stats(struct client *c, const struct json **ret, struct err *e)
{
	int r = client_answer(c, e);

	c->keeping = false;
	if (r == 0)
		*ret = c->document;
	return r;
}

int client_top(struct client *c, int64_t after, const struct json **ret, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	int r;

	client_begin(c, &out, "top");
	if (after > 0)
		jw_int(&out.json, "after", after);
	c->keeping = true;
	r = client_ask(c, &out, e);
	c->keeping = false;
	if (r == 0)
		*ret = c->document;
	return r;
}

int client_rename(struct client *c, const char *name, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "rename");
	jw_str(&out.json, "name", name);
	return client_ask(c, &out, e);
}

int client_wait(struct client *c, int *ret_code, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "wait");
	client_name_offer(c, &out);
	if (client_ask(c, &out, e) < 0)
		return -1;
	*ret_code = (int)c->code & 255;
	return 0;
}

int client_begin_wait(struct client *c, int *ret_fd, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	client_begin(c, &out, "wait");
	if (conn_send_message(c->conn, &out, e) < 0 || client_flush(c, e) < 0)
		return -1;
	*ret_fd = c->fd;
	return 0;
}
