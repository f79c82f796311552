/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a file that a guest or a VMM has written, made harmless for a terminal. */
#ifndef KVBOX_ENGINE_LASTWORDS_H
#define KVBOX_ENGINE_LASTWORDS_H

#include <stddef.h>

#include "base/str.h"

#define LASTWORDS_LINES	  6
#define LASTWORDS_MAX	  320 /* bytes: with the text around them they fit a struct err */
#define LASTWORDS_BETWEEN " | "

/* Appends the last lines that are not empty (up to a kernel's panic, without the trace that it prints behind
 * it), in one line: whole lines from the end, as many as fit (one
 * that is very long is cut), escape sequences and control characters dropped, what is not ASCII replaced
 * by '?'. Nothing when there is no such file. */
void lastwords_read(int dirfd, const char *name, struct str *out);

#endif
