/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

static void a_system_error_carries_errno_and_its_text(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "cannot open '%s'", "x"), -1);
	assert_string_equal(e.msg, "cannot open 'x': No such file or directory");
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
}

static void wrapping_puts_the_context_first_and_keeps_the_kind(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ERR_NOT_FOUND, "no such tag");
	assert_int_equal(err_wrap(&e, "cannot pull '%s'", "x"), -1);
	assert_string_equal(e.msg, "cannot pull 'x': no such tag");
	assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void text_that_is_too_long_is_cut_and_marked(void **state)
{
	struct err e = ERR_INIT;
	char huge[2000];

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	err_set(&e, ERR_INVALID, "%s", huge);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_string_equal(e.msg + sizeof(e.msg) - 4, "...");
	err_wrap(&e, "context");
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "context: aaa", 12);
	assert_string_equal(e.msg + sizeof(e.msg) - 4, "...");
	err_clear(&e);
	errno = EIO;
	err_sys(&e, "%s", huge);
	assert_non_null(strstr(e.msg, "...: Input/output error"));
}

static void moving_an_error_empties_the_source(void **state)
{
	struct err a = ERR_INIT, b = ERR_INIT;

	(void)state;
	err_set(&a, ERR_CONFLICT, "taken");
	assert_int_equal(err_move(&b, &a), -1);
	assert_false(err_is_set(&a));
	assert_string_equal(b.msg, "taken");
	assert_int_equal(b.kind, ERR_CONFLICT);
}

static void every_kind_has_a_name_that_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_KIND_COUNT; i++)
		assert_int_equal(err_kind_parse(err_kind_name((enum err_kind)i)), i);
	assert_int_equal(err_kind_parse("nonsense"), ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_system_error_carries_errno_and_its_text),
		cmocka_unit_test(wrapping_puts_the_context_first_and_keeps_the_kind),
		cmocka_unit_test(text_that_is_too_long_is_cut_and_marked),
		cmocka_unit_test(moving_an_error_empties_the_source),
		cmocka_unit_test(every_kind_has_a_name_that_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
