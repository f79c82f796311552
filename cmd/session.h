/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user at a container: what run, start -a and exec have in common once there is a connection to the
 * monitor. Signals go to the container, the terminal is raw meanwhile, its size follows.
 *
 *	session_open(&s, ...)			signals are caught from here on
 *	session_use(&s, client)			the client tells the session of signals
 *	session_begin(&s); client_start(...); session_run(...)
 *	session_release(&s)			always: gives terminal and signals back
 *
 * Until session_begin a signal that asks the command to end makes the client's call fail with
 * ERR_CANCELLED; afterwards signals are sent on when `proxy` says so. The third Ctrl-C ends the command
 * in any case.
 */
#ifndef KVBOX_CMD_SESSION_H
#define KVBOX_CMD_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/keys.h"
#include "cmd/signals.h"
#include "cmd/term.h"
#include "engine/client.h"

struct session {
	bool tty;
	bool proxy;
	struct client_streams streams;
	struct keys keys;
	struct signals signals;
	struct term term;
	bool running;			  /* the process runs: signals are for it */
	int asked;			  /* how often the command was asked to end */
	int ended_by;			  /* the signal that ended the session, or 0 */
	void (*notice)(const char *text); /* may be NULL */
};
#define SESSION_INIT                                       \
	{                                                  \
		.signals = SIGNALS_INIT, .term = TERM_INIT \
	}

/* ERR_INVALID "the input device is not a TTY" when a terminal is to be read and standard input is none. */
int session_check_tty(bool tty, bool attach_stdin, struct err *e) MUST_CHECK;

void session_use(struct session *s, struct client *client);
/* What the process's terminal is to have, 0 0 without one. */
struct client_size session_size(const struct session *s);
/* Copies until the end. `client` has started or attached. */
int session_run(struct session *s, struct client *client, struct client_result *ret,
		struct err *e) MUST_CHECK;
/* The exit code when session_run failed; tells the reason unless it is that nobody reads the output any more
 * or that a signal has ended the session. */
int session_failed(const struct session *s, const struct cmd *c, const struct err *e);
void session_release(struct session *s);
#define auto_session __attribute__((cleanup(session_release)))

#endif
