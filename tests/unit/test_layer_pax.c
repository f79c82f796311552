/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "engine/layer_pax.h"

#define FIELD(s) s, sizeof(s) - 1

static void header_numbers_have_two_forms(void **state)
{
	static const struct {
		const char *field;
		size_t n;
		bool good;
		int64_t want;
	} cases[] = {
		{ FIELD("0000644\0"), true, 0644 },
		{ FIELD("  644 \0\0"), true, 0644 },
		{ FIELD("\0\0\0\0\0\0\0\0"), true, 0 },
		{ FIELD("        "), true, 0 },
		{ FIELD("77777777"), true, 077777777 },
		{ FIELD("777777777777"), true, 0777777777777 },
		{ FIELD("0000648\0"), false, 0 },
		{ FIELD("-000001\0"), false, 0 },
		{ FIELD("64x\0\0\0\0\0"), false, 0 },
		{ FIELD("\x80\0\0\0\0\0\x01\x02"), true, 0x102 },
		{ FIELD("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), true, INT64_MAX },
		{ FIELD("\x80\0\0\0\x80\0\0\0\0\0\0\0"), false, 0 },
		{ FIELD("\x80\0\0\x01\0\0\0\0\0\0\0\0"), false, 0 },
		{ FIELD("\xff\xff\xff\xff\xff\xff\xff\xff"), true, -1 },
		{ FIELD("\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"), true, INT64_MIN },
		{ FIELD("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff"), false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int64_t got = 0;
		uint64_t got_unsigned = 0;
		int r = tar_number(cases[i].field, cases[i].n, &got, &e);

		if ((r == 0) != cases[i].good || got != cases[i].want)
			fail_msg("case %zu gave %d and %lld", i, r, (long long)got);
		err_clear(&e);
		r = tar_unsigned(cases[i].field, cases[i].n, &got_unsigned, &e);
		assert_int_equal(r == 0, cases[i].good && cases[i].want >= 0);
	}
}

static void records_are_taken_apart(void **state)
{
	char body[] = "11 path=ab\n8 size=\n19 user.x=\0\1=\n two\n";
	struct pax_record r;
	struct err e = ERR_INIT;
	size_t at = 0, n = sizeof(body) - 1;

	(void)state;
	assert_int_equal(pax_next(body, n, &at, &r, &e), 1);
	assert_string_equal(r.key, "path");
	assert_string_equal(r.value, "ab");
	assert_int_equal(pax_next(body, n, &at, &r, &e), 1);
	assert_string_equal(r.key, "size");
	assert_int_equal(r.size, 0);
	assert_int_equal(pax_next(body, n, &at, &r, &e), 1);
	assert_string_equal(r.key, "user.x");
	assert_int_equal(r.size, 8);
	assert_memory_equal(r.value, "\0\1=\n two", 9);
	assert_int_equal(pax_next(body, n, &at, &r, &e), 0);
}

static void damaged_records_are_refused(void **state)
{
	static const struct {
		const char *body;
		size_t n;
	} cases[] = {
		{ FIELD("x") },
		{ FIELD("11") },
		{ FIELD("11 path=ab ") },
		{ FIELD("12 path=ab\n") },
		{ FIELD("10 path=ab\n") },
		{ FIELD("0 path=ab\n") },
		{ FIELD("4 =\n") },
		{ FIELD("5 =x\n") },
		{ FIELD("6 key\n") },
		{ FIELD("11path=ab\n") },
		{ FIELD("9 pa\0h=a\n") },
		{ FIELD("-1 path=ab\n") },
		{ FIELD("3 \n") },
		{ FIELD("99999999999999999999 a=b\n") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pax_record r;
		struct err e = ERR_INIT;
		char body[64];
		size_t at = 0;

		memcpy(body, cases[i].body, cases[i].n);
		if (pax_next(body, cases[i].n, &at, &r, &e) != -1)
			fail_msg("case %zu was taken", i);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

static void times_have_fractions_and_signs(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t seconds;
		uint32_t nsec;
	} cases[] = {
		{ "0", true, 0, 0 },
		{ "1700000000.5", true, 1700000000, 500000000 },
		{ "1.000000001", true, 1, 1 },
		{ "1.1234567899", true, 1, 123456789 },
		{ "1.", true, 1, 0 },
		{ "-1", true, -1, 0 },
		{ "-1.25", true, -2, 750000000 },
		{ "-0.000000001", true, -1, 999999999 },
		{ "", false, 0, 0 },
		{ "-", false, 0, 0 },
		{ ".5", false, 0, 0 },
		{ "1e5", false, 0, 0 },
		{ "1.5x", false, 0, 0 },
		{ "99999999999999999999", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		int64_t seconds = 0;
		uint32_t nsec = 0;
		int r = pax_time(cases[i].text, &seconds, &nsec, &e);

		if ((r == 0) != cases[i].good || seconds != cases[i].seconds ||
		    nsec != cases[i].nsec)
			fail_msg("'%s' gave %lld and %u", cases[i].text, (long long)seconds, nsec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_numbers_have_two_forms),
		cmocka_unit_test(records_are_taken_apart),
		cmocka_unit_test(damaged_records_are_refused),
		cmocka_unit_test(times_have_fractions_and_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
