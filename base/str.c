/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char str_empty[1];

void str_init(struct str *s, size_t limit)
{
	*s = (struct str)STR_INIT(limit);
}

void str_release(struct str *s)
{
	int saved = errno;

	if (s->cap)
		free(s->buf);
	str_init(s, s->limit);
	errno = saved;
}

void str_clear(struct str *s)
{
	s->over = false;
	str_truncate(s, 0);
}

void str_truncate(struct str *s, size_t len)
{
	assert(len <= s->len);
	s->len = len;
	if (s->cap)
		s->buf[len] = '\0';
}

void str_consume(struct str *s, size_t n)
{
	assert(n <= s->len);
	if (n == 0)
		return;
	memmove(s->buf, s->buf + n, s->len - n + 1);
	s->len -= n;
}

char *str_reserve(struct str *s, size_t n)
{
	size_t need, cap;

	if (n > s->limit || s->len > s->limit - n) {
		s->over = true;
		return NULL;
	}
	need = s->len + n + 1;
	if (need > s->cap) {
		cap = s->cap ? s->cap : 64;
		while (cap < need)
			cap += cap / 2;
		s->buf = xreallocarray(s->cap ? s->buf : NULL, cap, 1);
		s->cap = cap;
		s->buf[s->len] = '\0';
	}
	return s->buf + s->len;
}

void str_grow(struct str *s, size_t n)
{
	assert(s->cap && n < s->cap - s->len);
	s->len += n;
	s->buf[s->len] = '\0';
}

void str_addn(struct str *s, const void *p, size_t n)
{
	char *at;

	if (n == 0)
		return;
	at = str_reserve(s, n);
	if (!at)
		return;
	memcpy(at, p, n);
	str_grow(s, n);
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	/* Nearly always there is room. */
	if (s->len + 1 < s->cap && s->len < s->limit) {
		s->buf[s->len++] = c;
		s->buf[s->len] = '\0';
	} else {
		str_addn(s, &c, 1);
	}
}

void str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	char small[128], *at;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0) {
		s->over = true;
	} else if ((size_t)n < sizeof(small)) {
		str_addn(s, small, (size_t)n);
	} else {
		at = str_reserve(s, (size_t)n);
		if (at) {
			vsnprintf(at, (size_t)n + 1, fmt, again);
			str_grow(s, (size_t)n);
		}
	}
	va_end(again);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

char *str_take(struct str *s, struct err *e)
{
	char *p;

	if (s->over) {
		str_release(s);
		err_set(e, ERR_INVALID, "text is longer than %zu bytes", s->limit);
		return NULL;
	}
	p = s->cap ? s->buf : xstrdup("");
	str_init(s, s->limit);
	return p;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *p;

	if (vasprintf(&p, fmt, ap) < 0)
		abort();
	return p;
}

char *xconcat(const char *first, ...)
{
	struct str s = STR_INIT(STR_HUGE);
	va_list ap;

	va_start(ap, first);
	for (const char *text = first; text; text = va_arg(ap, const char *))
		str_add(&s, text);
	va_end(ap);
	return s.cap ? s.buf : xstrdup("");
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = xvasprintf(fmt, ap);
	va_end(ap);
	return p;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_eq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

void hex_encode(const void *p, size_t n, char *ret)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++) {
		*ret++ = digit[b[i] >> 4];
		*ret++ = digit[b[i] & 15];
	}
	*ret = '\0';
}

bool hex_is(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

/* The number of continuation bytes that follow lead byte `c`, or -1. */
static int utf8_tail(unsigned char c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	if (c >= 0xf0 && c <= 0xf4)
		return 3;
	return -1;
}

/* The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF. */
static bool utf8_second_ok(unsigned char lead, unsigned char c)
{
	switch (lead) {
	case 0xe0:
		return c >= 0xa0 && c <= 0xbf;
	case 0xed:
		return c >= 0x80 && c <= 0x9f;
	case 0xf0:
		return c >= 0x90 && c <= 0xbf;
	case 0xf4:
		return c >= 0x80 && c <= 0x8f;
	default:
		return c >= 0x80 && c <= 0xbf;
	}
}

bool utf8_is_valid(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t i = 0; i < n;) {
		int tail = utf8_tail(p[i]);

		if (tail < 0 || (size_t)tail >= n - i)
			return false;
		if (tail > 0 && !utf8_second_ok(p[i], p[i + 1]))
			return false;
		for (int k = 2; k <= tail; k++)
			if ((p[i + (size_t)k] & 0xc0) != 0x80)
				return false;
		i += (size_t)tail + 1;
	}
	return true;
}
