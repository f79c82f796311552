/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the executable may carry (vmm/bundle.h), unpacked below the root folder:
 *
 *	<root>/bundle/lock		held by whoever unpacks or removes
 *	<root>/bundle/<digest>/		complete; with another executable comes another folder
 *	<root>/bundle/<digest>/lock	held, shared, by whoever uses the folder; to remove it takes all of it
 *	<root>/bundle/new, old		while something is unpacked or removed; garbage when the first lock is free
 *
 * Folders of other executables that nobody uses go whenever something is unpacked or collected (engine/gc.h).
 */
#ifndef KVBOX_ENGINE_BUNDLED_H
#define KVBOX_ENGINE_BUNDLED_H

#include "base/err.h"
#include "engine/paths.h"

/* Before the VMM or the guest's files are looked for: sets KVBOX_LIBEXEC to the folder for this process and the
 * monitors that it starts, and *ret to a descriptor that keeps the folder (the caller closes it when the monitor
 * runs; -1 when there is no such folder). Nothing when nothing is carried, or when the variable is set. Makes
 * the root folder only where there is something to unpack. */
int bundled_use(struct paths *p, int *ret, struct err *e) MUST_CHECK;

/* For the monitor, as long as it lives: the same for the folder that its starter named. */
int bundled_hold(int *ret, struct err *e) MUST_CHECK;

/* Removes what other executables have left, if this one carries something. Best effort. */
void bundled_collect(const struct paths *p);

/* ---- its parts, for tests ---- */

/* The folder of what `self` carries in `dirfd`, unpacked unless it is there: 1 and its name, and a descriptor
 * that keeps it; 0: nothing is carried. The caller frees and closes. */
int bundled_open(const char *self, int dirfd, char **ret_name, int *ret, struct err *e) MUST_CHECK;
/* Removes all folders but `keep` that nobody uses, if nobody else is at it. */
int bundled_collect_in(int dirfd, const char *keep, struct err *e) MUST_CHECK;

#endif
