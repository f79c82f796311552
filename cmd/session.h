/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user at a container: what run, start -a and exec have in common once there is a connection to the
 * monitor. Signals go to the container, the terminal is raw meanwhile, its size follows.
 *
 *	session_keys(&s, c, ...)		which keys detach
 *	signals_open(&s.signals, ...)		signals are caught from here on
 *	session_use(&s, client)			the client tells the session of signals
 *	client_start | client_attach | client_exec
 *	session_stream(&s, c, client)		until the end: the exit code
 *	session_release(&s)			always: gives terminal and signals back
 *
 * Until session_stream a signal that asks the command to end makes the client's call fail with
 * ERR_CANCELLED; afterwards signals are sent on when `proxy` says so, and end the session when not. The
 * third Ctrl-C ends it in any case. However it ends, the terminal is what it was before.
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
	bool detach_fails; /* typing the detach keys is told, and exit code 1 */
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

/* The keys of --detach-keys, else of the user's configuration, else Docker's. */
int session_keys(struct session *s, struct cmd *c, const char *option, struct err *e) MUST_CHECK;
/* ERR_INVALID "the input device is not a TTY" when a terminal is to be read and standard input is none. */
int session_check_tty(bool tty, bool attach_stdin, struct err *e) MUST_CHECK;

void session_use(struct session *s, struct client *client);
/* What the process's terminal is to have, 0 0 without one. */
struct client_size session_size(const struct session *s);
/*
 * Copies until the end; `client` has started or attached. Without an output to copy the end is that of the
 * input, as with Docker. Returns the exit code: the process's; 0 when the user detached; 128 + signal when one
 * has ended the session; else that of a failure, which is told unless it is that nobody reads the output
 * any more.
 */
int session_stream(struct session *s, const struct cmd *c, struct client *client);
void session_release(struct session *s);
#define auto_session __attribute__((cleanup(session_release)))

#endif
