/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables and labels from the command line and from files.
 *
 * A variable without "=" takes its value from kvbox's own environment. Where it has none, a file's line
 * is dropped, and one from the command line stays as the bare name: it takes the variable away that the
 * image would set.
 */
#ifndef KVBOX_CMD_ENV_H
#define KVBOX_CMD_ENV_H

#include "base/err.h"
#include "base/strv.h"

#define ENV_FILE_MAX ((size_t)4 << 20)

/* Appends the files' variables (--env-file), then the given ones (-e). */
int env_collect(const struct strv *files, const struct strv *given, struct strv *ret,
		struct err *e) MUST_CHECK;
/* The same for --label-file and -l; each entry is key=value afterwards, the last of a key wins. */
int env_collect_labels(const struct strv *files, const struct strv *given, struct strv *ret,
		       struct err *e) MUST_CHECK;

/* Lines of a file: "#" comments and empty ones are left out. `from_env` looks bare names up. */
int env_read_text(const char *name, const char *text, size_t n, bool from_env, struct strv *ret,
		  struct err *e) MUST_CHECK;

#endif
