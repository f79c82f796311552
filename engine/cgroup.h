/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup of a monitor and its VMM: <cgroup v2>/kvbox/<12 hex>, outside the caller's, which a CI step
 * or a session's end would empty. Best effort everywhere: a host that does not let us is no error, the
 * monitor then stays where its starter is.
 */
#ifndef KVBOX_ENGINE_CGROUP_H
#define KVBOX_ENGINE_CGROUP_H

/* Makes the cgroup and opens its folder for spawn_start; -1 when that cannot be. */
int cgroup_make(const char *name);

/* The absolute folder of the caller's cgroup when it is the one of `name`, else ""; the caller frees. */
char *cgroup_own_path(const char *name);

/* Moves the caller out of it, to the one above, and removes it. */
void cgroup_leave(const char *path);

#endif
