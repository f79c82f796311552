/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's command line. That QEMU takes it is shown by test_qemu. */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/strv.h"
#include "vmm/qemu_priv.h"

static const struct vmm_file layers[] = { { "/l/a", 4096 }, { "/l/b", 512 } };
static const struct vmm_file upper = { "/c/up,per.img", 512 };

static struct vmm_spec spec_of(bool kvm)
{
	return (struct vmm_spec){
		.binary = "/usr/bin/qemu",
		.kernel = "/g/vmlinux",
		.initramfs = "/g/initramfs",
		.kvm = kvm,
		.memory_mib = 384,
		.vcpus = 1,
		.console_fd = 7,
		.log_fd = -1,
		.run_fd = -1,
		.run_path = "/run/k,v",
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
	};
}

/* The argument after `option`, the n-th of them. */
static const char *after(const struct strv *a, const char *option, int nth)
{
	for (size_t i = 0; i + 1 < a->n; i++)
		if (strcmp(a->v[i], option) == 0 && nth-- == 0)
			return a->v[i + 1];
	fail_msg("no %s", option);
	return NULL;
}

static bool has(const struct strv *a, const char *part)
{
	for (size_t i = 0; i < a->n; i++)
		if (strstr(a->v[i], part))
			return true;
	return false;
}

static bool has_word(const char *cmdline, const char *word)
{
	auto_strv struct strv words = STRV_INIT;

	strv_split(&words, cmdline, ' ');
	return strv_has(&words, word);
}

static void the_accelerator_decides_processor_and_words(void **state)
{
	const struct qemu_plan plan = { .tsc_khz = 2596000 };

	(void)state;
	for (int kvm = 0; kvm < 2; kvm++) {
		static const char *const words[] = {
			"mitigations=off",	 "no_timer_check", "noreplace-smp", "noapictimer",
			"tsc_early_khz=2596000", "tsc=reliable",   "pci=nocrs"
		};
		struct vmm_spec spec = spec_of(kvm);
		auto_strv struct strv a = STRV_INIT;
		const char *cmdline;
		struct err e = ERR_INIT;

		assert_ok(qemu_args(&spec, &plan, &a, &e));
		cmdline = after(&a, "-append", 0);
		assert_string_equal(a.v[0], "/usr/bin/qemu");
		assert_string_equal(after(&a, "-accel", 0), kvm ? "kvm" : "tcg,thread=multi");
		assert_string_equal(after(&a, "-cpu", 0), kvm ? "host" : "max");
		assert_string_equal(after(&a, "-m", 0), "384");
		assert_string_equal(after(&a, "-kernel", 0), "/g/vmlinux");
		assert_true(has_word(cmdline, "quiet"));
		assert_true(has_word(cmdline, "panic=-1"));
		assert_true(has_word(cmdline, "kvbox.channel=serial:kvbox.ctl"));
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			assert_int_equal(has_word(cmdline, words[i]), !kvm);
		assert_int_equal(has(&a, "q35,acpi=off,"), !kvm);
		assert_int_equal(has(&a, "name=etc/acpi/tables,file=./acpi.tables"), !kvm);
		assert_int_equal(has(&a, "name=etc/table-loader,file=./acpi.loader"), !kvm);
	}
}

static void words_depend_on_processors_and_counter(void **state)
{
	static const struct {
		unsigned vcpus, khz;
		bool timer, tsc;
	} cases[] = { { 1, 1000000, true, true },
		      { 2, 1000000, false, true },
		      { 1, 0, true, false },
		      { 2, 0, false, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct qemu_plan plan = { .tsc_khz = cases[i].khz };
		struct vmm_spec spec = spec_of(false);
		auto_strv struct strv args = STRV_INIT;
		auto_str struct str text = STR_INIT(4096);
		struct err e = ERR_INIT;

		spec.vcpus = cases[i].vcpus;
		assert_ok(qemu_args(&spec, &plan, &args, &e));
		assert_string_equal(after(&args, "-accel", 0),
				    cases[i].vcpus > 1 ? "tcg,thread=single" : "tcg,thread=multi");
		assert_ok(qemu_cmdline(&spec, &plan, &text, &e));
		assert_int_equal(has_word(text.buf, "noreplace-smp"), cases[i].timer);
		assert_int_equal(has_word(text.buf, "noapictimer"), cases[i].timer);
		assert_int_equal(has_word(text.buf, "tsc=reliable"), cases[i].tsc);
	}
}

static void words_of_the_caller_come_last_and_within_limits(void **state)
{
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(true);
	auto_str struct str text = STR_INIT(8192);
	auto_free char *longest = xcalloc(1, VMM_CMDLINE_MAX + 1);
	struct err e = ERR_INIT;

	(void)state;
	spec.cmdline = "kvbox.x=1 y";
	spec.verbose = true;
	assert_ok(qemu_cmdline(&spec, &plan, &text, &e));
	assert_true(str_has_suffix(text.buf, " kvbox.x=1 y"));
	assert_false(has_word(text.buf, "quiet"));
	str_clear(&text);
	memset(longest, 'x', VMM_CMDLINE_MAX);
	spec.cmdline = longest;
	assert_fails(qemu_cmdline(&spec, &plan, &text, &e), "longer than 2047");
}

static void disks_are_raw_or_joined(void **state)
{
	const struct vmm_disk disks[] = { { "kvb-layers", true, false, layers, 2 },
					  { "kvb-one", true, true, layers, 1 },
					  { "kvb-upper", false, false, &upper, 1 } };
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(true);
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.disks = disks;
	spec.ndisks = 3;
	assert_ok(qemu_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "-blockdev", 0),
			    "driver=vmdk,node-name=d0,read-only=on,file.driver=file,"
			    "file.filename=./kvb-layers.vmdk");
	assert_string_equal(after(&a, "-blockdev", 1),
			    "driver=vmdk,node-name=d1,read-only=on,file.driver=file,"
			    "file.filename=./kvb-one.vmdk");
	assert_string_equal(after(&a, "-blockdev", 2),
			    "driver=raw,node-name=d2,read-only=off,discard=unmap,file.driver=file,"
			    "file.filename=/c/up,,per.img");
	assert_true(has(&a, "drive=d0,serial=kvb-layers,"));
	assert_true(has(&a, "drive=d2,serial=kvb-upper,num-queues=1,werror=report,rerror=report"));
}

static void a_vmm_with_its_own_root_is_told_the_folder(void **state)
{
	static char locked_up[1]; /* only that there is one counts here */
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(false);
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.confine = (void *)locked_up;
	assert_ok(qemu_args(&spec, &plan, &a, &e));
	assert_true(has(&a, "name=etc/acpi/tables,file=/run/k,,v/acpi.tables"));
}

static void what_is_not_given_is_not_there(void **state)
{
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(true);
	auto_strv struct strv with = STRV_INIT, without = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.hold = true;
	assert_ok(qemu_args(&spec, &plan, &with, &e));
	assert_true(strv_has(&with, "-S"));
	assert_true(strv_has(&with, "-initrd"));
	assert_true(has(&with, "/dev/fdset/"));
	spec.hold = false;
	spec.initramfs = NULL;
	spec.console_fd = -1;
	assert_ok(qemu_args(&spec, &plan, &without, &e));
	assert_false(strv_has(&without, "-S"));
	assert_false(strv_has(&without, "-initrd"));
	assert_false(has(&without, "fdset"));
	assert_true(has(&without, "null,id=con"));
	spec.initramfs = "/a,b";
	assert_fails(qemu_args(&spec, &plan, &without, &e), "comma");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_accelerator_decides_processor_and_words),
		cmocka_unit_test(words_depend_on_processors_and_counter),
		cmocka_unit_test(words_of_the_caller_come_last_and_within_limits),
		cmocka_unit_test(disks_are_raw_or_joined),
		cmocka_unit_test(a_vmm_with_its_own_root_is_told_the_folder),
		cmocka_unit_test(what_is_not_given_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
