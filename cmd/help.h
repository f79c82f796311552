/* SPDX-License-Identifier: Apache-2.0 */
/* Usage lines and --help, in Docker's layout, out of the option tables. Pure: text goes into a str. */
#ifndef KVBOX_CMD_HELP_H
#define KVBOX_CMD_HELP_H

#include "base/str.h"
#include "cmd/opt.h"
#include "cmd/verbs.h"

/* Columns of the terminal on standard input, 80 when it is none. */
int help_width(void);

/* "kvbox run [OPTIONS] IMAGE [COMMAND] [ARG...]"; `path` is "kvbox run". */
void help_usage(struct str *out, const char *path, const struct verb *verb);
/* The lines of a table, sorted by name, descriptions wrapped to `width`. */
void help_options(struct str *out, const struct opt *opts, int width);
/* What `kvbox VERB --help` prints. `prog` is "kvbox". */
void help_verb(struct str *out, const char *prog, const char *path, const struct verb *verb,
	       int width);
/* `kvbox FAMILY` */
void help_family(struct str *out, const char *prog, const struct verb_family *family);
/* `kvbox --help` */
void help_program(struct str *out, const char *prog, const struct opt *global, int width);

#endif
