/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"

static void appending_grows_and_stays_terminated(void **state)
{
	auto_str struct str s = STR_INIT(100000);

	(void)state;
	assert_string_equal(s.buf, "");
	for (int i = 0; i < 5000; i++)
		str_addf(&s, "%d,", i % 10);
	assert_int_equal(s.len, 10000);
	assert_int_equal(s.buf[s.len], '\0');
	assert_false(s.over);
}

static void an_append_beyond_the_limit_is_dropped_whole_and_reported_once(void **state)
{
	auto_str struct str s = STR_INIT(4);
	struct err e = ERR_INIT;

	(void)state;
	str_add(&s, "abc");
	str_add(&s, "de");
	assert_string_equal(s.buf, "abc");
	assert_null(str_take(&s, &e));
	assert_non_null(strstr(e.msg, "longer than 4"));
	err_clear(&e);
	str_add(&s, "abcd");
	{
		auto_free char *text = str_take(&s, &e);

		assert_string_equal(text, "abcd");
	}
}

static void long_formatted_text_is_not_cut(void **state)
{
	auto_str struct str s = STR_INIT(STR_HUGE);

	(void)state;
	str_addf(&s, "%0500d", 7);
	assert_int_equal(s.len, 500);
	assert_int_equal(s.buf[499], '7');
}

static void bytes_with_nul_are_kept(void **state)
{
	auto_str struct str s = STR_INIT(100);

	(void)state;
	str_addn(&s, "a\0b", 3);
	assert_int_equal(s.len, 3);
	str_consume(&s, 2);
	assert_string_equal(s.buf, "b");
	str_consume(&s, 1);
	assert_int_equal(s.len, 0);
}

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "abc", true },
		{ "\xc3\xa4", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xc3", false },
		{ "\xc0\xaf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\x80", false },
		{ "\xe2\x82x", false },
		{ "\xff", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (utf8_is_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
			fail_msg("case %zu", i);
}

static void hex_is_lower_case_and_of_exact_length(void **state)
{
	char text[9];

	(void)state;
	hex_encode("\x00\x1f\xab\xff", 4, text);
	assert_string_equal(text, "001fabff");
	assert_true(hex_is(text, 8));
	assert_false(hex_is(text, 7));
	assert_false(hex_is("001fabfF", 8));
	assert_false(hex_is("001fab g", 8));
}

static void texts_are_put_together_up_to_the_null(void **state)
{
	char *both = xconcat("a", "", "bc", NULL), *none = xconcat("", NULL);

	(void)state;
	assert_string_equal(both, "abc");
	assert_string_equal(none, "");
	free(both);
	free(none);
}

static void prefixes_suffixes_and_equality(void **state)
{
	(void)state;
	assert_true(str_has_prefix("abc", "ab"));
	assert_false(str_has_prefix("a", "ab"));
	assert_true(str_has_suffix("abc", "bc"));
	assert_false(str_has_suffix("c", "bc"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq("a", NULL));
	assert_true(str_eq("a", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appending_grows_and_stays_terminated),
		cmocka_unit_test(an_append_beyond_the_limit_is_dropped_whole_and_reported_once),
		cmocka_unit_test(long_formatted_text_is_not_cut),
		cmocka_unit_test(bytes_with_nul_are_kept),
		cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
		cmocka_unit_test(hex_is_lower_case_and_of_exact_length),
		cmocka_unit_test(texts_are_put_together_up_to_the_null),
		cmocka_unit_test(prefixes_suffixes_and_equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
