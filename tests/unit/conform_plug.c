/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of test_conform.c: nets, and what comes and goes while the guest runs. */
#include "tests/unit/conform.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/confine.h"

#define SIZE	  (1 << 20) /* of every disk */
#define MAC_FIRST "52:54:00:6b:76:01"
#define MAC_OTHER "52:54:00:6b:76:02"

/* ---- what the VMM holds ---- */

/* How many of its descriptors are this file, or taps. */
static int count_open(const struct fixture *f, const char *path)
{
	auto_free char *folder = xasprintf("/proc/%d/fd", f->vmm.proc.pid);
	DIR *dir = opendir(folder);
	struct stat wanted, st;
	struct dirent *d;
	int n = 0;

	assert_non_null(dir);
	assert_int_equal(stat(path, &wanted), 0);
	while ((d = readdir(dir)))
		/* They may be closed in between. */
		if (fstatat(dirfd(dir), d->d_name, &st, 0) == 0)
			n += S_ISCHR(wanted.st_mode)
				     ? S_ISCHR(st.st_mode) && st.st_rdev == wanted.st_rdev
				     : st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino;
	closedir(dir);
	return n;
}

/* ---- adding ---- */

static int request_disk(struct fixture *f, const char *serial, const char *path, bool readonly,
			struct err *e)
{
	const struct vmm_file file = { path, SIZE };
	const struct vmm_disk disk = { serial, readonly, false, &file, 1 };

	return vmm_add_disk(&f->vmm, &disk, e);
}

/* Until the guest has found it. */
static void add_disk(struct fixture *f, const char *serial, const char *path, bool readonly)
{
	auto_free char *listed = xasprintf("%s %d %d", serial, SIZE / 512, readonly);
	struct err e = ERR_INIT;

	wait_done(f, request_disk(f, serial, path, readonly, &e), &e);
	ask_until(f, "disks", listed, true);
}

static void remove_disk(struct fixture *f, const char *serial, const char *path)
{
	struct err e = ERR_INIT;

	assert_true(count_open(f, path) > 0);
	wait_done(f, vmm_remove(&f->vmm, serial, &e), &e);
	assert_int_equal(count_open(f, path), 0);
	ask_until(f, "disks", serial, false);
}

/* With room for that many devices, and perhaps with a disk. */
static void start_with_room(struct fixture *f, unsigned hotplug, const struct vmm_disk *disk)
{
	struct vmm_spec spec = spec_of(f);

	spec.hotplug = hotplug;
	spec.disks = disk;
	spec.ndisks = disk ? 1 : 0;
	start(f, &spec);
	expect_hello(f);
}

/* ---- cases ---- */

void guests_have_nets_from_their_start(void **state)
{
	struct fixture *f = *state;
	struct tap a, b;
	struct vmm_net nets[2];
	struct vmm_spec spec = spec_of(f);

	tap_open(&a, 'a');
	tap_open(&b, 'b');
	nets[0] = tap_net(&a, "net-a", MAC_FIRST);
	nets[1] = tap_net(&b, "net-b", MAC_OTHER);
	spec.nets = nets;
	spec.nnets = ARRAY_LEN(nets);
	start(f, &spec);
	expect_hello(f);
	ask_until(f, "nets", MAC_FIRST, true);
	ask_until(f, "nets", MAC_OTHER, true);
	tap_exchange(f, &a, MAC_FIRST, "one");
	tap_exchange(f, &b, MAC_OTHER, "two");
	tap_exchange(f, &a, MAC_FIRST, "three");
	tap_close(&a);
	tap_close(&b);
}

static void write_to_a_disk(struct fixture *f, const char *serial, const char *name)
{
	auto_free char *path = put_file(f, name, "earlier!", SIZE), *kept = NULL;
	auto_free char *read = xasprintf("read %s 0", serial);
	auto_free char *write = xasprintf("write %s 0 changed!", serial);

	add_disk(f, serial, path, false);
	assert_string_equal(ask(f, read), "earlier!");
	assert_string_equal(ask(f, write), "ok");
	remove_disk(f, serial, path);
	kept = text_of(f, name);
	assert_true(str_has_prefix(kept, "changed!"));
}

void disks_come_and_go_while_the_guest_runs(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = put_file(f, "other, [x]", "another!", SIZE);

	start_with_room(f, 2, NULL);
	write_to_a_disk(f, "kvb-later", "later");
	/* The serial is free again, and nothing is remembered of what was there. */
	add_disk(f, "kvb-later", path, true);
	assert_string_equal(ask(f, "read kvb-later 0"), "another!");
	assert_true(str_has_prefix(ask(f, "write kvb-later 0 changed!"), "error "));
	/* Another one beside it. */
	write_to_a_disk(f, "kvb-beside", "beside");
	assert_string_equal(ask(f, "read kvb-later 0"), "another!");
	remove_disk(f, "kvb-later", path);
	assert_string_equal(ask(f, "disks"), "");
}

static void exchange_over_a_net(struct fixture *f, const char *mac, char owner)
{
	struct tap t;
	struct vmm_net net;
	struct err e = ERR_INIT;

	tap_open(&t, owner);
	net = tap_net(&t, "net-later", mac);
	wait_done(f, vmm_add_net(&f->vmm, &net, &e), &e);
	ask_until(f, "nets", mac, true);
	tap_exchange(f, &t, mac, "text");
	assert_true(count_open(f, "/dev/net/tun") > 0);
	wait_done(f, vmm_remove(&f->vmm, "net-later", &e), &e);
	assert_int_equal(count_open(f, "/dev/net/tun"), 0);
	ask_until(f, "nets", mac, false);
	tap_close(&t);
}

void nets_come_and_go_while_the_guest_runs(void **state)
{
	struct fixture *f = *state;

	start_with_room(f, 1, NULL);
	exchange_over_a_net(f, MAC_FIRST, 'a');
	/* The same name and the same place, with another tap. */
	exchange_over_a_net(f, MAC_OTHER, 'b');
}

void what_cannot_be_added_or_removed_is_refused(void **state)
{
	struct fixture *f = *state;
	auto_free char *first = put_file(f, "first", "first", SIZE);
	auto_free char *a = put_file(f, "a", "disk a", SIZE), *b = put_file(f, "b", "disk b", SIZE);
	auto_free char *missing = xasprintf("%s/missing", f->dir);
	const struct vmm_file file = { first, SIZE };
	const struct vmm_disk disk = { "kvb-first", true, false, &file, 1 };
	struct err e = ERR_INIT;

	start_with_room(f, 1, &disk);
	assert_fails(request_disk(f, "kvb-a", missing, true, &e), "missing");
	wait_refused(f, vmm_remove(&f->vmm, "kvb-a", &e), &e);
	wait_refused(f, request_disk(f, "kvb-first", a, true, &e), &e);
	add_disk(f, "kvb-a", a, true);
	wait_refused(f, request_disk(f, "kvb-a", b, true, &e), &e);
	/* No room for another one. */
	wait_refused(f, request_disk(f, "kvb-b", b, true, &e), &e);
	assert_int_equal(count_open(f, b), 0);
	assert_string_equal(ask(f, "read kvb-first 0"), "first");
	assert_string_equal(ask(f, "read kvb-a 0"), "disk a");
	/* None of it is left: what was refused can be had when there is room. */
	remove_disk(f, "kvb-a", a);
	add_disk(f, "kvb-b", b, true);
	assert_string_equal(ask(f, "read kvb-b 0"), "disk b");
	wait_refused(f, vmm_remove(&f->vmm, "kvb-a", &e), &e);
}

void a_locked_up_vmm_gets_disks_and_nets_too(void **state)
{
	struct fixture *f = *state;
	const struct confine_host host = { .run_root = f->dirfd, .cgroup = -1 };
	struct vmm_spec spec = spec_of(f);

	spec.confine_host = &host;
	spec.hotplug = 2;
	start(f, &spec);
	expect_hello(f);
	assert_non_null(f->vmm.confine);
	write_to_a_disk(f, "kvb-later", "later");
	exchange_over_a_net(f, MAC_FIRST, 'a');
	write_to_a_disk(f, "kvb-later", "again");
}

static unsigned long count(struct fixture *f, const char *what)
{
	return strtoul(ask(f, what), NULL, 10);
}

/* Until the guest has at least, or (more = false) at most that many. */
static void count_until(struct fixture *f, const char *what, unsigned long n, bool more)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;
	unsigned long has = count(f, what);

	while (more ? has < n : has > n) {
		if (clock_monotonic() > deadline)
			give_up(f, "the guest does not become as large as it should");
		wait_for(f, -1, 20);
		has = count(f, what);
	}
}

void memory_grows_and_shrinks(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	unsigned long before;
	struct err e = ERR_INIT;

	spec.memory_max_mib = spec.memory_mib + 192;
	start(f, &spec);
	expect_hello(f);
	before = count(f, "memory");
	assert_fails(vmm_resize_memory(&f->vmm, spec.memory_max_mib + 1, &e), "cannot");
	wait_done(f, vmm_resize_memory(&f->vmm, spec.memory_mib + 128, &e), &e);
	count_until(f, "memory", before + 120, true);
	/* It can be used. */
	assert_string_equal(ask(f, "fill 190"), "ok");
	assert_string_equal(ask(f, "check"), "intact");
	assert_string_equal(ask(f, "free"), "ok");
	wait_done(f, vmm_resize_memory(&f->vmm, spec.memory_mib, &e), &e);
	/* Some of it may be in use for good. */
	count_until(f, "memory", before + 64, false);
}

static void switch_on_until(struct fixture *f, unsigned long n)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;

	while (count(f, "cpus") < n) {
		if (clock_monotonic() > deadline)
			give_up(f, "the guest does not get more processors");
		wait_for(f, -1, 20);
		assert_string_equal(ask(f, "online"), "ok");
	}
}

void processors_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	struct err e = ERR_INIT;

	spec.vcpus_max = 2;
	start(f, &spec);
	expect_hello(f);
	assert_int_equal(count(f, "cpus"), 1);
	assert_fails(vmm_resize_vcpus(&f->vmm, 3, &e), "cannot");
	wait_done(f, vmm_resize_vcpus(&f->vmm, 2, &e), &e);
	/* One that comes is off at first, and going away it is switched off by the kernel. */
	switch_on_until(f, 2);
	wait_done(f, vmm_resize_vcpus(&f->vmm, 1, &e), &e);
	count_until(f, "cpus", 1, false);
}
