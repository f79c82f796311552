/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/guestfiles.h"

static char dir[64];
static int dirfd_;

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/kvbox-test-guest.XXXXXX");
	if (!mkdtemp(dir) || fd_open_dir(AT_FDCWD, dir, &dirfd_, &e) < 0)
		return -1;
	unsetenv("KVBOX_KERNEL");
	unsetenv("KVBOX_INITRAMFS");
	return 0;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(dirfd_);
	return dir_remove_tree(AT_FDCWD, dir, &e);
}

static void put(const char *name, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dirfd_, name, text, strlen(text), 0600, &e));
}

static void name(const char *env, const char *file)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);

	assert_int_equal(setenv(env, path, 1), 0);
}

static void variables_name_the_files(void **state)
{
	auto_guest_files struct guest_files g = GUEST_FILES_INIT;
	struct err e = ERR_INIT;

	(void)state;
	put("k", "\177ELF...");
	put("i", "x");
	put("kernel.txt", "small (6.12)\nmore\n");
	name("KVBOX_KERNEL", "k");
	name("KVBOX_INITRAMFS", "i");
	assert_ok(guest_files_find(&g, &e));
	assert_true(str_has_suffix(g.kernel, "/k"));
	assert_true(str_has_suffix(g.initramfs, "/i"));
	assert_string_equal(g.about, "small (6.12)");
}

static void what_is_missing_is_named_with_its_cure(void **state)
{
	struct guest_files g = GUEST_FILES_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(guest_files_find(&g, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "/libexec/kvbox/vmlinux'"));
	assert_non_null(strstr(e.msg, "make guest"));
	err_clear(&e);

	put("k", "\177ELF...");
	name("KVBOX_KERNEL", "k");
	assert_fails(guest_files_find(&g, &e), "/libexec/kvbox/initramfs");
	name("KVBOX_INITRAMFS", "absent");
	assert_fails(guest_files_find(&g, &e), "KVBOX_INITRAMFS");
	assert_null(g.kernel);
}

static void a_packed_kernel_is_refused(void **state)
{
	static const char *const heads[] = { "", "\177EL", "MZ\xea\x07", "\x1f\x8b\x08\x00" };
	struct guest_files g = GUEST_FILES_INIT;

	(void)state;
	name("KVBOX_KERNEL", "k");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct err e = ERR_INIT;

		put("k", heads[i]);
		assert_fails(guest_files_find(&g, &e), "not an uncompressed vmlinux");
	}
}

static void files_are_looked_for_beside_the_program(void **state)
{
	struct err e = ERR_INIT;
	auto_free char *path = guest_libexec_path("x", &e);

	(void)state;
	assert_non_null(path);
	assert_int_equal(path[0], '/');
	assert_true(str_has_suffix(path, "/libexec/kvbox/x"));
	assert_null(strstr(path, ".."));
}

static void a_folder_may_be_named_in_place_of_the_one_beside_the_program(void **state)
{
	struct err e = ERR_INIT;
	auto_free char *path = NULL, *beside = NULL;

	(void)state;
	setenv("KVBOX_LIBEXEC", "/elsewhere", 1);
	path = guest_libexec_path("x", &e);
	assert_string_equal(path, "/elsewhere/x");
	/* a relative one would be another in each folder */
	setenv("KVBOX_LIBEXEC", "elsewhere", 1);
	beside = guest_libexec_path("x", &e);
	assert_true(str_has_suffix(beside, "/libexec/kvbox/x"));
	unsetenv("KVBOX_LIBEXEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(variables_name_the_files, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_named_with_its_cure, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_packed_kernel_is_refused, setup, teardown),
		cmocka_unit_test(files_are_looked_for_beside_the_program),
		cmocka_unit_test(a_folder_may_be_named_in_place_of_the_one_beside_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
