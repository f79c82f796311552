/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of extended attributes in the form that an EROFS inode holds them: entries one behind the
 * other, each padded to four bytes. The list of one inode is at most EROFS_XATTRS_MAX bytes.
 */
#ifndef KVBOX_ENGINE_EROFS_XATTR_H
#define KVBOX_ENGINE_EROFS_XATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define EROFS_XATTRS_MAX (65534u * 4)

/* One attribute; borrowed from the list it was read from. */
struct erofs_attr {
	uint8_t index; /* enum erofs_xattr_index */
	const char *name;
	size_t name_len;
	const void *value;
	size_t size;
};

/*
 * Index and rest of a full name ("user.x"). False for a name that EROFS cannot hold (another
 * prefix, or longer than 255), which leaves *ret alone.
 */
bool erofs_attr_name(const char *full, struct erofs_attr *ret);

/* Appends; `list` has the limit EROFS_XATTRS_MAX. ERR_INVALID past it or for a value over 65535. */
int erofs_attr_add(struct str *list, const struct erofs_attr *a, struct err *e) MUST_CHECK;

/* The entry at *at, which moves on. 1 with an entry, 0 at the end, -1 and ERR_CORRUPT. */
int erofs_attr_next(const char *list, size_t len, size_t *at, struct erofs_attr *ret,
		    struct err *e) MUST_CHECK;

/* True when it is this one of the trusted attributes ("trusted." is not part of `name`). */
bool erofs_attr_is_trusted(const struct erofs_attr *a, const char *name);

/* True for what only kvbox and overlayfs may set: trusted.kvbox.* and trusted.overlay.* */
bool erofs_attr_is_reserved(const struct erofs_attr *a);

#endif
