/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/parse.h"

struct int_case {
	const char *text;
	int64_t want; /* -1: refused */
};

static void unsigned_numbers_are_digits_up_to_a_maximum(void **state)
{
	static const struct int_case cases[] = {
		{ "0", 0 },    { "100", 100 },
		{ "101", -1 }, { "", -1 },
		{ "-1", -1 },  { "+1", -1 },
		{ " 1", -1 },  { "1x", -1 },
		{ "007", 7 },  { "99999999999999999999", -1 },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;
		int r = parse_u64(cases[i].text, 100, &v, &e);

		assert_int_equal(r, cases[i].want < 0 ? -1 : 0);
		if (r == 0)
			assert_int_equal(v, cases[i].want);
		err_clear(&e);
	}
}

static void the_largest_number_fits_and_one_more_does_not(void **state)
{
	struct err e = ERR_INIT;
	uint64_t v;

	(void)state;
	assert_ok(parse_u64("18446744073709551615", UINT64_MAX, &v, &e));
	assert_true(v == UINT64_MAX);
	assert_fails(parse_u64("18446744073709551616", UINT64_MAX, &v, &e), "too large");
	assert_fails(parse_u64("5", 3, &v, &e), "too large");
}

static void signed_numbers_are_within_their_range(void **state)
{
	struct err e = ERR_INIT;
	int64_t v;

	(void)state;
	assert_ok(parse_i64("-5", -5, 5, &v, &e));
	assert_int_equal(v, -5);
	assert_ok(parse_i64("+5", -5, 5, &v, &e));
	assert_int_equal(v, 5);
	assert_fails(parse_i64("-6", -5, 5, &v, &e), "out of range");
	assert_fails(parse_i64("--1", -5, 5, &v, &e), "not a number");
}

static void sizes_are_read_as_docker_reads_them(void **state)
{
	static const struct int_case cases[] = {
		{ "0", 0 },
		{ "32", 32 },
		{ "32b", 32 },
		{ "1k", 1024 },
		{ "1K", 1024 },
		{ "1kb", 1024 },
		{ "1KiB", 1024 },
		{ "1 m", 1048576 },
		{ "512m", 536870912 },
		{ "1.5g", 1610612736 },
		{ "2t", 2199023255552 },
		{ ".5k", 512 },
		{ "1.k", 1024 },
		{ "+1k", 1024 },
		{ "1 ", 1 },
		{ "1.5.5k", -1 },
		{ "0x10", -1 },
		{ "1mm", -1 },
		{ "1  k", -1 },
		{ "", -1 },
		{ "k", -1 },
		{ "1x", -1 },
		{ "1kbb", -1 },
		{ "-1", -1 },
		{ "1bb", -1 },
		{ "9999999p", -1 },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 0;
		int r = parse_size(cases[i].text, &v, &e);

		if ((r < 0) != (cases[i].want < 0) || (r == 0 && v != cases[i].want))
			fail_msg("'%s' gave %lld", cases[i].text, (long long)v);
		err_clear(&e);
	}
}

static void truth_is_what_go_takes_for_it(void **state)
{
	struct err e = ERR_INIT;
	bool v;

	(void)state;
	assert_ok(parse_bool("True", &v, &e));
	assert_true(v);
	assert_ok(parse_bool("f", &v, &e));
	assert_false(v);
	assert_fails(parse_bool("yes", &v, &e), "'yes'");
	assert_fails(parse_bool("", &v, &e), "''");
}

static void durations_are_sums_of_units(void **state)
{
	static const struct int_case cases[] = {
		{ "0", 0 },
		{ "1s", 1000000000 },
		{ "1.5s", 1500000000 },
		{ "300ms", 300000000 },
		{ "2us", 2000 },
		{ "7ns", 7 },
		{ "1h30m", 5400000000000 },
		{ "1", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "1x", -1 },
		{ "1s2", -1 },
	};
	struct err e = ERR_INIT;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = parse_duration(cases[i].text, &v, &e);

		if ((r < 0) != (cases[i].want < 0) || (r == 0 && v != cases[i].want))
			fail_msg("'%s' gave %lld", cases[i].text, (long long)v);
		err_clear(&e);
	}
	assert_ok(parse_duration("-1m", &v, &e));
	assert_int_equal(v, -60000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsigned_numbers_are_digits_up_to_a_maximum),
		cmocka_unit_test(the_largest_number_fits_and_one_more_does_not),
		cmocka_unit_test(signed_numbers_are_within_their_range),
		cmocka_unit_test(sizes_are_read_as_docker_reads_them),
		cmocka_unit_test(truth_is_what_go_takes_for_it),
		cmocka_unit_test(durations_are_sums_of_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
