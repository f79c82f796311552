/* SPDX-License-Identifier: Apache-2.0 */
/* The values in tar headers: numbers of the header block, records of pax headers. */
#ifndef KVBOX_ENGINE_LAYER_PAX_H
#define KVBOX_ENGINE_LAYER_PAX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A field of a header block: octal digits between blanks and zero bytes, or base 256 (GNU). */
int tar_number(const char *field, size_t n, int64_t *ret, struct err *e) MUST_CHECK;

/* The same where it must not be negative. */
int tar_unsigned(const char *field, size_t n, uint64_t *ret, struct err *e) MUST_CHECK;

/* One record "LENGTH KEY=VALUE\n" at *at of the body, which moves on; key and value are terminated
 * in place. 1, 0 at the end, -1. */
struct pax_record {
	const char *key;
	const char *value;
	size_t size; /* of the value */
};
int pax_next(char *body, size_t n, size_t *at, struct pax_record *ret, struct err *e) MUST_CHECK;

/* A decimal number, which may be negative, all of `text`. */
int pax_number(const char *text, int64_t *ret, struct err *e) MUST_CHECK;
int pax_unsigned(const char *text, uint64_t *ret, struct err *e) MUST_CHECK;

/* Seconds with an optional fraction, also negative; nanoseconds are from 0 up. */
int pax_time(const char *text, int64_t *ret, uint32_t *ret_nsec, struct err *e) MUST_CHECK;

#endif
