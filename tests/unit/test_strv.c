/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/strv.h"

static void a_list_is_always_ended_by_null(void **state)
{
	auto_strv struct strv s = STRV_INIT;

	(void)state;
	assert_non_null(strv_args(&s));
	assert_null(strv_args(&s)[0]);
	for (int i = 0; i < 100; i++) {
		strv_addf(&s, "%d", i);
		assert_null(s.v[s.n]);
	}
	assert_string_equal(s.v[99], "99");
	strv_remove(&s, 0);
	assert_int_equal(s.n, 99);
	assert_string_equal(s.v[0], "1");
	assert_null(s.v[99]);
}

static void splitting_keeps_empty_parts(void **state)
{
	auto_strv struct strv s = STRV_INIT;

	(void)state;
	strv_split(&s, ":a::b:", ':');
	assert_int_equal(s.n, 5);
	assert_string_equal(s.v[0], "");
	assert_string_equal(s.v[1], "a");
	assert_string_equal(s.v[2], "");
	assert_string_equal(s.v[3], "b");
	assert_string_equal(s.v[4], "");
}

static void setting_a_variable_replaces_the_one_of_that_name(void **state)
{
	auto_strv struct strv s = STRV_INIT;

	(void)state;
	strv_env_set(&s, "A=1");
	strv_env_set(&s, "AB=2");
	strv_env_set(&s, "A=3");
	assert_int_equal(s.n, 2);
	assert_string_equal(strv_env_get(&s, "A"), "3");
	assert_string_equal(strv_env_get(&s, "AB"), "2");
	assert_null(strv_env_get(&s, "B"));
	strv_env_unset(&s, "A");
	assert_null(strv_env_get(&s, "A"));
	assert_int_equal(s.n, 1);
	strv_env_unset(&s, "A");
	assert_int_equal(s.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_always_ended_by_null),
		cmocka_unit_test(splitting_keeps_empty_parts),
		cmocka_unit_test(setting_a_variable_replaces_the_one_of_that_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
