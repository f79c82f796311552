/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "cmd/human.h"

#define S      INT64_C(1000000000)
#define MINUTE (60 * S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static void durations_are_rounded_as_docker_rounds_them(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "Less than a second" },
		{ S - 1, "Less than a second" },
		{ S, "1 second" },
		{ 59 * S, "59 seconds" },
		{ MINUTE, "About a minute" },
		{ 2 * MINUTE - 1, "About a minute" },
		{ 2 * MINUTE, "2 minutes" },
		{ 59 * MINUTE, "59 minutes" },
		{ HOUR, "About an hour" },
		{ 89 * MINUTE, "About an hour" },
		{ 90 * MINUTE, "2 hours" },
		{ 47 * HOUR, "47 hours" },
		{ 2 * DAY, "2 days" },
		{ 13 * DAY, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 59 * DAY, "8 weeks" },
		{ 60 * DAY, "2 months" },
		{ 729 * DAY, "24 months" },
		{ 730 * DAY, "2 years" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(100);

		human_duration(&out, cases[i].ns);
		assert_string_equal(out.buf, cases[i].text);
	}
}

static void sizes_have_three_digits_and_decimal_units(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },
		{ 999, "999B" },
		{ 1000, "1kB" },
		{ 1040000, "1.04MB" },
		{ 77812345, "77.8MB" },
		{ 999600, "1MB" },
		{ 170000000, "170MB" },
		{ 1234000000, "1.23GB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(100);

		human_size(&out, cases[i].bytes);
		assert_string_equal(out.buf, cases[i].text);
	}
}

static void memory_has_four_digits_and_binary_units(void **state)
{
	auto_str struct str out = STR_INIT(100);

	(void)state;
	human_memory(&out, INT64_C(8200000000));
	str_addc(&out, ' ');
	human_memory(&out, 1536);
	assert_string_equal(out.buf, "7.637GiB 1.5KiB");
}

static void text_is_cut_by_characters_not_bytes(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "12345", "12345" },
		{ "123456", "1234\342\200\246" },
		{ "\303\244\303\244\303\244\303\244\303\244",
		  "\303\244\303\244\303\244\303\244\303\244" },
		{ "\303\244\303\244\303\244\303\244\303\244x",
		  "\303\244\303\244\303\244\303\244\342\200\246" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(100);

		human_ellipsis(&out, cases[i].text, 5);
		assert_string_equal(out.buf, cases[i].want);
	}
}

static void quoted_text_is_safe_to_print(void **state)
{
	auto_str struct str out = STR_INIT(100);

	(void)state;
	human_quote(&out, "a\"b\\\n\033\303\244");
	assert_string_equal(out.buf, "\"a\\\"b\\\\\\n\\x1b\303\244\"");
	str_clear(&out);
	human_quote(&out, "\377");
	assert_string_equal(out.buf, "\"\\xff\"");
}

static void an_id_for_people_is_twelve_digits(void **state)
{
	char id[HUMAN_ID_SIZE];

	(void)state;
	human_id(id, "sha256:0123456789abcdef");
	assert_string_equal(id, "0123456789ab");
	human_id(id, "abc");
	assert_string_equal(id, "abc");
}

static void a_status_tells_state_time_and_code(void **state)
{
	static const struct {
		const char *state, *health;
		const char *text;
	} cases[] = {
		{ "created", NULL, "Created" },
		{ "running", NULL, "Up 3 minutes" },
		{ "running", "", "Up 3 minutes" },
		{ "running", "starting", "Up 3 minutes (health: starting)" },
		{ "running", "healthy", "Up 3 minutes (healthy)" },
		{ "running", "unhealthy", "Up 3 minutes (unhealthy)" },
		{ "paused", "healthy", "Up 3 minutes (Paused)" },
		{ "exited", "unhealthy", "Exited (137) About a minute ago" },
		{ "restarting", NULL, "Restarting (137) About a minute ago" },
		{ "removing", NULL, "Removal In Progress" },
		{ "dead", NULL, "Dead" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct human_state s = { cases[i].state, 10 * MINUTE, 7 * MINUTE,
					       9 * MINUTE,     137,	    cases[i].health };
		auto_str struct str out = STR_INIT(100);

		human_status(&out, &s);
		assert_string_equal(out.buf, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_rounded_as_docker_rounds_them),
		cmocka_unit_test(sizes_have_three_digits_and_decimal_units),
		cmocka_unit_test(memory_has_four_digits_and_binary_units),
		cmocka_unit_test(text_is_cut_by_characters_not_bytes),
		cmocka_unit_test(quoted_text_is_safe_to_print),
		cmocka_unit_test(an_id_for_people_is_twelve_digits),
		cmocka_unit_test(a_status_tells_state_time_and_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
