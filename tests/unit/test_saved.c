/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/saved.h"

#define SIZE ((uint64_t)8 << 20)

static void new_ram_is_empty_and_takes_no_room(void **state)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(vmm_ram_new(SIZE, &fd, &e), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_int_equal(st.st_blocks, 0);
}

static void loaded_ram_has_the_file_s_pages_and_cannot_be_changed(void **state)
{
	auto_close int file = -1, ram = -1;
	struct err e = ERR_INIT;
	struct stat st;
	char byte = 0, *shared, *private;

	(void)state;
	assert_int_equal(fd_memfd("file", &file, &e), 0);
	assert_int_equal(ftruncate(file, (off_t)SIZE), 0);
	assert_int_equal(pwrite(file, "saved", 5, 1 << 20), 5);
	assert_int_equal(vmm_ram_load(file, &ram, &e), 0);
	assert_true(vmm_ram_is_sealed(ram));
	assert_false(vmm_ram_is_sealed(file));

	assert_int_equal(fstat(ram, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_true(st.st_blocks * 512 < (off_t)SIZE / 2);
	assert_int_equal(pread(ram, &byte, 1, 1 << 20), 1);
	assert_int_equal(byte, 's');

	/* neither by writing, nor by a hole, nor through a mapping; a private one is its owner's */
	assert_int_equal(pwrite(ram, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fallocate(ram, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	assert_int_equal(errno, EPERM);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	assert_ptr_equal(shared, MAP_FAILED);
	private = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ram, 0);
	assert_ptr_not_equal(private, MAP_FAILED);
	memcpy(private + (1 << 20), "other", 5);
	assert_int_equal(pread(ram, &byte, 1, 1 << 20), 1);
	assert_int_equal(byte, 's');
	munmap(private, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ram_is_empty_and_takes_no_room),
		cmocka_unit_test(loaded_ram_has_the_file_s_pages_and_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
