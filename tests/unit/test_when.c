/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <time.h>

#include "cmd/when.h"

#define S   INT64_C(1000000000)
#define NOW (INT64_C(1700000000) * S)

static void times_of_all_forms_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "2023-11-14T22:13:20Z", NOW },
		{ "2023-11-14T23:13:20.5+01:00", NOW + S / 2 },
		{ "2023-11-14T20:13:20", NOW },
		{ "2023-11-14T20:13", NOW - 20 * S },
		{ "2023-11-14T20", NOW - 800 * S },
		{ "2023-11-14", NOW - 72800 * S },
		{ "1700000000", NOW },
		{ "1700000000.25", NOW + S / 4 },
		{ "1700000000.000000001", NOW + 1 },
		{ "10m", NOW - 600 * S },
		{ "1h30m", NOW - 5400 * S },
		{ "1.5s", NOW - 3 * S / 2 },
	};
	struct err e = ERR_INIT;
	int64_t v;

	(void)state;
	setenv("TZ", "XXX+2", 1); /* two hours behind UTC */
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(when_parse(cases[i].text, NOW, &v, &e));
		if (v != cases[i].want)
			fail_msg("%s: %lld instead of %lld", cases[i].text, (long long)v,
				 (long long)cases[i].want);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = { "",	 "yesterday", "2023-13-01", "1.0000000001",
					   "5x", "12:00" };
	struct err e = ERR_INIT;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(when_parse(bad[i], NOW, &v, &e),
			     "failed to parse value as time or duration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_all_forms_are_understood),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
