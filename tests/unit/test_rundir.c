/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void locks_are_seen_by_others_and_end_with_their_holder(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;
	pid_t monitor, vmm;
	int fd;

	assert_ok(rundir_open(&f->paths, ID, true, &d, &e));
	assert_string_equal(d.name, "0123456789ab");
	assert_int_equal(rundir_alive(&d, &e), 0);
	assert_int_equal(rundir_alive_by_id(&f->paths, ID, &e), 0);
	monitor = fixture_play(f, ID, PLAY_MONITOR);
	vmm = fixture_play(f, ID, PLAY_VMM);
	assert_int_equal(rundir_alive(&d, &e), 1);
	/* Testers never see each other. */
	assert_int_equal(rundir_alive(&d, &e), 1);
	assert_int_equal(rundir_alive_by_id(&f->paths, ID, &e), 1);
	assert_int_equal(rundir_vm(&d, &e), 1);
	assert_int_equal(rundir_take_alive(&d, &fd, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	fixture_kill(monitor);
	assert_int_equal(rundir_alive(&d, &e), 0);
	assert_int_equal(rundir_vm(&d, &e), 1);
	fixture_kill(vmm);
	assert_int_equal(rundir_vm(&d, &e), 0);
	assert_ok(rundir_take_vm(&d, &fd, &e));
	fd_close(fd);
}

static void opening_what_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct rundir d = RUNDIR_INIT;

	assert_int_equal(rundir_open(&f->paths, ID, false, &d, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(rundir_alive_by_id(&f->paths, ID, &e), 0);
}

static void op_is_exclusive(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_rundir struct rundir a = RUNDIR_INIT;
	auto_rundir struct rundir b = RUNDIR_INIT;

	assert_int_equal(rundir_lock(&f->paths, ID, true, &a, &e), 1);
	assert_int_equal(rundir_lock(&f->paths, ID, false, &b, &e), 0);
	rundir_release(&a);
	assert_int_equal(rundir_lock(&f->paths, ID, false, &b, &e), 1);
}

/* Many processes lock, remove and lock again: at no time do two of them hold the lock. */
static void a_folder_that_was_removed_while_one_waited_is_locked_anew(void **state)
{
	enum { WORKERS = 5, ROUNDS = 60 };
	struct fixture *f = *state;
	pid_t pids[WORKERS];

	for (int w = 0; w < WORKERS; w++) {
		pids[w] = fork();
		assert_true(pids[w] >= 0);
		if (pids[w] > 0)
			continue;
		for (int i = 0; i < ROUNDS; i++) {
			struct err e = ERR_INIT;
			struct rundir d = RUNDIR_INIT;
			int fd = -1;

			if (rundir_lock(&f->paths, ID, true, &d, &e) != 1)
				_exit(1);
			/* Whoever is inside makes this file; it must not be there yet. */
			if (fd_open(f->paths.run_fd, "inside", O_CREAT | O_EXCL | O_RDWR, 0600, &fd,
				    &e) < 0)
				_exit(2);
			fd_close(fd);
			if (file_remove(f->paths.run_fd, "inside", &e) < 0)
				_exit(3);
			if (i % 2 && rundir_remove(&f->paths, &d, &e) < 0)
				_exit(4);
			rundir_release(&d);
		}
		_exit(0);
	}
	for (int w = 0; w < WORKERS; w++) {
		int status;

		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void cleaning_spares_the_locks(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;
	int fd;

	assert_int_equal(rundir_lock(&f->paths, ID, true, &d, &e), 1);
	assert_ok(rundir_take_alive(&d, &fd, &e));
	fd_close(fd);
	assert_ok(dir_make(d.fd, "sub/dir", 0700, &e));
	assert_ok(file_write_replace(d.fd, "c", "x", 1, 0600, &e));
	assert_ok(rundir_clean(&d, &e));
	assert_false(file_exists(d.fd, "sub"));
	assert_false(file_exists(d.fd, "c"));
	assert_true(file_exists(d.fd, "alive"));
	assert_true(file_exists(d.fd, "op"));
}

static void a_folder_whose_vm_lives_is_not_removed(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;
	pid_t vmm = fixture_play(f, ID, PLAY_VMM);

	assert_int_equal(rundir_lock(&f->paths, ID, true, &d, &e), 1);
	assert_fails(rundir_remove(&f->paths, &d, &e), "the VM of '0123456789ab' lives still");
	fixture_kill(vmm);
	assert_ok(rundir_remove(&f->paths, &d, &e));
	assert_false(fixture_exists(f, "run", ID));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(locks_are_seen_by_others_and_end_with_their_holder),
		TEST(opening_what_is_not_there_is_told),
		TEST(op_is_exclusive),
		TEST(a_folder_that_was_removed_while_one_waited_is_locked_anew),
		TEST(cleaning_spares_the_locks),
		TEST(a_folder_whose_vm_lives_is_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
