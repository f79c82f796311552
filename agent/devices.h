/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's /dev: Docker's nodes and links, pts, shm and mqueue's place, as one tree of mounts.
 */
#ifndef KVBOX_AGENT_DEVICES_H
#define KVBOX_AGENT_DEVICES_H

#include "base/err.h"

/* Mounts the tree at `path`, which is created. */
int devices_make(const char *path, struct err *e) MUST_CHECK;

/* A new terminal of the devpts below `pts` (its descriptor): the master. */
int devices_open_pty(int pts, int *ret, struct err *e) MUST_CHECK;

#endif
