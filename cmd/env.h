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
#include "base/str.h"
#include "base/strv.h"

#define ENV_FILE_MAX ((size_t)4 << 20)

/* Appends the files' variables (--env-file), then the given ones (-e). */
int env_collect(const struct strv *files, const struct strv *given, struct strv *ret,
		struct err *e) MUST_CHECK;
/* The same for --label-file and -l; each entry is key=value afterwards, the last of a key wins. */
int env_collect_labels(const struct strv *files, const struct strv *given, struct strv *ret,
		       struct err *e) MUST_CHECK;

/* For tables of options: the names of -e and -l must not be empty. */
int env_check(const char *text, struct err *e) MUST_CHECK;
int env_check_label(const char *text, struct err *e) MUST_CHECK;

/*
 * Sets key=value in a map that is stored as JSON: bytes that are not UTF-8 become U+FFFD here already, so
 * that two keys which only they tell apart are one.
 */
void env_map_set(struct strv *map, const char *assignment);

/* A whole small file (at most the limit of `ret`), errors in the words of Docker's client: "open f: no such
 * file or directory". */
int env_read_file(const char *name, struct str *ret, struct err *e) MUST_CHECK;

/* The errno `number` of an open in the words of Docker's client, as above. */
int env_open_failed(const char *name, int number, struct err *e);

/* Lines of a file: "#" comments and empty ones are left out. `from_env` looks bare names up. */
int env_read_text(const char *name, const char *text, size_t n, bool from_env, struct strv *ret,
		  struct err *e) MUST_CHECK;

#endif
