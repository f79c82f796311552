/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd/env.h"

static void assert_list(const struct strv *list, const char *joined)
{
	auto_str struct str out = STR_INIT(4096);

	for (size_t i = 0; i < list->n; i++)
		str_addf(&out, "%s%s", i ? "|" : "", list->v[i]);
	assert_string_equal(out.buf, joined);
}

static int read_text(const char *text, bool from_env, struct strv *ret, struct err *e)
{
	return env_read_text("f", text, strlen(text), from_env, ret, e);
}

static void comments_and_empty_lines_are_left_out(void **state)
{
	auto_strv struct strv list = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(read_text("# c\n\n  A=1\nB= x # y \r\n\t#no\nC==", true, &list, &e));
	assert_list(&list, "A=1|B= x # y |C==");
}

static void a_byte_order_mark_is_no_part_of_a_name(void **state)
{
	auto_strv struct strv list = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(read_text("\357\273\277A=1\n", true, &list, &e));
	assert_list(&list, "A=1");
}

static void bare_names_take_their_value_from_the_environment(void **state)
{
	auto_strv struct strv list = STRV_INIT;
	auto_strv struct strv given = STRV_INIT, none = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	setenv("KVT_SET", "v", 1);
	unsetenv("KVT_UNSET");
	assert_ok(read_text("KVT_SET\nKVT_UNSET\n", true, &list, &e));
	assert_list(&list, "KVT_SET=v");
	strv_clear(&list);
	strv_add(&given, "KVT_SET");
	strv_add(&given, "KVT_UNSET");
	strv_add(&given, "X=");
	assert_ok(env_collect(&none, &given, &list, &e));
	assert_list(&list, "KVT_SET=v|KVT_UNSET|X=");
}

static void bad_lines_are_named(void **state)
{
	auto_strv struct strv list = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(read_text("=x\n", true, &list, &e), "no variable name on line '=x'");
	assert_fails(read_text("A B=x\n", true, &list, &e),
		     "variable 'A B' of 'f' contains whitespaces");
	assert_fails(read_text("A=\377\n", true, &list, &e), "not UTF-8");
	assert_fails(env_read_text("f", "A=\0", 3, true, &list, &e), "not UTF-8");
}

static void variables_of_files_come_before_those_given(void **state)
{
	auto_strv struct strv files = STRV_INIT, given = STRV_INIT, list = STRV_INIT;
	char name[] = "/tmp/test_env.XXXXXX";
	int fd = mkstemp(name);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(write(fd, "A=f\n", 4), 4);
	close(fd);
	strv_add(&files, name);
	strv_add(&given, "A=g");
	assert_ok(env_collect(&files, &given, &list, &e));
	unlink(name);
	assert_list(&list, "A=f|A=g");
	assert_fails(env_collect(&files, &given, &list, &e), "no such file or directory");
}

static void names_must_be_there(void **state)
{
	auto_strv struct strv none = STRV_INIT, given = STRV_INIT, list = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	strv_add(&given, "=x");
	assert_fails(env_collect(&none, &given, &list, &e), "invalid environment variable: =x");
	assert_fails(env_collect_labels(&none, &given, &list, &e), "invalid label '=x'");
}

static void the_last_label_of_a_key_wins_and_each_has_a_value(void **state)
{
	auto_strv struct strv none = STRV_INIT, given = STRV_INIT, list = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	strv_add(&given, "a=1");
	strv_add(&given, "b");
	strv_add(&given, "a=2");
	assert_ok(env_collect_labels(&none, &given, &list, &e));
	assert_list(&list, "a=2|b=");
}

static void names_on_the_command_line_must_not_be_empty(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(env_check("A", &e));
	assert_ok(env_check("A=", &e));
	assert_fails(env_check("", &e), "invalid environment variable: ");
	assert_fails(env_check("=x", &e), "invalid environment variable: =x");
	assert_ok(env_check_label("a", &e));
	assert_fails(env_check_label("=x", &e), "invalid label '=x': empty name");
}

static void keys_of_maps_are_told_apart_by_what_can_be_stored_of_them(void **state)
{
	auto_strv struct strv map = STRV_INIT;

	(void)state;
	env_map_set(&map, "a\xff=1");
	env_map_set(&map, "a\xfe=2");
	env_map_set(&map, "\xc3\xa4=3");
	env_map_set(&map, "b=\xc3");
	assert_list(&map, "a\357\277\275=2|\xc3\xa4=3|b=\357\277\275");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	char path[] = "/tmp/kvbox-env.XXXXXX";
	auto_str struct str small = STR_INIT(4);
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "12345", 5), 5);
	close(fd);
	assert_fails(env_read_file(path, &small, &e), "larger than 4 bytes");
	unlink(path);
	assert_fails(env_read_file(path, &small, &e), "no such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_and_empty_lines_are_left_out),
		cmocka_unit_test(a_byte_order_mark_is_no_part_of_a_name),
		cmocka_unit_test(bare_names_take_their_value_from_the_environment),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(variables_of_files_come_before_those_given),
		cmocka_unit_test(names_must_be_there),
		cmocka_unit_test(the_last_label_of_a_key_wins_and_each_has_a_value),
		cmocka_unit_test(names_on_the_command_line_must_not_be_empty),
		cmocka_unit_test(keys_of_maps_are_told_apart_by_what_can_be_stored_of_them),
		cmocka_unit_test(a_file_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
