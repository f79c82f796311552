/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes EROFS images (engine/erofs.h says of what form) in one pass: first the data of files, as
 * it comes, then the metadata out of a tree, last the superblock. An image that was not finished
 * has no superblock and cannot be mistaken for one.
 *
 *	w = erofs_writer_new(fd);
 *	for each file:
 *		block = erofs_writer_block(w);
 *		erofs_writer_data(w, p, n, e) ...
 *		erofs_writer_align(w, e)
 *	erofs_writer_finish(w, &tree, &options, &info, e)
 *
 * A chain image has no data and is finished at once, with devices.
 */
#ifndef KVBOX_ENGINE_EROFS_WRITE_H
#define KVBOX_ENGINE_EROFS_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/tree.h"

/* Largest image, in blocks (1 TiB): more than that is a bomb or a mistake. */
#define EROFS_IMAGE_BLOCKS_MAX (1u << 28)

struct erofs_writer;

struct erofs_device_entry {
	const char *tag; /* up to 64 bytes */
	uint64_t blocks;
};

struct erofs_options {
	uint8_t uuid[16];
	const struct erofs_device_entry *devices; /* in the order of the table */
	size_t ndevices;
};

struct erofs_info {
	uint64_t size; /* bytes of the image */
	uint64_t inodes;
};

/* `fd` is an empty regular file, borrowed. */
struct erofs_writer *erofs_writer_new(int fd);
void erofs_writer_free(struct erofs_writer *w);
void erofs_writer_free_ptr(struct erofs_writer **w);
#define auto_erofs_writer __attribute__((cleanup(erofs_writer_free_ptr)))

/* The block where the next data begins; valid after erofs_writer_align. */
uint32_t erofs_writer_block(const struct erofs_writer *w);
int erofs_writer_data(struct erofs_writer *w, const void *p, size_t n, struct err *e) MUST_CHECK;
/* Leaves out `n` bytes, which read as zeros: a hole in the file. */
int erofs_writer_skip(struct erofs_writer *w, uint64_t n, struct err *e) MUST_CHECK;
/* Zeros up to the next block. */
int erofs_writer_align(struct erofs_writer *w, struct err *e) MUST_CHECK;

/*
 * Writes metadata and superblock. Sets each inode's `nid`. Regular files of the tree with `device`
 * 0 have their data in this image, others in a device.
 */
int erofs_writer_finish(struct erofs_writer *w, struct tree *t, const struct erofs_options *o,
			struct erofs_info *ret, struct err *e) MUST_CHECK;

#endif
