/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads tar archives as a stream: v7, ustar, star, pax and GNU, with long names, large numbers,
 * extended attributes (SCHILY.xattr) and sparse files in GNU's four forms. Names and targets are
 * bytes and come as they are; what a value means is checked only as far as reading on depends on
 * it.
 *
 * Why not libarchive, which reads tar too: it converts the names in pax headers between character
 * sets, which changes decomposed letters to composed ones in a UTF-8 locale, and it loses the
 * target of a symbolic link when that is all non-ASCII and was written by Go's archive/tar, that is
 * by Docker and its kin (seen with 3.6.2).
 *
 *	while ((r = tar_next(t, &entry, e)) == 1)
 *		while ((n = tar_data(t, &p, &offset, e)) > 0)	(may be left out)
 *			...
 *
 * Memory is bounded: a header's extensions by TAR_EXTENSION_MAX, a sparse file's map by
 * TAR_SPARSE_MAX.
 */
#ifndef KVBOX_ENGINE_LAYER_TAR_H
#define KVBOX_ENGINE_LAYER_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define TAR_EXTENSION_MAX ((size_t)1 << 20)
#define TAR_SPARSE_MAX	  ((size_t)1 << 20)

struct tar;

/* The next piece of the archive, valid until the next call: its size, 0 at the end, -1. */
typedef ssize_t (*tar_source)(void *ctx, const void **ret, struct err *e);

/* The value is followed by a zero byte, which is not part of it. */
struct tar_xattr {
	const char *name;
	const char *value;
	size_t size;
};

/* Borrowed from the reader until the next tar_next. */
struct tar_entry {
	const char *name;
	const char *target; /* of links */
	uint16_t type;	    /* S_IFREG, S_IFDIR, ...; 0 for a hard link */
	uint64_t mode;	    /* as written; the type is not part of it */
	int64_t uid, gid;   /* may be out of range */
	uint64_t size;	    /* of a regular file, with its holes */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t major, minor;
	const struct tar_xattr *xattrs; /* in the order of the archive */
	size_t nxattrs;
};

struct tar *tar_new(tar_source source, void *ctx);
void tar_free(struct tar *t);
void tar_free_ptr(struct tar **t);
#define auto_tar __attribute__((cleanup(tar_free_ptr)))

/* 1 with the next entry, 0 at the archive's end (what is behind it was not read), -1 and
 * ERR_CORRUPT. */
int tar_next(struct tar *t, struct tar_entry *ret, struct err *e) MUST_CHECK;

/* The next piece of the entry's data and where in the file it belongs; pieces ascend, what is
 * between them and behind them up to the size is zeros. 0 at the end. */
ssize_t tar_data(struct tar *t, const void **ret, uint64_t *ret_offset, struct err *e) MUST_CHECK;

#endif
