/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* Each test gets an empty folder. */
struct place {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct err e = ERR_INIT;

	strcpy(p->path, "/tmp/kvbox-test-fd-XXXXXX");
	if (!mkdtemp(p->path) || fd_open_dir(AT_FDCWD, p->path, &p->fd, &e) < 0)
		return -1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int r = dir_remove_tree(AT_FDCWD, p->path, &e);

	fd_close(p->fd);
	free(p);
	return r;
}

static int count_names(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static int names_in(int dirfd)
{
	struct err e = ERR_INIT;
	int n = 0;

	assert_ok(dir_each(dirfd, ".", count_names, &n, &e));
	return n;
}

static void an_atomic_write_replaces_and_leaves_no_temporary_file(void **state)
{
	struct place *p = *state;
	auto_str struct str text = STR_INIT(100);
	struct err e = ERR_INIT;

	assert_ok(file_write_atomic(p->fd, "f", "one", 3, 0600, &e));
	assert_ok(file_write_atomic(p->fd, "f", "two", 3, 0600, &e));
	assert_ok(file_read(p->fd, "f", &text, &e));
	assert_string_equal(text.buf, "two");
	assert_int_equal(names_in(p->fd), 1);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	assert_ok(dir_make(p->fd, "d/full", 0700, &e));
	/* A rename onto a folder that is not empty cannot succeed. */
	assert_fails(file_write_atomic(p->fd, "d", "x", 1, 0600, &e), "cannot write 'd'");
	assert_int_equal(names_in(p->fd), 1);
}

static void reading_stops_at_the_limit_with_an_error(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	static char data[10000];

	memset(data, 'x', sizeof(data));
	assert_ok(file_write_replace(p->fd, "f", data, sizeof(data), 0600, &e));
	{
		auto_str struct str all = STR_INIT(20000);
		auto_str struct str part = STR_INIT(9999);

		assert_ok(file_read(p->fd, "f", &all, &e));
		assert_int_equal(all.len, 10000);
		assert_fails(file_read(p->fd, "f", &part, &e), "larger than");
	}
	{
		auto_str struct str missing = STR_INIT(10);

		assert_int_equal(file_read(p->fd, "none", &missing, &e), -1);
		assert_int_equal(e.kind, ERR_NOT_FOUND);
	}
}

static void folders_are_made_and_removed_with_all_that_is_in_them(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	assert_ok(dir_make(p->fd, "a/b/c", 0700, &e));
	assert_ok(dir_make(p->fd, "a/b/c", 0700, &e));
	assert_ok(file_write_replace(p->fd, "a/b/f", "x", 1, 0600, &e));
	assert_int_equal(symlinkat("/etc", p->fd, "a/link"), 0);
	assert_ok(dir_remove_tree(p->fd, "a", &e));
	assert_false(file_exists(p->fd, "a"));
	assert_true(file_exists(AT_FDCWD, "/etc/passwd"));
	assert_ok(dir_remove_tree(p->fd, "a", &e));
	assert_ok(file_write_replace(p->fd, "f", "x", 1, 0600, &e));
	assert_fails(dir_make(p->fd, "f/d", 0700, &e), "f/d");
}

static void a_path_cannot_leave_its_root(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int fd = -1;

	assert_int_equal(symlinkat("/etc/passwd", p->fd, "abs"), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", p->fd, "up"), 0);
	assert_int_equal(fd_open_in_root(p->fd, "abs", O_RDONLY, &fd, &e), -1);
	err_clear(&e);
	assert_int_equal(fd_open_in_root(p->fd, "up", O_RDONLY, &fd, &e), -1);
	err_clear(&e);
	assert_ok(dir_make(p->fd, "etc", 0700, &e));
	assert_ok(file_write_replace(p->fd, "etc/passwd", "mine", 4, 0600, &e));
	assert_ok(fd_open_in_root(p->fd, "up", O_RDONLY, &fd, &e));
	{
		char buf[8];

		assert_int_equal(fd_read_full(fd, buf, sizeof(buf), &e), 4);
	}
	fd_close(fd);
}

static void a_sparse_copy_has_the_same_contents_and_the_same_holes(void **state)
{
	struct place *p = *state;
	auto_close int from = -1, to = -1;
	struct err e = ERR_INIT;
	struct stat st;
	char buf[4];

	assert_ok(fd_open(p->fd, "from", O_RDWR | O_CREAT, 0600, &from, &e));
	assert_ok(fd_open(p->fd, "to", O_RDWR | O_CREAT, 0600, &to, &e));
	assert_int_equal(ftruncate(from, 1 << 30), 0);
	assert_ok(fd_pwrite_full(from, "abcd", 4, 100 << 20, &e));
	assert_ok(fd_copy_sparse(from, to, &e));
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, 1 << 30);
	assert_true(st.st_blocks < 1000);
	assert_int_equal(fd_pread_full(to, buf, 4, 100 << 20, &e), 4);
	assert_memory_equal(buf, "abcd", 4);
}

static void a_lock_excludes_other_descriptions_until_the_last_copy_is_closed(void **state)
{
	struct place *p = *state;
	int one = -1, two = -1, copy = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(p->fd, "lock", O_RDWR | O_CREAT, 0600, &one, &e));
	assert_ok(fd_open(p->fd, "lock", O_RDWR, 0600, &two, &e));
	assert_int_equal(fd_lock(one, LOCK_EXCLUSIVE, false, &e), 1);
	assert_int_equal(fd_lock(two, LOCK_EXCLUSIVE, false, &e), 0);
	assert_int_equal(fd_lock(two, LOCK_SHARED, false, &e), 0);
	assert_int_equal(fd_lock_is_held(two, &e), 1);
	assert_int_equal(fd_lock_is_held(one, &e), 0); /* its own does not exclude it */
	assert_ok(fd_dup(one, &copy, &e));
	fd_close(one);
	assert_int_equal(fd_lock_is_held(two, &e), 1);
	fd_close(copy);
	assert_int_equal(fd_lock_is_held(two, &e), 0);
	assert_int_equal(fd_lock(two, LOCK_SHARED, false, &e), 1);
	assert_ok(fd_unlock(two, &e));
	fd_close(two);
}

static void sockets_work_in_a_folder_whose_path_is_too_long_for_an_address(void **state)
{
	struct place *p = *state;
	auto_close int deep = -1, server = -1, client = -1, conn = -1, got = -1;
	struct err e = ERR_INIT;
	char name[200], buf[8];
	int fds[8], pair[2];
	size_t nfds = 8;
	struct stat st;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_ok(dir_make(p->fd, name, 0700, &e));
	assert_ok(fd_open_dir(p->fd, name, &deep, &e));
	assert_int_equal(sock_connect(deep, "c", 1000, &client, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	umask(0);
	assert_ok(sock_listen(deep, "c", &server, &e));
	umask(022);
	/* Nobody else may connect, whatever the umask is. */
	assert_int_equal(fstatat(deep, "c", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_ok(sock_connect(deep, "c", 1000, &client, &e));
	assert_ok(sock_accept(server, &conn, &e));
	assert_ok(fd_pipe(pair, &e));
	assert_ok(sock_send_fds(client, "hi", 2, &pair[1], 1, &e));
	fd_close(pair[1]);
	assert_int_equal(sock_recv_fds(conn, buf, sizeof(buf), fds, &nfds, &e), 2);
	assert_int_equal(nfds, 1);
	got = fds[0];
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	assert_ok(fd_write_full(got, "x", 1, &e));
	assert_int_equal(fd_read_full(pair[0], buf, 1, &e), 1);
	fd_close(pair[0]);
}

/* Such as a process that was stopped. */
static void who_accepts_nobody_is_not_waited_for_for_ever(void **state)
{
	struct place *p = *state;
	auto_close int server = -1, first = -1, second = -1;
	struct err e = ERR_INIT;

	assert_ok(sock_listen(p->fd, "deaf", &server, &e));
	/* Room for one. */
	assert_ok(listen(server, 0));
	assert_ok(sock_connect(p->fd, "deaf", 10000, &first, &e));
	assert_int_equal(sock_connect(p->fd, "deaf", 50, &second, &e), -1);
	assert_string_equal(e.msg, "'deaf' accepts no connection within 50 ms");
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(second, -1);
}

static void descriptors_are_close_on_exec_and_never_standard_ones(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err e = ERR_INIT;
		int fd = -1, pair[2];

		close(0);
		close(1);
		if (fd_open(p->fd, ".", O_RDONLY, 0, &fd, &e) < 0 || fd < 3)
			_exit(1);
		if (fd_pipe(pair, &e) < 0 || pair[0] < 3 || pair[1] < 3)
			_exit(2);
		if (fd_socketpair(pair, &e) < 0 || pair[0] < 3 || pair[1] < 3)
			_exit(3);
		_exit(fcntl(fd, F_GETFD) & FD_CLOEXEC ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(an_atomic_write_replaces_and_leaves_no_temporary_file),
		T(a_failed_write_leaves_the_old_file_and_nothing_else),
		T(reading_stops_at_the_limit_with_an_error),
		T(folders_are_made_and_removed_with_all_that_is_in_them),
		T(a_path_cannot_leave_its_root),
		T(a_sparse_copy_has_the_same_contents_and_the_same_holes),
		T(a_lock_excludes_other_descriptions_until_the_last_copy_is_closed),
		T(sockets_work_in_a_folder_whose_path_is_too_long_for_an_address),
		T(who_accepts_nobody_is_not_waited_for_for_ever),
		T(descriptors_are_close_on_exec_and_never_standard_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
