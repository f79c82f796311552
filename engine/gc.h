/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: removes files that no row names (blobs, layers, chains, folders of containers with their run
 * folders, what is left in tmp/) under the exclusive collector lock, so never what somebody is about to name.
 */
#ifndef KVBOX_ENGINE_GC_H
#define KVBOX_ENGINE_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/store.h"

struct gc_result {
	uint64_t files; /* removed files and folders */
	uint64_t bytes; /* disk space that they took */
};

/* Without `wait`: when somebody holds the collector lock nothing is done and 0 returned, else 1.
 * Also deletes rows of layers and chains that no image and no container needs any more. */
int gc_run(struct store *s, bool wait, struct gc_result *ret, struct err *e) MUST_CHECK;

/* Calls `each` with every file (relative to the root) that no row names, without removing
 * anything. The caller holds the collector lock exclusively. */
int gc_list(struct store *s, int (*each)(void *ctx, const char *path, struct err *e), void *ctx,
	    struct err *e) MUST_CHECK;

#endif
