/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/config.h"

#define ASKED_MAX     3
#define DETACHED_TEXT "read escape sequence"

int session_keys(struct session *s, struct cmd *c, const char *option, struct err *e)
{
	const char *text = option && *option ? option : config_detach_keys(c);

	return keys_parse(text ? text : KEYS_DEFAULT, &s->keys, e);
}

int session_check_tty(bool tty, bool attach_stdin, struct err *e)
{
	if (tty && attach_stdin && !isatty(0))
		return err_set(e, ERR_INVALID, "the input device is not a TTY");
	return 0;
}

static int on_signal(struct session *s, struct client *client, int sig, struct err *e)
{
	bool ending = signals_is_ending(sig);
	struct client_size size;

	if (sig == SIGCONT)
		term_again(&s->term);
	if (sig == SIGWINCH && s->tty) {
		if (s->running && term_size(&size))
			client_send_resize(client, &size);
		return 0;
	}
	if (ending && (!s->running || !s->proxy)) {
		s->ended_by = sig;
		return err_set(e, ERR_CANCELLED, "interrupted");
	}
	if (!s->running || !s->proxy)
		return 0;
	if ((sig == SIGINT || sig == SIGTERM) && ++s->asked == ASKED_MAX) {
		s->ended_by = sig;
		return err_set(e, ERR_CANCELLED, "got %d SIGTERM/SIGINTs, forcefully exiting",
			       ASKED_MAX);
	}
	client_send_signal(client, sig);
	return 0;
}

static int on_event(void *ctx, struct client *client, struct err *e)
{
	struct session *s = ctx;
	int sig;

	while ((sig = signals_next(&s->signals)) != 0) {
		if (on_signal(s, client, sig, e) < 0)
			return -1;
	}
	return 0;
}

static void on_notice(void *ctx, const char *text)
{
	const struct session *s = ctx;

	if (s->notice)
		s->notice(text);
}

void session_use(struct session *s, struct client *client)
{
	const struct client_hooks hooks = { s, s->signals.fd, on_event, on_notice };

	client_set_hooks(client, &hooks);
}

struct client_size session_size(const struct session *s)
{
	struct client_size size = { 0, 0 };

	if (s->tty)
		term_size(&size);
	return size;
}

static int copy_streams(struct session *s, struct client *client, struct client_result *ret,
			struct err *e)
{
	struct client_io io = CLIENT_IO_INIT;
	struct client_size size;

	io.in = s->streams.in ? 0 : -1;
	io.out = s->streams.out ? 1 : -1;
	io.err = s->streams.err ? 2 : -1;
	if (s->tty && s->streams.in) {
		io.detach_keys = s->keys.v;
		io.ndetach_keys = s->keys.n;
		if (isatty(0) && term_open_raw(&s->term, 0, e) < 0)
			return -1;
	}
	/* The window may have changed while the container was starting. */
	if (s->tty && term_size(&size))
		client_send_resize(client, &size);
	return client_run_streams(client, &io, ret, e);
}

/* The exit code when it did not come to the process's end. */
static int stream_failed(const struct session *s, const struct cmd *c, const struct err *e)
{
	if (s->asked >= ASKED_MAX) {
		fprintf(stderr, "\n%s\n", e->msg);
		return 1;
	}
	if (s->ended_by)
		return 128 + s->ended_by;
	/* As `| head` ends any other program. */
	if (e->sys == EPIPE)
		return 128 + SIGPIPE;
	return cmd_fail(c, e);
}

int session_stream(struct session *s, const struct cmd *c, struct client *client)
{
	struct client_result result = { 0 };
	struct err e = ERR_INIT;
	int r;

	s->running = true;
	fflush(stdout);
	r = copy_streams(s, client, &result, &e);
	term_restore(&s->term);
	if (r < 0)
		return stream_failed(s, c, &e);
	if (result.detached && s->detach_fails) {
		fprintf(stderr, DETACHED_TEXT "\n");
		return 1;
	}
	if (result.error[0])
		fprintf(stderr, "%s: %s\n", c->prog, result.error);
	return result.detached ? 0 : result.code;
}

void session_release(struct session *s)
{
	term_restore(&s->term);
	signals_release(&s->signals);
}
