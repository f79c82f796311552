/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_ten_wide_or_as_their_longest_cell_and_three),
		cmocka_unit_test(a_column_ends_where_a_line_does_not_have_it),
		cmocka_unit_test(the_verb_prints_its_own_table_unless_a_format_is_given),
		cmocka_unit_test(a_bad_format_is_called_a_parsing_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
