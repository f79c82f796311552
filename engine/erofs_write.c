/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata is written in two passes over the tree. The first, place_all(), sorts every folder,
 * decides how each inode is laid out and gives it its place: a folder, then what it holds that is
 * no folder, then its subfolders the same way, so that a path's look-up stays within few blocks.
 * The second writes the inodes in that order, and then the folders' full blocks.
 */
#include "engine/erofs_write.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/erofs.h"

#define BUFFER_SIZE ((size_t)256 << 10)
/* Longer pieces are written from where they are. */
#define DIRECT_SIZE ((size_t)64 << 10)

/* So much at a time is handed to the disk. */
#define WRITEBACK_SIZE ((uint64_t)16 << 20)

struct erofs_writer {
	int fd;
	uint64_t start; /* file offset of the buffer; a whole block */
	size_t used;
	uint64_t submitted; /* up to here writing to the disk has begun */
	uint8_t *buffer;
	uint8_t head[EROFS_BLOCK]; /* block 0, which is written last */
};

struct erofs_writer *erofs_writer_new(int fd)
{
	struct erofs_writer *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->start = EROFS_BLOCK;
	w->buffer = xcalloc(1, BUFFER_SIZE);
	return w;
}

void erofs_writer_free(struct erofs_writer *w)
{
	if (!w)
		return;
	free(w->buffer);
	free(w);
}

void erofs_writer_free_ptr(struct erofs_writer **w)
{
	erofs_writer_free(*w);
}

static uint64_t position(const struct erofs_writer *w)
{
	return w->start + w->used;
}

uint32_t erofs_writer_block(const struct erofs_writer *w)
{
	return (uint32_t)(position(w) >> EROFS_BLOCK_BITS);
}

/* Lets the disk work while the rest is still converted, so that the fsync at the end finds little
 * to do. Where it does not work nothing is lost. */
static void start_writeback(struct erofs_writer *w)
{
	if (w->start - w->submitted < WRITEBACK_SIZE)
		return;
	(void)!sync_file_range(w->fd, (off_t)w->submitted, (off_t)(w->start - w->submitted),
			       SYNC_FILE_RANGE_WRITE);
	w->submitted = w->start;
}

static int flush(struct erofs_writer *w, struct err *e)
{
	if (fd_pwrite_full(w->fd, w->buffer, w->used, (off_t)w->start, e) < 0)
		return -1;
	w->start += w->used;
	w->used = 0;
	start_writeback(w);
	return 0;
}

static int check_size(const struct erofs_writer *w, uint64_t more, struct err *e)
{
	const uint64_t max = (uint64_t)EROFS_IMAGE_BLOCKS_MAX << EROFS_BLOCK_BITS;

	if (more > max - position(w))
		return err_set(e, ERR_INVALID, "files take more than %llu GiB",
			       (unsigned long long)(max >> 30));
	return 0;
}

/* Writes the buffer and, from where it is, as much of the piece as gives whole blocks: parts of a
 * block would be written twice. Returns how much that was. */
static ssize_t write_direct(struct erofs_writer *w, const uint8_t *p, size_t n, struct err *e)
{
	size_t fill = -w->used & (EROFS_BLOCK - 1), whole;

	memcpy(w->buffer + w->used, p, fill);
	w->used += fill;
	if (flush(w, e) < 0)
		return -1;
	whole = (n - fill) & ~(size_t)(EROFS_BLOCK - 1);
	if (fd_pwrite_full(w->fd, p + fill, whole, (off_t)w->start, e) < 0)
		return -1;
	w->start += whole;
	return (ssize_t)(fill + whole);
}

int erofs_writer_data(struct erofs_writer *w, const void *p, size_t n, struct err *e)
{
	const uint8_t *from = p;

	if (check_size(w, n, e) < 0)
		return -1;
	while (n > 0) {
		size_t part = BUFFER_SIZE - w->used < n ? BUFFER_SIZE - w->used : n;

		if (n >= DIRECT_SIZE) {
			ssize_t done = write_direct(w, from, n, e);

			if (done < 0)
				return -1;
			from += done;
			n -= (size_t)done;
			continue;
		}
		memcpy(w->buffer + w->used, from, part);
		w->used += part;
		from += part;
		n -= part;
		if (w->used == BUFFER_SIZE && flush(w, e) < 0)
			return -1;
	}
	return 0;
}

int erofs_writer_skip(struct erofs_writer *w, uint64_t n, struct err *e)
{
	size_t fill = -w->used & (EROFS_BLOCK - 1);

	if (check_size(w, n, e) < 0)
		return -1;
	if (n > BUFFER_SIZE - w->used) {
		memset(w->buffer + w->used, 0, fill);
		w->used += fill;
		n -= fill;
		if (flush(w, e) < 0)
			return -1;
		/* Only whole buffers are left out: small gaps would cost more than they save. */
		w->start += n / BUFFER_SIZE * BUFFER_SIZE;
		n %= BUFFER_SIZE;
	}
	memset(w->buffer + w->used, 0, n);
	w->used += n;
	return 0;
}

int erofs_writer_align(struct erofs_writer *w, struct err *e)
{
	return erofs_writer_skip(w, -position(w) & (EROFS_BLOCK - 1), e);
}

/* ---- metadata -------------------------------------------------------------------------------- */

struct layout {
	struct tree *t;
	struct erofs_writer *w;
	uint64_t base;	 /* file offset of nid 0 */
	uint64_t at;	 /* next free offset, from the base */
	uint64_t newest; /* mtime */
	uint32_t *order; /* inodes as they are placed */
	uint32_t norder;
	uint32_t *folders; /* stack of folders that are still to be placed */
	uint32_t nfolders, folders_cap;
	uint32_t *children; /* of the folder being sorted */
	uint32_t children_cap;
	uint32_t dir_start; /* first of the folders' full blocks */
	uint32_t dir_blocks;
};

static void layout_release(struct layout *l)
{
	free(l->order);
	free(l->folders);
	free(l->children);
}

/* Walks a sorted folder's entries, with "." and ".." in their places. */
struct cursor {
	const struct tree *t;
	uint32_t folder;
	uint32_t name;
	unsigned int dots; /* how many of "." and ".." are done */
};

struct entry {
	const char *name;
	size_t len;
	uint32_t inode;
};

static int compare_names(const char *a, size_t alen, const char *b, size_t blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c != 0 ? c : (alen > blen) - (alen < blen);
}

static bool cursor_next(struct cursor *c, struct entry *ret)
{
	const struct tree *t = c->t;
	const struct tree_name *n = &t->names[c->name];
	size_t ndots = c->dots + 1;

	if (c->dots < 2 &&
	    (c->name == 0 || compare_names("..", ndots, t->text + n->text, n->len) < 0)) {
		ret->name = "..";
		ret->len = ndots;
		ret->inode = c->dots == 0 ? c->folder : t->inodes[c->folder].parent;
		c->dots++;
		return true;
	}
	if (c->name == 0)
		return false;
	ret->name = t->text + n->text;
	ret->len = n->len;
	ret->inode = n->inode;
	c->name = n->next;
	return true;
}

static struct cursor cursor_at(const struct tree *t, uint32_t folder)
{
	return (struct cursor){ .t = t, .folder = folder, .name = t->inodes[folder].first };
}

/* One block's entries; returns the bytes used, the rest is zero. */
static size_t folder_block(struct cursor *c, uint8_t block[EROFS_BLOCK])
{
	struct cursor ahead = *c;
	struct entry it;
	size_t n = 0, used = 0, name_at;

	while (cursor_next(&ahead, &it)) {
		if (used + sizeof(struct erofs_dirent) + it.len > EROFS_BLOCK)
			break;
		used += sizeof(struct erofs_dirent) + it.len;
		n++;
	}
	name_at = n * sizeof(struct erofs_dirent);
	for (size_t i = 0; i < n && cursor_next(c, &it); i++) {
		struct erofs_dirent d = {
			.nid = htole64(c->t->inodes[it.inode].nid),
			.name_offset = htole16((uint16_t)name_at),
			.type = erofs_type_of(c->t->inodes[it.inode].mode),
		};

		memcpy(block + i * sizeof(d), &d, sizeof(d));
		memcpy(block + name_at, it.name, it.len);
		name_at += it.len;
	}
	memset(block + used, 0, EROFS_BLOCK - used);
	return used;
}

static uint64_t folder_size(const struct tree *t, uint32_t folder)
{
	struct cursor c = cursor_at(t, folder);
	struct entry it;
	uint64_t blocks = 0;
	size_t used = 0;

	while (cursor_next(&c, &it)) {
		size_t n = sizeof(struct erofs_dirent) + it.len;

		if (used + n > EROFS_BLOCK) {
			blocks++;
			used = 0;
		}
		used += n;
	}
	return blocks * EROFS_BLOCK + used;
}

/* Bytes of an inode with its xattrs. */
static size_t inode_size(const struct tree *t, uint32_t inode)
{
	size_t n;

	tree_xattrs(t, inode, &n);
	return sizeof(struct erofs_inode) + (n > 0 ? EROFS_XATTR_HEADER + n : 0);
}

/* Bytes of the last block's content, 1 to 4096. */
static size_t tail_size(uint64_t size)
{
	return (size_t)((size - 1) % EROFS_BLOCK) + 1;
}

/* What holds metadata itself (folders, links) has its last part behind the inode when that fits a
 * block. */
static bool is_inline(const struct tree *t, uint32_t inode)
{
	const struct tree_inode *in = &t->inodes[inode];

	return (S_ISDIR(in->mode) || S_ISLNK(in->mode)) &&
	       inode_size(t, inode) + tail_size(in->size) <= EROFS_BLOCK;
}

/* Blocks outside the inode area. */
static uint32_t outer_blocks(const struct tree *t, uint32_t inode)
{
	const struct tree_inode *in = &t->inodes[inode];

	if (!S_ISDIR(in->mode) && !S_ISLNK(in->mode))
		return 0;
	return (uint32_t)erofs_blocks(in->size) - is_inline(t, inode);
}

static bool has_chunk(const struct tree_inode *in)
{
	return S_ISREG(in->mode) && in->device != 0 && in->size > 0;
}

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static void place(struct layout *l, uint32_t inode)
{
	struct tree_inode *in = &l->t->inodes[inode];
	size_t n = inode_size(l->t, inode), room;

	room = EROFS_BLOCK - (size_t)(l->at % EROFS_BLOCK);
	if (room < sizeof(struct erofs_inode))
		l->at += room;
	if (is_inline(l->t, inode)) {
		/* The tail must not cross into another block. */
		room = EROFS_BLOCK - (size_t)((l->at + n) % EROFS_BLOCK);
		if (room < tail_size(in->size))
			l->at = round_up(l->at, EROFS_BLOCK);
		n += tail_size(in->size);
	} else if (has_chunk(in)) {
		n = round_up(n, sizeof(struct erofs_chunk)) + sizeof(struct erofs_chunk);
	}
	in->nid = (uint32_t)(l->at >> EROFS_NID_BITS);
	l->at = round_up(l->at + n, EROFS_NID);
	l->dir_blocks += outer_blocks(l->t, inode);
	l->order[l->norder++] = inode;
	if (in->mtime > 0 && (uint64_t)in->mtime > l->newest)
		l->newest = (uint64_t)in->mtime;
}

static int compare_children(const void *a, const void *b, void *ctx)
{
	const struct tree *t = ctx;
	const struct tree_name *x = &t->names[*(const uint32_t *)a];
	const struct tree_name *y = &t->names[*(const uint32_t *)b];

	return compare_names(t->text + x->text, x->len, t->text + y->text, y->len);
}

/* Brings the folder's list of names into order. Returns the number of names, which are in
 * l->children. */
static uint32_t sort_folder(struct layout *l, uint32_t folder)
{
	struct tree *t = l->t;
	uint32_t n = 0, *next = &t->inodes[folder].first;

	for (uint32_t i = *next; i != 0; i = t->names[i].next) {
		if (n == l->children_cap) {
			l->children_cap = l->children_cap ? 2 * l->children_cap : 256;
			l->children = xreallocarray(l->children, l->children_cap,
						    sizeof(*l->children));
		}
		l->children[n++] = i;
	}
	if (n > 1)
		qsort_r(l->children, n, sizeof(*l->children), compare_children, t);
	for (uint32_t i = 0, prev = 0; i < n; i++) {
		*next = l->children[i];
		t->names[*next].prev = prev;
		prev = *next;
		next = &t->names[*next].next;
	}
	*next = 0;
	return n;
}

static void push_folder(struct layout *l, uint32_t folder)
{
	if (l->nfolders == l->folders_cap) {
		l->folders_cap = l->folders_cap ? 2 * l->folders_cap : 256;
		l->folders = xreallocarray(l->folders, l->folders_cap, sizeof(*l->folders));
	}
	l->folders[l->nfolders++] = folder;
}

static void place_folder(struct layout *l, uint32_t folder)
{
	struct tree *t = l->t;
	uint32_t n = sort_folder(l, folder), nlink = 2;

	t->inodes[folder].size = folder_size(t, folder);
	place(l, folder);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t inode = t->names[l->children[i]].inode;

		/* A further name of an inode that has its place. */
		if (!tree_is_folder(t, inode) && t->inodes[inode].nid == 0)
			place(l, inode);
	}
	while (n-- > 0) {
		uint32_t inode = t->names[l->children[n]].inode;

		if (!tree_is_folder(t, inode))
			continue;
		push_folder(l, inode);
		nlink++;
	}
	t->inodes[folder].nlink = nlink;
}

static void place_all(struct layout *l)
{
	for (uint32_t i = 0; i < l->t->ninodes; i++)
		l->t->inodes[i].nid = 0;
	l->order = xcalloc(l->t->inodes_live, sizeof(*l->order));
	push_folder(l, TREE_ROOT);
	while (l->nfolders > 0)
		place_folder(l, l->folders[--l->nfolders]);
}

/* Metadata may begin in block 0, which is kept back; otherwise as data. */
static int put(struct erofs_writer *w, const void *p, size_t n, struct err *e)
{
	uint64_t at = position(w);

	if (at < EROFS_BLOCK) {
		size_t part = EROFS_BLOCK - (size_t)at < n ? EROFS_BLOCK - (size_t)at : n;

		memcpy(w->head + at, p, part);
		w->start += part;
		p = (const uint8_t *)p + part;
		n -= part;
	}
	return n > 0 ? erofs_writer_data(w, p, n, e) : 0;
}

static int put_zeros_to(struct erofs_writer *w, uint64_t offset, struct err *e)
{
	static const uint8_t zeros[EROFS_BLOCK];

	while (position(w) < offset) {
		uint64_t n = offset - position(w);

		if (put(w, zeros, n < sizeof(zeros) ? (size_t)n : sizeof(zeros), e) < 0)
			return -1;
	}
	return 0;
}

static int put_xattrs(struct layout *l, uint32_t inode, struct err *e)
{
	static const uint8_t header[EROFS_XATTR_HEADER];
	const char *entries;
	size_t n;

	entries = tree_xattrs(l->t, inode, &n);
	if (n == 0)
		return 0;
	if (put(l->w, header, sizeof(header), e) < 0)
		return -1;
	return put(l->w, entries, n, e);
}

/* One chunk that holds the whole file. */
static uint32_t chunk_bits(uint64_t size)
{
	uint32_t bits = EROFS_BLOCK_BITS;

	while ((uint64_t)1 << bits < size)
		bits++;
	return bits;
}

static int put_chunk(struct layout *l, const struct tree_inode *in, struct err *e)
{
	struct erofs_chunk chunk = { .device = htole16(in->device), .block = htole32(in->block) };

	if (put_zeros_to(l->w, round_up(position(l->w), sizeof(chunk)), e) < 0)
		return -1;
	return put(l->w, &chunk, sizeof(chunk), e);
}

static int put_tail(struct layout *l, uint32_t inode, struct err *e)
{
	const struct tree_inode *in = &l->t->inodes[inode];
	struct cursor c = cursor_at(l->t, inode);
	uint8_t block[EROFS_BLOCK];
	size_t used;

	if (S_ISLNK(in->mode))
		return put(l->w, l->t->text + in->target, in->size, e);
	for (uint64_t i = 1; i < erofs_blocks(in->size); i++)
		folder_block(&c, block);
	used = folder_block(&c, block);
	return put(l->w, block, used, e);
}

/* *outer: the next of the blocks outside the inode area. */
static int put_inode(struct layout *l, uint32_t number, uint32_t *outer, struct err *e)
{
	uint32_t inode = l->order[number];
	const struct tree_inode *in = &l->t->inodes[inode];
	struct erofs_inode d = {
		.format = htole16(EROFS_FORMAT(EROFS_FLAT_PLAIN)),
		.mode = htole16(in->mode),
		.ino = htole32(number + 1),
		.uid = htole32(in->uid),
		.gid = htole32(in->gid),
		.mtime = (int64_t)htole64((uint64_t)in->mtime),
		.mtime_nsec = htole32(in->mtime_nsec),
		.nlink = htole32(in->nlink),
	};
	size_t xattrs;

	tree_xattrs(l->t, inode, &xattrs);
	if (xattrs > 0)
		d.xattr_count = htole16((uint16_t)(1 + xattrs / 4));
	if (S_ISDIR(in->mode) || S_ISLNK(in->mode) || S_ISREG(in->mode))
		d.size = htole64(in->size);
	if (S_ISDIR(in->mode) || S_ISLNK(in->mode)) {
		if (is_inline(l->t, inode))
			d.format = htole16(EROFS_FORMAT(EROFS_FLAT_INLINE));
		d.data = htole32(*outer);
		*outer += outer_blocks(l->t, inode);
	} else if (has_chunk(in)) {
		d.format = htole16(EROFS_FORMAT(EROFS_CHUNK_BASED));
		d.data = htole32((chunk_bits(in->size) - EROFS_BLOCK_BITS) | EROFS_CHUNK_INDEXES);
	} else if (S_ISREG(in->mode)) {
		d.data = htole32(in->size > 0 ? in->block : 0);
	} else {
		d.data = htole32(in->rdev);
	}
	if (put_zeros_to(l->w, l->base + ((uint64_t)in->nid << EROFS_NID_BITS), e) < 0 ||
	    put(l->w, &d, sizeof(d), e) < 0 || put_xattrs(l, inode, e) < 0)
		return -1;
	if (has_chunk(in))
		return put_chunk(l, in, e);
	return is_inline(l->t, inode) ? put_tail(l, inode, e) : 0;
}

static int put_outer(struct layout *l, uint32_t inode, struct err *e)
{
	const struct tree_inode *in = &l->t->inodes[inode];
	uint32_t n = outer_blocks(l->t, inode);
	struct cursor c = cursor_at(l->t, inode);
	uint8_t block[EROFS_BLOCK];

	if (S_ISLNK(in->mode)) {
		if (n > 0 && put(l->w, l->t->text + in->target, in->size, e) < 0)
			return -1;
		return put_zeros_to(l->w, round_up(position(l->w), EROFS_BLOCK), e);
	}
	while (n-- > 0) {
		folder_block(&c, block);
		if (put(l->w, block, sizeof(block), e) < 0)
			return -1;
	}
	return 0;
}

static int put_metadata(struct layout *l, struct err *e)
{
	uint32_t outer = l->dir_start;

	for (uint32_t i = 0; i < l->norder; i++)
		if (put_inode(l, i, &outer, e) < 0)
			return -1;
	if (put_zeros_to(l->w, (uint64_t)l->dir_start << EROFS_BLOCK_BITS, e) < 0)
		return -1;
	for (uint32_t i = 0; i < l->norder; i++)
		if (outer_blocks(l->t, l->order[i]) > 0 && put_outer(l, l->order[i], e) < 0)
			return -1;
	return 0;
}

static int put_devices(struct erofs_writer *w, const struct erofs_options *o, uint32_t blocks,
		       struct err *e)
{
	uint64_t mapped = blocks;

	for (size_t i = 0; i < o->ndevices; i++) {
		const struct erofs_device_entry *from = &o->devices[i];
		struct erofs_device d = { .mapped_block = htole32((uint32_t)mapped) };
		size_t len = strlen(from->tag);

		memcpy(d.tag, from->tag, len < sizeof(d.tag) ? len : sizeof(d.tag));
		d.blocks = htole32((uint32_t)from->blocks);
		mapped += from->blocks;
		if (mapped > UINT32_MAX)
			return err_set(e, ERR_INVALID,
				       "the layers together are larger than 16 TiB");
		if (put(w, &d, sizeof(d), e) < 0)
			return -1;
	}
	return 0;
}

static int put_super(struct layout *l, const struct erofs_options *o, uint32_t blocks,
		     struct err *e)
{
	struct erofs_writer *w = l->w;
	struct erofs_super s = {
		.magic = htole32(EROFS_MAGIC),
		.feature_compat = htole32(EROFS_COMPAT_CHECKSUM | EROFS_COMPAT_MTIME),
		.block_bits = EROFS_BLOCK_BITS,
		.root_nid = htole16((uint16_t)l->t->inodes[TREE_ROOT].nid),
		.inodes = htole64(l->norder),
		.build_time = htole64(l->newest),
		.blocks = htole32(blocks),
		.meta_block = htole32((uint32_t)(l->base >> EROFS_BLOCK_BITS)),
	};
	uint8_t *at = w->head + EROFS_SUPER_OFFSET;

	memcpy(s.uuid, o->uuid, sizeof(s.uuid));
	if (o->ndevices > 0) {
		s.feature_incompat = htole32(EROFS_INCOMPAT_CHUNKED_FILE |
					     EROFS_INCOMPAT_DEVICE_TABLE);
		s.extra_devices = htole16((uint16_t)o->ndevices);
		s.device_slot = htole16((EROFS_SUPER_OFFSET + sizeof(s)) /
					sizeof(struct erofs_device));
	}
	memcpy(at, &s, sizeof(s));
	s.checksum = htole32(erofs_crc32c(~0u, at, EROFS_BLOCK - EROFS_SUPER_OFFSET));
	memcpy(at, &s, sizeof(s));
	return fd_pwrite_full(w->fd, w->head, EROFS_BLOCK, 0, e);
}

int erofs_writer_finish(struct erofs_writer *w, struct tree *t, const struct erofs_options *o,
			struct erofs_info *ret, struct err *e)
{
	__attribute__((cleanup(layout_release))) struct layout l = { .t = t, .w = w };
	uint64_t table = EROFS_SUPER_OFFSET + sizeof(struct erofs_super);
	uint64_t blocks;

	if (erofs_writer_align(w, e) < 0)
		return -1;
	if (position(w) == EROFS_BLOCK) {
		/* No data: metadata begins behind the device table, with the base at 0. */
		w->start = table;
		w->used = 0;
		l.at = round_up(table + o->ndevices * sizeof(struct erofs_device),
				sizeof(struct erofs_inode));
	} else {
		l.base = position(w);
		l.at = sizeof(struct erofs_inode); /* nid 0 is not used */
	}
	place_all(&l);
	l.dir_start = (uint32_t)erofs_blocks(l.base + l.at);
	blocks = erofs_blocks(l.base + l.at) + l.dir_blocks;
	if (blocks > EROFS_IMAGE_BLOCKS_MAX)
		return err_set(e, ERR_INVALID, "the image is too large");
	if (put_devices(w, o, (uint32_t)blocks, e) < 0 || put_metadata(&l, e) < 0 ||
	    flush(w, e) < 0 || put_super(&l, o, (uint32_t)blocks, e) < 0)
		return -1;
	ret->size = blocks << EROFS_BLOCK_BITS;
	ret->inodes = l.norder;
	return 0;
}
