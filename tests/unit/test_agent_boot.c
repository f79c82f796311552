/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/boot.h"
#include "agent/channel.h"
#include "agent/disk.h"
#include "agent/root.h"
#include "base/fd.h"

static void the_command_line_names_the_channel(void **state)
{
	static const struct {
		const char *text;
		enum boot_channel channel;
		const char *port_name;
		unsigned int port;
		bool off_by_reboot, silent_kernel;
	} cases[] = {
		{ "kvbox.channel=serial:kvbox.ctl", CHANNEL_SERIAL, "kvbox.ctl", 0, false, false },
		{ "quiet panic=-1 kvbox.channel=vsock:52 console=ttyS0\n", CHANNEL_VSOCK, "", 52,
		  false, false },
		{ "kvbox.off=reboot kvbox.channel=vsock:1 kvbox.other=1", CHANNEL_VSOCK, "", 1,
		  true, false },
		{ "loglevel=3 kvbox.channel=serial:x loglevel=7", CHANNEL_SERIAL, "x", 0, false,
		  false },
		{ "kvbox.off=power kvbox.channel=serial:x loglevel=3", CHANNEL_SERIAL, "x", 0,
		  false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct boot_options o;

		assert_int_equal(boot_options_parse(cases[i].text, &o, &e), 0);
		assert_int_equal(o.channel, cases[i].channel);
		assert_string_equal(o.port_name, cases[i].port_name);
		assert_int_equal(o.port, cases[i].port);
		assert_int_equal(o.off_by_reboot, cases[i].off_by_reboot);
		assert_int_equal(o.silent_kernel, cases[i].silent_kernel);
	}
}

static void a_bad_channel_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"quiet",
		"kvbox.channel",
		"kvbox.channel=",
		"kvbox.channel=tcp:1",
		"kvbox.channel=serial:",
		"kvbox.channel=serial:a.name.that.is.much.longer.than.31.bytes",
		"kvbox.channel=vsock:",
		"kvbox.channel=vsock:x",
		"kvbox.channel=vsock:4294967295",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct boot_options o = { .port = 7 };

		if (boot_options_parse(cases[i], &o, &e) == 0)
			fail_msg("'%s' was accepted", cases[i]);
		assert_int_equal(o.port, 7);
	}
}

/* ---- a tree that looks like sysfs or like an image ------------------------------------------- */

static char base[] = "/tmp/kvbox-test-boot-XXXXXX";
static int basefd = -1;

static void put(const char *path, const char *text)
{
	char *slash = strrchr(path, '/'),
	     *dir = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	struct err e = ERR_INIT;

	if (dir)
		assert_int_equal(dir_make(basefd, dir, 0755, &e), 0);
	free(dir);
	assert_int_equal(file_write_replace(basefd, path, text, strlen(text), 0644, &e), 0);
}

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return mkdtemp(base) && fd_open_dir(AT_FDCWD, base, &basefd, &e) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(basefd);
	return dir_remove_tree(AT_FDCWD, base, &e);
}

static void a_port_is_found_by_its_name(void **state)
{
	auto_close int dir = -1;
	struct err e = ERR_INIT;
	char name[32] = "";

	(void)state;
	put("ports/vport0p1/name", "other\n");
	put("ports/vport0p2/dev", "248:2\n");
	assert_int_equal(fd_open_dir(basefd, "ports", &dir, &e), 0);
	assert_int_equal(channel_find_port(dir, "kvbox.ctl", name, &e), 0);
	put("ports/vport0p2/name", "kvbox.ctl\n");
	assert_int_equal(channel_find_port(dir, "kvbox.ctl", name, &e), 1);
	assert_string_equal(name, "vport0p2");
	assert_int_equal(channel_find_port(dir, "kvbox", name, &e), 0);
}

static void a_disk_is_found_by_its_serial(void **state)
{
	auto_disk_list struct disk_list disks = { -1, STRV_INIT, STRV_INIT };
	auto_close int dir = -1;
	struct err e = ERR_INIT;
	char path[DISK_PATH_SIZE] = "";

	(void)state;
	put("block/vda/serial", "kvb-layers");
	put("block/vdb/serial", "a-serial-of-20-bytes");
	put("block/vdc/size", "8");
	put("block/loop0/serial", "kvb-upper");
	assert_int_equal(fd_open_dir(basefd, "block", &dir, &e), 0);
	assert_int_equal(disk_list_init(dir, &disks, &e), 0);
	assert_int_equal(disk_find(&disks, "kvb-layers", path, &e), 0);
	assert_string_equal(path, "/dev/vda");
	assert_int_equal(disk_find(&disks, "a-serial-of-20-bytes", path, &e), 0);
	assert_string_equal(path, "/dev/vdb");
	assert_int_equal(disk_find(&disks, "kvb-upper", path, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.msg, "no disk has the serial 'kvb-upper'");
	assert_string_equal(path, "/dev/vdb");
	/* Nobody is asked twice. */
	put("block/vda/serial", "another");
	assert_int_equal(disk_find(&disks, "kvb-layers", path, &e), 0);
	assert_string_equal(path, "/dev/vda");
}

static void places_in_a_root_are_made_where_links_lead_and_never_outside(void **state)
{
	static const struct {
		const char *link, *target; /* made first */
		const char *path;
		bool file;
		const char *want; /* what must be there afterwards, in the root */
	} cases[] = {
		{ NULL, NULL, "/proc", false, "root/proc" },
		{ NULL, NULL, "/a/b/c/", false, "root/a/b/c" },
		{ NULL, NULL, "/etc/hosts", true, "root/etc/hosts" },
		{ NULL, NULL, "/etc/hosts", true, "root/etc/hosts" },
		{ "root/etc/resolv.conf", "../run/systemd/resolve/stub.conf", "/etc/resolv.conf",
		  true, "root/run/systemd/resolve/stub.conf" },
		{ "root/abs", "/there/it/is", "/abs", false, "root/there/it/is" },
		{ "root/up", "../../../../tmp/kvbox-escape", "/up", false,
		  "root/tmp/kvbox-escape" },
		{ "root/chain1", "chain2", "/chain1/x", true, "root/chain2/x" },
	};
	auto_close int root = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make(basefd, "root/etc", 0755, &e), 0);
	assert_int_equal(fd_open_dir(basefd, "root", &root, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stat got, want;
		int fd;

		if (cases[i].link)
			assert_int_equal(symlinkat(cases[i].target, basefd, cases[i].link), 0);
		if (root_make(root, cases[i].path, cases[i].file, &fd, &e) < 0)
			fail_msg("'%s': %s", cases[i].path, e.msg);
		assert_int_equal(fstat(fd, &got), 0);
		fd_close(fd);
		assert_int_equal(fstatat(basefd, cases[i].want, &want, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(got.st_ino == want.st_ino && got.st_dev == want.st_dev);
		assert_int_equal(S_ISREG(got.st_mode), cases[i].file);
	}
	assert_int_equal(access("/tmp/kvbox-escape", F_OK), -1);
}

static void links_in_a_circle_are_an_error(void **state)
{
	auto_close int root = -1;
	struct err e = ERR_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(dir_make(basefd, "loop", 0755, &e), 0);
	assert_int_equal(fd_open_dir(basefd, "loop", &root, &e), 0);
	assert_int_equal(symlinkat("b/x", root, "a"), 0);
	assert_int_equal(symlinkat("a/x", root, "b"), 0);
	assert_int_equal(root_make(root, "/a", false, &fd, &e), -1);
	err_clear(&e);
	/* a file in the way of a folder */
	put("loop/plain", "x");
	assert_int_equal(root_make(root, "/plain/dev", false, &fd, &e), -1);
	assert_int_equal(fd, -1);
}

static void modules_of_devices_that_are_not_there_can_wait(void **state)
{
	char dir[] = "/tmp/kvbox-boot.XXXXXX";
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(fd_open_dir(AT_FDCWD, dir, &fd, &e), 0);
	assert_true(boot_module_can_wait("virtio_net.ko", fd));
	assert_false(boot_module_can_wait("virtio_blk.ko", fd));
	assert_int_equal(dir_make(fd, "virtio0", 0700, &e), 0);
	assert_int_equal(file_write_replace(fd, "virtio0/device", "0x0018\n", 7, 0400, &e), 0);
	assert_true(boot_module_can_wait("virtio_net.ko", fd));
	assert_false(boot_module_can_wait("virtio_mem.ko", fd));
	assert_int_equal(dir_make(fd, "virtio1", 0700, &e), 0);
	assert_int_equal(file_write_replace(fd, "virtio1/device", "0x0001\n", 7, 0400, &e), 0);
	assert_false(boot_module_can_wait("virtio_net.ko", fd));
	assert_false(boot_module_can_wait("failover.ko", fd));
	assert_int_equal(dir_remove_tree(AT_FDCWD, dir, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_names_the_channel),
		cmocka_unit_test(a_bad_channel_is_refused),
		cmocka_unit_test(a_port_is_found_by_its_name),
		cmocka_unit_test(a_disk_is_found_by_its_serial),
		cmocka_unit_test(places_in_a_root_are_made_where_links_lead_and_never_outside),
		cmocka_unit_test(links_in_a_circle_are_an_error),
		cmocka_unit_test(modules_of_devices_that_are_not_there_can_wait),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
