/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/layer_tree.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "engine/erofs.h"
#include "engine/erofs_xattr.h"

#define WHITEOUT	".wh."
#define WHITEOUT_META	".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* As the kernel has it. */
#define LINKS_MAX 40
#define WALK_MAX  ((size_t)2 * PATH_MAX)

void layer_tree_init(struct layer_tree *lt)
{
	tree_init(&lt->tree);
	str_init(&lt->path, PATH_MAX - 1);
	str_init(&lt->target, PATH_MAX - 1);
	str_init(&lt->walk, WALK_MAX);
}

void layer_tree_release(struct layer_tree *lt)
{
	tree_release(&lt->tree);
	str_release(&lt->path);
	str_release(&lt->target);
	str_release(&lt->walk);
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_dot(const char *p, size_t n)
{
	return n == 1 && p[0] == '.';
}

static bool is_dotdot(const char *p, size_t n)
{
	return n == 2 && p[0] == '.' && p[1] == '.';
}

/* The last component, or the whole. */
static size_t base_of(const struct str *path)
{
	const char *slash = memrchr(path->buf, '/', path->len);

	return slash ? (size_t)(slash - path->buf) + 1 : 0;
}

/* `name` without "", "." and ".." and without a slash at either end; the root is empty. */
static int clean(const char *name, struct str *ret, struct err *e)
{
	str_clear(ret);
	for (const char *p = name; *p;) {
		size_t n = strcspn(p, "/");

		if (is_dotdot(p, n)) {
			if (ret->len == 0)
				return err_set(e, ERR_INVALID, "leads out of the root folder");
			str_truncate(ret, base_of(ret));
			if (ret->len > 0)
				str_truncate(ret, ret->len - 1);
		} else if (n > EROFS_NAME_MAX) {
			return err_set(e, ERR_INVALID, "a part of the name is longer than %d bytes",
				       EROFS_NAME_MAX);
		} else if (n > 0 && !is_dot(p, n)) {
			if (ret->len > 0)
				str_addc(ret, '/');
			str_addn(ret, p, n);
		}
		p += n;
		p += strspn(p, "/");
	}
	if (ret->over) {
		str_clear(ret);
		return err_set(e, ERR_INVALID, "the name is longer than %d bytes", PATH_MAX - 1);
	}
	return 0;
}

/* ---- walking --------------------------------------------------------------------------------- */

/* Puts the link's target before what is left to walk. */
static int follow(struct layer_tree *lt, uint32_t link, size_t used, struct err *e)
{
	const struct tree_inode *in = &lt->tree.inodes[link];
	const char *target = lt->tree.text + in->target;
	struct str next = STR_INIT(WALK_MAX);

	str_addn(&next, target, in->size);
	str_addc(&next, '/');
	str_addn(&next, lt->walk.buf + used, lt->walk.len - used);
	if (next.over) {
		str_release(&next);
		return err_set(e, ERR_INVALID, "the path behind symbolic links is too long");
	}
	str_release(&lt->walk);
	lt->walk = next;
	return 0;
}

/* A folder that nothing has given attributes. In the place of a whiteout it is a new one, which
 * takes nothing from below. */
static int imply(struct layer_tree *lt, uint32_t folder, const char *name, size_t n, int64_t mtime,
		 uint32_t *ret, struct err *e)
{
	struct tree *t = &lt->tree;
	uint32_t old = tree_find(t, folder, name, n), inode;

	if (tree_inode_new(t, S_IFDIR | 0755, &inode, e) < 0)
		return -1;
	t->inodes[inode].flags = TREE_IMPLIED;
	t->inodes[inode].mtime = mtime;
	if (old != 0) {
		t->inodes[inode].flags = TREE_OPAQUE;
		tree_remove(t, old);
	}
	if (tree_link(t, folder, name, n, inode, e) < 0)
		return -1;
	*ret = inode;
	return 0;
}

struct walk {
	bool create; /* make what is missing */
	int64_t mtime;
	uint32_t folder; /* result */
};

/*
 * Walks the folders of the cleaned path (its first `len` bytes). Returns 1 with the folder, 0 when
 * it is not there (only without create), -1.
 */
static int walk(struct layer_tree *lt, const char *path, size_t len, struct walk *w, struct err *e)
{
	const struct tree *t = &lt->tree;
	unsigned int links = 0;
	size_t at = 0;

	w->folder = TREE_ROOT;
	str_clear(&lt->walk);
	str_addn(&lt->walk, path, len);
	while (at < lt->walk.len) {
		const char *p = lt->walk.buf + at;
		size_t n = strcspn(p, "/");
		uint32_t name, inode;

		at += n + (p[n] == '/');
		if (n == 0 || is_dot(p, n))
			continue;
		if (is_dotdot(p, n)) {
			w->folder = t->inodes[w->folder].parent;
			continue;
		}
		if (n > EROFS_NAME_MAX)
			return err_set(e, ERR_INVALID, "a symbolic link on the way is too long");
		name = tree_find(t, w->folder, p, n);
		inode = t->names[name].inode;
		if (name == 0 || tree_is_whiteout(t, inode)) {
			if (!w->create)
				return 0;
			if (imply(lt, w->folder, p, n, w->mtime, &w->folder, e) < 0)
				return -1;
		} else if (tree_is_folder(t, inode)) {
			w->folder = inode;
		} else if (S_ISLNK(t->inodes[inode].mode)) {
			if (++links > LINKS_MAX)
				return err_set(e, ERR_INVALID,
					       "too many symbolic links on the way");
			if (t->text[t->inodes[inode].target] == '/')
				w->folder = TREE_ROOT;
			if (follow(lt, inode, at, e) < 0)
				return -1;
			at = 0;
		} else if (w->create) {
			return err_set(e, ERR_INVALID, "'%.*s' on the way is not a folder", (int)n,
				       p);
		} else {
			return 0;
		}
	}
	return 1;
}

/* ---- entries --------------------------------------------------------------------------------- */

static int set_attributes(struct tree *t, uint32_t inode, const struct layer_entry *entry,
			  struct err *e)
{
	struct tree_inode *in = &t->inodes[inode];

	in->mode = entry->mode;
	in->uid = entry->uid;
	in->gid = entry->gid;
	in->mtime = entry->mtime;
	in->mtime_nsec = entry->mtime_nsec;
	in->flags &= (uint16_t)~TREE_IMPLIED;
	return tree_set_xattrs(t, inode, entry->xattrs, entry->xattrs_len, e);
}

static int add_whiteout(struct tree *t, uint32_t folder, const char *name, size_t n, struct err *e)
{
	uint32_t old, inode;

	if (n == 0 || is_dot(name, n) || is_dotdot(name, n))
		return err_set(e, ERR_INVALID, "a whiteout without a name");
	old = tree_find(t, folder, name, n);
	if (old != 0) {
		/* It applies to lower layers only, and this folder is a new one then. */
		inode = t->names[old].inode;
		if (tree_is_folder(t, inode))
			t->inodes[inode].flags = TREE_OPAQUE;
		return 0;
	}
	if (tree_inode_new(t, S_IFCHR, &inode, e) < 0)
		return -1;
	return tree_link(t, folder, name, n, inode, e);
}

static int set_symlink(struct tree *t, uint32_t inode, const char *target, struct err *e)
{
	size_t n = strlen(target);
	uint32_t text;

	if (n == 0 || n >= PATH_MAX)
		return err_set(e, ERR_INVALID, "a symbolic link of %zu bytes", n);
	if (tree_text_add(t, target, n, &text, e) < 0)
		return -1;
	t->inodes[inode].target = text;
	t->inodes[inode].size = n;
	return 0;
}

/* A file with the mark of a link into lower layers. */
static int new_lower_link(struct layer_tree *lt, uint32_t *ret, struct err *e)
{
	struct erofs_attr a = { .index = EROFS_XATTR_TRUSTED,
				.name = EROFS_MARK_LINK,
				.name_len = strlen(EROFS_MARK_LINK) };
	auto_str struct str list = STR_INIT(EROFS_XATTRS_MAX);

	a.value = lt->target.buf;
	a.size = lt->target.len;
	if (erofs_attr_add(&list, &a, e) < 0 ||
	    tree_inode_new(&lt->tree, S_IFREG | 0644, ret, e) < 0)
		return -1;
	return tree_set_xattrs(&lt->tree, *ret, list.buf, list.len, e);
}

/* The inode that the hard link `lt->target` means. */
static int find_target(struct layer_tree *lt, uint32_t *ret, struct err *e)
{
	const struct tree *t = &lt->tree;
	size_t base = base_of(&lt->target);
	struct walk w = { .create = false };
	uint32_t name = 0;
	int r;

	r = walk(lt, lt->target.buf, base, &w, e);
	if (r < 0)
		return err_wrap(e, "hard link");
	if (r == 1)
		name = tree_find(t, w.folder, lt->target.buf + base, lt->target.len - base);
	if (name == 0 || tree_is_whiteout(t, t->names[name].inode))
		return new_lower_link(lt, ret, e);
	if (tree_is_folder(t, t->names[name].inode))
		return err_set(e, ERR_INVALID, "hard link to the folder '%s'", lt->target.buf);
	*ret = t->names[name].inode;
	return 0;
}

static int add_hardlink(struct layer_tree *lt, uint32_t folder, const struct layer_entry *entry,
			struct err *e)
{
	size_t base = base_of(&lt->path), n = lt->path.len - base;
	uint32_t old, inode;

	if (clean(entry->hardlink, &lt->target, e) < 0)
		return err_wrap(e, "target of the hard link");
	if (lt->target.len == 0 || str_eq(lt->target.buf, lt->path.buf))
		return err_set(e, ERR_INVALID, "hard link to itself or to the root folder");
	old = tree_find(&lt->tree, folder, lt->path.buf + base, n);
	/* Before the target is looked for: it may be below what is replaced, and gone then. */
	if (old != 0)
		tree_remove(&lt->tree, old);
	if (find_target(lt, &inode, e) < 0)
		return -1;
	return tree_link(&lt->tree, folder, lt->path.buf + base, n, inode, e);
}

static int add_node(struct layer_tree *lt, uint32_t folder, const struct layer_entry *entry,
		    uint32_t *ret, struct err *e)
{
	struct tree *t = &lt->tree;
	size_t base = base_of(&lt->path), n = lt->path.len - base;
	uint32_t old = tree_find(t, folder, lt->path.buf + base, n), inode;
	uint16_t flags = 0;

	if (old != 0) {
		inode = t->names[old].inode;
		if (S_ISDIR(entry->mode) && tree_is_folder(t, inode))
			return set_attributes(t, inode, entry, e);
		if (S_ISDIR(entry->mode) && tree_is_whiteout(t, inode))
			flags = TREE_OPAQUE;
		tree_remove(t, old);
	}
	if (tree_inode_new(t, entry->mode, &inode, e) < 0)
		return -1;
	t->inodes[inode].flags = flags;
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		t->inodes[inode].rdev = entry->rdev;
	if (set_attributes(t, inode, entry, e) < 0)
		return -1;
	if (S_ISLNK(entry->mode) && set_symlink(t, inode, entry->symlink, e) < 0)
		return -1;
	if (S_ISREG(entry->mode))
		*ret = inode;
	return tree_link(t, folder, lt->path.buf + base, n, inode, e);
}

int layer_tree_add(struct layer_tree *lt, const struct layer_entry *entry, uint32_t *ret,
		   struct err *e)
{
	struct walk w = { .create = true, .mtime = entry->mtime };
	const char *base;
	size_t at;

	*ret = LAYER_NO_INODE;
	if (clean(entry->name, &lt->path, e) < 0)
		return -1;
	if (lt->path.len == 0) {
		if (entry->hardlink || !S_ISDIR(entry->mode))
			return err_set(e, ERR_INVALID, "the root is not a folder");
		return set_attributes(&lt->tree, TREE_ROOT, entry, e);
	}
	at = base_of(&lt->path);
	base = lt->path.buf + at;
	if (strncmp(lt->path.buf, WHITEOUT_META, strlen(WHITEOUT_META)) == 0 ||
	    strstr(lt->path.buf, "/" WHITEOUT_META)) {
		if (!str_eq(base, WHITEOUT_OPAQUE))
			return 0;
		if (walk(lt, lt->path.buf, at, &w, e) < 0)
			return -1;
		lt->tree.inodes[w.folder].flags |= TREE_OPAQUE;
		return 0;
	}
	if (walk(lt, lt->path.buf, at, &w, e) < 0)
		return -1;
	if (str_has_prefix(base, WHITEOUT))
		return add_whiteout(&lt->tree, w.folder, base + strlen(WHITEOUT),
				    strlen(base) - strlen(WHITEOUT), e);
	if (entry->hardlink)
		return add_hardlink(lt, w.folder, entry, e);
	return add_node(lt, w.folder, entry, ret, e);
}

/* ---- marks ----------------------------------------------------------------------------------- */

static int add_mark(struct tree *t, uint32_t inode, const char *name, struct err *e)
{
	struct erofs_attr a = { .index = EROFS_XATTR_TRUSTED,
				.name = name,
				.name_len = strlen(name),
				.value = "y",
				.size = 1 };
	auto_str struct str list = STR_INIT(EROFS_XATTRS_MAX);
	const char *had;
	size_t n;

	had = tree_xattrs(t, inode, &n);
	if (n > 0)
		str_addn(&list, had, n);
	if (erofs_attr_add(&list, &a, e) < 0)
		return -1;
	return tree_set_xattrs(t, inode, list.buf, list.len, e);
}

int layer_tree_finish(struct layer_tree *lt, struct err *e)
{
	struct tree *t = &lt->tree;

	for (uint32_t i = 0; i < t->ninodes; i++) {
		if (!tree_is_folder(t, i))
			continue;
		if ((t->inodes[i].flags & TREE_IMPLIED) != 0 &&
		    add_mark(t, i, EROFS_MARK_IMPLIED, e) < 0)
			return -1;
		if ((t->inodes[i].flags & TREE_OPAQUE) != 0 &&
		    add_mark(t, i, EROFS_MARK_OPAQUE, e) < 0)
			return -1;
	}
	return 0;
}
