/* SPDX-License-Identifier: Apache-2.0 */
/* What all drivers share: a driver that only counts stands behind the checks. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/driver.h"

static char dir[64];
static int dirfd_, starts;

static int count_start(const struct vmm_spec *spec, struct vmm *ret, struct err *e)
{
	(void)spec;
	(void)ret;
	(void)e;
	starts++;
	return 0;
}

static int fail_start(const struct vmm_spec *spec, struct vmm *ret, struct err *e)
{
	(void)spec;
	ret->channel = -1;
	return err_set(e, ERR_UNAVAILABLE, "no");
}

static const struct vmm_driver counting = {
	.name = "counting",
	.caps = VMM_CAP_SOFTWARE | VMM_CAP_JOINED,
	.start = count_start,
};

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	starts = 0;
	strcpy(dir, "/tmp/kvbox-test-driver.XXXXXX");
	return mkdtemp(dir) ? fd_open_dir(AT_FDCWD, dir, &dirfd_, &e) : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(dirfd_);
	return dir_remove_tree(AT_FDCWD, dir, &e);
}

static void specs_that_cannot_work_are_refused_before_anything_starts(void **state)
{
	static const char sector[1024] = "";
	auto_free char *path = xasprintf("%s/f", dir), *none = xasprintf("%s/none", dir);
	const struct vmm_file ok = { path, 1024 }, odd = { path, 100 }, empty = { path, 0 },
			      cut = { path, 2048 }, missing = { none, 512 },
			      two[] = { { path, 512 }, { path, 512 } };
	const struct {
		struct vmm_disk disk;
		const char *pad, *why; /* NULL: accepted */
	} cases[] = {
		{ { "kvb-a", false, false, &ok, 1 }, NULL, NULL },
		{ { "kvb-a", true, true, &ok, 1 }, "/pad", NULL },
		{ { "kvb-a", true, false, two, 2 }, "/pad", NULL },
		{ { "12345678901234567890", true, false, &ok, 1 }, NULL, NULL },
		{ { "123456789012345678901", true, false, &ok, 1 }, NULL, "serial" },
		{ { "", true, false, &ok, 1 }, NULL, "serial" },
		{ { "a,b", true, false, &ok, 1 }, NULL, "serial" },
		{ { "../a", true, false, &ok, 1 }, NULL, "serial" },
		{ { "kvb-a", true, false, NULL, 0 }, NULL, "no file" },
		{ { "kvb-a", true, false, &odd, 1 }, NULL, "multiple of 512" },
		{ { "kvb-a", true, false, &empty, 1 }, NULL, "multiple of 512" },
		{ { "kvb-a", true, false, &cut, 1 }, NULL, "has 1024 bytes and should have 2048" },
		{ { "kvb-a", true, false, &missing, 1 }, NULL, "/none" },
		{ { "kvb-a", false, false, two, 2 }, "/pad", "writable" },
		{ { "kvb-a", true, true, &ok, 1 }, NULL, "no padding" },
	};
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_write_replace(dirfd_, "f", sector, sizeof(sector), 0600, &e));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vmm_spec spec = { .memory_mib = 64,
					 .vcpus = 1,
					 .disks = &cases[i].disk,
					 .ndisks = 1,
					 .pad = cases[i].pad };
		struct vmm vmm = VMM_INIT;

		starts = 0;
		if (!cases[i].why) {
			assert_ok(vmm_start(&counting, &spec, &vmm, &e));
			assert_int_equal(starts, 1);
			vmm_release(&vmm);
			continue;
		}
		assert_fails(vmm_start(&counting, &spec, &vmm, &e), cases[i].why);
		assert_int_equal(starts, 0);
		assert_null(vmm.driver);
	}
}

static void capabilities_are_asked_for(void **state)
{
	static const struct vmm_driver poor = { .name = "poor", .start = count_start };
	const struct vmm_file file = { "/f", 512 };
	const struct vmm_disk joined = { "kvb-a", true, true, &file, 1 };
	struct vmm_spec spec = { .memory_mib = 64, .vcpus = 1, .kvm = true };
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(vmm_start(&poor, &spec, &vmm, &e));
	assert_fails(vmm_pause(&vmm, &e), "poor cannot pause");
	assert_fails(vmm_resume(&vmm, &e), "poor cannot resume");
	vmm_release(&vmm);
	spec.kvm = false;
	assert_fails(vmm_start(&poor, &spec, &vmm, &e), "poor needs KVM");
	spec.kvm = true;
	spec.hold = true;
	assert_fails(vmm_start(&poor, &spec, &vmm, &e), "paused");
	spec.hold = false;
	spec.disks = &joined;
	spec.ndisks = 1;
	spec.pad = "/pad";
	assert_fails(vmm_start(&poor, &spec, &vmm, &e), "cannot join");
}

static void sizes_have_limits(void **state)
{
	static const struct {
		unsigned mib, vcpus;
		size_t ndisks;
		const char *why;
	} cases[] = { { 0, 1, 0, "0 MiB" },
		      { UINT32_MAX, 1, 0, "MiB" },
		      { 64, 0, 0, "0 processors" },
		      { 64, 256, 0, "256" },
		      { 64, 1, VMM_DISKS_MAX + 1, "25 disks" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_spec spec = { .memory_mib = cases[i].mib,
					       .vcpus = cases[i].vcpus,
					       .ndisks = cases[i].ndisks };
		struct vmm vmm = VMM_INIT;
		struct err e = ERR_INIT;

		assert_fails(vmm_start(&counting, &spec, &vmm, &e), cases[i].why);
	}
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	static const struct vmm_driver failing = { .name = "failing",
						   .caps = VMM_CAP_SOFTWARE,
						   .start = fail_start };
	const struct vmm_spec spec = { .memory_mib = 64, .vcpus = 1 };
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(vmm_start(&failing, &spec, &vmm, &e), "no");
	assert_null(vmm.driver);
	vmm_release(&vmm);
}

static void drivers_are_found_by_name(void **state)
{
	(void)state;
	assert_non_null(vmm_driver_find("qemu"));
	assert_null(vmm_driver_find("qemu2"));
	assert_null(vmm_driver_find(""));
	for (size_t i = 0; vmm_drivers[i]; i++)
		assert_ptr_equal(vmm_driver_find(vmm_drivers[i]->name), vmm_drivers[i]);
}

static void the_pad_is_large_and_empty_and_read_only(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_ok(vmm_pad_make(dirfd_, "pad", &e));
	assert_int_equal(fstatat(dirfd_, "pad", &st, 0), 0);
	assert_true((uint64_t)st.st_size == VMM_JOINED_SIZE);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_ok(vmm_pad_make(dirfd_, "pad", &e));
}

int main(void)
{
#define IN_A_FOLDER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(specs_that_cannot_work_are_refused_before_anything_starts),
		cmocka_unit_test(capabilities_are_asked_for),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
		cmocka_unit_test(drivers_are_found_by_name),
		IN_A_FOLDER(the_pad_is_large_and_empty_and_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
