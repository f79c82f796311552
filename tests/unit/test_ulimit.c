/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "cmd/ulimit.h"

static void limits_are_read_with_and_without_a_hard_one(void **state)
{
	static const struct {
		const char *text, *name;
		int64_t soft, hard;
	} cases[] = {
		{ "nofile=1024", "nofile", 1024, 1024 },
		{ "nofile=1024:2048", "nofile", 1024, 2048 },
		{ "core=0", "core", 0, 0 },
		{ "memlock=-1", "memlock", -1, -1 },
		{ "memlock=-1:-1", "memlock", -1, -1 },
		{ "nproc=5:-1", "nproc", 5, -1 },
		{ "stack=9223372036854775807", "stack", INT64_MAX, INT64_MAX },
	};
	struct err e = ERR_INIT;
	struct ulimit u;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(ulimit_parse(cases[i].text, &u, &e));
		assert_string_equal(u.name, cases[i].name);
		assert_int_equal(u.soft, cases[i].soft);
		assert_int_equal(u.hard, cases[i].hard);
	}
}

static void every_limit_of_docker_is_known(void **state)
{
	static const char *const names[] = {
		"core",	  "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
		"nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack",
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s=1:2", names[i]);
		assert_ok(ulimit_check(text, &e));
	}
}

static void bad_limits_are_refused_in_dockers_words(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "invalid ulimit argument: " },
		{ "nofile", "invalid ulimit argument: nofile" },
		{ "=1", "invalid ulimit type: " },
		{ "foo=1", "invalid ulimit type: foo" },
		{ "NOFILE=5", "invalid ulimit type: NOFILE" },
		{ "nofile = 5", "invalid ulimit type: nofile " },
		{ "nofile=", "strconv.ParseInt: parsing \"\": invalid syntax" },
		{ "nofile=a", "strconv.ParseInt: parsing \"a\": invalid syntax" },
		{ "nofile=1:", "strconv.ParseInt: parsing \"\": invalid syntax" },
		{ "nofile=1.5", "strconv.ParseInt: parsing \"1.5\": invalid syntax" },
		{ "nofile=99999999999999999999",
		  "strconv.ParseInt: parsing \"99999999999999999999\": value out of range" },
		{ "nofile=-2", "invalid ulimit value: -2" },
		{ "nofile=1:2:3", "too many limit value arguments - 1:2:3, can only have up to "
				  "two, `soft[:hard]`" },
		{ "nofile=2:1", "must be less than or equal to hard limit: 2 > 1" },
		{ "nofile=-1:5", "hard limit: soft: -1 (unlimited), hard: 5" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_fails(ulimit_check(cases[i].text, &e), cases[i].want);
}

static void the_last_of_a_name_counts_and_names_are_sorted(void **state)
{
	auto_strv struct strv texts = STRV_INIT, ret = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	strv_split(&texts, "nproc=3 core=0 nproc=4:5", ' ');
	assert_ok(ulimit_collect(&texts, &ret, &e));
	assert_int_equal(ret.n, 2);
	assert_string_equal(ret.v[0], "core=0:0");
	assert_string_equal(ret.v[1], "nproc=4:5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_with_and_without_a_hard_one),
		cmocka_unit_test(every_limit_of_docker_is_known),
		cmocka_unit_test(bad_limits_are_refused_in_dockers_words),
		cmocka_unit_test(the_last_of_a_name_counts_and_names_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
