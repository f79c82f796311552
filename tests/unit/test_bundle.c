/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_bundle.h"

#include <sys/stat.h>

#define CONTENT "the kernel"

static const struct bundle_make good = { "vmlinux", CONTENT,	NULL,
					 NULL,	    CONTENT_AT, sizeof(CONTENT) - 1 };

/* Into the new folder "to". */
static int unpack(const struct bundle_fixture *f, const char *digest, struct err *ret)
{
	auto_close int to = -1;
	struct err e = ERR_INIT;

	assert_ok(dir_remove_tree(f->fd, "to", &e));
	assert_ok(dir_make(f->fd, "to", 0700, &e));
	assert_ok(fd_open_dir(f->fd, "to", &to, &e));
	return bundle_unpack(f->self, digest, to, ret);
}

static void files_are_unpacked_with_the_mode_that_the_index_has(void **state)
{
	struct bundle_fixture *f = *state;
	auto_str struct str whole = STR_INIT(8192), text = STR_INIT(4096);
	char digest[BUNDLE_DIGEST_SIZE];
	struct err e = ERR_INIT;
	struct stat st;

	bundle_make(f, &good, &whole);
	assert_int_equal(bundle_look(f->self, digest, &e), 1);
	assert_int_equal(strlen(digest), 64);
	assert_ok(unpack(f, digest, &e));
	assert_ok(file_read(f->fd, "to/vmlinux", &text, &e));
	assert_string_equal(text.buf, CONTENT);
	assert_int_equal(fstatat(f->fd, "to/vmlinux", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(bundle_count(f, "to"), 1);
}

static void a_program_without_anything_is_told(void **state)
{
	struct bundle_fixture *f = *state;
	char digest[BUNDLE_DIGEST_SIZE];
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(f->fd, "kvbox", "\177ELF and so on", 14, 0755, &e));
	assert_int_equal(bundle_look(f->self, digest, &e), 0);
	assert_fails(unpack(f, "0", &e), "has been replaced");
	assert_fails(bundle_look("/nonexistent", digest, &e), "/nonexistent");
	/* and our own, which is a real one */
	assert_int_equal(bundle_look("/proc/self/exe", digest, &e), 0);
}

static void another_program_than_the_one_that_was_looked_at_is_refused(void **state)
{
	struct bundle_fixture *f = *state;
	char digest[BUNDLE_DIGEST_SIZE];
	struct err e = ERR_INIT;

	bundle_make_good(f, "one");
	assert_int_equal(bundle_look(f->self, digest, &e), 1);
	bundle_make_good(f, "two");
	assert_fails(unpack(f, digest, &e), "has been replaced");
	assert_int_equal(bundle_count(f, "to"), 0);
}

static void damage_is_found(void **state)
{
	static const struct bundle_make bad[] = {
		{ "vmlinux", CONTENT,
		  "sha256:0000000000000000000000000000000000000000000000000000000000000000", NULL,
		  CONTENT_AT, sizeof(CONTENT) - 1 },
		{ "vmlinux", CONTENT, NULL,
		  "0000000000000000000000000000000000000000000000000000000000000000", CONTENT_AT,
		  sizeof(CONTENT) - 1 },
		{ "../vmlinux", CONTENT, NULL, NULL, CONTENT_AT, sizeof(CONTENT) - 1 },
		{ ".", CONTENT, NULL, NULL, CONTENT_AT, sizeof(CONTENT) - 1 },
		{ "vmlinux", CONTENT, NULL, NULL, 1 << 20, sizeof(CONTENT) - 1 },
		{ "vmlinux", CONTENT, NULL, NULL, CONTENT_AT, 1 << 20 },
		{ "vmlinux", CONTENT, NULL, NULL, -1, sizeof(CONTENT) - 1 },
		{ "vmlinux", CONTENT, NULL, NULL, CONTENT_AT, -1 },
	};
	struct bundle_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_str struct str whole = STR_INIT(8192);
		char digest[BUNDLE_DIGEST_SIZE];
		struct err e = ERR_INIT;

		bundle_make(f, &bad[i], &whole);
		assert_int_equal(bundle_look(f->self, digest, &e), 1);
		if (unpack(f, digest, &e) == 0)
			fail_msg("case %zu was unpacked", i);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.msg, "damaged"));
	}
}

static void a_file_that_was_cut_is_told_from_one_that_carries_nothing(void **state)
{
	struct bundle_fixture *f = *state;
	auto_str struct str whole = STR_INIT(8192);
	char digest[BUNDLE_DIGEST_SIZE];
	struct err e = ERR_INIT;

	bundle_make(f, &good, &whole);
	for (size_t n = 0; n < whole.len; n += 7) {
		assert_ok(file_write_replace(f->fd, "kvbox", whole.buf, n, 0755, &e));
		if (n < (size_t)CONTENT_AT) {
			assert_int_equal(bundle_look(f->self, digest, &e), 0);
			continue;
		}
		assert_fails(bundle_look(f->self, digest, &e), "damaged: its end is missing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_unpacked_with_the_mode_that_the_index_has,
						bundle_setup, bundle_teardown),
		cmocka_unit_test_setup_teardown(a_program_without_anything_is_told, bundle_setup,
						bundle_teardown),
		cmocka_unit_test_setup_teardown(
			another_program_than_the_one_that_was_looked_at_is_refused, bundle_setup,
			bundle_teardown),
		cmocka_unit_test_setup_teardown(damage_is_found, bundle_setup, bundle_teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_cut_is_told_from_one_that_carries_nothing, bundle_setup,
			bundle_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
