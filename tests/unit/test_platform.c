/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "registry/platform.h"

static void platforms_are_read_and_written_in_one_form(void **state)
{
	static const struct {
		const char *text, *plain, *full;
	} cases[] = {
		{ "linux/amd64", "linux/amd64", "linux/amd64" },
		{ "linux/x86_64", "linux/amd64", "linux/amd64" },
		{ "LINUX/AMD64", "linux/amd64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v3" },
		{ "amd64", "linux/amd64", "linux/amd64" },
		{ "aarch64", "linux/arm64", "linux/arm64/v8" },
		{ "linux/arm64/v8", "linux/arm64", "linux/arm64/v8" },
		{ "linux/arm64/8", "linux/arm64", "linux/arm64/v8" },
		{ "linux/arm", "linux/arm", "linux/arm/v7" },
		{ "linux/arm/v6", "linux/arm/v6", "linux/arm/v6" },
		{ "linux/armel", "linux/arm/v6", "linux/arm/v6" },
		{ "windows/386", "windows/386", "windows/386" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform p = PLATFORM_INIT;
		char text[PLATFORM_TEXT_SIZE];

		assert_ok(platform_parse(cases[i].text, &p, &e));
		platform_format(&p, text);
		assert_string_equal(text, cases[i].plain);
		platform_format_full(&p, text);
		assert_string_equal(text, cases[i].full);
	}
}

static void what_is_no_platform_is_refused(void **state)
{
	static const char *const cases[] = { "",	 "/",	      "linux/",	     "a/b/c/d",
					     "sparkles", "linux/a b", "linux/amd64/" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform p = PLATFORM_INIT;

		if (platform_parse(cases[i], &p, &e) >= 0)
			fail_msg("'%s' was accepted", cases[i]);
		assert_int_equal(e.kind, ERR_INVALID);
		err_clear(&e);
	}
}

static void newer_variants_run_older_ones_and_the_nearest_is_best(void **state)
{
	/* Ordered from best to worst; those of score 0 do not suit. */
	static const struct {
		const char *want, *has;
		int at_least, at_most;
	} cases[] = {
		{ "linux/amd64", "linux/amd64", 1000, 1000 },
		{ "linux/amd64", "linux/amd64/v2", 0, 0 },
		{ "linux/amd64/v3", "linux/amd64/v2", 2, 2 },
		{ "linux/amd64/v3", "linux/amd64", 1, 1 },
		{ "linux/arm64", "linux/arm64/v8", 1000, 1000 },
		{ "linux/arm", "linux/arm/v6", 6, 6 },
		{ "linux/arm", "linux/arm/v8", 0, 0 },
		{ "linux/arm/v6", "linux/arm", 0, 0 },
		{ "linux/amd64", "windows/amd64", 0, 0 },
		{ "linux/amd64", "linux/386", 0, 0 },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform want = PLATFORM_INIT, has = PLATFORM_INIT;

		assert_ok(platform_parse(cases[i].want, &want, &e));
		assert_ok(platform_parse(cases[i].has, &has, &e));
		assert_in_range(platform_match(&want, &has), cases[i].at_least, cases[i].at_most);
	}
}

static void words_of_a_document_are_limited(void **state)
{
	struct platform p = PLATFORM_INIT;
	struct err e = ERR_INIT;
	char word[64];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_fails(platform_set(&p, word, "amd64", NULL, &e), "longer than");
	assert_fails(platform_set(&p, "li\x1bnux", "amd64", NULL, &e), "no name of a platform");
	assert_ok(platform_set(&p, NULL, NULL, NULL, &e));
	assert_string_equal(p.os, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platforms_are_read_and_written_in_one_form),
		cmocka_unit_test(what_is_no_platform_is_refused),
		cmocka_unit_test(newer_variants_run_older_ones_and_the_nearest_is_best),
		cmocka_unit_test(words_of_a_document_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
