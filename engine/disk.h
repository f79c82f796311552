/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writable disk of a container: containers/<id>/upper.img, a sparse raw file with an empty
 * ext4.
 *
 * It is a copy of the data extents of a ready-made empty file system kept below templates/,
 * which mke2fs makes once per size: no mkfs on the path of a start. The template is made in an
 * unnamed file and linked into place, so a kill leaves nothing and concurrent first uses end
 * with the same file. Nothing here mounts or parses a file system that a guest has written.
 */
#ifndef KVBOX_ENGINE_DISK_H
#define KVBOX_ENGINE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/paths.h"

#define DISK_FILE	  "upper.img"
#define DISK_SIZE_DEFAULT ((int64_t)64 << 30)
#define DISK_SIZE_MIN	  ((int64_t)64 << 20)
#define DISK_SIZE_MAX	  ((int64_t)16 << 40)

/* Makes the container's disk in its folder, which exists. `size` 0 is the default; else it is
 * rounded up to MiB and checked (ERR_INVALID). `durable` makes it survive a power cut. */
int disk_create(const struct paths *p, const char *id, int64_t size, bool durable,
		struct err *e) MUST_CHECK;
/* Makes sure that the template of the size is there, so that the first container does not wait. */
int disk_prepare(const struct paths *p, int64_t size, struct err *e) MUST_CHECK;

/* Bytes of the host's disk that the container's takes beyond those of an empty one; 0 where there is none
 * to look at. What a running container has not yet given to its disk does not count. */
int64_t disk_written(const struct paths *p, const char *id);

#endif
