/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/template_ram.h"
#include "vmm/saved.h"

#define NAME	 "vm-0123456789abcdef"
#define FILE_RAM "ram-" NAME
#define SIZE	 ((off_t)4 << 20)

struct fixture {
	struct paths paths;
	char path[64];
	int kept;
};

static struct err e;

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .paths = PATHS_INIT, .path = "/tmp/kvbox-ram-XXXXXX", .kept = -1 };
	err_clear(&e);
	assert_non_null(mkdtemp(f.path));
	assert_ok(fd_open_dir(AT_FDCWD, f.path, &f.paths.run_fd, &e));
	assert_ok(fd_open(f.paths.run_fd, "kept", O_RDWR | O_CREAT, 0600, &f.kept, &e));
	assert_int_equal(ftruncate(f.kept, SIZE), 0);
	assert_int_equal(pwrite(f.kept, "saved", 5, 1 << 20), 5);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_close(f->kept);
	fd_close(f->paths.run_fd);
	assert_ok(dir_remove_tree(AT_FDCWD, f->path, &e));
	return 0;
}

static int get(struct fixture *f)
{
	char text[6] = "";
	int fd = -1;

	assert_ok(template_ram_get(&f->paths, NAME, f->kept, &fd, &e));
	assert_true(vmm_ram_is_sealed(fd));
	assert_int_equal(pread(fd, text, 5, 1 << 20), 5);
	assert_string_equal(text, "saved");
	return fd;
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void read_holders(struct fixture *f, struct str *ret)
{
	str_clear(ret);
	assert_ok(file_read(f->paths.run_fd, FILE_RAM, ret, &e));
}

static void write_holders(struct fixture *f, const char *text)
{
	assert_ok(file_write_replace(f->paths.run_fd, FILE_RAM, text, strlen(text), 0600, &e));
}

static void ram_is_read_once_as_long_as_somebody_has_it(void **state)
{
	struct fixture *f = *state;
	int one = get(f), two = get(f), three, four;
	ino_t first = inode(one);

	assert_int_equal(inode(two), first);
	/* from the second, when the first has gone */
	fd_close(one);
	three = get(f);
	assert_int_equal(inode(three), first);
	fd_close(two);
	fd_close(three);
	four = get(f);
	assert_int_not_equal(inode(four), first);
	fd_close(four);
}

static void ram_of_a_template_that_was_made_anew_is_not_taken(void **state)
{
	static const struct timespec later[2] = { { 0, UTIME_OMIT }, { 1000000000, 1 } };
	struct fixture *f = *state;
	int one = get(f), two;

	assert_int_equal(futimens(f->kept, later), 0);
	two = get(f);
	assert_int_not_equal(inode(two), inode(one));
	fd_close(one);
	fd_close(two);
}

static void only_sealed_memory_that_is_the_same_is_taken(void **state)
{
	auto_str struct str text = STR_INIT(4096), lie = STR_INIT(4096);
	struct fixture *f = *state;
	int one = get(f), other = -1, two, three;
	const char *rest;

	/* what the line says of the right one, at the number of a wrong one */
	assert_ok(fd_memfd("ram", &other, &e));
	assert_int_equal(ftruncate(other, SIZE), 0);
	read_holders(f, &text);
	rest = strchr(strchr(text.buf, ' ') + 1, ' ');
	str_addf(&lie, "%d %d%s", getpid(), other, rest);
	write_holders(f, lie.buf);
	two = get(f);
	assert_int_not_equal(inode(two), inode(other));
	assert_int_not_equal(inode(two), inode(one));
	fd_close(other);
	/* the number is free, or a process is that nobody knows */
	write_holders(f, lie.buf);
	three = get(f);
	assert_int_not_equal(inode(three), inode(one));
	fd_close(one);
	fd_close(two);
	fd_close(three);
}

static void a_file_that_makes_no_sense_does_no_harm(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"nonsense\n",
		"1 2 3\n",
		"-1 0 0 0.0 0 0.0\n",
		"99999999999999999999 7 1 1.1 1 1.1\n",
		"1 0 1 1.000000001 1 1.000000001",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_holders(f, texts[i]);
		fd_close(get(f));
	}
}

static void those_who_have_it_are_forgotten_one_by_one(void **state)
{
	auto_str struct str text = STR_INIT(65536);
	struct fixture *f = *state;
	int fds[40];
	size_t lines = 0;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = get(f);
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		assert_int_equal(inode(fds[i]), inode(fds[0]));
	read_holders(f, &text);
	for (size_t i = 0; i < text.len; i++)
		lines += text.buf[i] == '\n';
	assert_int_equal(lines, 16);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fd_close(fds[i]);
	template_ram_forget(&f->paths, NAME);
	assert_false(file_exists(f->paths.run_fd, FILE_RAM));
	template_ram_forget(&f->paths, NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ram_is_read_once_as_long_as_somebody_has_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ram_of_a_template_that_was_made_anew_is_not_taken,
						setup, teardown),
		cmocka_unit_test_setup_teardown(only_sealed_memory_that_is_the_same_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_that_makes_no_sense_does_no_harm, setup,
						teardown),
		cmocka_unit_test_setup_teardown(those_who_have_it_are_forgotten_one_by_one, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
