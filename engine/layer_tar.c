/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry is one header block, before which others may stand that extend it: a pax header ('x'),
 * GNU's long name ('L') and long target ('K'). A pax header's values count more than GNU's, those
 * more than the block's.
 */
#include "engine/layer_tar.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/layer_pax.h"

#define BLOCK 512u

/* The header block. */
struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[8]; /* with the version */
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	union {
		char prefix[155]; /* ustar; 131 bytes of it in star's */
		struct {
			char times[24];
			char offset[12];
			char longnames[4];
			char unused;
			char sparse[4][24];
			char is_extended;
			char real_size[12];
		} gnu;
	};
	char star[12]; /* the last four bytes are "tar\0" in star's */
};
_Static_assert(sizeof(struct header) == BLOCK, "header size");
_Static_assert(offsetof(struct header, gnu.sparse) == 386, "GNU sparse map");
_Static_assert(offsetof(struct header, gnu.real_size) == 483, "GNU real size");

struct piece {
	uint64_t offset, size;
};

struct tar {
	tar_source source;
	void *ctx;
	const char *at; /* what is left of the source's last piece */
	size_t left;
	uint64_t data;	  /* bytes of the entry's data that are not read */
	uint64_t padding; /* behind them, up to a whole block */
	struct header header;
	struct str name, target;
	struct str pax;
	struct tar_xattr *xattrs;
	size_t nxattrs, xattrs_cap;
	/* A sparse file: where its data belongs. */
	bool is_sparse;
	struct piece *map;
	size_t nmap, map_cap;
	uint64_t map_end;  /* of the last piece */
	uint64_t map_data; /* of all */
	size_t piece;	   /* the present one */
	uint64_t in_piece; /* bytes of it that were given out */
	uint64_t offset;   /* the same for other files */
};

/* What the pax header says; -1 or NULL where it does not. */
struct extension {
	const char *path, *linkpath, *sparse_name;
	int64_t size, uid, gid, sparse_size;
	bool has_uid, has_gid, has_mtime;
	int64_t mtime;
	uint32_t mtime_nsec;
	bool map_in_data; /* sparse format 1.0 */
	bool has_offset;  /* of sparse format 0.0, whose size is next */
	uint64_t sparse_offset;
};

struct tar *tar_new(tar_source source, void *ctx)
{
	struct tar *t = xcalloc(1, sizeof(*t));

	t->source = source;
	t->ctx = ctx;
	str_init(&t->name, TAR_EXTENSION_MAX);
	str_init(&t->target, TAR_EXTENSION_MAX);
	str_init(&t->pax, TAR_EXTENSION_MAX);
	return t;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	str_release(&t->name);
	str_release(&t->target);
	str_release(&t->pax);
	free(t->xattrs);
	free(t->map);
	free(t);
}

void tar_free_ptr(struct tar **t)
{
	tar_free(*t);
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "bad tar: %s", what);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Makes sure that something is left of a piece. 1, 0 at the end, -1. */
static int fill(struct tar *t, struct err *e)
{
	const void *p = NULL;
	ssize_t n;

	if (t->left > 0)
		return 1;
	n = t->source(t->ctx, &p, e);
	if (n <= 0)
		return (int)n;
	t->at = p;
	t->left = (size_t)n;
	return 1;
}

/* Reads exactly `n` bytes. 1, 0 when there is not one, -1. */
static int read_exactly(struct tar *t, void *buf, size_t n, struct err *e)
{
	char *to = buf;
	size_t got = 0;

	while (got < n) {
		size_t part;
		int r = fill(t, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return got == 0 ? 0 : bad(e, "truncated");
		part = t->left < n - got ? t->left : n - got;
		memcpy(to + got, t->at, part);
		got += part;
		t->at += part;
		t->left -= part;
	}
	return 1;
}

static int skip(struct tar *t, uint64_t n, struct err *e)
{
	while (n > 0) {
		size_t part;
		int r = fill(t, e);

		if (r <= 0)
			return r < 0 ? -1 : bad(e, "truncated");
		part = t->left < n ? t->left : (size_t)n;
		t->at += part;
		t->left -= part;
		n -= part;
	}
	return 0;
}

/* Up to `n` of the data's bytes, as they come. */
static ssize_t data_piece(struct tar *t, uint64_t n, const void **ret, struct err *e)
{
	size_t part;
	int r = fill(t, e);

	if (r <= 0)
		return r < 0 ? -1 : bad(e, "truncated");
	part = t->left < n ? t->left : (size_t)n;
	*ret = t->at;
	t->at += part;
	t->left -= part;
	t->data -= part;
	return (ssize_t)part;
}

/* The body of an extending header. */
static int read_body(struct tar *t, uint64_t n, struct str *ret, struct err *e)
{
	char *p;

	str_clear(ret);
	if (n > TAR_EXTENSION_MAX)
		return bad(e, "an extended header is too large");
	p = str_reserve(ret, (size_t)n);
	if (n > 0 && read_exactly(t, p, (size_t)n, e) != 1)
		return err_is_set(e) ? -1 : bad(e, "truncated");
	str_grow(ret, (size_t)n);
	return skip(t, -n & (BLOCK - 1), e);
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool is_zero(const struct header *h)
{
	const char *p = (const char *)h;

	return p[0] == '\0' && memcmp(p, p + 1, BLOCK - 1) == 0;
}

static int check_sum(const struct header *h, struct err *e)
{
	const unsigned char *p = (const unsigned char *)h;
	int64_t want = 0, sum = 0, sum_signed = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		bool blank = i >= offsetof(struct header, checksum) &&
			     i < offsetof(struct header, type);

		sum += blank ? ' ' : p[i];
		sum_signed += blank ? ' ' : (signed char)p[i];
	}
	if (tar_number(h->checksum, sizeof(h->checksum), &want, e) < 0) {
		err_clear(e);
		want = -1;
	}
	if (want != sum && want != sum_signed)
		return bad(e, "this is no header, or it is damaged");
	return 0;
}

static bool is_gnu(const struct header *h)
{
	return memcmp(h->magic, "ustar  ", sizeof(h->magic)) == 0;
}

/* A field that may fill its place without a terminator. */
static void add_field(struct str *s, const char *field, size_t n)
{
	str_addn(s, field, strnlen(field, n));
}

static void block_name(const struct header *h, struct str *ret)
{
	bool star = memcmp(h->star + sizeof(h->star) - 4, "tar", 4) == 0;

	str_clear(ret);
	if (memcmp(h->magic, "ustar", 6) == 0 && h->prefix[0] != '\0') {
		add_field(ret, h->prefix, star ? 131 : sizeof(h->prefix));
		str_addc(ret, '/');
	}
	add_field(ret, h->name, sizeof(h->name));
}

static int add_xattr(struct tar *t, const struct pax_record *r)
{
	if (t->nxattrs == t->xattrs_cap) {
		t->xattrs_cap = t->xattrs_cap ? 2 * t->xattrs_cap : 8;
		t->xattrs = xreallocarray(t->xattrs, t->xattrs_cap, sizeof(*t->xattrs));
	}
	t->xattrs[t->nxattrs++] = (struct tar_xattr){ .name = r->key,
						      .value = r->value,
						      .size = r->size };
	return 0;
}

/* ---- sparse files ---------------------------------------------------------------------------- */

static int add_piece(struct tar *t, uint64_t offset, uint64_t size, struct err *e)
{
	if (size > INT64_MAX || offset > INT64_MAX - size || offset < t->map_end)
		return bad(e, "a sparse file's map is damaged");
	if (t->nmap == TAR_SPARSE_MAX)
		return bad(e, "a sparse file has too many pieces");
	if (t->nmap == t->map_cap) {
		t->map_cap = t->map_cap ? 2 * t->map_cap : 16;
		t->map = xreallocarray(t->map, t->map_cap, sizeof(*t->map));
	}
	t->map[t->nmap++] = (struct piece){ offset, size };
	t->map_end = offset + size;
	t->map_data += size;
	return 0;
}

/* Entries of 24 bytes; one that is empty ends them. */
static int add_gnu_pieces(struct tar *t, const char (*entries)[24], size_t n, struct err *e)
{
	for (size_t i = 0; i < n && entries[i][0] != '\0'; i++) {
		uint64_t offset = 0, size = 0;

		if (tar_unsigned(entries[i], 12, &offset, e) < 0 ||
		    tar_unsigned(entries[i] + 12, 12, &size, e) < 0 ||
		    add_piece(t, offset, size, e) < 0)
			return -1;
	}
	return 0;
}

static int read_gnu_map(struct tar *t, struct err *e)
{
	struct {
		char sparse[21][24];
		char is_extended;
		char padding[7];
	} more;
	bool extended = t->header.gnu.is_extended != '\0';

	_Static_assert(sizeof(more) == BLOCK, "GNU sparse block");
	t->is_sparse = true;
	if (add_gnu_pieces(t, (const char(*)[24])t->header.gnu.sparse, 4, e) < 0)
		return -1;
	while (extended) {
		int r = read_exactly(t, &more, sizeof(more), e);

		if (r <= 0)
			return r < 0 ? -1 : bad(e, "truncated");
		if (add_gnu_pieces(t, (const char(*)[24])more.sparse, 21, e) < 0)
			return -1;
		extended = more.is_extended != '\0';
	}
	return 0;
}

/* "offset,size,offset,size,..." of format 0.1 */
static int read_map_text(struct tar *t, const char *text, struct err *e)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy;

	while (rest && *rest) {
		const char *offset = strsep(&rest, ","), *size = strsep(&rest, ",");
		uint64_t o = 0, s = 0;

		if (!size)
			return bad(e, "a sparse file's map is damaged");
		if (pax_unsigned(offset, &o, e) < 0 || pax_unsigned(size, &s, e) < 0 ||
		    add_piece(t, o, s, e) < 0)
			return -1;
	}
	return 0;
}

/* A line with a number, out of the data's first blocks. */
static int read_map_line(struct tar *t, uint64_t *ret, struct err *e)
{
	char line[24];

	for (size_t n = 0; n < sizeof(line); n++) {
		if (t->data == 0)
			break;
		t->data--;
		if (read_exactly(t, &line[n], 1, e) != 1)
			return err_is_set(e) ? -1 : bad(e, "truncated");
		if (line[n] == '\n') {
			line[n] = '\0';
			return pax_unsigned(line, ret, e);
		}
	}
	return bad(e, "a sparse file's map is damaged");
}

/* The map of format 1.0: lines before the data, up to a whole block. */
static int read_data_map(struct tar *t, struct err *e)
{
	uint64_t before = t->data, n = 0, over;

	if (read_map_line(t, &n, e) < 0)
		return -1;
	for (; n > 0; n--) {
		uint64_t offset = 0, size = 0;

		if (read_map_line(t, &offset, e) < 0 || read_map_line(t, &size, e) < 0 ||
		    add_piece(t, offset, size, e) < 0)
			return -1;
	}
	over = -(before - t->data) & (BLOCK - 1);
	if (over > t->data)
		return bad(e, "a sparse file's map is damaged");
	t->data -= over;
	return skip(t, over, e);
}

/* All pieces are in the file, and their data in the archive. */
static int check_map(const struct tar *t, uint64_t size, struct err *e)
{
	if (t->map_data > t->data || t->map_end > size)
		return bad(e, "a sparse file's map is damaged");
	return 0;
}

/* ---- pax ------------------------------------------------------------------------------------- */

static int sparse_record(struct tar *t, const char *key, const struct pax_record *r,
			 struct extension *x, struct err *e)
{
	uint64_t v = 0;

	t->is_sparse = true;
	if (str_eq(key, "name")) {
		x->sparse_name = r->value;
		return 0;
	}
	if (str_eq(key, "map"))
		return read_map_text(t, r->value, e);
	if (pax_unsigned(r->value, &v, e) < 0)
		return -1;
	if (str_eq(key, "size") || str_eq(key, "realsize")) {
		x->sparse_size = (int64_t)v;
	} else if (str_eq(key, "major")) {
		x->map_in_data = v == 1;
		if (v > 1)
			return bad(e, "a sparse file of an unknown format");
	} else if (str_eq(key, "offset")) {
		x->has_offset = true;
		x->sparse_offset = v;
	} else if (str_eq(key, "numbytes")) {
		if (!x->has_offset)
			return bad(e, "a sparse file's map is damaged");
		x->has_offset = false;
		return add_piece(t, x->sparse_offset, v, e);
	}
	return 0;
}

static int apply_record(struct tar *t, struct pax_record *r, struct extension *x, struct err *e)
{
	static const char xattr[] = "SCHILY.xattr.", sparse[] = "GNU.sparse.";
	const char *key = r->key;

	if (str_has_prefix(key, xattr)) {
		r->key += strlen(xattr);
		return add_xattr(t, r);
	}
	/* No value: as if the key were not there. */
	if (r->size == 0)
		return 0;
	if (strlen(r->value) != r->size)
		return bad(e, "a zero byte in a pax header");
	if (str_has_prefix(key, sparse))
		return sparse_record(t, key + strlen(sparse), r, x, e);
	if (str_eq(key, "path")) {
		x->path = r->value;
	} else if (str_eq(key, "linkpath")) {
		x->linkpath = r->value;
	} else if (str_eq(key, "size")) {
		uint64_t size = 0;

		if (pax_unsigned(r->value, &size, e) < 0)
			return -1;
		x->size = (int64_t)size;
	} else if (str_eq(key, "uid")) {
		x->has_uid = true;
		return pax_number(r->value, &x->uid, e);
	} else if (str_eq(key, "gid")) {
		x->has_gid = true;
		return pax_number(r->value, &x->gid, e);
	} else if (str_eq(key, "mtime")) {
		x->has_mtime = true;
		return pax_time(r->value, &x->mtime, &x->mtime_nsec, e);
	}
	return 0;
}

static int apply_pax(struct tar *t, struct extension *x, struct err *e)
{
	struct pax_record r;
	size_t at = 0;
	int more;

	t->nxattrs = 0;
	while ((more = pax_next(t->pax.buf, t->pax.len, &at, &r, e)) == 1)
		if (apply_record(t, &r, x, e) < 0)
			return -1;
	return more;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Up to the header block of an entry; what extends it is in t->pax, t->name and t->target (empty if
 * there is none). 1, 0, -1. */
static int read_headers(struct tar *t, struct err *e)
{
	struct header *h = &t->header;

	str_clear(&t->pax);
	str_clear(&t->name);
	str_clear(&t->target);
	for (bool extended = false;; extended = true) {
		int r = read_exactly(t, h, sizeof(*h), e);
		struct str *body = NULL;
		uint64_t size = 0;

		if (r < 0)
			return -1;
		if (r == 0 || is_zero(h))
			return extended ? bad(e, "truncated") : 0;
		if (check_sum(h, e) < 0)
			return -1;
		if (h->type == 'x' || h->type == 'X')
			body = &t->pax;
		else if (h->type == 'L')
			body = &t->name;
		else if (h->type == 'K')
			body = &t->target;
		else if (h->type != 'g' && h->type != 'V')
			return 1;
		if (tar_unsigned(h->size, sizeof(h->size), &size, e) < 0)
			return -1;
		/* Global headers and volume labels say nothing about files. */
		if (!body) {
			if (skip(t, size, e) < 0 || skip(t, -size & (BLOCK - 1), e) < 0)
				return -1;
		} else if (read_body(t, size, body, e) < 0) {
			return -1;
		}
	}
}

static int entry_type(const struct tar *t, const char *name, uint16_t *ret, struct err *e)
{
	const struct header *h = &t->header;

	switch (h->type) {
	case '0':
	case '\0':
	case '7':
		/* The oldest form has no type for folders. */
		*ret = str_has_suffix(name, "/") && h->magic[0] == '\0' ? S_IFDIR : S_IFREG;
		return 0;
	case 'S':
		*ret = S_IFREG;
		return 0;
	case '1':
		*ret = 0;
		return 0;
	case '2':
		*ret = S_IFLNK;
		return 0;
	case '3':
		*ret = S_IFCHR;
		return 0;
	case '4':
		*ret = S_IFBLK;
		return 0;
	case '5':
	case 'D':
		*ret = S_IFDIR;
		return 0;
	case '6':
		*ret = S_IFIFO;
		return 0;
	default:
		return err_set(e, ERR_CORRUPT, "bad tar: an entry of the unknown type 0x%02x",
			       (unsigned char)h->type);
	}
}

static int read_numbers(struct tar *t, const struct extension *x, struct tar_entry *ret,
			struct err *e)
{
	const struct header *h = &t->header;

	if (tar_unsigned(h->mode, sizeof(h->mode), &ret->mode, e) < 0 ||
	    tar_number(h->uid, sizeof(h->uid), &ret->uid, e) < 0 ||
	    tar_number(h->gid, sizeof(h->gid), &ret->gid, e) < 0 ||
	    tar_number(h->mtime, sizeof(h->mtime), &ret->mtime, e) < 0 ||
	    tar_unsigned(h->size, sizeof(h->size), &t->data, e) < 0)
		return -1;
	if (S_ISCHR(ret->type) || S_ISBLK(ret->type))
		if (tar_unsigned(h->major, sizeof(h->major), &ret->major, e) < 0 ||
		    tar_unsigned(h->minor, sizeof(h->minor), &ret->minor, e) < 0)
			return -1;
	if (x->has_uid)
		ret->uid = x->uid;
	if (x->has_gid)
		ret->gid = x->gid;
	if (x->has_mtime) {
		ret->mtime = x->mtime;
		ret->mtime_nsec = x->mtime_nsec;
	}
	if (x->size >= 0)
		t->data = (uint64_t)x->size;
	return 0;
}

/* Sizes and the map, for what has data. */
static int read_sizes(struct tar *t, const struct extension *x, struct tar_entry *ret,
		      struct err *e)
{
	/* Only files and GNU's lists of folders have data, whatever the size says. */
	if (!S_ISREG(ret->type) && t->header.type != 'D')
		t->data = 0;
	if (t->data > INT64_MAX - BLOCK)
		return bad(e, "a file is too large");
	t->padding = -t->data & (BLOCK - 1);
	ret->size = t->data;
	if (!S_ISREG(ret->type)) {
		t->is_sparse = false;
		return 0;
	}
	if (t->header.type == 'S' && is_gnu(&t->header)) {
		if (tar_unsigned(t->header.gnu.real_size, 12, &ret->size, e) < 0 ||
		    read_gnu_map(t, e) < 0)
			return -1;
	} else if (t->is_sparse) {
		if (x->sparse_size < 0)
			return bad(e, "a sparse file without a size");
		ret->size = (uint64_t)x->sparse_size;
		if (x->map_in_data && read_data_map(t, e) < 0)
			return -1;
	}
	return t->is_sparse ? check_map(t, ret->size, e) : 0;
}

/* Where the name and the target are, out of three places. */
static void choose_names(struct tar *t, const struct extension *x, struct tar_entry *ret)
{
	const struct header *h = &t->header;

	if (x->sparse_name && t->is_sparse)
		ret->name = x->sparse_name;
	else if (x->path)
		ret->name = x->path;
	else {
		if (t->name.len == 0)
			block_name(h, &t->name);
		ret->name = t->name.buf;
	}
	if (!x->linkpath && t->target.len == 0)
		add_field(&t->target, h->target, sizeof(h->target));
	ret->target = x->linkpath ? x->linkpath : t->target.buf;
}

int tar_next(struct tar *t, struct tar_entry *ret, struct err *e)
{
	struct extension x = { .size = -1, .sparse_size = -1 };
	struct tar_entry entry = { .name = NULL };
	int r;

	if (skip(t, t->data, e) < 0 || skip(t, t->padding, e) < 0)
		return -1;
	t->data = t->padding = t->offset = t->in_piece = 0;
	t->piece = t->nmap = 0;
	t->map_end = t->map_data = 0;
	t->is_sparse = false;
	r = read_headers(t, e);
	if (r <= 0)
		return r;
	if (apply_pax(t, &x, e) < 0)
		return -1;
	choose_names(t, &x, &entry);
	if (entry_type(t, entry.name, &entry.type, e) < 0 || read_numbers(t, &x, &entry, e) < 0 ||
	    read_sizes(t, &x, &entry, e) < 0)
		return -1;
	entry.xattrs = t->xattrs;
	entry.nxattrs = t->nxattrs;
	*ret = entry;
	return 1;
}

ssize_t tar_data(struct tar *t, const void **ret, uint64_t *ret_offset, struct err *e)
{
	const struct piece *piece;
	uint64_t left = t->data;
	ssize_t n;

	*ret_offset = t->offset;
	if (t->is_sparse) {
		while (t->piece < t->nmap && t->in_piece == t->map[t->piece].size) {
			t->piece++;
			t->in_piece = 0;
		}
		if (t->piece == t->nmap)
			return 0;
		piece = &t->map[t->piece];
		left = piece->size - t->in_piece;
		*ret_offset = piece->offset + t->in_piece;
	}
	if (left == 0)
		return 0;
	n = data_piece(t, left, ret, e);
	if (n > 0) {
		t->in_piece += (uint64_t)n;
		t->offset += (uint64_t)n;
	}
	return n;
}
