/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a monitor in one request and its answer: orders to the container, questions about it. */
#include "base/log.h"
#include "engine/client_priv.h"

static void begin_signal(struct client *c, struct message_out *out, int sig)
{
	client_begin(c, out, "signal");
	jw_int(&out->json, "signal", sig);
	jw_int(&out->json, "exec", c->exec);
}

static void send_only(struct client *c, struct message_out *out)
{
	struct err e = ERR_INIT;

	if (conn_send_message(c->conn, out, &e) < 0)
		log_debug("%s", e.msg);
	else
		client_push(c);
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
