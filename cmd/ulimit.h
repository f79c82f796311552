/* SPDX-License-Identifier: Apache-2.0 */
/* --ulimit: "nofile=1024:2048", as Docker's client reads it. Pure. */
#ifndef KVBOX_CMD_ULIMIT_H
#define KVBOX_CMD_ULIMIT_H

#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

struct ulimit {
	char name[16];
	int64_t soft, hard; /* -1: not limited */
};

/* The hard limit is the soft one where none is given. */
int ulimit_parse(const char *text, struct ulimit *ret, struct err *e) MUST_CHECK;
/* For the table of options. */
int ulimit_check(const char *text, struct err *e) MUST_CHECK;
/* Checked texts as "name=soft:hard", sorted by name; the last of a name wins. */
int ulimit_collect(const struct strv *texts, struct strv *ret, struct err *e) MUST_CHECK;

#endif
