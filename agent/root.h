/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places inside a container's root file system, which is hostile: names resolve below its root
 * whatever symbolic links it holds, and nothing is done twice by name.
 */
#ifndef KVBOX_AGENT_ROOT_H
#define KVBOX_AGENT_ROOT_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Opens (O_PATH) the folder or, with `file`, the file at `path`, links followed; creates it (0755
 * or 0644) and the folders above it where they are missing, also what a dangling link points to.
 */
int root_make(int rootfd, const char *path, bool file, int *ret, struct err *e) MUST_CHECK;

/*
 * A regular file for reading, links followed. ERR_NOT_FOUND when there is none; ERR_INVALID for
 * what is not a regular file (opening a FIFO would wait for ever).
 */
int root_open_file(int rootfd, const char *path, int *ret, struct err *e) MUST_CHECK;

#endif
