/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system tree in memory, without file data: what an EROFS image's metadata is written from.
 *
 * Inodes and names are apart, since hard links give an inode several names. Both live in arrays and
 * are known by index, which stays valid (the arrays move, so keep indexes, not pointers, across
 * calls that add). Names, symbolic links' targets and xattrs are in one text area. Per entry that
 * is at most 128 bytes and the text; limits make every count and offset fit 32 bits.
 *
 * Inode 0 is the root folder and always there. Name 0 means none, as does text 0.
 */
#ifndef KVBOX_ENGINE_TREE_H
#define KVBOX_ENGINE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

#define TREE_ENTRIES_MAX 4000000u
#define TREE_TEXT_MAX	 (256u << 20)
#define TREE_ROOT	 0u

enum tree_flag {
	TREE_IMPLIED = 1u << 0, /* folder: nothing gave it attributes yet */
	TREE_OPAQUE = 1u << 1,	/* folder: hides the lower one */
	TREE_CLOSED = 1u << 2,	/* folder, while merging: lower layers add nothing more */
};

struct tree_inode {
	uint64_t size; /* regular file, symbolic link */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink; /* names; for a folder 1 (0 for the root) */
	union {
		uint32_t block;	 /* regular file with size > 0: first block in its device */
		uint32_t rdev;	 /* device node, as erofs_rdev */
		uint32_t target; /* symbolic link: text */
		uint32_t parent; /* folder: inode of the parent; the root's is the root */
	};
	union {
		uint32_t first; /* folder: its first name */
		uint32_t next_free;
	};
	uint32_t xattrs; /* text: 32-bit length, then entries as in an EROFS inode */
	uint32_t nid;	 /* the writer's */
	uint16_t mode;
	uint16_t device; /* regular file: 0 for this image, else device table index + 1 */
	uint16_t flags;
};

struct tree_name {
	uint32_t inode;
	uint32_t folder; /* inode of the folder it is in */
	uint32_t text;
	uint32_t next, prev; /* in the folder; `next` also in the list of free ones */
	uint32_t hash_next;
	uint8_t len;
};

struct tree {
	struct tree_inode *inodes;
	struct tree_name *names;
	char *text;
	uint32_t *buckets;
	uint32_t ninodes, inodes_cap, inodes_free, inodes_live;
	uint32_t nnames, names_cap, names_free, names_live;
	uint32_t text_len, text_cap;
	uint32_t nbuckets; /* a power of two */
	uint64_t seed;
};

/* A tree with nothing but a root folder: implied, 0755, root. */
void tree_init(struct tree *t);
void tree_release(struct tree *t);
#define auto_tree __attribute__((cleanup(tree_release)))

/* The name in the folder, or 0. */
uint32_t tree_find(const struct tree *t, uint32_t folder, const char *name, size_t len);

/* An inode without names and with everything but the mode zero. ERR_INVALID past the limit. */
int tree_inode_new(struct tree *t, uint16_t mode, uint32_t *ret, struct err *e) MUST_CHECK;

/* Gives an inode a (further) name, of 1 to 255 bytes, which the folder does not have yet. */
int tree_link(struct tree *t, uint32_t folder, const char *name, size_t len, uint32_t inode,
	      struct err *e) MUST_CHECK;

/* Removes a name, and everything below it where it is a folder. */
void tree_remove(struct tree *t, uint32_t name);

/* Keeps a copy of the bytes; *ret is where. */
int tree_text_add(struct tree *t, const void *p, size_t n, uint32_t *ret, struct err *e) MUST_CHECK;

/* Sets the inode's xattrs: `n` bytes of entries as in an EROFS inode, maybe none. */
int tree_set_xattrs(struct tree *t, uint32_t inode, const void *entries, size_t n,
		    struct err *e) MUST_CHECK;
/* The entries; NULL and 0 when it has none. */
const char *tree_xattrs(const struct tree *t, uint32_t inode, size_t *ret_len);

static inline bool tree_is_folder(const struct tree *t, uint32_t inode)
{
	return S_ISDIR(t->inodes[inode].mode);
}

/* A character device 0/0, as overlayfs has it. */
static inline bool tree_is_whiteout(const struct tree *t, uint32_t inode)
{
	return S_ISCHR(t->inodes[inode].mode) && t->inodes[inode].rdev == 0;
}

#endif
