/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/str.h"
#include "engine/names.h"

static void names_that_were_made_up_pass_the_rule(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		char name[NAME_MADE_SIZE];
		struct err e = ERR_INIT;

		name_make(i, name);
		assert_ok(name_check(name, &e));
		assert_non_null(strchr(name, '_'));
		assert_true(strlen(name) < NAME_MADE_SIZE - 2);
	}
}

static void made_up_names_differ(void **state)
{
	char a[NAME_MADE_SIZE], b[NAME_MADE_SIZE];
	int same = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		name_make(0, a);
		name_make(0, b);
		same += strcmp(a, b) == 0;
	}
	assert_true(same < 10);
}

static void the_rule_is_dockers(void **state)
{
	static const char *const good[] = { "ab", "a1", "0_", "A.b-c_d", "aa..--__" };
	static const char *const bad[] = { "",	  "a",	 "_a",	".a",  "-a",
					   "a b", "a/b", "a\n", "a:b", "a\xc3\xa4" };
	char longest[NAME_MAX_LEN + 2];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(name_check(good[i], &e));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(name_check(bad[i], &e), "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[NAME_MAX_LEN + 1] = 0;
	assert_fails(name_check(longest, &e), "Invalid container name (aaa");
	longest[NAME_MAX_LEN] = 0;
	assert_ok(name_check(longest, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_were_made_up_pass_the_rule),
		cmocka_unit_test(made_up_names_differ),
		cmocka_unit_test(the_rule_is_dockers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
