/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "agent/upper.h"
#include "base/fd.h"
#include "base/mem.h"

/* Each test works in a container's folder of its own. */
static int setup(void **state)
{
	static char dir[64];
	struct err e = ERR_INIT;

	snprintf(dir, sizeof(dir), "%s/kvbox-upper.XXXXXX", test_base());
	*state = mkdtemp(dir);
	return *state && chdir(*state) == 0 && dir_make(AT_FDCWD, "layers", 0755, &e) == 0 &&
			       dir_make(AT_FDCWD, "upper", 0755, &e) == 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	return chdir("/") < 0 ? -1 : dir_remove_tree(AT_FDCWD, *state, &e);
}

static void put(const char *path)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(AT_FDCWD, path, "image", 5, 0644, &e));
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode;
}

static void make(bool want_new)
{
	struct err e = ERR_INIT;
	bool is_new = !want_new;

	assert_ok(upper_make_folders(&is_new, &e));
	assert_int_equal(is_new, want_new);
	assert_int_equal(mode_of("upper/work"), S_IFDIR | 0700);
}

static void what_the_image_lacks_is_made(void **state)
{
	static const char *const folders[] = { "proc", "sys", "dev", "etc" };
	static const char *const files[] = { "hosts", "hostname", "resolv.conf" };

	(void)state;
	assert_int_equal(chmod("layers", 01711), 0);
	make(true);
	assert_int_equal(mode_of("upper/data"), S_IFDIR | 01711);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char path[64];

		snprintf(path, sizeof(path), "upper/data/%s", folders[i]);
		assert_int_equal(mode_of(path), S_IFDIR | 0755);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[64];

		snprintf(path, sizeof(path), "upper/data/etc/%s", files[i]);
		assert_int_equal(mode_of(path), S_IFREG | 0644);
	}
}

static void what_the_image_has_is_left_to_it(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(dir_make(AT_FDCWD, "layers/etc", 0755, &e));
	assert_ok(dir_make(AT_FDCWD, "layers/dev", 0755, &e));
	put("layers/etc/hosts");
	put("layers/etc/hostname");
	put("layers/sys");
	assert_int_equal(symlink("nowhere", "layers/etc/resolv.conf"), 0);
	assert_int_equal(symlink("nowhere", "layers/proc"), 0);
	make(true);
	/* nothing is missing, so that /etc is the image's own */
	assert_int_equal(rmdir("upper/data"), 0);
}

static void a_folder_of_the_image_keeps_its_attributes(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_ok(dir_make(AT_FDCWD, "layers/etc", 0755, &e));
	put("layers/etc/hosts");
	assert_int_equal(chmod("layers/etc", 02751), 0);
	if (getuid() == 0)
		assert_int_equal(chown("layers/etc", 5, 6), 0);
	assert_int_equal(chmod("layers/etc", 02751), 0);
	make(true);
	assert_int_equal(lstat("upper/data/etc", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 02751);
	assert_int_equal(st.st_uid, getuid() == 0 ? 5 : getuid());
	assert_int_equal(mode_of("upper/data/etc/hosts"), 0);
	assert_int_equal(mode_of("upper/data/etc/hostname"), S_IFREG | 0644);
}

static void an_etc_that_is_a_link_or_a_file_is_not_hidden(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(dir_make(AT_FDCWD, "layers/usr/etc", 0755, &e));
	assert_int_equal(symlink("usr/etc", "layers/etc"), 0);
	make(true);
	assert_int_equal(mode_of("upper/data/etc"), 0);
	assert_int_equal(mode_of("upper/data/proc"), S_IFDIR | 0755);
	assert_int_equal(unlink("layers/etc"), 0);
	assert_ok(dir_remove_tree(AT_FDCWD, "upper/work", &e));
	put("layers/etc");
	make(true);
	assert_int_equal(mode_of("upper/data/etc"), 0);
}

static void a_disk_that_was_used_is_left_alone(void **state)
{
	(void)state;
	make(true);
	assert_int_equal(unlink("upper/data/etc/hosts"), 0);
	assert_int_equal(rmdir("upper/data/proc"), 0);
	assert_int_equal(chmod("upper/data", 0700), 0);
	make(false);
	assert_int_equal(mode_of("upper/data"), S_IFDIR | 0700);
	assert_int_equal(mode_of("upper/data/etc/hosts"), 0);
	assert_int_equal(mode_of("upper/data/proc"), 0);
}

static void what_was_interrupted_is_finished(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(dir_make(AT_FDCWD, "upper/data", 0700, &e));
	assert_ok(dir_make(AT_FDCWD, "upper/data/etc", 0700, &e));
	put("upper/data/etc/hosts");
	make(true);
	assert_int_equal(mode_of("upper/data"), S_IFDIR | 0755);
	assert_int_equal(mode_of("upper/data/etc"), S_IFDIR | 0755);
	assert_int_equal(mode_of("upper/data/etc/hostname"), S_IFREG | 0644);
	/* as an older agent left it when it was interrupted */
	assert_ok(dir_remove_tree(AT_FDCWD, "upper/data", &e));
	make(true);
	assert_int_equal(mode_of("upper/data/sys"), S_IFDIR | 0755);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_the_image_lacks_is_made),
		CASE(what_the_image_has_is_left_to_it),
		CASE(a_folder_of_the_image_keeps_its_attributes),
		CASE(an_etc_that_is_a_link_or_a_file_is_not_hidden),
		CASE(a_disk_that_was_used_is_left_alone),
		CASE(what_was_interrupted_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
