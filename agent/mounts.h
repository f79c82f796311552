/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the first process of a container mounts inside its new namespaces, once its root is the
 * container's: the views of the kernel, tmpfs, and what hides or protects paths. Names resolve in the
 * container's root.
 */
#ifndef KVBOX_AGENT_MOUNTS_H
#define KVBOX_AGENT_MOUNTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"

/* /proc, /sys, the cgroups and /dev/mqueue; `writable` as with --privileged. */
int mounts_views(bool writable, struct err *e) MUST_CHECK;

/*
 * "path=options" each. The folders are made where they are missing; a tmpfs on a folder that is there has
 * its mode, as runc does it.
 */
int mounts_tmpfs(const struct strv *list, struct err *e) MUST_CHECK;
/* The options of mount(8): flags of the system call, and what is left for tmpfs itself. */
void mounts_parse_options(const char *text, unsigned long *ret_flags, struct str *ret_data);

/* Paths that show nothing, and paths that cannot be written. What is not there is left alone. */
int mounts_mask(const struct strv *paths, struct err *e) MUST_CHECK;
int mounts_protect(const struct strv *paths, struct err *e) MUST_CHECK;
/* This mount, and none below it, cannot be written any more. */
int mounts_make_read_only(const char *path, struct err *e) MUST_CHECK;

/* As mkdir -p; what cannot be made shows when it is used. */
void mounts_make_folders(const char *path);

#endif
