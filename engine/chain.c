/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers are merged from the top down into one tree: what is in it hides what comes later. A folder
 * of a lower layer adds to the folder of the tree with its path unless that one is closed: an
 * opaque folder was merged into it, or something else than a folder came between (then it is not
 * implied any more either: nothing below has to do with it). Whiteouts are names in the tree, all
 * of one inode, until the last layer is done.
 */
#include "engine/chain_priv.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "engine/erofs.h"
#include "engine/erofs_write.h"
#include "engine/erofs_xattr.h"

static void chain_release(struct chain *c)
{
	tree_release(&c->tree);
	for (size_t i = 0; i < c->n; i++)
		erofs_image_release(&c->images[i]);
	free(c->todo);
	free(c->links);
	str_release(&c->xattrs);
	str_release(&c->target);
}

/* ---- inodes with several names --------------------------------------------------------------- */

static uint64_t link_key(size_t layer, uint32_t nid)
{
	return ((uint64_t)layer + 1) << 32 | nid;
}

/* The key's place, or the free one for it. */
static struct link *link_at(const struct chain *c, uint64_t key)
{
	uint64_t h = (key ^ c->tree.seed) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (c->links_cap - 1);

	while (c->links[i].key != 0 && c->links[i].key != key)
		i = (i + 1) & (c->links_cap - 1);
	return &c->links[i];
}

static void link_add(struct chain *c, uint64_t key, uint32_t inode)
{
	struct link *old = c->links;
	size_t cap = c->links_cap;

	if (c->nlinks * 2 >= cap) {
		c->links_cap = cap ? 2 * cap : 64;
		c->links = xcalloc(c->links_cap, sizeof(*c->links));
		for (size_t i = 0; i < cap; i++)
			if (old[i].key != 0)
				*link_at(c, old[i].key) = old[i];
		free(old);
	}
	*link_at(c, key) = (struct link){ .key = key, .inode = inode };
	c->nlinks++;
}

static bool link_find(const struct chain *c, uint64_t key, uint32_t *ret)
{
	const struct link *l = c->links_cap ? link_at(c, key) : NULL;

	if (!l || l->key == 0)
		return false;
	*ret = l->inode;
	return true;
}

/* ---- marks ----------------------------------------------------------------------------------- */

int chain_read_marks(struct chain *c, const struct erofs_node *node, struct marks *ret,
		     struct err *e)
{
	struct erofs_attr a;
	size_t at = 0;
	int r;

	*ret = (struct marks){ .implied = false };
	str_clear(&c->xattrs);
	while ((r = erofs_attr_next(node->xattrs, node->xattrs_len, &at, &a, e)) == 1) {
		if (erofs_attr_is_trusted(&a, EROFS_MARK_IMPLIED)) {
			ret->implied = true;
		} else if (erofs_attr_is_trusted(&a, EROFS_MARK_OPAQUE)) {
			ret->opaque = true;
		} else if (erofs_attr_is_trusted(&a, EROFS_MARK_LINK)) {
			ret->link = true;
			str_clear(&c->target);
			str_addn(&c->target, a.value, a.size);
		} else if (!erofs_attr_is_reserved(&a) && erofs_attr_add(&c->xattrs, &a, e) < 0) {
			return -1;
		}
	}
	return r;
}

/* ---- merging --------------------------------------------------------------------------------- */

static int set_attributes(struct chain *c, uint32_t inode, const struct erofs_node *node,
			  struct err *e)
{
	struct tree_inode *in = &c->tree.inodes[inode];

	in->mode = node->mode;
	in->uid = node->uid;
	in->gid = node->gid;
	in->mtime = node->mtime;
	in->mtime_nsec = node->mtime_nsec;
	return tree_set_xattrs(&c->tree, inode, c->xattrs.buf, c->xattrs.len, e);
}

/* A new inode of the tree for anything but a folder; c->xattrs are the node's. */
static int new_inode(struct chain *c, size_t layer, const struct erofs_node *node, uint32_t *ret,
		     struct err *e)
{
	struct tree *t = &c->tree;
	uint32_t inode = 0, text = 0;

	if (tree_inode_new(t, node->mode, &inode, e) < 0 || set_attributes(c, inode, node, e) < 0)
		return -1;
	if (S_ISLNK(node->mode)) {
		const char *target = erofs_image_target(&c->images[layer], node);

		if (tree_text_add(t, target, node->size, &text, e) < 0)
			return -1;
		t->inodes[inode].target = text;
		t->inodes[inode].size = node->size;
	} else if (S_ISREG(node->mode)) {
		t->inodes[inode].device = (uint16_t)(layer + 1);
		t->inodes[inode].block = node->data;
		t->inodes[inode].size = node->size;
	} else {
		t->inodes[inode].rdev = node->data;
	}
	*ret = inode;
	return 0;
}

/* The inode of the tree for a node that is neither folder nor whiteout. */
static int take_inode(struct chain *c, size_t layer, const struct erofs_node *node, uint32_t *ret,
		      struct err *e)
{
	struct erofs_node file = *node;
	size_t from = layer;
	struct marks marks;
	uint64_t key;

	if (chain_read_marks(c, node, &marks, e) < 0)
		return -1;
	if (marks.link && chain_resolve(c, &from, &file, e) < 0)
		return -1;
	key = link_key(from, file.nid);
	if (!marks.link && file.nlink == 1 && c->nlinked[from] == 0)
		return new_inode(c, from, &file, ret, e);
	if (link_find(c, key, ret))
		return 0;
	if (new_inode(c, from, &file, ret, e) < 0)
		return -1;
	link_add(c, key, *ret);
	if (marks.link)
		c->nlinked[from]++;
	return 0;
}

static void push(struct chain *c, uint32_t nid, uint32_t parent, uint32_t inode)
{
	if (c->ntodo == c->todo_cap) {
		c->todo_cap = c->todo_cap ? 2 * c->todo_cap : 256;
		c->todo = xreallocarray(c->todo, c->todo_cap, sizeof(*c->todo));
	}
	c->todo[c->ntodo++] = (struct merge){ .nid = nid, .parent = parent, .inode = inode };
}

/* An entry whose name the tree's folder does not have. */
static int add_entry(struct chain *c, size_t layer, const struct merge *m,
		     const struct erofs_dir_entry *it, struct err *e)
{
	struct tree *t = &c->tree;
	struct erofs_node node = { .nid = it->nid };
	uint32_t inode = 0;

	if (erofs_image_node(&c->images[layer], it->nid, &node, e) < 0)
		return -1;
	if (erofs_type_of(node.mode) != it->type)
		return err_set(e, ERR_CORRUPT, "damaged layer image: type of a folder entry");
	if (S_ISDIR(node.mode)) {
		if (tree_inode_new(t, S_IFDIR | 0755, &inode, e) < 0)
			return -1;
		t->inodes[inode].flags = TREE_IMPLIED;
		push(c, it->nid, m->nid, inode);
	} else if (S_ISCHR(node.mode) && node.data == 0) {
		if (layer == 0)
			return 0;
		inode = c->whiteout;
	} else if (take_inode(c, layer, &node, &inode, e) < 0) {
		return err_wrap(e, "'%.*s'", (int)it->len, it->name);
	}
	return tree_link(t, m->inode, it->name, it->len, inode, e);
}

static int merge_entry(struct chain *c, size_t layer, const struct merge *m,
		       const struct erofs_dir_entry *it, struct err *e)
{
	struct tree *t = &c->tree;
	uint32_t name, inode;

	if (++c->visited > TREE_ENTRIES_MAX)
		return err_set(e, ERR_CORRUPT,
			       "damaged layer image: more entries than there can be");
	name = tree_find(t, m->inode, it->name, it->len);
	if (name == 0)
		return add_entry(c, layer, m, it, e);
	inode = t->names[name].inode;
	if (!tree_is_folder(t, inode) ||
	    (t->inodes[inode].flags & (TREE_CLOSED | TREE_IMPLIED)) == TREE_CLOSED)
		return 0;
	if (it->type == EROFS_TYPE_DIR)
		push(c, it->nid, m->nid, inode);
	else
		t->inodes[inode].flags = TREE_CLOSED;
	return 0;
}

static int merge_folder(struct chain *c, size_t layer, const struct merge *m, struct err *e)
{
	const struct erofs_image *img = &c->images[layer];
	struct tree_inode *in = &c->tree.inodes[m->inode];
	struct erofs_dir_entry it;
	struct erofs_node node;
	struct erofs_dir dir;
	struct marks marks;
	bool closed;
	int r;

	if (erofs_image_node(img, m->nid, &node, e) < 0)
		return -1;
	if (!S_ISDIR(node.mode))
		return err_set(e, ERR_CORRUPT, "damaged layer image: type of a folder entry");
	if (chain_read_marks(c, &node, &marks, e) < 0)
		return -1;
	closed = (in->flags & TREE_CLOSED) != 0;
	if (marks.opaque)
		in->flags |= TREE_CLOSED;
	if ((in->flags & TREE_IMPLIED) != 0 && !marks.implied) {
		in->flags &= (uint16_t)~TREE_IMPLIED;
		if (set_attributes(c, m->inode, &node, e) < 0)
			return -1;
	} else if ((in->flags & TREE_IMPLIED) != 0 && in->mtime == 0) {
		in->mtime = node.mtime;
	}
	/* An opaque folder that was only implied wants the lower one's attributes, and nothing
	 * else. */
	if (closed)
		return 0;
	erofs_dir_init(&dir, img, &node, m->parent);
	while ((r = erofs_dir_next(&dir, &it, e)) == 1)
		if (merge_entry(c, layer, m, &it, e) < 0)
			return -1;
	return r;
}

static int merge_layer(struct chain *c, size_t layer, struct err *e)
{
	uint32_t root = c->images[layer].root;

	c->visited = 0;
	push(c, root, root, TREE_ROOT);
	while (c->ntodo > 0) {
		struct merge m = c->todo[--c->ntodo];

		if (merge_folder(c, layer, &m, e) < 0)
			return -1;
	}
	return 0;
}

static void drop_whiteouts(struct chain *c)
{
	struct tree *t = &c->tree;

	for (uint32_t i = 1; i < t->nnames; i++)
		if (t->names[i].len > 0 && t->names[i].inode == c->whiteout)
			tree_remove(t, i);
}

static int merge_layers(struct chain *c, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (erofs_image_open(c->layers[i].fd, &c->images[i], e) < 0)
			return err_wrap(e, "layer %zu", i + 1);
		c->n = i + 1;
	}
	if (tree_inode_new(&c->tree, S_IFCHR, &c->whiteout, e) < 0)
		return -1;
	/* A name that is never taken keeps the inode while the others go. */
	c->tree.inodes[c->whiteout].nlink = 1;
	for (size_t i = n; i-- > 0;)
		if (merge_layer(c, i, e) < 0)
			return err_wrap(e, "layer %zu", i + 1);
	drop_whiteouts(c);
	return 0;
}

/* ---- the image ------------------------------------------------------------------------------- */

/* The image is a function of its layers, and so is its UUID. */
static int make_uuid(const struct chain_layer *layers, size_t n, uint8_t ret[16], struct err *e)
{
	auto_str struct str tags = STR_INIT(CONVERT_LAYERS_MAX * 65);
	char digest[DIGEST_TEXT_SIZE];

	str_add(&tags, "chain");
	for (size_t i = 0; i < n; i++)
		str_addf(&tags, ":%.64s", layers[i].tag);
	if (digest_of(tags.buf, tags.len, digest, e) < 0)
		return -1;
	erofs_uuid(digest_hex(digest), ret);
	return 0;
}

int chain_build(const struct chain_layer *layers, size_t n, int out_fd, struct chain_info *ret,
		struct err *e)
{
	__attribute__((cleanup(chain_release))) struct chain c = { .layers = layers };
	struct erofs_device_entry devices[CONVERT_LAYERS_MAX];
	struct erofs_options options = { .devices = devices, .ndevices = n };
	struct erofs_info info = { .size = 0 };
	auto_erofs_writer struct erofs_writer *w = NULL;

	tree_init(&c.tree);
	str_init(&c.xattrs, EROFS_XATTRS_MAX);
	str_init(&c.target, UINT16_MAX);
	if (n == 0 || n > CONVERT_LAYERS_MAX)
		return err_set(e, ERR_INVALID, "%zu layers, where 1 to %d can be", n,
			       CONVERT_LAYERS_MAX);
	if (make_uuid(layers, n, options.uuid, e) < 0 || merge_layers(&c, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		devices[i] = (struct erofs_device_entry){ .tag = layers[i].tag,
							  .blocks = c.images[i].blocks };
	w = erofs_writer_new(out_fd);
	if (erofs_writer_finish(w, &c.tree, &options, &info, e) < 0)
		return -1;
	ret->size = info.size;
	ret->entries = info.inodes;
	return 0;
}
