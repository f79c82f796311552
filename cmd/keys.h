/* SPDX-License-Identifier: Apache-2.0 */
/* Detach keys: "ctrl-p,ctrl-q" into the bytes that a terminal sends for them. */
#ifndef KVBOX_CMD_KEYS_H
#define KVBOX_CMD_KEYS_H

#include <stddef.h>

#include "base/err.h"

#define KEYS_DEFAULT "ctrl-p,ctrl-q"
#define KEYS_MAX     16

struct keys {
	char v[KEYS_MAX];
	size_t n;
};

/* ERR_INVALID in Docker's words. */
int keys_parse(const char *text, struct keys *ret, struct err *e) MUST_CHECK;

#endif
