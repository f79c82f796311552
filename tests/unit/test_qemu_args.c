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
		assert_true(has_word(cmdline, "loglevel=3"));
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
	assert_false(has_word(text.buf, "loglevel=3"));
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

/* ---- nets, and what may come later --------------------------------------------------------------- */

/* The whole command line, a blank between the words. */
static char *line_of(const struct vmm_spec *spec)
{
	const struct qemu_plan plan = { 0 };
	auto_strv struct strv a = STRV_INIT;
	auto_str struct str line = STR_INIT(65536);
	struct err e = ERR_INIT;

	assert_ok(qemu_args(spec, &plan, &a, &e));
	for (size_t i = 0; i < a.n; i++)
		str_addf(&line, "%s%s", i ? " " : "", a.v[i]);
	return str_take(&line, &e);
}

/* A cold boot is not to pay for what it does not use: these are the lines of before there was any of it. */
static void without_them_nothing_changes(void **state)
{
	static const struct vmm_disk disk = { "kvb-upper", false, false, &upper, 1 };
	static const struct {
		bool kvm;
		const char *line;
	} cases[] = {
		{ true,
		  "/usr/bin/qemu -nodefaults -no-user-config -display none -no-reboot -sandbox "
		  "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny "
		  "-machine q35,smm=off,vmport=off,sata=off,smbus=off,usb=off,i8042=off,"
		  "dump-guest-core=off -bios qboot.rom -accel kvm -cpu host -smp 1 -m 384" },
		{ false,
		  "/usr/bin/qemu -nodefaults -no-user-config -display none -no-reboot -sandbox "
		  "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny "
		  "-machine q35,acpi=off,smm=off,vmport=off,sata=off,smbus=off,usb=off,i8042=off,"
		  "dump-guest-core=off -fw_cfg name=etc/acpi/tables,file=./acpi.tables "
		  "-fw_cfg name=etc/table-loader,file=./acpi.loader "
		  "-bios qboot.rom -accel tcg,thread=multi -cpu max -smp 1 -m 384" },
	};
	static const char devices[] =
		" -chardev socket,id=qmp,fd=3 -mon chardev=qmp,mode=control "
		"-chardev socket,id=ctl,fd=4 -device "
		"virtio-serial-pci,disable-legacy=on,max_ports=2 "
		"-device virtserialport,chardev=ctl,nr=1,name=kvbox.ctl "
		"-chardev file,id=con,path=/dev/fdset/1,append=on -add-fd fd=5,set=1 "
		"-device isa-serial,chardev=con -device virtio-rng-pci,disable-legacy=on "
		"-device virtio-balloon-pci,disable-legacy=on,free-page-reporting=on,"
		"deflate-on-oom=on -device pvpanic-pci "
		"-blockdev driver=raw,node-name=d0,read-only=off,discard=unmap,file.driver=file,"
		"file.filename=/c/up,,per.img "
		"-device virtio-blk-pci,disable-legacy=on,drive=d0,serial=kvb-upper,num-queues=1,"
		"werror=report,rerror=report -kernel /g/vmlinux -initrd /g/initramfs -append "
		"console=ttyS0 loglevel=3 panic=-1 cryptomgr.notests rcupdate.rcu_expedited=1 "
		"kvbox.channel=serial:kvbox.ctl";
	static const char software[] = " mitigations=off no_timer_check pci=nocrs noreplace-smp "
				       "noapictimer";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vmm_spec spec = spec_of(cases[i].kvm);
		auto_free char *wanted = xasprintf("%s%s%s", cases[i].line, devices,
						   cases[i].kvm ? " pci=lastbus=0" : software);
		auto_free char *line = NULL;

		spec.disks = &disk;
		spec.ndisks = 1;
		line = line_of(&spec);
		assert_string_equal(line, wanted);
	}
}

static void nets_are_inherited_taps(void **state)
{
	const struct vmm_net nets[] = {
		{ "kvb-net0", 20, { 0x52, 0x54, 0, 0x6b, 0x76, 1 } },
		{ "kvb-net1", 21, { 0x52, 0x54, 0, 0x6b, 0x76, 0xff } },
	};
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(true);
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.nets = nets;
	spec.nnets = 2;
	assert_ok(qemu_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "-netdev", 0), "tap,id=t0,fd=8");
	assert_string_equal(after(&a, "-netdev", 1), "tap,id=t1,fd=9");
	assert_true(strv_has(&a, "virtio-net-pci,disable-legacy=on,netdev=t0,"
				 "mac=52:54:00:6b:76:01,romfile="));
	assert_true(strv_has(&a, "virtio-net-pci,disable-legacy=on,netdev=t1,"
				 "mac=52:54:00:6b:76:ff,romfile="));
}

static void room_for_devices_is_a_bridge_with_something_behind_it(void **state)
{
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(false);
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.hotplug = 3;
	assert_ok(qemu_args(&spec, &plan, &a, &e));
	assert_true(strv_has(&a, "pci-bridge,id=hotplug,addr=1e,chassis_nr=1,shpc=off,msi=off"));
	assert_true(strv_has(&a, "virtio-rng-pci,disable-legacy=on,bus=hotplug,addr=0"));
	assert_false(strv_has(&a, "virtio-rng-pci,disable-legacy=on"));
}

static void memory_that_comes_later_is_out_of_the_way_of_registers(void **state)
{
	static const struct {
		bool kvm;
		unsigned first, max;
		const char *size, *backend, *address; /* NULL: QEMU's choice */
	} cases[] = {
		{ true, 256, 1024, "size=256M,maxmem=1024M", "size=768M", NULL },
		{ false, 256, 1024, "size=256M,maxmem=3072M", "size=768M", "memaddr=6442450944" },
		/* an odd rest is rounded up */
		{ true, 256, 257, "size=256M,maxmem=258M", "size=2M", NULL },
		/* RAM above 4 GiB: it ends at 6 at most */
		{ false, 4096, 8192, "size=4096M,maxmem=13312M", "size=4096M",
		  "memaddr=9663676416" },
	};
	const struct qemu_plan plan = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vmm_spec spec = spec_of(cases[i].kvm);
		auto_strv struct strv a = STRV_INIT;
		struct err e = ERR_INIT;

		spec.memory_mib = cases[i].first;
		spec.memory_max_mib = cases[i].max;
		assert_ok(qemu_args(&spec, &plan, &a, &e));
		assert_string_equal(after(&a, "-m", 0), cases[i].size);
		assert_true(has(&a, cases[i].backend));
		assert_true(has(&a, "virtio-mem-pci,id=memory,"));
		assert_int_equal(has(&a, "memaddr="), cases[i].address != NULL);
		if (cases[i].address)
			assert_true(has(&a, cases[i].address));
		assert_true(has_word(after(&a, "-append", 0), "memhp_default_state=online"));
	}
}

static void a_maximum_that_is_no_more_is_none(void **state)
{
	struct vmm_spec spec = spec_of(true), plain = spec_of(true);
	auto_free char *line = NULL, *wanted = line_of(&plain);

	(void)state;
	spec.memory_max_mib = spec.memory_mib;
	spec.vcpus_max = spec.vcpus;
	line = line_of(&spec);
	assert_string_equal(line, wanted);
}

static void processors_have_places_for_more(void **state)
{
	const struct qemu_plan plan = { 0 };
	struct vmm_spec spec = spec_of(true);
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.vcpus = 2;
	spec.vcpus_max = 5;
	assert_ok(qemu_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "-smp", 0), "2,maxcpus=5,sockets=1,cores=5,threads=1");
}

static void what_does_not_fit_on_the_bus_is_refused(void **state)
{
	const struct qemu_plan plan = { 0 };
	struct vmm_disk disks[VMM_DISKS_MAX];
	struct vmm_net nets[3];
	struct vmm_spec spec = spec_of(true);
	auto_strv struct strv most = STRV_INIT, over = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(disks); i++)
		disks[i] = (struct vmm_disk){ "d", false, false, &upper, 1 };
	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		nets[i] = (struct vmm_net){ "n", 20, { 2, 0, 0, 0, 0, 1 } };
	spec.disks = disks;
	spec.ndisks = VMM_DISKS_MAX;
	spec.nets = nets;
	spec.nnets = 2;
	assert_ok(qemu_args(&spec, &plan, &most, &e));
	spec.nnets = 3;
	assert_fails(qemu_args(&spec, &plan, &over, &e), "room for 26 devices, not for 27");
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
		cmocka_unit_test(without_them_nothing_changes),
		cmocka_unit_test(nets_are_inherited_taps),
		cmocka_unit_test(room_for_devices_is_a_bridge_with_something_behind_it),
		cmocka_unit_test(memory_that_comes_later_is_out_of_the_way_of_registers),
		cmocka_unit_test(a_maximum_that_is_no_more_is_none),
		cmocka_unit_test(processors_have_places_for_more),
		cmocka_unit_test(what_does_not_fit_on_the_bus_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
