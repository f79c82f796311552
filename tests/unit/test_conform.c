/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every driver has to do, with real VMs: one list of cases for one VMM, which KVBOX_TEST_VMM and
 * KVBOX_TEST_ACCEL name (qemu and tcg without them, which works everywhere; the lab runs the others). The
 * guest is conform_guest.c in the initramfs conform.cpio beside this program; the kernel is kvbox's, or what
 * KVBOX_KERNEL names. An argument is a pattern, and only cases whose names fit are run.
 *
 * Nothing waits for a time to pass but where nothing must happen.
 */
#include "tests/unit/conform.h"

#include <signal.h>
#include <unistd.h>

#define QUIET_MS 400

/* ---- cases --------------------------------------------------------------------------------------- */

static void a_guest_says_hello_and_its_power_off_is_the_end(void **state)
{
	struct fixture *f = *state;

	start_to_hello(f);
	wait_event(f, 1u << VMM_EVENT_READY, "the VMM is not ready");
	tell(f, "end off");
	assert_int_equal(wait_end(f), 0);
	assert_true(f->seen & 1u << VMM_EVENT_SHUTDOWN);
	assert_false(f->seen & (1u << VMM_EVENT_PANIC | 1u << VMM_EVENT_RESET));
}

static void disks_are_found_by_serial_and_hold_what_they_should(void **state)
{
	struct fixture *f = *state;
	auto_free char *ro = put_file(f, "ro", "readonly", 1 << 20);
	auto_free char *rw = put_file(f, "rw, [x]", "writable", 1 << 20);
	const struct vmm_file files[] = { { ro, 1 << 20 }, { rw, 1 << 20 } };
	const struct vmm_disk disks[] = { { "kvb-ro", true, false, &files[0], 1 },
					  { "kvb-rw", false, false, &files[1], 1 } };
	struct vmm_spec spec = spec_of(f);
	auto_free char *kept = NULL;
	const char *list;

	spec.disks = disks;
	spec.ndisks = ARRAY_LEN(disks);
	start(f, &spec);
	expect_hello(f);
	list = ask(f, "disks");
	assert_non_null(strstr(list, "kvb-ro 2048 1"));
	assert_non_null(strstr(list, "kvb-rw 2048 0"));
	assert_string_equal(ask(f, "read kvb-ro 0"), "readonly");
	assert_string_equal(ask(f, "read kvb-rw 0"), "writable");
	/* The first sector too, which a VMM that guesses formats protects. */
	assert_string_equal(ask(f, "write kvb-rw 0 changed!"), "ok");
	assert_true(str_has_prefix(ask(f, "write kvb-ro 0 changed!"), "error "));
	kept = text_of(f, "rw, [x]");
	assert_true(str_has_prefix(kept, "changed!"));
}

static void files_are_joined_to_one_disk(void **state)
{
	struct fixture *f = *state;
	auto_free char *a = put_file(f, "a", "first", 4096), *b = put_file(f, "b", "second", 8192);
	auto_free char *pad = xasprintf("%s/pad", f->dir);
	const struct vmm_file files[] = { { a, 4096 }, { b, 8192 } };
	const struct vmm_disk disk = { "kvb-joined", true, true, files, 2 };
	struct vmm_spec spec = spec_of(f);
	struct err e = ERR_INIT;

	if (!(conform.choice.about.caps & VMM_CAP_JOINED)) {
		assert_int_equal(vmm_start(conform.choice.driver,
					   &(struct vmm_spec){ .caps = conform.choice.about.caps,
							       .kvm = conform.choice.kvm,
							       .memory_mib = 64,
							       .vcpus = 1,
							       .disks = &disk,
							       .ndisks = 1,
							       .pad = pad },
					   &f->vmm, &e),
				 -1);
		assert_non_null(strstr(e.msg, "cannot join"));
		return;
	}
	assert_ok(vmm_pad_make(f->dirfd, "pad", &e));
	spec.disks = &disk;
	spec.ndisks = 1;
	spec.pad = pad;
	start(f, &spec);
	expect_hello(f);
	assert_string_equal(ask(f, "disks"), "kvb-joined 134217728 1");
	assert_string_equal(ask(f, "read kvb-joined 0"), "first");
	assert_string_equal(ask(f, "read kvb-joined 4096"), "second");
	assert_string_equal(ask(f, "read kvb-joined 12288"), "");
}

static void a_paused_guest_stands_still_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	start_to_hello(f);
	wait_done(f, vmm_pause(&f->vmm, &e), &e);
	tell(f, "words");
	assert_false(wait_for(f, f->channel, QUIET_MS));
	wait_done(f, vmm_resume(&f->vmm, &e), &e);
	assert_non_null(strstr(hear(f), "kvbox.channel="));
	/* Not broken, not ended, and it can be done again. */
	assert_false(f->seen & ~(1u << VMM_EVENT_READY | 1u << VMM_EVENT_DONE));
	wait_done(f, vmm_pause(&f->vmm, &e), &e);
	wait_done(f, vmm_resume(&f->vmm, &e), &e);
}

static void a_stop_is_noticed_and_frees_the_lock(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_close int lock = -1, probe = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(f->dirfd, "lock", O_RDWR | O_CREAT, 0600, &lock, &e));
	assert_ok(fd_open(f->dirfd, "lock", O_RDWR, 0, &probe, &e));
	assert_int_equal(fd_lock(lock, LOCK_EXCLUSIVE, false, &e), 1);
	spec.vm_lock_fd = lock;
	start(f, &spec);
	fd_close(take_fd(&lock));
	expect_hello(f);
	assert_int_equal(fd_lock_is_held(probe, &e), 1);
	assert_ok(vmm_stop(&f->vmm, &e));
	assert_int_equal(wait_end(f), 128 + SIGKILL);
	assert_int_equal(fd_lock_is_held(probe, &e), 0);
	assert_ok(vmm_stop(&f->vmm, &e)); /* no error when it has ended already */
}

static void a_crash_is_the_end_of_both_connections(void **state)
{
	struct fixture *f = *state;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int got;

	start_to_hello(f);
	/* It may have a handler for this one, which says something first. */
	assert_ok(proc_signal(&f->vmm.proc, SIGABRT, &e));
	assert_int_equal(wait_end(f), 128 + SIGABRT);
	while ((got = vmm_event(&f->vmm, &ev, &e)) > 0)
		assert_int_not_equal(ev.kind, VMM_EVENT_SHUTDOWN);
	assert_int_equal(got, -1);
}

static void a_panic_is_told_and_its_words_are_kept(void **state)
{
	struct fixture *f = *state;
	auto_free char *console = NULL;
	struct err e = ERR_INIT;

	start_to_hello(f);
	tell(f, "end in panic");
	wait_event(f, 1u << VMM_EVENT_PANIC, "nobody tells of the panic");
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	console = text_of(f, "console");
	assert_non_null(strstr(console, "Kernel panic"));
}

static void a_reset_is_the_end_and_not_a_second_boot(void **state)
{
	struct fixture *f = *state;

	start_to_hello(f);
	tell(f, "end again");
	wait_end(f);
	assert_true(f->seen & 1u << VMM_EVENT_RESET);
	assert_false(f->seen & 1u << VMM_EVENT_SHUTDOWN);
}

static void a_folder_with_a_long_path_will_do(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char name[121];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_ok(dir_make(f->dirfd, name, 0700, &e));
	fd_close(take_fd(&f->run));
	assert_ok(fd_open_dir(f->dirfd, name, &f->run, &e));
	free(f->run_path);
	f->run_path = xasprintf("%s/%s", f->dir, name);
	start_to_hello(f);
}

static void what_a_crash_left_is_not_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	start_to_hello(f);
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	fixture_stop(f);
	start_to_hello(f);
}

static void a_vmm_that_hangs_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct vmm_event ev;
	struct err e = ERR_INIT;

	start_to_hello(f);
	wait_event(f, 1u << VMM_EVENT_READY, "the VMM is not ready");
	assert_ok(proc_signal(&f->vmm.proc, SIGSTOP, &e));
	/* None of these waits for it. */
	assert_true(vmm_pause(&f->vmm, &e) > 0);
	assert_true(vmm_resume(&f->vmm, &e) > 0);
	assert_int_equal(vmm_event(&f->vmm, &ev, &e), 0);
	assert_ok(vmm_stop(&f->vmm, &e));
	assert_int_equal(wait_end(f), 128 + SIGKILL);
}

static void a_start_that_fails_says_why_in_the_log(void **state)
{
	struct fixture *f = *state;
	auto_free char *bad = put_file(f, "bad-kernel", "no kernel", 8192), *log = NULL;
	struct vmm_spec spec = spec_of(f);

	spec.kernel = bad;
	start(f, &spec);
	assert_int_not_equal(wait_end(f), 0);
	log = text_of(f, "log");
	assert_true(strlen(log) > 10);
}

static void two_vms_share_a_disk_that_is_read_only(void **state)
{
	struct fixture *f = *state, *other = fixture_more(f);
	auto_free char *path = put_file(f, "ro", "shared", 1 << 20);
	const struct vmm_file file = { path, 1 << 20 };
	const struct vmm_disk disk = { "kvb-ro", true, false, &file, 1 };
	struct vmm_spec spec = spec_of(f);

	spec.disks = &disk;
	spec.ndisks = 1;
	start(f, &spec);
	expect_hello(f);
	spec.run_fd = other->run;
	spec.run_path = other->run_path;
	spec.console_fd = other->console;
	start(other, &spec);
	expect_hello(other);
	assert_string_equal(ask(other, "read kvb-ro 0"), "shared");
	assert_string_equal(ask(f, "read kvb-ro 0"), "shared");
}

static void a_binary_that_will_not_do_is_refused(void **state)
{
	/* the head of an executable for RISC-V */
	static const char other_machine[64] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1";
	static const struct {
		const char *text, *why; /* NULL: no file */
	} cases[] = {
		{ NULL, "not a program" },
		{ "#!/bin/sh\necho cloud-hypervisor v50.0, QEMU version 7.1\n", "too old" },
		{ other_machine, "cannot be used" },
	};
	const struct vmm_wish wish = { conform.choice.driver->name,
				       conform.choice.kvm ? "kvm" : "tcg", -1 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = xasprintf("%s/vmm", f->dir);
		auto_free char *before = xstrdup(getenv(conform.choice.driver->env));
		auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
		struct err e = ERR_INIT;

		if (cases[i].text)
			assert_ok(file_write_replace(f->dirfd, "vmm", cases[i].text,
						     cases[i].text == other_machine
							     ? sizeof(other_machine)
							     : strlen(cases[i].text),
						     0700, &e));
		setenv(conform.choice.driver->env, path, 1);
		assert_fails(vmm_select(&wish, &c, &e), cases[i].why);
		if (before)
			setenv(conform.choice.driver->env, before, 1);
		else
			unsetenv(conform.choice.driver->env);
	}
}

/* ---- which VMM ----------------------------------------------------------------------------------- */

static void find_beside(const char *self, const char *name, char ret[PATH_MAX])
{
	const char *slash = strrchr(self, '/');

	snprintf(ret, PATH_MAX, "%.*s/%s", (int)(slash - self), self, name);
}

static int choose(void)
{
	const char *vmm = getenv("KVBOX_TEST_VMM"), *accel = getenv("KVBOX_TEST_ACCEL");
	const struct vmm_wish wish = { vmm ? vmm : "qemu", accel ? accel : "tcg", -1 };
	const char *named = getenv("KVBOX_KERNEL");
	struct err e = ERR_INIT;
	char *self;

	self = proc_own_path(&e);
	if (!self)
		return -1;
	find_beside(self, "conform.cpio", conform.initramfs);
	find_beside(self, "../../libexec/kvbox/vmlinux", conform.kernel);
	free(self);
	if (named && *named)
		snprintf(conform.kernel, sizeof(conform.kernel), "%s", named);
	find_beside(conform.kernel, "initramfs", conform.agent);
	if (vmm_select(&wish, &conform.choice, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

/* A case, and what it takes: capabilities of the VMM and more. */
enum need {
	NEEDS_KVM = 1u << 16,
	NEEDS_TAPS = 1u << 17,
	NEEDS_ROOT = 1u << 18,
};
static const struct {
	struct CMUnitTest test;
	unsigned needs;
} cases[] = {
#define CASE(t, needs)                                                                     \
	{                                                                                  \
		cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown), needs \
	}
	CASE(a_guest_says_hello_and_its_power_off_is_the_end, 0),
	CASE(disks_are_found_by_serial_and_hold_what_they_should, 0),
	CASE(files_are_joined_to_one_disk, 0),
	CASE(a_paused_guest_stands_still_until_it_is_resumed, 0),
	CASE(a_stop_is_noticed_and_frees_the_lock, 0),
	CASE(a_crash_is_the_end_of_both_connections, 0),
	CASE(a_panic_is_told_and_its_words_are_kept, 0),
	CASE(a_reset_is_the_end_and_not_a_second_boot, 0),
	CASE(a_folder_with_a_long_path_will_do, 0),
	CASE(what_a_crash_left_is_not_in_the_way, 0),
	CASE(a_vmm_that_hangs_can_be_stopped, 0),
	CASE(a_start_that_fails_says_why_in_the_log, 0),
	CASE(two_vms_share_a_disk_that_is_read_only, 0),
	CASE(a_binary_that_will_not_do_is_refused, 0),
	CASE(guests_have_nets_from_their_start, NEEDS_TAPS),
	CASE(disks_come_and_go_while_the_guest_runs, VMM_CAP_HOTPLUG),
	CASE(nets_come_and_go_while_the_guest_runs, VMM_CAP_HOTPLUG | NEEDS_TAPS),
	CASE(what_cannot_be_added_or_removed_is_refused, VMM_CAP_HOTPLUG),
	CASE(a_locked_up_vmm_gets_disks_and_nets_too, VMM_CAP_HOTPLUG | NEEDS_TAPS | NEEDS_ROOT),
	CASE(memory_grows_and_shrinks, VMM_CAP_MEMORY),
	CASE(processors_come_and_go, VMM_CAP_VCPUS | NEEDS_KVM),
	CASE(copies_of_a_saved_vm_go_on_and_do_not_disturb_each_other, VMM_CAP_SAVE),
	CASE(copies_of_a_saved_vm_have_nets_of_their_own, VMM_CAP_SAVE | NEEDS_TAPS),
	CASE(a_copy_of_a_saved_vm_gets_more_disks, VMM_CAP_SAVE | VMM_CAP_HOTPLUG),
	CASE(copies_of_the_agent_are_machines_of_their_own, VMM_CAP_SAVE | NEEDS_TAPS),
	CASE(the_agent_finds_a_disk_and_a_net_that_come_later, VMM_CAP_HOTPLUG | NEEDS_TAPS),
};

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(cases)];
	unsigned has;
	size_t n = 0;
	int failed;

	if (choose() < 0)
		return 1;
	has = conform.choice.about.caps | (conform.choice.kvm ? NEEDS_KVM : 0) |
	      (geteuid() == 0 ? NEEDS_ROOT : 0);
	has |= taps_begin() ? NEEDS_TAPS : 0;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if ((cases[i].needs & ~has) == 0)
			tests[n++] = cases[i].test;
		else
			printf("# left out, not possible with this VMM here: %s\n",
			       cases[i].test.name);
	fflush(stdout);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests("conform", tests, n, NULL, NULL);
	vmm_choice_release(&conform.choice);
	return failed;
}
