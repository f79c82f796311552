/* SPDX-License-Identifier: Apache-2.0 */
/* A file system of its own, small and filled to the last block, in a mount namespace of its own. */
#include "tests/unit/fixture_store.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/clock.h"
#include "engine/gc.h"
#include "engine/image.h"
#include "engine/reserve.h"

#define DISK_OPTIONS "size=96m,mode=1777"

static int file_overwrite(const char *path, const char *text, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(AT_FDCWD, path, O_WRONLY, 0, &fd, e) < 0)
		return -1;
	return fd_write_full(fd, text, strlen(text), e);
}

/* A user who may not mount here may in a user namespace, as its root. */
static int own_namespace(void)
{
	auto_free char *users = xasprintf("0 %d 1", (int)geteuid());
	auto_free char *groups = xasprintf("0 %d 1", (int)getegid());
	struct err e = ERR_INIT;

	if (unshare(CLONE_NEWNS) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	if (file_overwrite("/proc/self/uid_map", users, &e) < 0 ||
	    file_overwrite("/proc/self/setgroups", "deny", &e) < 0 ||
	    file_overwrite("/proc/self/gid_map", groups, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	return 0;
}

/* /dev/shm becomes that file system, and the fixture makes its folders there. */
static int own_disk(void)
{
	if (own_namespace() < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev/shm", "tmpfs", 0, DISK_OPTIONS) < 0) {
		fprintf(stderr, "cannot mount a file system: %s\n", strerror(errno));
		return -1;
	}
	return setenv("TMPDIR", "/dev/shm", true);
}

static void fill_disk(const struct fixture *f)
{
	static const char block[4096];
	struct err e = ERR_INIT;
	auto_close int fd = -1;

	assert_ok(
		fd_open(f->paths.root_fd, "filler", O_WRONLY | O_CREAT | O_APPEND, 0600, &fd, &e));
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
}

static void free_disk(const struct fixture *f)
{
	struct err e = ERR_INIT;

	assert_ok(file_remove(f->paths.root_fd, "filler", &e));
}

static bool has_reserve(const struct fixture *f)
{
	return file_exists(f->paths.root_fd, RESERVE_FILE);
}

/* Every command opens the store anew. */
static void open_again(struct fixture *f)
{
	fixture_close_store(f);
	fixture_open_store(f);
}

static void a_container_is_removed_from_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	fixture_create(f, "one", false, a);
	fixture_create(f, "two", false, b);
	assert_true(has_reserve(f));
	fill_disk(f);
	open_again(f);
	assert_ok(container_remove(f->store, a, 0, &e));
	fill_disk(f);
	open_again(f);
	assert_ok(container_remove(f->store, b, 0, &e));
	assert_false(fixture_exists(f, "containers", a));
	assert_false(fixture_exists(f, "containers", b));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
	free_disk(f);
}

static void a_container_ends_on_a_full_disk_and_its_result_is_kept(void **state)
{
	struct fixture *f = *state;
	struct vmstate s = VMSTATE_INIT;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "ends", false, id);
	fixture_begin_start(f, id);
	s.phase = VM_EXITED;
	s.started_at = s.finished_at = clock_now();
	s.exit_code = 42;
	fixture_write_state(f, id, &s);
	fill_disk(f);
	open_again(f);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	assert_int_equal(fixture_count(f, "SELECT exit_code FROM containers"), 42);
	open_again(f);
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	assert_ok(container_remove(f->store, id, 0, &e));
	free_disk(f);
}

static void an_image_is_removed_from_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fill_disk(f);
	open_again(f);
	assert_ok(image_remove(f->store, IMAGE_A, false, NULL, &e));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM chains"), 0);
	free_disk(f);
}

static void what_takes_room_fails_on_a_full_disk_and_leaves_the_reserve(void **state)
{
	struct fixture *f = *state;
	auto_spec struct container_spec s;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "there", false, id);
	fill_disk(f);
	/* Until nothing of the log is left to write to either. */
	for (int i = 0; i < 3; i++) {
		open_again(f);
		fixture_spec(&s, "more");
		assert_true(container_create(f->store, &s, NULL, &e) < 0);
		err_clear(&e);
		spec_release(&s);
	}
	spec_init(&s);
	assert_true(has_reserve(f));
	open_again(f);
	assert_ok(container_remove(f->store, id, 0, &e));
	free_disk(f);
}

static void the_reserve_comes_back_when_there_is_room_again(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "one", false, id);
	fill_disk(f);
	open_again(f);
	assert_ok(container_remove(f->store, id, 0, &e));
	assert_false(has_reserve(f));
	free_disk(f);
	open_again(f);
	fixture_create(f, "two", false, id);
	assert_true(has_reserve(f));
}

static void hundred_containers_are_removed_from_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[100][ID_TEXT_SIZE], path[PATH_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(id); i++) {
		fixture_create(f, "", false, id[i]);
		/* as if it were sparse: what is removed gives next to nothing back */
		assert_ok(
			file_remove(f->paths.root_fd, path_container(id[i], DISK_FILE, path), &e));
	}
	for (size_t i = 0; i < ARRAY_LEN(id); i++) {
		fill_disk(f);
		open_again(f);
		assert_ok(container_remove(f->store, id[i], 0, &e));
	}
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 0);
	free_disk(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_container_is_removed_from_a_full_disk, fixture_up,
						fixture_down),
		cmocka_unit_test_setup_teardown(
			a_container_ends_on_a_full_disk_and_its_result_is_kept, fixture_up,
			fixture_down),
		cmocka_unit_test_setup_teardown(an_image_is_removed_from_a_full_disk, fixture_up,
						fixture_down),
		cmocka_unit_test_setup_teardown(
			what_takes_room_fails_on_a_full_disk_and_leaves_the_reserve, fixture_up,
			fixture_down),
		cmocka_unit_test_setup_teardown(the_reserve_comes_back_when_there_is_room_again,
						fixture_up, fixture_down),
		cmocka_unit_test_setup_teardown(hundred_containers_are_removed_from_a_full_disk,
						fixture_up, fixture_down),
	};

	if (own_disk() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
