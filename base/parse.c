/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

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

int parse_size(const char *text, int64_t *ret, struct err *e)
{
	static const char units[] = "bkmgtp";
	const char *p, *unit;
	double v;
	int shift = 0;

	p = scan_decimal(text, &v);
	if (!p)
		return err_set(e, ERR_INVALID, "invalid size: '%.64s'", text);
	if (*p == ' ')
		p++;
	if (*p) {
		unit = strchr(units, tolower((unsigned char)*p));
		if (!unit)
			return err_set(e, ERR_INVALID, "invalid suffix: '%.64s'", p);
		shift = (int)(unit - units) * 10;
		p++;
		if (shift && tolower((unsigned char)*p) == 'i' &&
		    tolower((unsigned char)p[1]) == 'b')
			p += 2;
		else if (shift && tolower((unsigned char)*p) == 'b')
			p++;
		if (*p)
			return err_set(e, ERR_INVALID, "invalid suffix: '%.64s'", p);
	}
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
			return err_set(e, ERR_INVALID, "unknown unit in duration \"%.64s\"", text);
		if (ns == 0)
			return err_set(e, ERR_INVALID, "missing unit in duration \"%.64s\"", text);
		total += v * ns;
		p += len;
	}
	if (total >= 9.2e18)
		return err_set(e, ERR_INVALID, "duration \"%.64s\" is too large", text);
	*ret = neg ? -(int64_t)llround(total) : (int64_t)llround(total);
	return 0;
}
