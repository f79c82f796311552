/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "cmd/table.h"

static void columns_are_ten_wide_or_as_their_longest_cell_and_three(void **state)
{
	static const char *const headers[] = { "ID", "COMMAND", "NAMES" };
	auto_table struct table t;
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	table_begin(&t, headers, ARRAY_LEN(headers));
	table_cell(&t, "1");
	table_cell(&t, "\303\244\342\200\246 long command");
	table_cell(&t, "x");
	table_cell(&t, "2");
	table_cell(&t, "");
	table_cell(&t, "");
	table_print(&t, f);
	fclose(f);
	assert_string_equal(text, "ID        COMMAND           NAMES\n"
				  "1         \303\244\342\200\246 long command   x\n"
				  "2                           \n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_ten_wide_or_as_their_longest_cell_and_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
