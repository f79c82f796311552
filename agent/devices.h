/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's /dev: Docker's nodes and links, pts, shm and mqueue's place, as one tree of mounts;
 * and the devices of the guest that a container asks for. There is no filter of devices: the guest is
 * the container's own, so what it can make a node of it may use, if it may make nodes (CAP_MKNOD).
 */
#ifndef KVBOX_AGENT_DEVICES_H
#define KVBOX_AGENT_DEVICES_H

#include <stdint.h>

#include "base/err.h"

/* Mounts the tree at `path`, which is created. */
int devices_make(const char *path, struct err *e) MUST_CHECK;
/* The size of /dev/shm, whose folder is `shm`. */
int devices_size_shm(int shm, int64_t bytes, struct err *e) MUST_CHECK;

/*
 * "source:path:permissions": makes a node like `source`, a device of the guest, or all that are in the
 * folder `source`, at `path` in the container; without a path it is the same one. Errors have Docker's
 * words.
 */
int devices_add(int rootfd, const char *text, struct err *e) MUST_CHECK;
/* All devices of the guest, in the container's /dev. */
int devices_add_all(int rootfd, struct err *e) MUST_CHECK;

/* A new terminal of the devpts below `pts` (its descriptor): the master. */
int devices_open_pty(int pts, int *ret, struct err *e) MUST_CHECK;

#endif
