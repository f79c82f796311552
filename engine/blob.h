/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of images under their final names: blobs as they were pulled, layers, chains. All are
 * written without a name first and get it when they are complete and on disk, so what has a name is
 * whole.
 *
 * The caller holds the collector lock (shared) from the first file to the commit of the row that
 * names it.
 */
#ifndef KVBOX_ENGINE_BLOB_H
#define KVBOX_ENGINE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "engine/store.h"

/* An unnamed file for reading and writing, on the store's file system. */
int blob_new_file(struct store *s, int *ret, struct err *e) MUST_CHECK;
/* Asks the kernel to begin writing what the file has, so that a later fsync has little to wait for.
 */
void blob_write_back(int fd);
/*
 * Puts the file on disk and gives it its name (path_blob and its like), replacing an equal one that
 * some other process was quicker with. blob_sync_folders before a row names it.
 */
int blob_publish(struct store *s, int fd, const char *path, struct err *e) MUST_CHECK;
int blob_sync_folders(struct store *s, struct err *e) MUST_CHECK;

/* Stores a small blob, which is known to have that digest. */
int blob_store(struct store *s, const char *digest, const struct str *text,
	       struct err *e) MUST_CHECK;
/* The whole of a small blob, verified; the text replaces what is in `ret`, whose limit holds. */
int blob_read(struct store *s, const char *digest, struct str *ret, struct err *e) MUST_CHECK;
/* True when the file exists and has that size. */
bool blob_file_has_size(struct store *s, const char *path, int64_t size);

#endif
