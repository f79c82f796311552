/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud Hypervisor's command line and events, and what is made of a binary. That the real one takes it is shown
 * in the lab. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/binary.h"
#include "vmm/cloud_hypervisor.h"
#include "vmm/cloud_hypervisor_priv.h"

static const struct vmm_file layers[] = { { "/l/a", 4096 }, { "/l/b", 512 } };
static const struct vmm_file upper = { "/c/up,per.img", 512 };

static struct vmm_spec spec_of(void)
{
	return (struct vmm_spec){
		.binary = "/usr/bin/cloud-hypervisor",
		.kernel = "/g/vmlinux",
		.initramfs = "/g/initramfs",
		.kvm = true,
		.memory_mib = 384,
		.vcpus = 2,
		.console_fd = 7,
		.log_fd = -1,
		.run_fd = -1,
		.run_path = "/run/k",
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
	};
}

static const char *after(const struct strv *a, const char *option, int nth)
{
	for (size_t i = 0; i + 1 < a->n; i++)
		if (strcmp(a->v[i], option) == 0)
			return a->v[i + (size_t)nth];
	fail_msg("no %s", option);
	return NULL;
}

static void the_whole_vm_is_on_the_command_line(void **state)
{
	static const char *const wanted[][2] = {
		{ "--api-socket", "fd=3" },
		{ "--event-monitor", "fd=4" },
		{ "--seccomp", "true" },
		{ "--cpus", "boot=2" },
		{ "--memory", "size=384M" },
		{ "--console", "off" },
		{ "--serial", "tty" },
		{ "--balloon", "size=0,deflate_on_oom=on,free_page_reporting=on" },
		{ "--vsock", "cid=3,socket=/run/k/v" },
		{ "--kernel", "/g/vmlinux" },
		{ "--initramfs", "/g/initramfs" },
	};
	const struct ch_plan plan = { .landlock = true };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv a = STRV_INIT, quiet = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(ch_args(&spec, &plan, &a, &e));
	assert_string_equal(a.v[0], spec.binary);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_string_equal(after(&a, wanted[i][0], 1), wanted[i][1]);
	assert_true(strv_has(&a, "--pvpanic"));
	assert_true(strv_has(&a, "--landlock"));
	assert_false(strv_has(&a, "--landlock-rules"));
	assert_false(strv_has(&a, "--disk"));

	spec.console_fd = -1;
	spec.initramfs = NULL;
	assert_ok(ch_args(&spec, &(struct ch_plan){ .landlock = false }, &quiet, &e));
	assert_string_equal(after(&quiet, "--serial", 1), "null");
	assert_false(strv_has(&quiet, "--initramfs"));
	assert_false(strv_has(&quiet, "--landlock"));
}

static void disks_have_a_type_a_serial_and_the_same_id(void **state)
{
	const struct vmm_disk disks[] = { { "kvb-layers", true, true, layers, 2 },
					  { "kvb-upper", false, false, &upper, 1 } };
	const struct ch_plan plan = { .landlock = true };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv a = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.disks = disks;
	spec.ndisks = 2;
	assert_ok(ch_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "--disk", 1),
			    "path=/run/k/kvb-layers.vmdk,image_type=vmdk,readonly=on,"
			    "serial=kvb-layers,id=kvb-layers");
	assert_string_equal(after(&a, "--disk", 2),
			    "path=\"/c/up,per.img\",image_type=raw,readonly=off,"
			    "serial=kvb-upper,id=kvb-upper");
	assert_string_equal(after(&a, "--landlock-rules", 1), "path=/,access=r");
}

static void a_folder_that_is_too_long_for_sockets_is_started_in(void **state)
{
	const struct ch_plan plan = { .landlock = false };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv fits = STRV_INIT, a = STRV_INIT;
	struct err e = ERR_INIT;
	char path[128];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[100] = '\0'; /* and "/v_1024" are 107 bytes */
	spec.run_path = path;
	assert_ok(ch_args(&spec, &plan, &fits, &e));
	assert_non_null(strstr(after(&fits, "--vsock", 1), "=/xxx"));
	path[100] = 'x';
	path[101] = '\0';
	assert_ok(ch_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "--vsock", 1), "cid=3,socket=./v");
}

static const struct vmm_net nets[] = {
	{ "net-a", 20, { 0x52, 0x54, 0, 0x0a, 0xb0, 1 } },
	{ "net-b", 21, { 0x52, 0x54, 0, 0x0a, 0xb0, 2 } },
};

static void taps_are_descriptors_that_the_vmm_has(void **state)
{
	const struct ch_plan plan = { .landlock = false };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv a = STRV_INIT, copy = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.nets = nets;
	spec.nnets = 2;
	assert_ok(ch_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "--net", 1), "fd=[7],id=net-a,mac=52:54:00:0a:b0:01");
	assert_string_equal(after(&a, "--net", 2), "fd=[8],id=net-b,mac=52:54:00:0a:b0:02");
	spec.saving = VMM_FROM_SAVED;
	assert_ok(ch_args(&spec, &plan, &copy, &e));
	assert_string_equal(after(&copy, "--restore", 1),
			    "source_url=file:///run/k/s,resume=true,net_fds=[net-a@[7],net-b@[8]]");
	assert_false(strv_has(&copy, "--net"));
}

static void room_for_more_is_asked_for_at_the_start(void **state)
{
	const struct ch_plan plan = { .landlock = true, .hot = "/vm/v" };
	const struct vmm_disk disk = { "kvb-layers", true, true, layers, 2 };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv a = STRV_INIT, joined = STRV_INIT, saved = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.memory_max_mib = 384 + 130;
	spec.vcpus_max = 4;
	spec.hotplug = 2;
	assert_ok(ch_args(&spec, &plan, &a, &e));
	assert_string_equal(after(&a, "--memory", 1),
			    "size=384M,hotplug_method=virtio-mem,hotplug_size=256M");
	assert_string_equal(after(&a, "--cpus", 1), "boot=2,max=4");
	assert_string_equal(after(&a, "--landlock-rules", 1), "path=/vm/v,access=rw");
	assert_non_null(strstr(after(&a, "--cmdline", 1), " memhp_default_state=online_movable "));
	/* The largest size is the first one. */
	spec.memory_max_mib = 384;
	spec.vcpus_max = 2;
	spec.disks = &disk;
	spec.ndisks = 1;
	assert_ok(ch_args(&spec, &plan, &joined, &e));
	assert_string_equal(after(&joined, "--memory", 1), "size=384M");
	assert_string_equal(after(&joined, "--cpus", 1), "boot=2");
	assert_string_equal(after(&joined, "--landlock-rules", 1), "path=/,access=r");
	assert_string_equal(after(&joined, "--landlock-rules", 2), "path=/vm/v,access=rw");
	assert_null(strstr(after(&joined, "--cmdline", 1), "memhp"));
	/* Which pages belong to whom is settled for good in a VM that is saved. */
	spec.saving = VMM_TO_BE_SAVED;
	assert_fails(ch_args(&spec, &plan, &saved, &e), "more memory");
	spec.saving = VMM_FROM_SAVED;
	assert_fails(ch_args(&spec, &plan, &saved, &e), "more memory");
}

static void paths_that_it_would_read_otherwise_are_refused(void **state)
{
	static const struct {
		const char *path, *why;
		bool joined;
	} cases[] = {
		{ "/a\"b", "quote", false },
		{ "/a b", "blank", true },
		{ "/a\tb", "blank", true },
	};
	const struct ch_plan plan = { .landlock = false };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_file file = { cases[i].path, 512 };
		const struct vmm_disk disk = { "kvb-a", true, cases[i].joined, &file, 1 };
		struct vmm_spec spec = spec_of();
		auto_strv struct strv a = STRV_INIT;

		spec.disks = &disk;
		spec.ndisks = 1;
		assert_fails(ch_args(&spec, &plan, &a, &e), cases[i].why);
	}
}

static void the_guest_is_told_its_channel_and_not_too_much(void **state)
{
	auto_free char *words = xcalloc(1, VMM_CMDLINE_MAX + 1);
	auto_str struct str text = STR_INIT(2 * VMM_CMDLINE_MAX);
	struct vmm_spec spec = spec_of();
	struct err e = ERR_INIT;

	(void)state;
	spec.cmdline = "extra=1";
	assert_ok(ch_cmdline(&spec, &text, &e));
	assert_non_null(strstr(text.buf, "console=ttyS0 loglevel=3 "));
	assert_non_null(strstr(text.buf, " kvbox.channel=vsock:1024 extra=1"));
	memset(words, 'x', VMM_CMDLINE_MAX);
	spec.cmdline = words;
	str_clear(&text);
	assert_fails(ch_cmdline(&spec, &text, &e), "longer than 2047");
}

/* As the binaries of 53.0 send them, times left out. */
static const struct {
	const char *json;
	enum vmm_event_kind kind; /* VMM_EVENT_COUNT: nothing */
} events[] = {
	{ "{\"source\": \"vmm\", \"event\": \"starting\", \"properties\": null}", VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"event\": \"booting\", \"properties\": null}", VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"event\": \"booted\", \"properties\": null}", VMM_EVENT_READY },
	{ "{\"source\": \"vm\", \"event\": \"restored\"}", VMM_EVENT_READY },
	{ "{\"source\": \"virtio-device\", \"event\": \"activated\", \"properties\": {\"id\": "
	  "\"a\"}}",
	  VMM_EVENT_COUNT },
	{ "{\"source\": \"guest\", \"event\": \"panic\", \"properties\": {\"event\": \"panic\"}}",
	  VMM_EVENT_PANIC },
	{ "{\"source\": \"vm\", \"event\": \"device-removed\", \"properties\": {\"id\": \"a\"}}",
	  VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"event\": \"device-removed\"}", VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"event\": \"panic\"}", VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"event\": \"rebooting\"}", VMM_EVENT_RESET },
	{ "{\"source\": \"vm\", \"event\": \"shutdown\"}", VMM_EVENT_SHUTDOWN },
	{ "{\"source\": \"vmm\", \"event\": \"shutdown\"}", VMM_EVENT_SHUTDOWN },
	{ "{\"source\": 7, \"event\": \"shutdown\"}", VMM_EVENT_COUNT },
	{ "[]", VMM_EVENT_COUNT },
	{ "{\"source\": \"vm\", \"ev", VMM_EVENT_COUNT },
	{ "", VMM_EVENT_COUNT },
};

static void each_event_means_one_thing_and_is_told_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		struct ch_watch w = { .ready = false };
		struct vmm_event ev = { .kind = VMM_EVENT_COUNT };
		bool got = ch_watch_event(&w, events[i].json, strlen(events[i].json), &ev);

		if (got != (events[i].kind != VMM_EVENT_COUNT) || ev.kind != events[i].kind)
			fail_msg("case %zu: %d, %d", i, got, (int)ev.kind);
		assert_false(ch_watch_event(&w, events[i].json, strlen(events[i].json), &ev));
	}
}

/* ---- saved VMs ----------------------------------------------------------------------------------- */

static void a_copy_has_its_own_sockets_disks_and_private_memory(void **state)
{
	static const char saved[] =
		"{\"memory\":{\"size\":0,\"shared\":true,\"zones\":[{\"id\":\"ram\",\"size\":"
		"268435456,"
		"\"file\":\"/old/ram\",\"shared\":true}]},\"disks\":[{\"path\":\"/old/"
		"slot\",\"image_type\":"
		"\"Raw\",\"id\":\"kvb-layers\",\"readonly\":true},{\"path\":\"/old/"
		"up\",\"id\":\"kvb-upper\"},"
		"{\"path\":\"/old/other\",\"id\":\"other\"}],\"vsock\":{\"cid\":3,\"socket\":\"/"
		"old/v\"},"
		"\"pvpanic\":true,\"cpus\":{\"shared\":true,\"file\":\"kept\"},\"x\":null}";
	static const char wanted[] =
		"{\"memory\":{\"size\":0,\"shared\":false,\"zones\":[{\"id\":\"ram\",\"size\":"
		"268435456,"
		"\"file\":\"/proc/self/fd/6\",\"shared\":false}]},\"disks\":[{\"path\":"
		"\"/run/k/"
		"kvb-layers.vmdk\",\"image_type\":\"FlatVmdk\",\"id\":\"kvb-layers\",\"readonly\":"
		"true},"
		"{\"path\":\"/c/up,per.img\",\"id\":\"kvb-upper\"},{\"path\":\"/old/"
		"other\",\"id\":\"other\"}],"
		"\"vsock\":{\"cid\":3,\"socket\":\"/run/k/v\"},\"pvpanic\":true,"
		"\"cpus\":{\"shared\":true,\"file\":\"kept\"},\"x\":null}";
	const struct vmm_disk disks[] = { { "kvb-layers", true, true, layers, 2 },
					  { "kvb-upper", false, false, &upper, 1 } };
	auto_str struct str text = STR_INIT(1 << 20);
	struct vmm_spec spec = spec_of();
	struct err e = ERR_INIT;

	(void)state;
	spec.disks = disks;
	spec.ndisks = 2;
	assert_ok(ch_saved_config(&spec, saved, strlen(saved), &text, &e));
	assert_string_equal(text.buf, wanted);
	assert_fails(ch_saved_config(&spec, "{}", 2, &text, &e), "lacks parts");
	assert_fails(ch_saved_config(&spec, "{", 1, &text, &e), "configuration of a saved VM");
}

static void a_vm_that_is_saved_has_its_memory_in_a_file_and_a_copy_nothing_else(void **state)
{
	const struct ch_plan plan = { .landlock = false };
	struct vmm_spec spec = spec_of();
	auto_strv struct strv first = STRV_INIT, copy = STRV_INIT;
	struct err e = ERR_INIT;

	(void)state;
	spec.saving = VMM_TO_BE_SAVED;
	assert_ok(ch_args(&spec, &plan, &first, &e));
	assert_string_equal(after(&first, "--memory", 1), "size=0,shared=on");
	assert_string_equal(after(&first, "--memory-zone", 1),
			    "id=ram,size=384M,shared=on,file=/run/k/ram");
	spec.saving = VMM_FROM_SAVED;
	assert_ok(ch_args(&spec, &plan, &copy, &e));
	assert_string_equal(after(&copy, "--restore", 1), "source_url=file:///run/k/s,resume=true");
	assert_string_equal(after(&copy, "--api-socket", 1), "fd=3");
	assert_false(strv_has(&copy, "--kernel"));
	spec.run_path = "/run/k,l";
	assert_fails(ch_args(&spec, &plan, &copy, &e), "cannot be the folder");
}

/* ---- binaries ------------------------------------------------------------------------------------ */

static char dir[64];
static int dirfd_;

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	strcpy(dir, "/tmp/kvbox-test-ch.XXXXXX");
	return mkdtemp(dir) ? fd_open_dir(AT_FDCWD, dir, &dirfd_, &e) : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(dirfd_);
	return dir_remove_tree(AT_FDCWD, dir, &e);
}

static char *put_program(const char *text, size_t n)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dirfd_, "p", text, n, 0700, &e));
	return xasprintf("%s/p", dir);
}

static void what_was_saved_and_is_damaged_is_refused(void **state)
{
	static const char *const cases[] = { "",	   "x",	       "1 2",	       "1 2\n",
					     "2 0\n{}x",   "-1 3\n{}", "99999999 1\n", "2\n{}",
					     "2 1\n{}s x", "2 2\n{\0s" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_close int fd = -1;
		struct vmm_spec spec = spec_of();
		struct err e = ERR_INIT;

		assert_ok(
			file_write_replace(dirfd_, "state", cases[i], strlen(cases[i]), 0600, &e));
		assert_ok(fd_open(dirfd_, "state", O_RDONLY, 0, &fd, &e));
		spec.run_fd = dirfd_;
		spec.state_fd = fd;
		assert_fails(ch_saved_restore(&spec, &e), "saved VM");
		assert_false(file_exists(dirfd_, "s"));
	}
}

static void a_binary_tells_its_version_and_what_it_can(void **state)
{
	static const struct {
		const char *text, *version; /* or the error */
		bool good, joins;
	} cases[] = {
		{ "#!/bin/sh\necho cloud-hypervisor v53.0-dirty\n", "53.0-dirty", true, false },
		{ "#!/bin/sh\necho 'cloud-hypervisor v54.0'; exit\nFlatVmdk", "54.0", true, true },
		{ "#!/bin/sh\necho cloud-hypervisor 51.1\n", "51.1", true, false },
		{ "#!/bin/sh\necho cloud-hypervisor v50.2\n", "50.2 is too old", false, false },
		{ "#!/bin/sh\necho something else 77\n", "does not tell its version", false,
		  false },
		{ "#!/bin/sh\nexit 3\n", "ended with code 3", false, false },
		{ "\177ELF\2\1\1", "p'", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = put_program(cases[i].text, strlen(cases[i].text));
		struct vmm_binary about = { "", 0 };
		struct err e = ERR_INIT;
		int r = vmm_binary_examine(&vmm_cloud_hypervisor, path, dirfd_, &about, &e);

		if ((r == 0) != cases[i].good)
			fail_msg("case %zu: %s", i, e.msg);
		if (r < 0) {
			if (!strstr(e.msg, cases[i].version))
				fail_msg("case %zu: %s", i, e.msg);
			assert_int_equal(e.kind, ERR_UNAVAILABLE);
			continue;
		}
		assert_string_equal(about.version, cases[i].version);
		assert_int_equal((about.caps & VMM_CAP_JOINED) != 0, cases[i].joins);
		assert_true(about.caps & VMM_CAP_PAUSE);
		assert_int_equal((about.caps & VMM_CAP_TAPS) != 0,
				 strncmp(about.version, "51.", 3) != 0);
	}
}

static void a_binary_is_run_once_and_again_when_it_has_changed(void **state)
{
	static const char first[] = "#!/bin/sh\necho x >> \"${0%/*}/runs\"\n"
				    "echo cloud-hypervisor v53.0\n";
	auto_free char *path = put_program(first, strlen(first));
	auto_str struct str runs = STR_INIT(64);
	struct vmm_binary about = { "", 0 }, again = { "", 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(vmm_binary_examine(&vmm_cloud_hypervisor, path, dirfd_, &about, &e));
	assert_ok(vmm_binary_examine(&vmm_cloud_hypervisor, path, dirfd_, &again, &e));
	assert_string_equal(again.version, "53.0");
	assert_int_equal(again.caps, about.caps);
	assert_ok(file_read(dirfd_, "runs", &runs, &e));
	assert_string_equal(runs.buf, "x\n");
	free(put_program("#!/bin/sh\necho cloud-hypervisor v54.0\n", 39));
	assert_ok(vmm_binary_examine(&vmm_cloud_hypervisor, path, dirfd_, &again, &e));
	assert_string_equal(again.version, "54.0");
	/* What is damaged is as good as nothing. */
	assert_ok(file_write_replace(dirfd_, "vmm.cloud-hypervisor", "1 2 3", 5, 0600, &e));
	assert_ok(vmm_binary_examine(&vmm_cloud_hypervisor, path, dirfd_, &again, &e));
	assert_string_equal(again.version, "54.0");
}

static void the_name_of_the_type_is_found_wherever_it_lies(void **state)
{
	static const size_t where[] = { 0, 1000, 262136, 262140, 262143, 262144, 262150, 600000 };
	auto_free char *bytes = xcalloc(1, 700000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		auto_free char *path = NULL;
		struct err e = ERR_INIT;
		bool joins = false;

		memset(bytes, 'F', 700000);
		memcpy(bytes + where[i], "FlatVmdk", 8);
		path = put_program(bytes, 700000);
		assert_ok(ch_binary_joins(path, &joins, &e));
		if (!joins)
			fail_msg("not found at %zu", where[i]);
	}
}

/* ---- a process ----------------------------------------------------------------------------------- */

/* A program in the VMM's place: the driver's side of its life, without KVM. */
static void start(const char *script, struct vmm *ret)
{
	auto_free char *path = put_program(script, strlen(script));
	struct vmm_spec spec = spec_of();
	struct err e = ERR_INIT;

	spec.binary = path;
	spec.console_fd = -1;
	spec.run_fd = dirfd_;
	spec.run_path = dir;
	assert_ok(vmm_start(&vmm_cloud_hypervisor, &spec, ret, &e));
}

/* 1: an event, -1: the end. */
static int next_event(struct vmm *vmm, struct vmm_event *ev)
{
	struct err e = ERR_INIT;
	int got;

	while ((got = vmm_event(vmm, ev, &e)) == 0) {
		struct pollfd p = { vmm->control, POLLIN, 0 };

		if (poll(&p, 1, 100000) <= 0)
			fail_msg("nothing happened for 100 seconds");
	}
	return got;
}

static void events_come_through_the_pipe_and_a_reset_is_the_end(void **state)
{
	struct vmm vmm = VMM_INIT;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int status;

	(void)state;
	/* Cut, too long and empty ones are passed over. */
	start("#!/bin/sh\n"
	      "printf '{\"source\":\\n\\n\\n\\n' >&4\n"
	      "printf '{\"source\":\"vm\",\\n\"event\":\"booted\"}\\n\\n' >&4\n"
	      "printf '{\"source\":\"vm\",\"event\":\"rebooting\"}\\n\\n' >&4\n"
	      "sleep 60\n",
	      &vmm);
	assert_int_equal(next_event(&vmm, &ev), 1);
	assert_int_equal(ev.kind, VMM_EVENT_READY);
	assert_int_equal(next_event(&vmm, &ev), 1);
	assert_int_equal(ev.kind, VMM_EVENT_RESET);
	assert_ok(spawn_wait(&vmm.proc, &status, &e));
	assert_int_equal(status, 128 + 9);
	vmm_release(&vmm);
}

static void a_vmm_that_ends_leaves_its_requests_undone(void **state)
{
	struct vmm vmm = VMM_INIT;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int first, second;

	(void)state;
	start("#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.01; done\n", &vmm);
	first = vmm_pause(&vmm, &e);
	second = vmm_resume(&vmm, &e);
	assert_true(first > 0 && second > first);
	assert_ok(file_write_replace(dirfd_, "go", "", 0, 0600, &e));
	assert_int_equal(next_event(&vmm, &ev), 1);
	assert_int_equal(ev.kind, VMM_EVENT_DONE);
	assert_int_equal(ev.request, first);
	assert_true(ev.failed);
	assert_int_equal(next_event(&vmm, &ev), 1);
	assert_int_equal(ev.request, second);
	assert_int_equal(next_event(&vmm, &ev), -1);
	vmm_release(&vmm);
}

static void sockets_of_a_crash_are_not_in_the_way(void **state)
{
	struct err e = ERR_INIT;
	static const char *const names[] = { "a", "v", "v_1024" };
	struct vmm vmm = VMM_INIT;
	int stale;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_ok(sock_listen(dirfd_, names[i], &stale, &e));
		fd_close(stale);
	}
	start("#!/bin/sh\n[ ! -e a ] && [ ! -e v ] && [ -S v_1024 ] && [ \"$PWD\" != / ] || exit "
	      "1\n"
	      "printf '{\"source\":\"vm\",\"event\":\"booted\"}\\n\\n' >&4\n",
	      &vmm);
	assert_int_equal(next_event(&vmm, &(struct vmm_event){ .failed = false }), 1);
	assert_int_equal(vmm.channel_kind, VMM_CHANNEL_VSOCK);
	vmm_release(&vmm);
}

int main(void)
{
#define IN_A_FOLDER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_vm_is_on_the_command_line),
		cmocka_unit_test(disks_have_a_type_a_serial_and_the_same_id),
		cmocka_unit_test(a_folder_that_is_too_long_for_sockets_is_started_in),
		cmocka_unit_test(taps_are_descriptors_that_the_vmm_has),
		cmocka_unit_test(room_for_more_is_asked_for_at_the_start),
		cmocka_unit_test(paths_that_it_would_read_otherwise_are_refused),
		cmocka_unit_test(the_guest_is_told_its_channel_and_not_too_much),
		cmocka_unit_test(each_event_means_one_thing_and_is_told_once),
		cmocka_unit_test(a_copy_has_its_own_sockets_disks_and_private_memory),
		cmocka_unit_test(
			a_vm_that_is_saved_has_its_memory_in_a_file_and_a_copy_nothing_else),
		IN_A_FOLDER(what_was_saved_and_is_damaged_is_refused),
		IN_A_FOLDER(a_binary_tells_its_version_and_what_it_can),
		IN_A_FOLDER(a_binary_is_run_once_and_again_when_it_has_changed),
		IN_A_FOLDER(the_name_of_the_type_is_found_wherever_it_lies),
		IN_A_FOLDER(events_come_through_the_pipe_and_a_reset_is_the_end),
		IN_A_FOLDER(a_vmm_that_ends_leaves_its_requests_undone),
		IN_A_FOLDER(sockets_of_a_crash_are_not_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
