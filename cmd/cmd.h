/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb is called with, and how verbs speak: results on stdout (stdio, flushed by main), everything
 * else on stderr, in Docker's words.
 *
 * The three kinds of failure, each with its exit code as result:
 *	cmd_refuse	the command line is wrong; nothing was asked of the engine
 *	cmd_fail	the engine says no: "Error response from daemon: ..." (scripts grep for it)
 *	cmd_error	the same for one of several operands: printed, and the verb goes on
 * A verb whose code for it is not 1 (run: 125) prints the first two as "kvbox: ..." with a hint at --help.
 */
#ifndef KVBOX_CMD_CMD_H
#define KVBOX_CMD_CMD_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/paths.h"
#include "engine/store.h"

#define EXIT_DOCKER 125 /* Docker's own failures on run */

struct config;

struct cmd {
	const char *prog; /* "kvbox", or "docker" when called so */
	char *path;	  /* "kvbox container run" */
	const struct verb *verb;
	const char *root; /* --root and --runroot, or NULL */
	const char *runroot;
	struct paths paths;
	struct store *store;   /* after cmd_open */
	struct config *config; /* cmd/config.h; NULL: not read yet */
};

void cmd_release(struct cmd *c);

/* Paths only: for what needs no database. */
int cmd_open_paths(struct cmd *c, struct err *e) MUST_CHECK;
/* Paths and store, with what dead commands left undone. */
int cmd_open(struct cmd *c, struct err *e) MUST_CHECK;

int cmd_refuse(const struct cmd *c, const struct err *e);
int cmd_fail(const struct cmd *c, const struct err *e);
/* As cmd_fail for what Docker's client does by itself: without "Error response from daemon". */
int cmd_fail_here(const struct cmd *c, const struct err *e);
int cmd_error(const struct err *e);
/* Given up because of a signal: one line, and 128 + signal. */
int cmd_interrupted(const struct cmd *c, int sig);

#endif
