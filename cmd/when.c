/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/when.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define SECOND		INT64_C(1000000000)
#define FRACTION_DIGITS 9

/* "1136073600" or "1136073600.25" */
static int parse_epoch(const char *text, int64_t *ret, struct err *e)
{
	size_t whole = strcspn(text, ".");
	auto_free char *seconds = xstrndup(text, whole);
	const char *fraction = text[whole] ? text + whole + 1 : "";
	uint64_t s, ns = 0;

	if (parse_u64(seconds, INT64_MAX / SECOND - 1, &s, e) < 0)
		return -1;
	if (strlen(fraction) > FRACTION_DIGITS)
		return err_set(e, ERR_INVALID, "'%.64s' is too precise", text);
	if (*fraction && parse_u64(fraction, UINT32_MAX, &ns, e) < 0)
		return -1;
	for (size_t i = strlen(fraction); i < FRACTION_DIGITS; i++)
		ns *= 10;
	*ret = (int64_t)s * SECOND + (int64_t)ns;
	return 0;
}

/* A date, or a date and time of any precision, without zone: local time. */
static int parse_local(const char *text, int64_t *ret)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
					       "%Y-%m-%d" };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, formats[i], &tm);
		time_t t;

		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		t = mktime(&tm);
		if (t == (time_t)-1)
			continue;
		*ret = (int64_t)t * SECOND;
		return 0;
	}
	return -1;
}

int when_parse(const char *text, int64_t now, int64_t *ret, struct err *e)
{
	struct err ignored = ERR_INIT;
	int64_t ago;

	if (clock_parse(text, ret, &ignored) == 0 || parse_local(text, ret) == 0)
		return 0;
	err_clear(&ignored);
	if (parse_epoch(text, ret, &ignored) == 0)
		return 0;
	err_clear(&ignored);
	if (parse_duration(text, &ago, &ignored) == 0) {
		*ret = now - ago;
		return 0;
	}
	return err_set(e, ERR_INVALID, "failed to parse value as time or duration: \"%.100s\"",
		       text);
}
