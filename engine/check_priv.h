/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of `system check`: check.c (rows and files), check_runtime.c (locks,
 * processes). */
#ifndef KVBOX_ENGINE_CHECK_PRIV_H
#define KVBOX_ENGINE_CHECK_PRIV_H

#include "engine/check.h"

struct checking {
	struct store *store;
	const struct check *check;
	int problems;
};

/* Reports damage. */
void check_problem(struct checking *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Reports a leftover; `repaired` is what the attempt to remove it returned (where repair is
 * wanted). */
void check_leftover(struct checking *c, int repaired, const struct err *why, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Run folders, survivors and cgroups. */
int check_runtime(struct checking *c, struct err *e) MUST_CHECK;

#endif
