/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "cmd/format.h"

static void expect_columns(const char *text, const char *want)
{
	auto_str struct str out = STR_INIT(4096);

	format_columns(text, &out);
	assert_string_equal(out.buf, want);
}

static void columns_are_ten_wide_or_as_their_longest_cell_and_three(void **state)
{
	(void)state;
	expect_columns("ID\tNAMES\n1\tx\n", "ID        NAMES\n1         x\n");
	expect_columns(
		"ID\tCOMMAND\tN\n1\t\303\244\342\200\246 long command\tx\n",
		"ID        COMMAND           N\n1         \303\244\342\200\246 long command   "
		"x\n");
	expect_columns("a\t\n", "a         \n");
	expect_columns("no tab\n", "no tab\n");
	expect_columns("\n", "\n");
	expect_columns("", "");
}

static void a_column_ends_where_a_line_does_not_have_it(void **state)
{
	(void)state;
	expect_columns("a\tb\nx\nlonger than ten\tc\n", "a         b\nx\nlonger than ten   c\n");
}

static void the_verb_prints_its_own_table_unless_a_format_is_given(void **state)
{
	(void)state;
	assert_true(format_is_default(NULL));
	assert_true(format_is_default(""));
	assert_true(format_is_default("table"));
	assert_false(format_is_default("table {{.ID}}"));
	assert_false(format_is_default("json"));
}

static void a_bad_format_is_called_a_parsing_error(void **state)
{
	auto_tmpl struct tmpl *t = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(format_parse("{{.ID", &t, &e),
		     "template parsing error: template: :1: unclosed action");
	assert_ok(format_parse("json", &t, &e));
}

/* The rows of a verb with one column and labels. */
static const struct format_column id_column[] = { { "ID", "THE ID" }, { NULL, NULL } };
static const struct format_list id_list = { id_column, "*formatter.Context", NULL };

static void a_template_is_checked_before_there_is_a_row(void **state)
{
	static const struct {
		const char *format, *want; /* NULL: nothing is wrong */
	} cases[] = {
		{ NULL, NULL },
		{ "table", NULL },
		{ "json", NULL },
		{ "{{json .}}", NULL },
		{ "{{.ID}} {{.Label \"x\"}}", NULL },
		{ "table {{.ID}}", NULL },
		{ "{{.ID", "failed to parse template: template: :1: unclosed action" },
		{ "{{.Nope}}", "failed to execute template: template: :1:2: executing \"\" at "
			       "<.Nope>: can't evaluate field Nope in type *formatter.Context" },
		{ "table {{.Nope}}", "failed to execute template: template: :1:8: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		if (cases[i].want)
			assert_fails(format_check(&id_list, cases[i].format, &e), cases[i].want);
		else
			assert_ok(format_check(&id_list, cases[i].format, &e));
	}
}

static void a_field_is_asked_for_by_its_whole_name(void **state)
{
	(void)state;
	assert_true(format_uses("{{.Size}}", "Size"));
	assert_true(format_uses("table {{.ID}} {{ .Size }}", "Size"));
	assert_false(format_uses("{{.VirtualSize}} {{.Sizes}} {{.Size_}} Size", "Size"));
	assert_false(format_uses(NULL, "Size"));
}

static void times_have_gos_zone_and_fraction(void **state)
{
	static const struct {
		const char *zone;
		int64_t ns;
		bool fraction;
		const char *want;
	} cases[] = {
		{ "UTC", 1136073845000000001, true, "2006-01-01T00:04:05.000000001Z" },
		{ "UTC", 1136073845000000001, false, "2006-01-01T00:04:05Z" },
		{ "CET-1", 1136073845120000000, true, "2006-01-01T01:04:05.120000000+01:00" },
		{ "NST+3:30", 1136073845000000000, false, "2005-12-31T20:34:05-03:30" },
		{ "UTC", 0, false, "0001-01-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(100);

		setenv("TZ", cases[i].zone, 1);
		tzset();
		format_rfc3339(cases[i].ns, cases[i].fraction, &out);
		assert_string_equal(out.buf, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_template_is_checked_before_there_is_a_row),
		cmocka_unit_test(a_field_is_asked_for_by_its_whole_name),
		cmocka_unit_test(times_have_gos_zone_and_fraction),
		cmocka_unit_test(columns_are_ten_wide_or_as_their_longest_cell_and_three),
		cmocka_unit_test(a_column_ends_where_a_line_does_not_have_it),
		cmocka_unit_test(the_verb_prints_its_own_table_unless_a_format_is_given),
		cmocka_unit_test(a_bad_format_is_called_a_parsing_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
