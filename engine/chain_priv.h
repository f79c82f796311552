/* SPDX-License-Identifier: Apache-2.0 */
/* What chain.c, which merges, and chain_link.c, which resolves hard links, share. */
#ifndef KVBOX_ENGINE_CHAIN_PRIV_H
#define KVBOX_ENGINE_CHAIN_PRIV_H

#include "base/str.h"
#include "engine/chain.h"
#include "engine/convert.h"
#include "engine/erofs_read.h"
#include "engine/tree.h"

/* A folder of the present layer that is to be merged. */
struct merge {
	uint32_t nid;
	uint32_t parent; /* its parent's nid */
	uint32_t inode;	 /* the folder in the tree */
};

/* Which inode in the tree an inode of a layer became: for those with several names. */
struct link {
	uint64_t key; /* (layer + 1) << 32 | nid; 0: free */
	uint32_t inode;
};

struct chain {
	struct tree tree;
	const struct chain_layer *layers;
	struct erofs_image images[CONVERT_LAYERS_MAX];
	/* Inodes of the layer that names in higher layers are links to. */
	uint32_t nlinked[CONVERT_LAYERS_MAX];
	size_t n;
	struct merge *todo;
	size_t ntodo, todo_cap;
	struct link *links; /* open addressing */
	size_t nlinks, links_cap;
	uint32_t whiteout; /* inode */
	uint32_t visited;  /* entries of the present layer */
	struct str xattrs; /* those of the last inode, without marks */
	struct str target; /* its trusted.kvbox.link */
};

struct marks {
	bool implied, opaque, link;
};

/* Sorts the inode's xattrs into c->xattrs, c->target and the marks. */
int chain_read_marks(struct chain *c, const struct erofs_node *node, struct marks *ret,
		     struct err *e) MUST_CHECK;

/*
 * The file that a hard link in `*layer` to c->target means; *layer becomes that file's, c->xattrs are
 * its. Symbolic links on the way are followed, within the chain, as they are where layers are unpacked
 * one over the other; the last part of the path is not.
 */
int chain_resolve(struct chain *c, size_t *layer, struct erofs_node *ret, struct err *e) MUST_CHECK;

#endif
