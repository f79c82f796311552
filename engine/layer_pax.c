/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/layer_pax.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

static int bad_number(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "bad tar: a number in a header is damaged");
}

/* Two's complement, big-endian, the marker bit 7 of the first byte taken off. */
static int base256(const char *field, size_t n, int64_t *ret, struct err *e)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t fill = (p[0] & 0x40) != 0 ? UINT64_MAX : 0, v = fill;

	for (size_t i = 0; i < n; i++) {
		uint64_t byte = i == 0 ? (p[0] & 0x7fu) | (fill & 0x80u) : p[i];

		/* What is shifted out must be sign. */
		if (v >> 55 != fill >> 55)
			return bad_number(e);
		v = v << 8 | byte;
	}
	if (v >> 63 != fill >> 63)
		return bad_number(e);
	*ret = (int64_t)v;
	return 0;
}

int tar_number(const char *field, size_t n, int64_t *ret, struct err *e)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((field[0] & 0x80) != 0)
		return base256(field, n, ret, e);
	while (i < n && field[i] == ' ')
		i++;
	while (i < n && field[i] >= '0' && field[i] <= '7') {
		if (v >> 60 != 0)
			return bad_number(e);
		v = v << 3 | (uint64_t)(field[i++] - '0');
	}
	if (i < n && field[i] != ' ' && field[i] != '\0')
		return bad_number(e);
	*ret = (int64_t)v;
	return 0;
}

int tar_unsigned(const char *field, size_t n, uint64_t *ret, struct err *e)
{
	int64_t v = 0;

	if (tar_number(field, n, &v, e) < 0)
		return -1;
	if (v < 0)
		return err_set(e, ERR_CORRUPT, "bad tar: a negative number in a header");
	*ret = (uint64_t)v;
	return 0;
}

static int bad_record(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "bad tar: a pax header is damaged");
}

int pax_next(char *body, size_t n, size_t *at, struct pax_record *ret, struct err *e)
{
	char *p = body + *at, *equals;
	size_t left = n - *at, len = 0, digits = 0;

	if (left == 0)
		return 0;
	while (digits < left && digits < 8 && p[digits] >= '0' && p[digits] <= '9')
		len = len * 10 + (size_t)(p[digits++] - '0');
	/* The shortest is "5 k=\n". */
	if (digits == 0 || digits == left || p[digits] != ' ' || len > left || len < digits + 4 ||
	    p[len - 1] != '\n')
		return bad_record(e);
	equals = memchr(p + digits + 1, '=', len - digits - 2);
	if (!equals || equals == p + digits + 1 ||
	    memchr(p + digits + 1, '\0', (size_t)(equals - p) - digits - 1))
		return bad_record(e);
	*equals = p[len - 1] = '\0';
	ret->key = p + digits + 1;
	ret->value = equals + 1;
	ret->size = (size_t)(p + len - 1 - ret->value);
	*at += len;
	return 1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int pax_number(const char *text, int64_t *ret, struct err *e)
{
	struct err ignored = ERR_INIT;

	return parse_i64(text, INT64_MIN, INT64_MAX, ret, &ignored) < 0 ? bad_number(e) : 0;
}

int pax_unsigned(const char *text, uint64_t *ret, struct err *e)
{
	struct err ignored = ERR_INIT;

	return parse_u64(text, INT64_MAX, ret, &ignored) < 0 ? bad_number(e) : 0;
}

int pax_time(const char *text, int64_t *ret, uint32_t *ret_nsec, struct err *e)
{
	bool negative = text[0] == '-';
	uint32_t nsec = 0, unit = 100000000;
	int64_t seconds = 0;
	const char *p = text + negative;

	if (!is_digit(*p))
		return bad_number(e);
	for (; is_digit(*p); p++) {
		if (seconds > (INT64_MAX - 9) / 10)
			return bad_number(e);
		seconds = seconds * 10 + (*p - '0');
	}
	if (*p == '.') {
		for (p++; is_digit(*p); p++) {
			nsec += unit * (uint32_t)(*p - '0');
			unit /= 10;
		}
	}
	if (*p != '\0')
		return bad_number(e);
	if (negative) {
		seconds = -seconds;
		if (nsec > 0) {
			seconds--;
			nsec = 1000000000 - nsec;
		}
	}
	*ret = seconds;
	*ret_nsec = nsec;
	return 0;
}
