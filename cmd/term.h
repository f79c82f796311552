/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's terminal in raw mode, and always back again: when the session ends, and when the program
 * itself crashes (signals that ask it to end are caught by then, see signals.h).
 */
#ifndef KVBOX_CMD_TERM_H
#define KVBOX_CMD_TERM_H

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "engine/client.h"

struct term {
	int fd; /* -1: not raw */
	struct termios before, raw;
};
#define TERM_INIT        \
	{                \
		.fd = -1 \
	}

/* What was typed already is kept. One terminal a process. */
int term_open_raw(struct term *t, int fd, struct err *e) MUST_CHECK;
/* After the program was stopped and continued: the shell has set its own mode in between. */
void term_again(const struct term *t);
void term_restore(struct term *t);

/* Of the terminal on standard output, else on standard input; false, and 0 0, when there is none. */
bool term_size(struct client_size *ret);

#endif
