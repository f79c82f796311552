/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static void times_are_printed_as_go_prints_them(void **state)
{
	static const struct {
		int64_t ns;
		const char *text, *fixed;
	} cases[] = {
		{ 1700000000123456789, "2023-11-14T22:13:20.123456789Z",
		  "2023-11-14T22:13:20.123456789Z" },
		{ 1700000000120000000, "2023-11-14T22:13:20.12Z",
		  "2023-11-14T22:13:20.120000000Z" },
		{ 1700000000000000000, "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z" },
	};
	char text[CLOCK_TEXT_SIZE];
	struct err e = ERR_INIT;
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		clock_format(cases[i].ns, text);
		assert_string_equal(text, cases[i].text);
		assert_ok(clock_parse(text, &back, &e));
		assert_true(back == cases[i].ns);
		clock_format_fixed(cases[i].ns, text);
		assert_string_equal(text, cases[i].fixed);
	}
	clock_format(0, text);
	assert_string_equal(text, "0001-01-01T00:00:00Z");
	assert_ok(clock_parse(text, &back, &e));
	assert_true(back == 0);
}

static void zones_and_fractions_are_understood(void **state)
{
	struct err e = ERR_INIT;
	int64_t ns;

	(void)state;
	assert_ok(clock_parse("2023-11-14T23:13:20+01:00", &ns, &e));
	assert_true(ns == 1700000000000000000);
	assert_ok(clock_parse("2023-11-14T22:13:20.5z", &ns, &e));
	assert_true(ns == 1700000000500000000);
}

static void every_day_is_the_one_that_the_c_library_makes_of_it(void **state)
{
	struct err e = ERR_INIT;
	char text[40];
	int64_t ns;

	(void)state;
	for (int day = 0; day < 584 * 12 * 31; day += 5) {
		struct tm tm = { .tm_year = 1678 + day / 31 / 12 - 1900,
				 .tm_mon = day / 31 % 12,
				 .tm_mday = day % 31 + 1,
				 .tm_hour = 23,
				 .tm_sec = 60 };

		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:00:60Z", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour);
		assert_ok(clock_parse(text, &ns, &e));
		assert_true(ns == (int64_t)timegm(&tm) * 1000000000);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2023",
		"2023-11-14",
		"2023-13-14T22:13:20Z",
		"2023-11-14T25:13:20Z",
		"2023-11-14T22:13:20",
		"2023-11-14T22:13:20.Z",
		"2023-11-14T22:13:20Zx",
		"2023-11-14T22:13:20+0100",
	};
	struct err e = ERR_INIT;
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(clock_parse(bad[i], &ns, &e), "is not a time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_printed_as_go_prints_them),
		cmocka_unit_test(zones_and_fractions_are_understood),
		cmocka_unit_test(every_day_is_the_one_that_the_c_library_makes_of_it),
		cmocka_unit_test(other_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
