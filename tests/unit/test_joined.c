/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/joined.h"

#define CHAIN "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define ONE   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TWO   "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static char dir[64];
static struct paths paths = PATHS_INIT;

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/kvbox-test-joined.XXXXXX");
	if (!mkdtemp(dir) || fd_open_dir(AT_FDCWD, dir, &paths.root_fd, &e) < 0)
		return -1;
	paths.root = dir;
	return dir_make(paths.root_fd, DIR_CHAINS, 0700, &e) < 0 ||
			       dir_make(paths.root_fd, DIR_LAYERS, 0700, &e) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(paths.root_fd);
	return dir_remove_tree(AT_FDCWD, dir, &e);
}

/* `text` at `at` of a file of `size` bytes, of which the rest is a hole. */
static void put(const char *name, const char *text, off_t at, off_t size)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(paths.root_fd, name, O_RDWR | O_CREAT, 0600, &fd, &e));
	assert_int_equal(ftruncate(fd, size), 0);
	assert_ok(fd_pwrite_full(fd, text, strlen(text), at, &e));
}

static void put_image(void)
{
	char name[PATH_NAME_SIZE];

	put(path_chain(CHAIN, name), "chain", 0, 4096);
	put(path_layer(ONE, name), "one", 1 << 20, 4 << 20);
	put(path_layer(TWO, name), "two", 8192, 12288);
}

static void the_files_lie_end_to_end_and_holes_stay_holes(void **state)
{
	static const struct {
		off_t at;
		const char *text;
	} wanted[] = { { 0, "chain" },
		       { 4096 + (1 << 20), "one" },
		       { 4096 + (4 << 20) + 8192, "two" } };
	auto_strv struct strv layers = STRV_INIT;
	auto_close int fd = -1;
	char name[PATH_NAME_SIZE], again[PATH_NAME_SIZE], bytes[8];
	struct err e = ERR_INIT;
	struct stat st, same;

	(void)state;
	put_image();
	strv_add(&layers, ONE);
	strv_add(&layers, TWO);
	assert_ok(joined_make(&paths, CHAIN, &layers, name, &e));
	assert_true(str_has_prefix(name, DIR_CHAINS "/cccc"));
	assert_true(str_has_suffix(name, JOINED_SUFFIX));
	assert_ok(fd_open(paths.root_fd, name, O_RDONLY, 0, &fd, &e));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4096 + (4 << 20) + 12288);
	assert_true(st.st_blocks * 512 < 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		memset(bytes, 0, sizeof(bytes));
		assert_true(fd_pread_full(fd, bytes, 7, wanted[i].at, &e) == 7);
		assert_string_equal(bytes, wanted[i].text);
	}
	/* Once is enough. */
	assert_ok(joined_make(&paths, CHAIN, &layers, again, &e));
	assert_string_equal(again, name);
	assert_int_equal(fstatat(paths.root_fd, name, &same, 0), 0);
	assert_true(same.st_ino == st.st_ino);
}

static void a_layer_that_is_missing_leaves_nothing(void **state)
{
	auto_strv struct strv layers = STRV_INIT;
	char name[PATH_NAME_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	put_image();
	strv_add(&layers, ONE);
	strv_add(&layers,
		 "sha256:3333333333333333333333333333333333333333333333333333333333333333");
	assert_fails(joined_make(&paths, CHAIN, &layers, name, &e), "3333");
	assert_false(file_exists(paths.root_fd, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_files_lie_end_to_end_and_holes_stay_holes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_layer_that_is_missing_leaves_nothing, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
