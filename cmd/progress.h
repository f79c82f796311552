/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of pull, load and rmi for people: a line for each thing that happened; on a terminal a line
 * for each layer that is redrawn as it moves on.
 */
#ifndef KVBOX_CMD_PROGRESS_H
#define KVBOX_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/strv.h"
#include "engine/image.h"

struct progress {
	FILE *to;
	bool terminal;
	struct strv ids; /* one line each, top to bottom; the cursor is below the last */
};

/* Lines go to `to`, redrawn when that is a terminal. */
void progress_init(struct progress *p, FILE *to);
/* As image_listener.progress, with a struct progress as ctx. */
void progress_show(void *ctx, const struct image_progress *event);
void progress_release(struct progress *p);
#define auto_progress __attribute__((cleanup(progress_release)))

/* Only the statuses, for load and rmi; ctx is the FILE. */
void progress_status(void *ctx, const struct image_progress *event);

#endif
