/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How VMMs would be locked up on this machine, for `kvbox info`: found out by doing it. A child goes through
 * every step that a VMM goes through, in the same order and with the same fallbacks, and then finds no program
 * to execute. That takes 1.5 ms; nothing is remembered that could be out of date.
 *
 * What depends on one VM's files is not in it: a kernel that only root may read costs that VM its user.
 */
#ifndef KVBOX_VMM_CONFINE_CHECK_H
#define KVBOX_VMM_CONFINE_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/spawn_confined.h"
#include "vmm/confine.h"

#define CONFINE_OUTLOOK_WHY 240
struct confine_outlook {
	bool applied[CONFINE_STEP_COUNT];
	char missing[CONFINE_STEP_COUNT][CONFINE_OUTLOOK_WHY]; /* why not; "": needs no mention */
	int landlock_abi;
};

/* Of `host` only what is about cgroups counts. An error: not even a child could be made. */
int confine_check(const struct confine_host *host, struct confine_outlook *ret,
		  struct err *e) MUST_CHECK;

#endif
