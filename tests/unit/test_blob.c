/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_image.h"

#include "base/digest.h"
#include "engine/blob.h"

static void put(struct fixture *f, const char *text, const char *path)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	assert_ok(blob_new_file(f->store, &fd, &e));
	assert_ok(fd_write_full(fd, text, strlen(text), &e));
	assert_ok(blob_publish(f->store, fd, path, &e));
}

static int count_file(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static void a_file_has_no_name_until_it_is_published(void **state)
{
	struct fixture *f = *state;
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	int files = 0;

	assert_ok(blob_new_file(f->store, &fd, &e));
	assert_ok(fd_write_full(fd, "abc", 3, &e));
	assert_ok(dir_each(f->paths.root_fd, DIR_TMP, count_file, &files, &e));
	assert_int_equal(files, 0);
	assert_false(blob_file_has_size(f->store, DIR_BLOBS "/x", 3));
	assert_ok(blob_publish(f->store, fd, DIR_BLOBS "/x", &e));
	assert_true(blob_file_has_size(f->store, DIR_BLOBS "/x", 3));
	assert_ok(blob_sync_folders(f->store, &e));
}

static void publishing_over_a_file_replaces_it(void **state)
{
	struct fixture *f = *state;
	auto_str struct str text = STR_INIT(100);
	struct err e = ERR_INIT;
	int files = 0;

	put(f, "damaged", DIR_BLOBS "/x");
	put(f, "good", DIR_BLOBS "/x");
	assert_ok(file_read(f->paths.root_fd, DIR_BLOBS "/x", &text, &e));
	assert_string_equal(text.buf, "good");
	assert_ok(dir_each(f->paths.root_fd, DIR_TMP, count_file, &files, &e));
	assert_int_equal(files, 0);
}

static void a_small_blob_is_stored_and_read_and_damage_is_noticed(void **state)
{
	struct fixture *f = *state;
	auto_str struct str text = STR_INIT(100), back = STR_INIT(100), small = STR_INIT(3);
	char digest[DIGEST_TEXT_SIZE], path[PATH_NAME_SIZE];
	struct err e = ERR_INIT;

	str_add(&text, "hello");
	assert_ok(digest_of(text.buf, text.len, digest, &e));
	assert_ok(blob_store(f->store, digest, &text, &e));
	assert_ok(blob_store(f->store, digest, &text, &e));
	assert_ok(blob_read(f->store, digest, &back, &e));
	assert_string_equal(back.buf, "hello");
	assert_int_equal(blob_read(f->store, digest, &small, &e), -1);
	err_clear(&e);
	put(f, "hellO", path_blob(digest, path));
	assert_fails(blob_read(f->store, digest, &back, &e), "is damaged");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_image_up, fixture_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_has_no_name_until_it_is_published),
		T(publishing_over_a_file_replaces_it),
		T(a_small_blob_is_stored_and_read_and_damage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
