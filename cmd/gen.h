/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written out of the verb and option tables: completions, manual pages, a list of all options.
 *
 * The program `gen` (gen.c) prints these texts and scripts/gen puts them in their files, so none of this
 * is part of the shipped binary. What does not depend on a table (how a command line is walked, the prose
 * of kvbox.1) is written by hand in the files completions/X.in and docs/man/X.in, which have one line
 * "#@ tables" where the text of the functions below goes.
 *
 * All are pure: the same tables give the same text. Hidden options are left out, except in gen_list and
 * where a parser has to know which options take a value. `global` are the program's own options.
 */
#ifndef KVBOX_CMD_GEN_H
#define KVBOX_CMD_GEN_H

#include "base/str.h"
#include "cmd/opt.h"
#include "cmd/verbs.h"

#define GEN_LIMIT (1024u * 1024)

void gen_bash(struct str *out, const struct opt *global);
void gen_zsh(struct str *out, const struct opt *global);
void gen_fish(struct str *out, const struct opt *global);

/* One line for each option: verb, "--name", "-l" or "-", "bool" or "value", tabs between. A verb without
 * options has a line of "-". The program's own have "(program)" as verb. */
void gen_list(struct str *out, const struct opt *global);

/* The part of kvbox.1 that tells of verbs and of the program's options. */
void gen_man_program(struct str *out, const struct opt *global);
/* A whole page. */
void gen_man_verb(struct str *out, const struct verb *verb);
/* "kvbox-image-inspect" */
void gen_man_name(struct str *out, const struct verb *verb);

/* ---- shared by the above ---- */

/* The next verb that `entry` is the first name of, from `entry` on; NULL at the end. Names at the top
 * come before those of families. */
const struct verb_entry *gen_first_names(const struct verb_entry *entry);
/* The name a verb goes by. */
const struct verb_entry *gen_name_of(const struct verb *verb);
/* "container ls" */
void gen_add_name(struct str *out, const struct verb_entry *entry);

/* The option after `after` in the order of names, NULL: the first. Hidden ones only when asked for. */
const struct opt *gen_next_option(const struct opt *opts, const struct opt *after, bool hidden);
/* True for what needs a value after it. */
bool gen_takes_value(const struct opt *opt);
bool gen_has_option(const struct verb *verb, const char *name);

/* What is offered for a value or an operand: "", "file", "dir", "image", "signal", "container"; for
 * operands also "running" and "stopped", where a verb wants only those. */
const char *gen_value_word(const struct opt *opt);
const char *gen_operand_word(const struct verb *verb);
/* How many operands that holds for; OPT_MANY: all. */
int gen_operand_places(const struct verb *verb);

/* A pipe that follows "ps ARGUMENTS" or "images" and leaves one name a line. */
const char *gen_pipe_of(const struct verb *verb);

/* Text for between single quotes; fish also takes backslashes in them for its own. */
void gen_add_quoted(struct str *out, const char *text, bool fish);
/* The names that `verb` is called by, each by gen_add_quoted, with `between` between them. */
void gen_add_names(struct str *out, const struct verb *verb, const char *between, bool fish);

#endif
