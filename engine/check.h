/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `system check`: compares rows, files, locks and processes with each other.
 *
 * First it does what every command does: finishes containers whose monitor died and undoes what
 * dead commands left (store_recover). What is found after that is a problem: damage (rows whose
 * files are missing or have the wrong size; with `deep`, blobs whose content is not what their
 * name says) and leftovers (files and run folders without rows, processes in our cgroups without
 * containers, intents that cannot be undone). A healthy store gives none, also while containers
 * run.
 */
#ifndef KVBOX_ENGINE_CHECK_H
#define KVBOX_ENGINE_CHECK_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/store.h"

struct check {
	bool repair; /* remove leftovers; damage is only reported (a row is never papered over) */
	bool deep;   /* read every blob */
	/* One line per problem, without newline; "repaired: " before it where that was done. */
	void (*report)(void *ctx, const char *line);
	void *ctx;
};

/* The number of problems that remain (repaired ones do not count). */
int check_run(struct store *s, const struct check *c, struct err *e) MUST_CHECK;

#endif
