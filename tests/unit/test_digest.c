/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/digest.h"
#include "base/dl.h"

/* The examples of FIPS 180-4 (SHA-256, one block and none). */
#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void a_digest_is_that_of_the_standard(void **state)
{
	auto_digest struct digest *d = NULL;
	char text[DIGEST_TEXT_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(digest_of("abc", 3, text, &e));
	assert_string_equal(text, ABC);
	assert_ok(digest_new(&d, &e));
	digest_update(d, "a", 1);
	digest_update(d, "bc", 2);
	digest_final(d, text);
	assert_string_equal(text, ABC);
	digest_final(d, text); /* started anew */
	assert_string_equal(text, EMPTY);
}

static void only_the_full_form_is_valid(void **state)
{
	(void)state;
	assert_true(digest_is_valid(ABC));
	assert_string_equal(digest_hex("sha256:ab"), "ab");
	assert_false(digest_is_valid("sha256:abc"));
	assert_false(digest_is_valid(
		"sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	assert_false(digest_is_valid(
		"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
	assert_false(digest_is_valid(ABC "0"));
}

struct no_api {
	__typeof__(&strlen) function;
};

static void a_library_that_is_not_there_is_named_with_its_package(void **state)
{
	static struct no_api api;
	static const struct dl_symbol symbols[] = { DL_SYMBOL(struct no_api, function, strlen) };
	static const struct dl_symbol wrong[] = { { "no_such_function_at_all", 0 } };
	struct dl_library missing = DL_LIBRARY("libnonexistent.so.9", "libnonexistent9", symbols,
					       &api);
	struct dl_library lacking = DL_LIBRARY("libc.so.6", "libc6", wrong, &api);
	struct dl_library good = DL_LIBRARY("libc.so.6", "libc6", symbols, &api);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(dl_open(&missing, &e), "'libnonexistent.so.9' (package libnonexistent9)");
	assert_fails(dl_open(&lacking, &e), "has no 'no_such_function_at_all'");
	assert_ok(dl_open(&good, &e));
	assert_int_equal(api.function("abc"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_that_of_the_standard),
		cmocka_unit_test(only_the_full_form_is_valid),
		cmocka_unit_test(a_library_that_is_not_there_is_named_with_its_package),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
