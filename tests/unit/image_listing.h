/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in an EROFS image of ours, as text to compare with, one line for each name:
 *
 *	/etc d755 0:0
 *	/etc/passwd f644 0:0 'text'		(in a chain: @device:block+size)
 *	/sym l777 0:0 -> target
 *	/null c666 0:0 1,3 links=2 trusted.x=y	(links and xattrs: any type)
 *
 * A reader of its own, so that writer and reader of the product are not checked by each other only.
 * It trusts the image.
 */
#ifndef KVBOX_TESTS_IMAGE_LISTING_H
#define KVBOX_TESTS_IMAGE_LISTING_H

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "engine/erofs.h"

struct listing {
	const uint8_t *image;
	struct erofs_super super;
	struct str *out;
};

static inline void listing_xattrs(struct listing *l, const uint8_t *p, size_t n)
{
	static const char *const prefix[] = {
		"",  "user.",	 "system.posix_acl_access", "system.posix_acl_default", "trusted.",
		"?", "security."
	};

	for (size_t at = 12; at < n;) {
		struct erofs_xattr x;

		memcpy(&x, p + at, sizeof(x));
		str_addf(l->out, " %s%.*s=%.*s", prefix[x.index], x.name_len, p + at + 4,
			 x.value_size, p + at + 4 + x.name_len);
		at += (4u + x.name_len + x.value_size + 3u) & ~3u;
	}
}

static inline void listing_inode(struct listing *l, uint64_t nid, const char *path);

static inline void listing_block(struct listing *l, const uint8_t *block, size_t size,
				 const char *path)
{
	const struct erofs_dirent *d = (const void *)block;
	size_t n = d[0].name_offset / sizeof(*d);

	for (size_t i = 0; i < n; i++) {
		size_t end = i + 1 < n ? d[i + 1].name_offset : size;
		const char *name = (const char *)block + d[i].name_offset;
		size_t len = strnlen(name, end - d[i].name_offset);
		char sub[8192];

		if ((len == 1 && name[0] == '.') || (len == 2 && !memcmp(name, "..", 2)))
			continue;
		snprintf(sub, sizeof(sub), "%s/%.*s", path, (int)len, name);
		listing_inode(l, d[i].nid, sub);
	}
}

static inline void listing_type(struct listing *l, const struct erofs_inode *d,
				const uint8_t *behind, const char *data)
{
	switch (d->mode & S_IFMT) {
	case S_IFREG:
		if ((d->format >> 1 & 7) == EROFS_CHUNK_BASED) {
			size_t at = (size_t)(behind - l->image);
			const struct erofs_chunk *c = (const void *)(l->image + ((at + 7) & ~7ul));

			str_addf(l->out, " @%u:%u+%llu", c->device, c->block,
				 (unsigned long long)d->size);
		} else {
			str_addf(l->out, " '%.*s'", d->size < 64 ? (int)d->size : 64, data);
		}
		break;
	case S_IFLNK:
		str_addf(l->out, " -> %.*s", (int)d->size, data);
		break;
	case S_IFCHR:
	case S_IFBLK:
		str_addf(l->out, " %u,%u", d->data >> 8 & 0xfff,
			 (d->data & 0xff) | (d->data >> 12 & 0xfff00));
		break;
	default:
		break;
	}
}

static inline void listing_inode(struct listing *l, uint64_t nid, const char *path)
{
	const uint8_t *p = l->image + ((uint64_t)l->super.meta_block << 12) + nid * 32;
	const struct erofs_inode *d = (const void *)p;
	size_t xattrs = d->xattr_count ? 12 + (d->xattr_count - 1u) * 4 : 0;
	const uint8_t *tail = p + sizeof(*d) + xattrs;
	bool is_inline = (d->format >> 1 & 7) == EROFS_FLAT_INLINE;
	const uint8_t *data = is_inline && d->size <= 4096 ? tail
							   : l->image + ((uint64_t)d->data << 12);

	str_addf(l->out, "%s %c%o %u:%u", *path ? path : "/", "?pc?d?b?f?l?s"[d->mode >> 12],
		 d -> mode & 07777u, d -> uid, d -> gid);
	listing_type(l, d, tail, (const char *)data);
	if (!S_ISDIR(d->mode) && d->nlink != 1)
		str_addf(l->out, " links=%u", d->nlink);
	listing_xattrs(l, p + sizeof(*d), xattrs);
	str_addc(l->out, '\n');
	for (uint64_t at = 0; S_ISDIR(d->mode) && at < d->size; at += 4096) {
		size_t n = d->size - at < 4096 ? (size_t)(d->size - at) : 4096;

		listing_block(l, is_inline && d->size - at <= 4096 ? tail : data + at, n, path);
	}
}

/* Appends the listing of the image in the file. */
static inline void image_listing(int fd, struct str *out)
{
	struct listing l = { .out = out };
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0 || st.st_size < 4096)
		return;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return;
	l.image = map;
	memcpy(&l.super, l.image + 1024, sizeof(l.super));
	listing_inode(&l, l.super.root_nid, "");
	munmap(map, (size_t)st.st_size);
}

#endif
