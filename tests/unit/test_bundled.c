/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_bundle.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/bundled.h"

#define CHILDREN 8
#define KILLS	 20

/* Folders are made in "b", beside the program. */
static int setup(void **state)
{
	struct err e = ERR_INIT;

	bundle_setup(state);
	return dir_make(((struct bundle_fixture *)*state)->fd, "b", 0700, &e);
}

static int open_bundle(const struct bundle_fixture *f, char **name, int *held, struct err *ret)
{
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open_dir(f->fd, "b", &dir, &e));
	return bundled_open(f->self, dir, name, held, ret);
}

static void collect(const struct bundle_fixture *f, const char *keep)
{
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open_dir(f->fd, "b", &dir, &e));
	assert_int_equal(bundled_collect_in(dir, keep, &e), 0);
}

static bool is_there(const struct bundle_fixture *f, const char *name)
{
	auto_free char *path = xasprintf("b/%s/vmlinux", name);

	return file_exists(f->fd, path);
}

static void a_bundle_is_unpacked_once(void **state)
{
	struct bundle_fixture *f = *state;
	auto_close int one = -1, two = -1;
	auto_free char *name = NULL, *again = NULL, *path = NULL;
	struct stat first, second;
	struct err e = ERR_INIT;

	bundle_make_good(f, "kernel");
	assert_int_equal(open_bundle(f, &name, &one, &e), 1);
	path = xasprintf("b/%s/vmlinux", name);
	assert_int_equal(fstatat(f->fd, path, &first, 0), 0);
	assert_int_equal(open_bundle(f, &again, &two, &e), 1);
	assert_string_equal(name, again);
	assert_int_equal(fstatat(f->fd, path, &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(bundle_count(f, "b"), 2); /* and the lock */
}

static void folders_of_other_programs_go_unless_somebody_uses_them(void **state)
{
	struct bundle_fixture *f = *state;
	auto_free char *one = NULL, *two = NULL, *three = NULL;
	auto_close int held_one = -1, held_two = -1, held_three = -1;
	struct err e = ERR_INIT;

	bundle_make_good(f, "one");
	assert_int_equal(open_bundle(f, &one, &held_one, &e), 1);
	bundle_make_good(f, "two");
	assert_int_equal(open_bundle(f, &two, &held_two, &e), 1);
	assert_true(is_there(f, one)); /* it is held */
	fd_close(take_fd(&held_two));
	bundle_make_good(f, "three");
	assert_int_equal(open_bundle(f, &three, &held_three, &e), 1);
	assert_true(is_there(f, one));
	assert_false(is_there(f, two));
	fd_close(take_fd(&held_one));
	fd_close(take_fd(&held_three));
	collect(f, three);
	assert_false(is_there(f, one));
	assert_true(is_there(f, three));
	assert_int_equal(bundle_count(f, "b"), 2);
}

static void what_somebody_else_unpacks_is_left_alone(void **state)
{
	struct bundle_fixture *f = *state;
	auto_close int lock = -1;
	struct err e = ERR_INIT;

	assert_ok(dir_make(f->fd, "b/new", 0700, &e));
	assert_ok(fd_open(f->fd, "b/lock", O_RDWR | O_CREAT, 0600, &lock, &e));
	assert_int_equal(fd_lock(lock, LOCK_EXCLUSIVE, false, &e), 1);
	collect(f, "");
	assert_true(file_exists(f->fd, "b/new"));
	fd_close(take_fd(&lock));
	collect(f, "");
	assert_false(file_exists(f->fd, "b/new"));
}

static void a_folder_without_a_lock_is_made_anew(void **state)
{
	struct bundle_fixture *f = *state;
	auto_free char *name = NULL, *path = NULL, *again = NULL;
	auto_close int held = -1;
	struct err e = ERR_INIT;

	bundle_make_good(f, "kernel");
	assert_int_equal(open_bundle(f, &name, &held, &e), 1);
	fd_close(take_fd(&held));
	path = xasprintf("b/%s", name);
	assert_ok(dir_remove_tree(f->fd, path, &e));
	assert_ok(dir_make(f->fd, path, 0700, &e));
	assert_int_equal(open_bundle(f, &again, &held, &e), 1);
	assert_true(is_there(f, name));
}

static void nothing_is_left_of_what_could_not_be_unpacked(void **state)
{
	struct bundle_fixture *f = *state;
	auto_str struct str whole = STR_INIT(8192);
	const struct bundle_make bad = { "vmlinux",
					 "kernel",
					 "sha256:00000000000000000000000000000000000000000000000000"
					 "00000000000000",
					 NULL,
					 CONTENT_AT,
					 6 };
	auto_free char *name = NULL;
	auto_close int held = -1;
	struct err e = ERR_INIT;

	bundle_make(f, &bad, &whole);
	assert_fails(open_bundle(f, &name, &held, &e), "damaged: vmlinux");
	assert_int_equal(bundle_count(f, "b"), 1); /* the lock */
}

/* Each starter finds a complete folder, which one of them made, whatever the others do. */
static void many_at_once_get_one_complete_folder(void **state)
{
	struct bundle_fixture *f = *state;
	pid_t pids[CHILDREN];

	bundle_make_good(f, "kernel");
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct err e = ERR_INIT;
			char *name = NULL;
			int held = -1;

			if (open_bundle(f, &name, &held, &e) != 1)
				_exit(1);
			_exit(is_there(f, name) ? 0 : 2);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(bundle_count(f, "b"), 2);
}

/* Two programs in turn, so that each unpacks and removes, killed at some moment of it; whatever that was, the next
 * one finds or makes a complete folder. */
static void killed_at_any_moment_nothing_half_done_counts(void **state)
{
	struct bundle_fixture *f = *state;
	auto_free char *large = xcalloc(1, (1 << 20) + 1);
	struct err e = ERR_INIT;

	memset(large, 'k', 1 << 20);
	for (int i = 0; i < KILLS; i++) {
		const struct timespec moment = { 0, i * 300000L };
		auto_free char *name = NULL, *path = NULL;
		auto_close int held = -1;
		struct stat st;
		pid_t pid;

		large[0] = (char)('a' + i % 2);
		bundle_make_good(f, large);
		pid = fork();
		if (pid == 0) {
			(void)!open_bundle(f, &name, &held, &e);
			_exit(0);
		}
		nanosleep(&moment, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(open_bundle(f, &name, &held, &e), 1);
		path = xasprintf("b/%s/vmlinux", name);
		assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
		assert_int_equal(st.st_size, 1 << 20);
		collect(f, name);
		assert_int_equal(bundle_count(f, "b"), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_bundle_is_unpacked_once, setup, bundle_teardown),
		cmocka_unit_test_setup_teardown(
			folders_of_other_programs_go_unless_somebody_uses_them, setup,
			bundle_teardown),
		cmocka_unit_test_setup_teardown(what_somebody_else_unpacks_is_left_alone, setup,
						bundle_teardown),
		cmocka_unit_test_setup_teardown(a_folder_without_a_lock_is_made_anew, setup,
						bundle_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_of_what_could_not_be_unpacked,
						setup, bundle_teardown),
		cmocka_unit_test_setup_teardown(many_at_once_get_one_complete_folder, setup,
						bundle_teardown),
		cmocka_unit_test_setup_teardown(killed_at_any_moment_nothing_half_done_counts,
						setup, bundle_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
