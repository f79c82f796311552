/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ulimit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"

static const char *const names[] = {
	"core",	  "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
	"nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",
};

static bool is_name(const char *text, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
			return true;
	}
	return false;
}

static int parse_limit(const char *text, int64_t *ret, struct err *e)
{
	const char *digits = text + (*text == '-' || *text == '+');
	struct err why = ERR_INIT;
	bool number = *digits && strspn(digits, "0123456789") == strlen(digits);

	if (parse_i64(text, INT64_MIN, INT64_MAX, ret, &why) == 0)
		return *ret >= -1 ? 0
				  : err_set(e, ERR_INVALID, "invalid ulimit value: %.100s", text);
	return err_set(e, ERR_INVALID, "strconv.ParseInt: parsing \"%.100s\": %s", text,
		       number ? "value out of range" : "invalid syntax");
}

static int check_order(const struct ulimit *u, struct err *e)
{
	static const char text[] = "ulimit soft limit must be less than or equal to hard limit: ";

	if (u->hard == -1)
		return 0;
	if (u->soft == -1)
		return err_set(e, ERR_INVALID, "%ssoft: -1 (unlimited), hard: %lld", text,
			       (long long)u->hard);
	if (u->soft > u->hard)
		return err_set(e, ERR_INVALID, "%s%lld > %lld", text, (long long)u->soft,
			       (long long)u->hard);
	return 0;
}

int ulimit_parse(const char *text, struct ulimit *ret, struct err *e)
{
	size_t n = strcspn(text, "=");
	auto_strv struct strv values = STRV_INIT;
	struct ulimit u = { 0 };

	if (!text[n])
		return err_set(e, ERR_INVALID, "invalid ulimit argument: %.200s", text);
	if (!is_name(text, n))
		return err_set(e, ERR_INVALID, "invalid ulimit type: %.*s",
			       (int)(n > 100 ? 100 : n), text);
	strv_split(&values, text + n + 1, ':');
	if (values.n > 2)
		return err_set(e, ERR_INVALID,
			       "too many limit value arguments - %.200s, can only have up to two, "
			       "`soft[:hard]`",
			       text + n + 1);
	memcpy(u.name, text, n);
	if (parse_limit(values.v[0], &u.soft, e) < 0 ||
	    parse_limit(values.v[values.n - 1], &u.hard, e) < 0 || check_order(&u, e) < 0)
		return -1;
	*ret = u;
	return 0;
}

int ulimit_check(const char *text, struct err *e)
{
	struct ulimit ignored;

	return ulimit_parse(text, &ignored, e);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int ulimit_collect(const struct strv *texts, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		char entry[80];
		struct ulimit u;

		if (ulimit_parse(texts->v[i], &u, e) < 0)
			return -1;
		snprintf(entry, sizeof(entry), "%s=%lld:%lld", u.name, (long long)u.soft,
			 (long long)u.hard);
		strv_env_set(ret, entry);
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}
