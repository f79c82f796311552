/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/probe.h"
#include "vmm/qemu.h"
#include "vmm/select.h"

static char dir[64], old_path[65536];
static int dirfd_;

static void put_program(const char *name, mode_t mode)
{
	static const char text[] = "#!/bin/sh\necho 'QEMU emulator version 7.2.22 (Debian)'\n";
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dirfd_, name, text, strlen(text), mode, &e));
}

static int setup(void **state)
{
	static const char *const variables[] = { "KVBOX_QEMU", "KVBOX_VMM", "KVBOX_ACCEL",
						 "KVBOX_FAKE_VMM", "KVBOX_CLOUD_HYPERVISOR" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH") ? getenv("PATH") : "");
	strcpy(dir, "/tmp/kvbox-test-select.XXXXXX");
	if (!mkdtemp(dir) || fd_open_dir(AT_FDCWD, dir, &dirfd_, &e) < 0)
		return -1;
	return setenv("PATH", dir, 1);
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	setenv("PATH", old_path, 1);
	fd_close(dirfd_);
	return dir_remove_tree(AT_FDCWD, dir, &e);
}

static void a_binary_is_found_in_path_and_must_be_a_program(void **state)
{
	struct err e = ERR_INIT;
	char *found;

	(void)state;
	found = vmm_binary_find(&vmm_qemu, &e);
	assert_null(found);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(e.msg, "'qemu-system-x86'"));
	err_clear(&e);
	put_program("qemu-system-x86_64", 0600);
	assert_null(vmm_binary_find(&vmm_qemu, &e));
	err_clear(&e);
	put_program("qemu-system-x86_64", 0700);
	found = vmm_binary_find(&vmm_qemu, &e);
	assert_non_null(found);
	assert_true(str_has_prefix(found, dir));
	free(found);
}

static void relative_folders_of_path_are_not_searched(void **state)
{
	auto_free char *path = xasprintf("::.:bin:%s:", dir);
	struct err e = ERR_INIT;
	auto_free char *found = NULL;

	(void)state;
	put_program("qemu-system-x86_64", 0700);
	setenv("PATH", path, 1);
	found = vmm_binary_find(&vmm_qemu, &e);
	assert_non_null(found);
	assert_true(str_has_prefix(found, dir));
	setenv("PATH", "::.:bin", 1);
	assert_null(vmm_binary_find(&vmm_qemu, &e));
}

static void the_variable_comes_first_and_has_to_be_right(void **state)
{
	auto_free char *mine = xasprintf("%s/mine", dir);
	auto_free char *found = NULL, *again = NULL;
	struct err e = ERR_INIT;

	(void)state;
	put_program("qemu-system-x86_64", 0700);
	setenv("KVBOX_QEMU", mine, 1);
	assert_null(vmm_binary_find(&vmm_qemu, &e));
	assert_non_null(strstr(e.msg, "KVBOX_QEMU"));
	assert_non_null(strstr(e.msg, mine));
	err_clear(&e);
	setenv("KVBOX_QEMU", dir, 1);
	assert_null(vmm_binary_find(&vmm_qemu, &e));
	err_clear(&e);
	put_program("mine", 0700);
	setenv("KVBOX_QEMU", mine, 1);
	found = vmm_binary_find(&vmm_qemu, &e);
	assert_string_equal(found, mine);
	setenv("KVBOX_QEMU", "mine", 1); /* a bare name is looked up */
	again = vmm_binary_find(&vmm_qemu, &e);
	assert_string_equal(again, mine);
}

static void wishes_and_variables_decide(void **state)
{
	static const struct {
		const char *vmm, *accel, *env_vmm, *env_accel;
		const char *accel_is; /* NULL: fails with `text` */
		const char *text;     /* in the reason or the error */
	} cases[] = {
		{ NULL, "tcg", NULL, NULL, "tcg", "software emulation was asked for" },
		{ NULL, "kvm", NULL, NULL, "kvm", "KVM was asked for" },
		{ NULL, NULL, NULL, "kvm", "kvm", "KVM was asked for" },
		{ NULL, NULL, NULL, "tcg", "tcg", "asked for" },
		{ NULL, "tcg", NULL, "kvm", "tcg", "asked for" },
		{ "qemu", "tcg", "nope", NULL, "tcg", "asked for" },
		{ "auto", "tcg", "", "", "tcg", "asked for" },
		{ NULL, "tcg", "nope", NULL, NULL,
		  "unknown VMM 'nope': auto, cloud-hypervisor, qemu" },
		{ "firecracker", NULL, NULL, NULL, NULL, "unknown VMM 'firecracker'" },
		{ NULL, "hvf", NULL, NULL, NULL, "unknown accelerator 'hvf'" },
		{ "fake", "tcg", NULL, NULL, NULL, "kvbox-fake-vmm" },
	};

	(void)state;
	put_program("qemu-system-x86_64", 0700);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_wish wish = { cases[i].vmm, cases[i].accel, -1 };
		auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
		struct err e = ERR_INIT;
		int r;

		unsetenv("KVBOX_VMM");
		unsetenv("KVBOX_ACCEL");
		if (cases[i].env_vmm)
			setenv("KVBOX_VMM", cases[i].env_vmm, 1);
		if (cases[i].env_accel)
			setenv("KVBOX_ACCEL", cases[i].env_accel, 1);
		r = vmm_select(&wish, &c, &e);
		if (!cases[i].accel_is) {
			assert_int_equal(r, -1);
			if (!strstr(e.msg, cases[i].text))
				fail_msg("case %zu: %s", i, e.msg);
			continue;
		}
		if (r < 0)
			fail_msg("case %zu: %s", i, e.msg);
		assert_string_equal(vmm_choice_accel(&c), cases[i].accel_is);
		assert_string_equal(c.driver->name, "qemu");
		assert_non_null(strstr(c.reason, cases[i].text));
		assert_int_equal(c.forced, strcmp(cases[i].accel_is, "kvm") == 0);
	}
}

static void put_version(const char *name, const char *line)
{
	auto_free char *text = xasprintf("#!/bin/sh\necho '%s'\n", line);
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dirfd_, name, text, strlen(text), 0700, &e));
}

static void the_best_vmm_that_will_do_is_taken(void **state)
{
	static const struct {
		const char *vmm, *cloud, *qemu; /* versions, NULL: not there */
		const char *taken;		/* or the error */
		bool good;
	} cases[] = {
		{ NULL, "cloud-hypervisor v53.0", "QEMU version 7.2", "cloud-hypervisor", true },
		{ NULL, "cloud-hypervisor v50.0", "QEMU version 7.2", "qemu", true },
		{ NULL, NULL, "QEMU version 8.0.1", "qemu", true },
		{ "qemu", "cloud-hypervisor v53.0", "QEMU version 7.2", "qemu", true },
		{ "cloud-hypervisor", "cloud-hypervisor v50.0", "QEMU version 7.2",
		  "50.0 is too old", false },
		{ "cloud-hypervisor", NULL, "QEMU version 7.2", "'cloud-hypervisor' not found",
		  false },
		{ NULL, NULL, "QEMU version 6.2.0", "QEMU 6.2.0 is too old", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_wish wish = { cases[i].vmm, "kvm", dirfd_ };
		auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
		struct err e = ERR_INIT;
		int r;

		assert_ok(file_remove(dirfd_, "cloud-hypervisor", &e));
		if (cases[i].cloud)
			put_version("cloud-hypervisor", cases[i].cloud);
		put_version("qemu-system-x86_64", cases[i].qemu);
		r = vmm_select(&wish, &c, &e);
		if ((r == 0) != cases[i].good ||
		    !strstr(r == 0 ? c.driver->name : e.msg, cases[i].taken))
			fail_msg("case %zu: %s", i, r == 0 ? c.driver->name : e.msg);
	}
}

static void a_vmm_that_needs_kvm_is_not_retried_in_software(void **state)
{
	const struct vmm_wish wish = { "cloud-hypervisor", "tcg", -1 };
	auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	put_version("cloud-hypervisor", "cloud-hypervisor v53.0");
	assert_fails(vmm_select(&wish, &c, &e), "needs KVM");
}

static void a_remembered_failure_of_kvm_means_software(void **state)
{
	const struct vmm_wish wish = { NULL, NULL, dirfd_ };
	auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	put_program("qemu-system-x86_64", 0700);
	assert_ok(kvm_mark_bad(dirfd_, "the guest did not answer", &e));
	assert_ok(vmm_select(&wish, &c, &e));
	assert_false(c.kvm);
	assert_false(c.forced);
	assert_true(str_has_prefix(c.reason, "no KVM: "));
	assert_non_null(strstr(c.reason, "the guest did not answer"));
}

int main(void)
{
#define IN_A_FOLDER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_binary_is_found_in_path_and_must_be_a_program),
		IN_A_FOLDER(relative_folders_of_path_are_not_searched),
		IN_A_FOLDER(the_variable_comes_first_and_has_to_be_right),
		IN_A_FOLDER(wishes_and_variables_decide),
		IN_A_FOLDER(the_best_vmm_that_will_do_is_taken),
		IN_A_FOLDER(a_vmm_that_needs_kvm_is_not_retried_in_software),
		IN_A_FOLDER(a_remembered_failure_of_kvm_means_software),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
