/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of one layer, built from the entries of its tar in their order: where names lead, what
 * replaces what, whiteouts, implied folders and hard links.
 *
 * Names are taken as below the root, with or without a leading slash; "." and ".." are resolved in
 * the text, and what would leave the root is refused. A folder on the way that is a symbolic link
 * of this layer is followed within the root, one that is missing is made and marked as implied. An
 * entry replaces an earlier one of its name, but a folder over a folder changes only its
 * attributes.
 *
 * `.wh.NAME` becomes a character device 0/0 named NAME (real entries of the same layer win: a
 * folder is made opaque then), `.wh..wh..opq` makes its folder opaque; other names that begin with
 * `.wh..wh.` are left out. A hard link to what this layer does not have becomes an empty file with
 * the mark trusted.kvbox.link, for the chain to resolve.
 */
#ifndef KVBOX_ENGINE_LAYER_TREE_H
#define KVBOX_ENGINE_LAYER_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "engine/tree.h"

struct layer_tree {
	struct tree tree;
	struct str path;   /* the name of the entry, cleaned */
	struct str target; /* the hard link's target, cleaned */
	struct str walk;   /* what is left of a path while links are followed */
};

struct layer_entry {
	const char *name;
	const char *hardlink; /* target, else NULL; then only the names count */
	const char *symlink;  /* target, for a symbolic link */
	uint16_t mode;	      /* with the type */
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t rdev;	    /* erofs_rdev */
	const char *xattrs; /* entries as in an EROFS inode */
	size_t xattrs_len;
};

#define LAYER_NO_INODE UINT32_MAX

void layer_tree_init(struct layer_tree *lt);
void layer_tree_release(struct layer_tree *lt);
#define auto_layer_tree __attribute__((cleanup(layer_tree_release)))

/* *ret is the new inode of a regular file, whose size and block the caller sets, else
 * LAYER_NO_INODE. */
int layer_tree_add(struct layer_tree *lt, const struct layer_entry *entry, uint32_t *ret,
		   struct err *e) MUST_CHECK;

/* After the last entry: turns flags into marks that the image carries. */
int layer_tree_finish(struct layer_tree *lt, struct err *e) MUST_CHECK;

#endif
