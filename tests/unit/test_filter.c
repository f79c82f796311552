/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/filter.h"
#include "engine/labels.h"

static void a_filter_is_a_key_and_a_value(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(filter_check("a=b", &e));
	assert_ok(filter_check("=", &e));
	assert_ok(filter_check("", &e));
	assert_fails(filter_check("a", &e), "bad format of filter (expected name=value)");
}

static void keys_have_no_case_and_blanks_do_not_count(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} cases[] = {
		{ "label=x", "label", "x" },	 { " Label = X y ", "label", "X y" },
		{ "label=a=b", "label", "a=b" }, { "=x", "", "x" },
		{ "label=", "label", "" },	 { "label", "label", "" },
	};
	char *key, *value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(filter_split(cases[i].text, &key, &value));
		assert_string_equal(key, cases[i].key);
		assert_string_equal(value, cases[i].value);
		free(key);
		free(value);
	}
	assert_false(filter_split("", &key, &value));
}

static void filters_go_to_the_lists_of_their_keys(void **state)
{
	auto_strv struct strv names = STRV_INIT, labels = STRV_INIT, filters = STRV_INIT;
	const struct filter_key keys[] = { { "name", &names },
					   { "label!", &labels },
					   { NULL, NULL } };
	struct err e = ERR_INIT;

	(void)state;
	strv_add(&filters, "name=a");
	strv_add(&filters, "");
	strv_add(&filters, "label!=x=y");
	strv_add(&filters, "NAME=b");
	strv_add(&filters, "name=a");
	assert_ok(filter_sort(&filters, keys, &e));
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[1], "b");
	/* the first equals sign ends the key, as with Docker */
	assert_int_equal(labels.n, 1);
	assert_string_equal(labels.v[0], "x=y");
	strv_add(&filters, "nosuch=1");
	assert_fails(filter_sort(&filters, keys, &e), "invalid filter 'nosuch'");
}

static void a_label_fits_by_key_or_by_key_and_value(void **state)
{
	auto_strv struct strv labels = STRV_INIT, wanted = STRV_INIT;

	(void)state;
	strv_add(&labels, "a=1");
	strv_add(&labels, "ab=");
	assert_true(labels_have(&labels, "a"));
	assert_true(labels_have(&labels, "a=1"));
	assert_true(labels_have(&labels, "ab"));
	assert_true(labels_have(&labels, "ab="));
	assert_false(labels_have(&labels, "a="));
	assert_false(labels_have(&labels, "a=12"));
	assert_false(labels_have(&labels, "b"));
	assert_true(labels_have_all(&labels, &wanted));
	strv_add(&wanted, "a");
	assert_true(labels_have_all(&labels, &wanted));
	strv_add(&wanted, "c");
	assert_false(labels_have_all(&labels, &wanted));
}

static void what_dangles_is_asked_for_in_docker_s_words(void **state)
{
	static const char *const good[] = { "1", "0", "true", "false" };
	auto_strv struct strv values = STRV_INIT;
	enum image_dangling which = DANGLING_ANY;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(filter_dangling(&values, &which, &e));
	assert_int_equal(which, DANGLING_ANY);
	for (size_t i = 0; i < 4; i++) {
		strv_add(&values, good[i]);
		assert_ok(filter_dangling(&values, &which, &e));
		assert_int_equal(which, i % 2 ? DANGLING_NOT : DANGLING_ONLY);
	}
	strv_add(&values, "maybe");
	assert_fails(filter_dangling(&values, &which, &e), "invalid filter 'dangling=[maybe]'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_is_a_key_and_a_value),
		cmocka_unit_test(keys_have_no_case_and_blanks_do_not_count),
		cmocka_unit_test(filters_go_to_the_lists_of_their_keys),
		cmocka_unit_test(a_label_fits_by_key_or_by_key_and_value),
		cmocka_unit_test(what_dangles_is_asked_for_in_docker_s_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
