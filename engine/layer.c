/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/layer.h"

#include <string.h>

#include "base/mem.h"
#include "engine/erofs.h"
#include "engine/erofs_write.h"
#include "engine/erofs_xattr.h"
#include "engine/layer_tar.h"
#include "engine/layer_tree.h"

struct layer {
	struct inflate *inflate;
	struct digest *digest;
	struct tar *tar;
	struct erofs_writer *writer;
	struct layer_tree lt;
	struct str xattrs;
	uint64_t tar_size;
	bool ended; /* the stream was read to its end */
};

int layer_load(struct err *e)
{
	struct digest *d;

	if (inflate_load(e) < 0 || digest_new(&d, e) < 0)
		return -1;
	digest_free(d);
	return 0;
}

static void layer_release(struct layer *l)
{
	tar_free(l->tar);
	inflate_free(l->inflate);
	digest_free(l->digest);
	erofs_writer_free(l->writer);
	layer_tree_release(&l->lt);
	str_release(&l->xattrs);
}

/* The next piece of the tar, counted and hashed. */
static ssize_t next_piece(void *ctx, const void **ret, struct err *e)
{
	struct layer *l = ctx;
	ssize_t n;

	if (l->ended)
		return 0;
	n = inflate_next(l->inflate, ret, e);
	if (n > 0) {
		digest_update(l->digest, *ret, (size_t)n);
		l->tar_size += (uint64_t)n;
	}
	l->ended = n <= 0;
	return n;
}

/* ---- one entry ------------------------------------------------------------------------------- */

static bool has_attr(const struct str *list, const struct erofs_attr *want)
{
	struct err ignored = ERR_INIT;
	struct erofs_attr a;
	size_t at = 0;

	while (erofs_attr_next(list->buf, list->len, &at, &a, &ignored) == 1)
		if (a.index == want->index && a.name_len == want->name_len &&
		    !memcmp(a.name, want->name, a.name_len))
			return true;
	return false;
}

static int read_xattrs(struct layer *l, const struct tar_entry *entry, struct err *e)
{
	str_clear(&l->xattrs);
	for (size_t i = 0; i < entry->nxattrs; i++) {
		const struct tar_xattr *x = &entry->xattrs[i];
		struct erofs_attr a = { .value = x->value, .size = x->size };

		if (!erofs_attr_name(x->name, &a) || erofs_attr_is_reserved(&a) ||
		    has_attr(&l->xattrs, &a))
			continue;
		if (erofs_attr_add(&l->xattrs, &a, e) < 0)
			return -1;
	}
	return 0;
}

static int read_id(int64_t id, uint32_t *ret, struct err *e)
{
	if (id < 0 || id >= UINT32_MAX)
		return err_set(e, ERR_CORRUPT, "owner %lld", (long long)id);
	*ret = (uint32_t)id;
	return 0;
}

/* Out of the tar's words into those of the tree. */
static int read_header(struct layer *l, const struct tar_entry *entry, struct layer_entry *ret,
		       struct err *e)
{
	ret->name = entry->name;
	if (entry->type == 0) {
		ret->hardlink = entry->target;
		return 0;
	}
	ret->mode = entry->type | (uint16_t)(entry->mode & 07777);
	ret->symlink = entry->target;
	ret->mtime = entry->mtime;
	ret->mtime_nsec = entry->mtime_nsec;
	if (entry->major > 0xfff || entry->minor > 0xfffff)
		return err_set(e, ERR_CORRUPT, "device number %llu:%llu",
			       (unsigned long long)entry->major, (unsigned long long)entry->minor);
	ret->rdev = erofs_rdev((uint32_t)entry->major, (uint32_t)entry->minor);
	if (read_id(entry->uid, &ret->uid, e) < 0 || read_id(entry->gid, &ret->gid, e) < 0 ||
	    read_xattrs(l, entry, e) < 0)
		return -1;
	ret->xattrs = l->xattrs.buf;
	ret->xattrs_len = l->xattrs.len;
	return 0;
}

static int copy_data(struct layer *l, const struct tar_entry *entry, uint32_t inode, struct err *e)
{
	struct tree_inode *in = &l->lt.tree.inodes[inode];
	uint64_t at = 0, offset;
	const void *p;
	ssize_t n;

	in->size = entry->size;
	in->block = erofs_writer_block(l->writer);
	while ((n = tar_data(l->tar, &p, &offset, e)) > 0) {
		/* Holes of a sparse file are what is left out. */
		if (erofs_writer_skip(l->writer, offset - at, e) < 0 ||
		    erofs_writer_data(l->writer, p, (size_t)n, e) < 0)
			return -1;
		at = offset + (uint64_t)n;
	}
	if (n < 0 || erofs_writer_skip(l->writer, entry->size - at, e) < 0)
		return -1;
	return erofs_writer_align(l->writer, e);
}

/* A name for an error message: short, and nothing that a terminal would obey. */
static const char *shown(const char *name, char ret[129])
{
	size_t n = 0;

	for (; name[n] && n < 128; n++)
		ret[n] = (unsigned char)name[n] < 0x20 || name[n] == 0x7f ? '?' : name[n];
	ret[n] = '\0';
	return ret;
}

static int add_entry(struct layer *l, const struct tar_entry *entry, struct err *e)
{
	struct layer_entry le = { .name = NULL };
	char text[129];
	uint32_t inode = LAYER_NO_INODE;

	if (!*entry->name)
		return err_set(e, ERR_CORRUPT, "an entry without a name");
	if (read_header(l, entry, &le, e) < 0 || layer_tree_add(&l->lt, &le, &inode, e) < 0)
		return err_wrap(e, "'%s'", shown(entry->name, text));
	if (inode == LAYER_NO_INODE || entry->size == 0 || copy_data(l, entry, inode, e) == 0)
		return 0;
	/* Where the stream is cut or the disk full, the file just being read says nothing. */
	return e->kind == ERR_INVALID ? err_wrap(e, "'%s'", shown(entry->name, text)) : -1;
}

/* ---- the layer ------------------------------------------------------------------------------- */

static int read_entries(struct layer *l, struct err *e)
{
	struct tar_entry entry;
	int r;

	while ((r = tar_next(l->tar, &entry, e)) == 1)
		if (add_entry(l, &entry, e) < 0)
			return -1;
	return r;
}

/* The digest covers what is behind the archive's end too. */
static int drain(struct layer *l, struct err *e)
{
	const void *p;
	ssize_t n;

	do {
		n = next_piece(l, &p, e);
	} while (n > 0);
	return (int)n;
}

int layer_build(inflate_read read, void *ctx, int out_fd, struct layer_info *ret, struct err *e)
{
	__attribute__((cleanup(layer_release))) struct layer l = { .ended = false };
	struct erofs_options options = { .ndevices = 0 };
	struct erofs_info info;

	layer_tree_init(&l.lt);
	str_init(&l.xattrs, EROFS_XATTRS_MAX);
	if (digest_new(&l.digest, e) < 0)
		return -1;
	l.inflate = inflate_new(read, ctx, false);
	l.tar = tar_new(next_piece, &l);
	l.writer = erofs_writer_new(out_fd);
	if (read_entries(&l, e) < 0 || drain(&l, e) < 0 || layer_tree_finish(&l.lt, e) < 0)
		return -1;
	digest_final(l.digest, ret->diffid);
	erofs_uuid(digest_hex(ret->diffid), options.uuid);
	if (erofs_writer_finish(l.writer, &l.lt.tree, &options, &info, e) < 0)
		return -1;
	ret->tar_size = l.tar_size;
	ret->image_size = info.size;
	ret->entries = info.inodes;
	return 0;
}
