/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a container's run. Called by a command that waits for it when the monitor asks (client.h), or by
 * `kvbox finish <id>`, which the monitor spawns where no command does it; and by every command that meets an active
 * row whose `alive` is free.
 */
#ifndef KVBOX_ENGINE_FINISH_H
#define KVBOX_ENGINE_FINISH_H

#include "base/err.h"
#include "engine/container.h"
#include "engine/store.h"

/*
 * Takes `op` and, unless the container really runs (alive is held and state.json does not say
 * exited): kills survivors of the VM, folds exit code, times, OOM and error into the row,
 * removes the files of the run folder and, with auto_remove, the container. Idempotent, and done by any number
 * of processes at a time; where one was killed the next goes on, with a removal too. A container that is gone is no
 * error. When the monitor died without a last word, the exit code is 137.
 *
 * A container whose process never ran goes back to what it was before ("created" the first
 * time), with exit code and error of the attempt.
 */
int container_finish(struct store *s, const char *id, struct err *e) MUST_CHECK;
/* The same under a lock that the caller has; the lock's row is brought up to date (state ST_NONE
 * when the container was removed). */
int container_finish_locked(struct container_lock *l, struct err *e) MUST_CHECK;

#endif
