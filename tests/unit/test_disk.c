/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include "base/clock.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void make_folder(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;
	char path[PATH_NAME_SIZE];

	assert_ok(dir_make(f->paths.root_fd, path_container(id, NULL, path), 0700, &e));
}

static char *disk_path(struct fixture *f, const char *id)
{
	char path[PATH_NAME_SIZE];

	return paths_absolute(&f->paths, path_container(id, DISK_FILE, path));
}

/* e2fsck's exit code: 0 is a clean file system. */
static int fsck(const char *path)
{
	struct err e = ERR_INIT;
	struct proc p = PROC_INIT;
	char name[] = "e2fsck", force[] = "-fn";
	auto_free char *file = xstrdup(path);
	char *const argv[] = { name, force, file, NULL };
	const struct spawn s = { .path = "/sbin/e2fsck", .argv = argv, .cwd = -1, .cgroup = -1 };
	int status = -1;

	assert_ok(spawn_start(&s, &p, &e));
	assert_ok(spawn_wait(&p, &status, &e));
	return status;
}

static void a_disk_is_sparse_and_a_clean_file_system(void **state)
{
	static const int64_t sizes[] = { 0, DISK_SIZE_MIN, ((int64_t)1 << 30) + 1,
					 (int64_t)1 << 42 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct err e = ERR_INIT;
		auto_free char *path = disk_path(f, ID_A);
		struct stat st;

		make_folder(f, ID_A);
		assert_ok(disk_create(&f->paths, ID_A, sizes[i], i % 2, &e));
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size >= (sizes[i] ? sizes[i] : DISK_SIZE_DEFAULT));
		assert_int_equal(st.st_size % (1 << 20), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		if (sizes[i] < (int64_t)1 << 42) {
			assert_true(st.st_blocks * 512 < 2 << 20);
			assert_int_equal(fsck(path), 0);
		}
		assert_ok(dir_remove_tree(f->paths.root_fd, "containers/" ID_A, &e));
	}
}

static void sizes_out_of_bounds_are_refused(void **state)
{
	static const int64_t bad[] = { -1, 1, DISK_SIZE_MIN - 1, DISK_SIZE_MAX + 1, INT64_MAX };
	struct fixture *f = *state;

	make_folder(f, ID_A);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(disk_create(&f->paths, ID_A, bad[i], false, &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
	}
}

static void read_all(struct fixture *f, const char *id, struct str *ret)
{
	struct err e = ERR_INIT;
	char path[PATH_NAME_SIZE];

	assert_ok(file_read(f->paths.root_fd, path_container(id, DISK_FILE, path), ret, &e));
}

static void two_templates_made_apart_are_equal(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_str struct str a = STR_INIT(STR_HUGE);
	auto_str struct str b = STR_INIT(STR_HUGE);

	make_folder(f, ID_A);
	make_folder(f, ID_B);
	assert_ok(disk_create(&f->paths, ID_A, DISK_SIZE_MIN, false, &e));
	assert_ok(dir_remove_tree(f->paths.root_fd, DIR_TEMPLATES, &e));
	assert_ok(dir_make(f->paths.root_fd, DIR_TEMPLATES, 0700, &e));
	sleep(1);
	assert_ok(disk_create(&f->paths, ID_B, DISK_SIZE_MIN, false, &e));
	read_all(f, ID_A, &a);
	read_all(f, ID_B, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.buf, b.buf, a.len);
}

static int count_name(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	(*(int *)ctx)++;
	return 0;
}

static void concurrent_first_uses_end_with_one_template(void **state)
{
	enum { USERS = 6 };
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	pid_t pids[USERS];
	int names = 0;

	for (int i = 0; i < USERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(disk_prepare(&f->paths, 0, &e) < 0);
	}
	for (int i = 0; i < USERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_ok(dir_each(f->paths.root_fd, DIR_TEMPLATES, count_name, &names, &e));
	assert_int_equal(names, 1);
}

static void a_disk_is_never_made_over_another(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	make_folder(f, ID_A);
	assert_ok(disk_create(&f->paths, ID_A, 0, false, &e));
	assert_fails(disk_create(&f->paths, ID_A, 0, false, &e), "File exists");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(a_disk_is_sparse_and_a_clean_file_system),
		TEST(sizes_out_of_bounds_are_refused),
		TEST(two_templates_made_apart_are_equal),
		TEST(concurrent_first_uses_end_with_one_template),
		TEST(a_disk_is_never_made_over_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
