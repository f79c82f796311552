/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/erofs_read.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "engine/erofs.h"

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "damaged layer image: %s", what);
}

static int read_super(int fd, uint64_t size, struct erofs_image *img, struct err *e)
{
	uint8_t block[EROFS_BLOCK];
	uint8_t *at = block + EROFS_SUPER_OFFSET;
	struct erofs_super s;
	uint32_t checksum;
	ssize_t n;

	n = fd_pread_full(fd, block, sizeof(block), 0, e);
	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(block))
		return damaged(e, "too short");
	memcpy(&s, at, sizeof(s));
	checksum = s.checksum;
	memset(at + offsetof(struct erofs_super, checksum), 0, sizeof(s.checksum));
	if (le32toh(s.magic) != EROFS_MAGIC ||
	    le32toh(checksum) != erofs_crc32c(~0u, at, EROFS_BLOCK - EROFS_SUPER_OFFSET))
		return damaged(e, "superblock");
	if (s.block_bits != EROFS_BLOCK_BITS || s.ext_slots != 0 || s.feature_incompat != 0 ||
	    le32toh(s.feature_compat) != (EROFS_COMPAT_CHECKSUM | EROFS_COMPAT_MTIME) ||
	    s.extra_devices != 0 || s.dir_block_bits != 0)
		return damaged(e, "unknown features");
	img->blocks = le32toh(s.blocks);
	img->base = (uint64_t)le32toh(s.meta_block) << EROFS_BLOCK_BITS;
	img->data_end = img->base;
	img->root = le16toh(s.root_nid);
	img->inodes = le64toh(s.inodes);
	img->map_offset = img->base;
	img->map_end = img->blocks << EROFS_BLOCK_BITS;
	if (img->map_end > size || img->map_end <= img->map_offset)
		return damaged(e, "it is shorter than it says");
	return 0;
}

int erofs_image_open(int fd, struct erofs_image *ret, struct err *e)
{
	struct erofs_image img = EROFS_IMAGE_INIT;
	struct erofs_node root;
	uint64_t size;
	void *map;

	if (fd_size(fd, &size, e) < 0 || read_super(fd, size, &img, e) < 0)
		return -1;
	map = mmap(NULL, img.map_end - img.map_offset, PROT_READ, MAP_PRIVATE, fd,
		   (off_t)img.map_offset);
	if (map == MAP_FAILED)
		return err_sys(e, "cannot map a layer image");
	img.map = map;
	if (erofs_image_node(&img, img.root, &root, e) < 0 ||
	    (!S_ISDIR(root.mode) && damaged(e, "the root is not a folder") < 0)) {
		erofs_image_release(&img);
		return -1;
	}
	*ret = img;
	return 0;
}

void erofs_image_release(struct erofs_image *img)
{
	union {
		const uint8_t *map;
		void *p;
	} u = { .map = img->map };

	if (img->map)
		munmap(u.p, img->map_end - img->map_offset);
	*img = (struct erofs_image)EROFS_IMAGE_INIT;
}

/* `n` bytes of metadata at the offset, or NULL. */
static const uint8_t *at_offset(const struct erofs_image *img, uint64_t offset, uint64_t n)
{
	if (offset < img->map_offset || offset > img->map_end || n > img->map_end - offset)
		return NULL;
	return img->map + (offset - img->map_offset);
}

static int read_layout(const struct erofs_image *img, unsigned int format, uint64_t tail_at,
		       struct erofs_node *node, struct err *e)
{
	uint64_t blocks = erofs_blocks(node->size), first = node->data, tail;
	bool has_tail = format == EROFS_FORMAT(EROFS_FLAT_INLINE);

	if (!has_tail && format != EROFS_FORMAT(EROFS_FLAT_PLAIN))
		return damaged(e, "unknown layout");
	if (S_ISREG(node->mode)) {
		if (has_tail || node->size > img->data_end ||
		    (blocks > 0 &&
		     (first == 0 || first + blocks > img->data_end >> EROFS_BLOCK_BITS)))
			return damaged(e, "a file is outside the image");
		return 0;
	}
	if (!S_ISDIR(node->mode) && !S_ISLNK(node->mode))
		return has_tail ? damaged(e, "layout of a device") : 0;
	if (node->size == 0 || (S_ISLNK(node->mode) && node->size >= PATH_MAX))
		return damaged(e, "size of a folder or link");
	if (node->size > img->map_end)
		return damaged(e, "a folder is outside the image");
	if (has_tail) {
		blocks--;
		tail = node->size - blocks * EROFS_BLOCK;
		node->tail = at_offset(img, tail_at, tail);
		if (!node->tail || tail_at % EROFS_BLOCK + tail > EROFS_BLOCK)
			return damaged(e, "a folder or link is outside the image");
	}
	if (blocks > 0 && !at_offset(img, first << EROFS_BLOCK_BITS, blocks << EROFS_BLOCK_BITS))
		return damaged(e, "a folder or link is outside the image");
	return 0;
}

int erofs_image_node(const struct erofs_image *img, uint32_t nid, struct erofs_node *ret,
		     struct err *e)
{
	uint64_t offset = img->base + ((uint64_t)nid << EROFS_NID_BITS), xattrs = 0;
	struct erofs_node node = { .nid = nid };
	const uint8_t *p = at_offset(img, offset, sizeof(struct erofs_inode));
	struct erofs_inode d;

	if (!p)
		return damaged(e, "an inode is outside the image");
	memcpy(&d, p, sizeof(d));
	node.mode = le16toh(d.mode);
	node.size = le64toh(d.size);
	node.data = le32toh(d.data);
	node.uid = le32toh(d.uid);
	node.gid = le32toh(d.gid);
	node.nlink = le32toh(d.nlink);
	node.mtime = (int64_t)le64toh((uint64_t)d.mtime);
	node.mtime_nsec = le32toh(d.mtime_nsec);
	if (erofs_type_of(node.mode) == 0 || node.mtime_nsec >= 1000000000)
		return damaged(e, "an inode");
	offset += sizeof(d);
	if (d.xattr_count != 0) {
		static const uint8_t header[EROFS_XATTR_HEADER];

		xattrs = EROFS_XATTR_HEADER + ((uint64_t)le16toh(d.xattr_count) - 1) * 4;
		p = at_offset(img, offset, xattrs);
		if (!p || memcmp(p, header, sizeof(header)) != 0)
			return damaged(e, "extended attributes");
		node.xattrs = (const char *)p + EROFS_XATTR_HEADER;
		node.xattrs_len = (size_t)xattrs - EROFS_XATTR_HEADER;
	}
	if (read_layout(img, le16toh(d.format), offset + xattrs, &node, e) < 0)
		return -1;
	*ret = node;
	return 0;
}

/* Block `i` of a folder or link, which erofs_image_node found to be in the image. */
static const uint8_t *node_block(const struct erofs_image *img, const struct erofs_node *node,
				 uint64_t i, size_t *ret_size)
{
	uint64_t last = erofs_blocks(node->size) - 1;

	*ret_size = i == last ? (size_t)(node->size - last * EROFS_BLOCK) : EROFS_BLOCK;
	if (i == last && node->tail)
		return node->tail;
	return at_offset(img, (node->data + i) << EROFS_BLOCK_BITS, *ret_size);
}

const char *erofs_image_target(const struct erofs_image *img, const struct erofs_node *node)
{
	size_t n;

	return (const char *)node_block(img, node, 0, &n);
}

/* ---- folders --------------------------------------------------------------------------------- */

/* The number of entries, all of whose heads are in the block, or 0. */
static size_t block_count(const uint8_t *block, size_t size)
{
	struct erofs_dirent d;
	size_t first;

	if (size < sizeof(d))
		return 0;
	memcpy(&d, block, sizeof(d));
	first = le16toh(d.name_offset);
	return first <= size && first % sizeof(d) == 0 ? first / sizeof(d) : 0;
}

static int block_entry(const uint8_t *block, size_t size, size_t count, size_t i,
		       struct erofs_dir_entry *ret, struct err *e)
{
	struct erofs_dirent d, after;
	size_t from, to = size;
	const char *zero;

	memcpy(&d, block + i * sizeof(d), sizeof(d));
	from = le16toh(d.name_offset);
	if (i + 1 < count) {
		memcpy(&after, block + (i + 1) * sizeof(after), sizeof(after));
		to = le16toh(after.name_offset);
	}
	if (from < count * sizeof(d) || to > size || from >= to)
		return damaged(e, "a folder entry");
	ret->name = (const char *)block + from;
	ret->len = to - from;
	/* Only behind the last name of a block is padding. */
	zero = memchr(ret->name, '\0', ret->len);
	if (zero && i + 1 == count)
		ret->len = (size_t)(zero - ret->name);
	ret->nid = (uint32_t)le64toh(d.nid);
	ret->type = d.type;
	if (ret->len == 0 || ret->len > EROFS_NAME_MAX || memchr(ret->name, '/', ret->len) ||
	    memchr(ret->name, '\0', ret->len) || ret->nid != le64toh(d.nid))
		return damaged(e, "a folder entry");
	return 0;
}

static int compare(const char *a, size_t alen, const char *b, size_t blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c != 0 ? c : (alen > blen) - (alen < blen);
}

void erofs_dir_init(struct erofs_dir *d, const struct erofs_image *img,
		    const struct erofs_node *folder, uint32_t parent)
{
	*d = (struct erofs_dir){ .img = img, .node = *folder, .parent = parent };
}

static bool is_dots(const struct erofs_dir_entry *it)
{
	return it->len <= 2 && !memcmp(it->name, "..", it->len);
}

int erofs_dir_next(struct erofs_dir *d, struct erofs_dir_entry *ret, struct err *e)
{
	for (;;) {
		struct erofs_dir_entry it;

		if (d->next == d->count) {
			if (d->next_block == erofs_blocks(d->node.size))
				return d->dots == 2 ? 0 : damaged(e, "a folder without . or ..");
			d->block = node_block(d->img, &d->node, d->next_block++, &d->block_size);
			d->count = block_count(d->block, d->block_size);
			d->next = 0;
			if (d->count == 0)
				return damaged(e, "a folder block");
		}
		if (block_entry(d->block, d->block_size, d->count, d->next++, &it, e) < 0)
			return -1;
		if (d->last && compare(d->last, d->last_len, it.name, it.len) >= 0)
			return damaged(e, "a folder is not in order");
		d->last = it.name;
		d->last_len = it.len;
		if (!is_dots(&it)) {
			*ret = it;
			return 1;
		}
		if (it.nid != (it.len == 1 ? d->node.nid : d->parent))
			return damaged(e, ". or .. lead elsewhere");
		d->dots++;
	}
}

/* The last block whose first name is not behind `name`. */
static int find_block(const struct erofs_image *img, const struct erofs_node *folder,
		      const char *name, size_t len, uint64_t *ret, struct err *e)
{
	uint64_t low = 0, high = erofs_blocks(folder->size);
	struct erofs_dir_entry it;

	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		size_t size, count;
		const uint8_t *block = node_block(img, folder, mid, &size);

		count = block_count(block, size);
		if (count == 0)
			return damaged(e, "a folder block");
		if (block_entry(block, size, count, 0, &it, e) < 0)
			return -1;
		if (compare(it.name, it.len, name, len) <= 0)
			low = mid;
		else
			high = mid;
	}
	*ret = low;
	return 0;
}

int erofs_dir_find(const struct erofs_image *img, const struct erofs_node *folder, const char *name,
		   size_t len, uint32_t *ret_nid, struct err *e)
{
	size_t size, low = 0, high;
	struct erofs_dir_entry it;
	const uint8_t *block;
	uint64_t i = 0;

	if (find_block(img, folder, name, len, &i, e) < 0)
		return -1;
	block = node_block(img, folder, i, &size);
	high = block_count(block, size);
	if (high == 0)
		return damaged(e, "a folder block");
	for (size_t count = high; low < high;) {
		size_t mid = low + (high - low) / 2;
		int c;

		if (block_entry(block, size, count, mid, &it, e) < 0)
			return -1;
		c = compare(it.name, it.len, name, len);
		if (c == 0) {
			*ret_nid = it.nid;
			return 1;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}
