/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

int parse_u64(const char *text, uint64_t max, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;
	const char *p = text;

	if (!*p)
		return err_set(e, ERR_INVALID, "number is empty");
	for (; *p; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*p < '0' || *p > '9')
			return err_set(e, ERR_INVALID, "'%.64s' is not a number", text);
		if (v > max / 10 || v * 10 > max - digit || digit > max)
			return err_set(e, ERR_INVALID, "number '%.64s' is too large", text);
		v = v * 10 + digit;
	}
	*ret = v;
	return 0;
}

int parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	bool neg = *text == '-';
	uint64_t v;
	int64_t r;

	if (parse_u64(text + (neg || *text == '+'), INT64_MAX, &v, e) < 0)
		return -1;
	r = neg ? -(int64_t)v : (int64_t)v;
	if (r < min || r > max)
		return err_set(e, ERR_INVALID, "number '%.64s' is out of range", text);
	*ret = r;
	return 0;
}

/* Reads digits with an optional fraction; returns where it stopped, or NULL without any digit. */
static const char *scan_decimal(const char *p, double *ret)
{
	double v = 0, scale = 0.1;
	bool digits = false;

	for (; isdigit((unsigned char)*p); p++, digits = true)
		v = v * 10 + (*p - '0');
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++, digits = true, scale /= 10)
			v += (*p - '0') * scale;
	*ret = v;
	return digits ? p : NULL;
}

/* "1", "-1.5", ".5"; of what Go's ParseFloat takes only exponents and hexadecimals are left out. */
static int parse_number(const char *text, double *ret, struct err *e)
{
	const char *p = text + (*text == '-' || *text == '+');
	double v = 0;

	p = scan_decimal(p, &v);
	if (!p || *p)
		return err_set(e, ERR_INVALID,
			       "strconv.ParseFloat: parsing \"%.64s\": invalid syntax", text);
	*ret = *text == '-' ? -v : v;
	return 0;
}

/* What follows the number: nothing, "b", or a letter alone or with "b" or "ib". -1: none of these. */
static int size_shift(const char *suffix)
{
	static const char units[] = "bkmgtp";
	const char *unit = strchr(units, tolower((unsigned char)*suffix));
	const char *rest = suffix + 1;

	if (!*suffix)
		return 0;
	if (!unit || (unit == units && *rest))
		return -1;
	if (*rest && strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0)
		return -1;
	return (int)(unit - units) * 10;
}

/* As Docker does it: the number ends with the last digit, point or blank of the text. */
int parse_size(const char *text, int64_t *ret, struct err *e)
{
	size_t n = strlen(text);
	auto_free char *number = NULL;
	int shift;
	double v = 0;

	while (n > 0 && !strchr("0123456789. ", text[n - 1]))
		n--;
	if (n == 0)
		return err_set(e, ERR_INVALID, "invalid size: '%.64s'", text);
	number = xstrndup(text, n - (text[n - 1] == ' '));
	if (parse_number(number, &v, e) < 0)
		return -1;
	shift = size_shift(text + n);
	if (v < 0)
		return err_set(e, ERR_INVALID, "invalid size: '%.64s'", text);
	if (shift < 0)
		return err_set(e, ERR_INVALID, "invalid suffix: '%.64s'", text + n);
	v = ldexp(v, shift);
	if (v >= 9.2e18)
		return err_set(e, ERR_INVALID, "size '%.64s' is too large", text);
	*ret = (int64_t)v;
	return 0;
}

int parse_bool(const char *text, bool *ret, struct err *e)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
		if (strcmp(text, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "'%.64s' is neither true nor false", text);
}

/* Nanoseconds of the unit at `p` and its length, or 0. */
static double duration_unit(const char *p, size_t *len)
{
	static const struct {
		const char *name;
		double ns;
	} unit[] = {
		{ "ns", 1 },   { "us", 1e3 }, { "\302\265s", 1e3 }, { "\316\274s", 1e3 },
		{ "ms", 1e6 }, { "s", 1e9 },  { "m", 60e9 },	    { "h", 3600e9 },
	};

	for (size_t i = 0; i < ARRAY_LEN(unit); i++) {
		*len = strlen(unit[i].name);
		if (strncmp(p, unit[i].name, *len) == 0)
			return unit[i].ns;
	}
	return 0;
}

int parse_duration(const char *text, int64_t *ret, struct err *e)
{
	bool neg = *text == '-';
	const char *p = text + (neg || *text == '+');
	double total = 0, v, ns;
	size_t len;

	if (strcmp(p, "0") == 0) {
		*ret = 0;
		return 0;
	}
	if (!*p)
		return err_set(e, ERR_INVALID, "invalid duration \"%.64s\"", text);
	while (*p) {
		p = scan_decimal(p, &v);
		if (!p)
			return err_set(e, ERR_INVALID, "invalid duration \"%.64s\"", text);
		ns = duration_unit(p, &len);
		if (ns == 0 && *p)
			return err_set(e, ERR_INVALID,
				       "unknown unit \"%.*s\" in duration \"%.64s\"",
				       (int)strcspn(p, ".0123456789"), p, text);
		if (ns == 0)
			return err_set(e, ERR_INVALID, "missing unit in duration \"%.64s\"", text);
		total += v * ns;
		p += len;
	}
	if (total >= 9.2e18)
		return err_set(e, ERR_INVALID, "invalid duration \"%.64s\"", text);
	*ret = neg ? -(int64_t)llround(total) : (int64_t)llround(total);
	return 0;
}
