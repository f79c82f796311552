/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing strings with a ceiling.
 *
 *	auto_str struct str b = STR_INIT(4096);
 *
 *	str_add(&b, "name=");
 *	str_addf(&b, "%d", n);
 *	text = str_take(&b, e);		// NULL and "too long" when the ceiling was met
 *
 * Appends return nothing; one that would pass the limit is dropped whole and marks the string as over,
 * which str_take reports once. `buf` is always terminated and never NULL; it may hold zero bytes.
 */
#ifndef KVBOX_BASE_STR_H
#define KVBOX_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct str {
	char *buf;
	size_t len;
	size_t cap;   /* 0: buf is the shared empty string */
	size_t limit; /* largest len */
	bool over;    /* an append was dropped */
};

extern char str_empty[1];

/* clang-format off */
#define STR_INIT(max) { str_empty, 0, 0, (max), false }
/* clang-format on */
#define STR_HUGE ((size_t)1 << 30)

void str_init(struct str *s, size_t limit);
void str_release(struct str *s);
#define auto_str __attribute__((cleanup(str_release)))

/* Empties, keeping the memory and the limit. */
void str_clear(struct str *s);
/* Cuts to `len`, which is not more than the present length. */
void str_truncate(struct str *s, size_t len);
/* Removes the first `n` bytes. */
void str_consume(struct str *s, size_t n);
/* Makes room for `n` more bytes and returns where they start, or NULL (and over) past the limit. The
 * caller writes and then calls str_grow. */
char *str_reserve(struct str *s, size_t n);
void str_grow(struct str *s, size_t n);

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *p, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_addv(struct str *s, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* The text becomes the caller's and the string empty. NULL with an error when it was over. */
char *str_take(struct str *s, struct err *e) MUST_CHECK;

/* A formatted copy; the caller frees. */
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));
char *xvasprintf(const char *fmt, va_list ap) PRINTF_LIKE(1, 0) __attribute__((returns_nonnull));
/*
 * All texts up to the NULL as one; the caller frees. For programs that start cold, where the code behind
 * xasprintf is a page fault or more.
 */
char *xconcat(const char *first, ...) __attribute__((returns_nonnull, sentinel));

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);
bool str_eq(const char *a, const char *b); /* NULL equals only NULL */

/* Lower-case hexadecimal of `n` bytes, 2 * n characters and a terminator, into `ret`. */
void hex_encode(const void *p, size_t n, char *ret);
/* True when `s` is exactly `n` characters 0-9a-f. */
bool hex_is(const char *s, size_t n);
/* True when the bytes are valid UTF-8 (RFC 3629). */
bool utf8_is_valid(const char *p, size_t n);

#endif
