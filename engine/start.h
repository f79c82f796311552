/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container: spawns its monitor in a session and (where the host allows it) a cgroup of its
 * own, so that neither the end of the terminal nor of the CI step takes it along.
 *
 * Order for the caller: with `op` held, write the row's state (starting), commit, container_start. It
 * returns when the monitor holds `alive`; from then on `op` may be released, since everybody else sees
 * a container that lives. The VM boots meanwhile; process 1 starts with client_start(). When the
 * caller frees the client (or dies) before that was answered, the monitor takes everything down and
 * leaves the container as it was. When container_start fails nothing runs, and the caller takes the row
 * back (container_finish_locked).
 */
#ifndef KVBOX_ENGINE_START_H
#define KVBOX_ENGINE_START_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/client.h"
#include "engine/paths.h"

struct start_options {
	bool trace; /* the monitor writes containers/<id>/trace.json */
};

/* `options` may be NULL. ERR_CONFLICT when another monitor of this container lives. */
int container_start(const struct paths *paths, const char *id, const struct start_options *options,
		    struct client **ret, struct err *e) MUST_CHECK;

#endif
