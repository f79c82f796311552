/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/paths.h"

static int up(void **state)
{
	char *dir = xstrdup("/tmp/kvbox-test-XXXXXX");

	assert_non_null(mkdtemp(dir));
	unsetenv("KVBOX_ROOT");
	unsetenv("KVBOX_RUNROOT");
	*state = dir;
	return 0;
}

static int down(void **state)
{
	struct err e = ERR_INIT;

	assert_int_equal(chdir("/"), 0);
	assert_ok(dir_remove_tree(AT_FDCWD, *state, &e));
	free(*state);
	return 0;
}

static void missing_folders_are_made_only_on_request(void **state)
{
	static const char *const folders[] = { DIR_BLOBS,      DIR_LAYERS,  DIR_CHAINS,
					       DIR_CONTAINERS, DIR_VOLUMES, DIR_TEMPLATES,
					       DIR_TMP };
	auto_free char *root = xasprintf("%s/a/b", (char *)*state);
	auto_free char *run = xasprintf("%s/run", (char *)*state);
	auto_paths struct paths p = PATHS_INIT;
	struct err e = ERR_INIT;

	assert_ok(paths_open(root, run, false, &p, &e));
	assert_int_equal(p.root_fd, -1);
	assert_int_equal(p.run_fd, -1);
	assert_false(file_exists(AT_FDCWD, root));
	assert_ok(paths_make(&p, &e));
	assert_true(p.root_fd >= 0 && p.run_fd >= 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		assert_true(file_exists(p.root_fd, folders[i]));
	assert_ok(paths_make(&p, &e));
}

static void options_win_over_the_environment(void **state)
{
	auto_free char *a = xasprintf("%s/a", (char *)*state);
	auto_free char *b = xasprintf("%s/b", (char *)*state);
	struct err e = ERR_INIT;
	struct paths p = PATHS_INIT;

	setenv("KVBOX_ROOT", b, 1);
	setenv("KVBOX_RUNROOT", b, 1);
	assert_ok(paths_open(a, NULL, false, &p, &e));
	assert_string_equal(p.root, a);
	assert_string_equal(p.runroot, b);
	paths_release(&p);
	unsetenv("KVBOX_ROOT");
	unsetenv("KVBOX_RUNROOT");
}

static void relative_names_become_absolute(void **state)
{
	auto_paths struct paths p = PATHS_INIT;
	auto_free char *want = xasprintf("%s/r", (char *)*state);
	auto_free char *file = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(chdir(*state), 0);
	assert_ok(paths_open("r", "s", false, &p, &e));
	assert_string_equal(p.root, want);
	file = paths_absolute(&p, "x");
	assert_true(str_has_prefix(file, want));
}

static void a_folder_of_somebody_elses_is_refused(void **state)
{
	struct paths p = PATHS_INIT;
	auto_free char *run = xasprintf("%s/run", (char *)*state);
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(run, 0777), 0);
	assert_int_equal(chown(run, 12345, 12345), 0);
	assert_int_equal(paths_open(*state, run, true, &p, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
}

static void a_file_in_the_way_is_an_error(void **state)
{
	struct paths p = PATHS_INIT;
	auto_free char *file = xasprintf("%s/file", (char *)*state);
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(AT_FDCWD, file, "x", 1, 0600, &e));
	assert_fails(paths_open(file, *state, true, &p, &e), "Not a directory");
}

static void names_are_formed_as_the_layout_says(void **state)
{
	static const char digest[] =
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char buf[PATH_NAME_SIZE], want[PATH_NAME_SIZE];

	(void)state;
	snprintf(want, sizeof(want), "blobs/sha256/%s", id);
	assert_string_equal(path_blob(digest, buf), want);
	snprintf(want, sizeof(want), "layers/%s.1.erofs", id);
	assert_string_equal(path_layer(digest, buf), want);
	snprintf(want, sizeof(want), "chains/%s.1.erofs", id);
	assert_string_equal(path_chain(digest, buf), want);
	snprintf(want, sizeof(want), "containers/%s", id);
	assert_string_equal(path_container(id, NULL, buf), want);
	snprintf(want, sizeof(want), "containers/%s/config.json", id);
	assert_string_equal(path_container(id, "config.json", buf), want);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(missing_folders_are_made_only_on_request),
		TEST(options_win_over_the_environment),
		TEST(relative_names_become_absolute),
		TEST(a_folder_of_somebody_elses_is_refused),
		TEST(a_file_in_the_way_is_an_error),
		TEST(names_are_formed_as_the_layout_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
