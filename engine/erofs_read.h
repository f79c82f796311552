/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the metadata of a layer image that engine/erofs_write.h wrote. Everything is checked before
 * it is used: a damaged image gives ERR_CORRUPT, never a crash. Other forms of EROFS (compression,
 * compact inodes, shared xattrs, ...) are refused as damaged too.
 *
 * The metadata is mapped, so what is handed out is borrowed from the image and lives as long as it.
 * The file must not be cut while it is open.
 */
#ifndef KVBOX_ENGINE_EROFS_READ_H
#define KVBOX_ENGINE_EROFS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct erofs_image {
	const uint8_t *map;  /* NULL: not open */
	uint64_t map_offset; /* in the file, as all offsets here */
	uint64_t map_end;
	uint64_t base;	   /* where nid 0 is */
	uint64_t data_end; /* data of files is between block 1 and this */
	uint64_t blocks;   /* of the whole image, which is a multiple of it */
	uint64_t inodes;
	uint32_t root;
};
#define EROFS_IMAGE_INIT    \
	{                   \
		.map = NULL \
	}

/* `fd` is borrowed and may be closed afterwards. */
int erofs_image_open(int fd, struct erofs_image *ret, struct err *e) MUST_CHECK;
void erofs_image_release(struct erofs_image *img);
#define auto_erofs_image __attribute__((cleanup(erofs_image_release)))

struct erofs_node {
	uint32_t nid;
	uint16_t mode;
	uint32_t uid, gid;
	uint32_t nlink;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t size;
	uint32_t data; /* first block, or rdev */
	const char *xattrs;
	size_t xattrs_len;
	const uint8_t *tail; /* the last block's content; NULL: it is in a block */
};

/* The inode; sizes and places of data are checked, the xattr entries are not. */
int erofs_image_node(const struct erofs_image *img, uint32_t nid, struct erofs_node *ret,
		     struct err *e) MUST_CHECK;

/* A symbolic link's target, node->size bytes. */
const char *erofs_image_target(const struct erofs_image *img, const struct erofs_node *node);

struct erofs_dir {
	const struct erofs_image *img;
	struct erofs_node node;
	uint32_t parent;
	uint64_t next_block;
	const uint8_t *block;
	size_t block_size;
	size_t next, count; /* entries of the block */
	const char *last;   /* the entry before, for the order */
	size_t last_len;
	unsigned int dots;
};

struct erofs_dir_entry {
	const char *name; /* not terminated */
	size_t len;
	uint32_t nid;
	uint8_t type; /* enum erofs_type */
};

/* Walks the folder without "." and "..", whose inodes are checked (`parent` is the expected "..").
 * Entries come in strictly ascending order of their names' bytes. 1, 0 at the end, -1. */
void erofs_dir_init(struct erofs_dir *d, const struct erofs_image *img,
		    const struct erofs_node *folder, uint32_t parent);
int erofs_dir_next(struct erofs_dir *d, struct erofs_dir_entry *ret, struct err *e) MUST_CHECK;

/* Looks one name up, by halves. 1 when found, 0, -1. */
int erofs_dir_find(const struct erofs_image *img, const struct erofs_node *folder, const char *name,
		   size_t len, uint32_t *ret_nid, struct err *e) MUST_CHECK;

#endif
