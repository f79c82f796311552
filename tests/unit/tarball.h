/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives made by hand for tests of layers: ustar headers, and pax headers before them where
 * asked. */
#ifndef KVBOX_TESTS_TARBALL_H
#define KVBOX_TESTS_TARBALL_H

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct tarball_entry {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' symbolic link, '3', '4', '5' folder, '6' */
	const char *target; /* of links */
	const char *data;
	unsigned int mode, uid, gid; /* mode 0: 0644, for folders 0755 */
	unsigned long mtime;
	unsigned int major, minor;
	const char *pax[4][2]; /* records */
};

static inline void tar_pad(struct str *out)
{
	static const char zeros[512];

	str_addn(out, zeros, -out->len & 511);
}

static inline void tar_octal(char *at, int digits, unsigned long value)
{
	while (digits-- > 0) {
		at[digits] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static inline void tar_header(struct str *out, const struct tarball_entry *t, char type,
			      size_t size)
{
	unsigned int sum = 0, mode = t->mode ? t->mode : type == '5' ? 0755 : 0644;
	char h[513] = { 0 };

	/* The terminator of a full field is overwritten by the next one. */
	snprintf(h, 101, "%s", t->name);
	tar_octal(h + 100, 7, mode);
	tar_octal(h + 108, 7, t->uid);
	tar_octal(h + 116, 7, t->gid);
	tar_octal(h + 124, 11, size);
	tar_octal(h + 136, 11, t->mtime);
	memset(h + 148, ' ', 8);
	h[156] = type;
	snprintf(h + 157, 101, "%s", t->target ? t->target : "");
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	tar_octal(h + 329, 7, t->major);
	tar_octal(h + 337, 7, t->minor);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	tar_octal(h + 148, 6, sum);
	h[154] = '\0';
	str_addn(out, h, 512);
}

static inline void tar_add(struct str *out, const struct tarball_entry *t)
{
	size_t size = t->data ? strlen(t->data) : 0;
	auto_str struct str pax = STR_INIT(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(t->pax) && t->pax[i][0]; i++) {
		size_t n = strlen(t->pax[i][0]) + strlen(t->pax[i][1]) + 3, digits = 1;

		while ((size_t)snprintf(NULL, 0, "%zu", n + digits) > digits)
			digits++;
		str_addf(&pax, "%zu %s=%s\n", n + digits, t->pax[i][0], t->pax[i][1]);
	}
	if (pax.len > 0) {
		tar_header(out, t, 'x', pax.len);
		str_addn(out, pax.buf, pax.len);
		tar_pad(out);
	}
	tar_header(out, t, t->type, size);
	if (size > 0)
		str_addn(out, t->data, size);
	tar_pad(out);
}

static inline void tar_end(struct str *out)
{
	static const char zeros[1024];

	str_addn(out, zeros, sizeof(zeros));
}

static inline void tar_all(struct str *out, const struct tarball_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tar_add(out, &entries[i]);
	tar_end(out);
}

/* An inflate_read over memory, at most `step` bytes at a time. */
struct tar_feed {
	const char *p;
	size_t n, step;
};

static inline ssize_t tar_feed_read(void *ctx, void *buf, size_t n, struct err *e)
{
	struct tar_feed *f = ctx;
	size_t part = f->n < f->step ? f->n : f->step;

	(void)e;
	part = part < n ? part : n;
	memcpy(buf, f->p, part);
	f->p += part;
	f->n -= part;
	return (ssize_t)part;
}

#endif
