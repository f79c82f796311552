/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/console.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/strv.h"

#define CMDLINE_MAX	8192
#define MODULE_LIST_MAX 65536

int64_t boot_us(void)
{
	struct timespec t;

	/* Not through the vDSO, whose first use takes longer than all calls of a short container. */
	syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int boot_mounts(int *ret_modules, struct err *e)
{
	static const struct {
		const char *type, *at;
	} mounts[] = {
		{ "proc", "proc" },
		{ "sysfs", "sys" },
		{ "devtmpfs", "dev" },
	};

	*ret_modules = -1;
	/* The kernel may have all built in. */
	if (file_exists(AT_FDCWD, "/modules") &&
	    fd_open_dir(AT_FDCWD, "/modules", ret_modules, e) < 0)
		return -1;
	if (mkdir("/run", 0755) < 0 && errno != EEXIST && errno != ENODEV)
		return err_sys(e, "cannot create '/run'");
	if (mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0)
		return err_sys(e, "cannot mount a tmpfs");
	if (chdir("/run") < 0)
		return err_sys(e, "cannot enter '/run'");
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (mkdir(mounts[i].at, 0755) < 0 ||
		    mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL) < 0)
			return err_sys(e, "cannot mount %s", mounts[i].type);
	}
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return err_sys(e, "cannot change the root");
	return 0;
}

/* ---- command line ---------------------------------------------------------------------------- */

static int parse_channel(const char *text, struct boot_options *o, struct err *e)
{
	uint64_t port;

	if (str_has_prefix(text, "serial:")) {
		text += strlen("serial:");
		if (!*text || strlen(text) >= sizeof(o->port_name))
			return err_set(e, ERR_INVALID, "bad port name '%s'", text);
		memcpy(o->port_name, text, strlen(text) + 1);
		o->channel = CHANNEL_SERIAL;
		return 0;
	}
	if (str_has_prefix(text, "vsock:")) {
		if (parse_u64(text + strlen("vsock:"), UINT32_MAX - 1, &port, e) < 0)
			return err_wrap(e, "bad vsock port");
		o->port = (unsigned int)port;
		o->channel = CHANNEL_VSOCK;
		return 0;
	}
	return err_set(e, ERR_INVALID, "unknown kind of channel '%s'", text);
}

int boot_options_parse(const char *cmdline, struct boot_options *ret, struct err *e)
{
	auto_free char *text = xstrdup(cmdline);
	struct boot_options o = { .channel = CHANNEL_NONE };
	char *word, *save = text;

	while ((word = strsep(&save, " \n"))) {
		if (str_has_prefix(word, "kvbox.channel=") &&
		    parse_channel(word + strlen("kvbox.channel="), &o, e) < 0)
			return -1;
		if (str_eq(word, "kvbox.off=reboot"))
			o.off_by_reboot = true;
		if (str_has_prefix(word, "loglevel="))
			o.silent_kernel = str_eq(word, "loglevel=3");
	}
	if (o.channel == CHANNEL_NONE)
		return err_set(e, ERR_INVALID, "the kernel command line has no kvbox.channel");
	*ret = o;
	return 0;
}

int boot_options_read(struct boot_options *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(CMDLINE_MAX);

	if (file_read(AT_FDCWD, "/proc/cmdline", &text, e) < 0)
		return -1;
	return boot_options_parse(text.buf, ret, e);
}

/* ---- modules --------------------------------------------------------------------------------- */

/* Modules that are of use with one kind of device only; before each, what it depends on. */
static const struct {
	const char *module, *device; /* as the bus has its number */
	bool may_come;		     /* while the VM runs */
} only_with[] = {
	{ "failover.ko", "0x0001", true },
	{ "net_failover.ko", "0x0001", true },
	{ "virtio_net.ko", "0x0001", true },
	{ "virtio_mem.ko", "0x0018", true },
	{ "vsock.ko", "0x0013", false },
	{ "vmw_vsock_virtio_transport_common.ko", "0x0013", false },
	{ "vmw_vsock_virtio_transport.ko", "0x0013", false },
};

struct device_search {
	int devices;
	const char *number;
	bool found;
};

static int look_at_device(void *ctx, const char *name, struct err *e)
{
	struct device_search *s = ctx;
	auto_str struct str text = STR_INIT(64);
	char path[64];
	struct err none = ERR_INIT;

	(void)e;
	snprintf(path, sizeof(path), "%.40s/device", name);
	if (!s->found && file_read(s->devices, path, &text, &none) == 0)
		s->found = str_has_prefix(text.buf, s->number);
	return 0;
}

static ssize_t find_only_with(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(only_with); i++)
		if (strcmp(only_with[i].module, name) == 0)
			return (ssize_t)i;
	return -1;
}

bool boot_module_can_wait(const char *name, int devices)
{
	ssize_t i = find_only_with(name);
	struct device_search s = { devices, i < 0 ? "" : only_with[i].device, false };
	struct err none = ERR_INIT;

	return i >= 0 && dir_each(devices, ".", look_at_device, &s, &none) == 0 && !s.found;
}

void boot_modules_init(struct boot_modules *b, int dir)
{
	struct err e = ERR_INIT;

	b->dir = dir;
	b->at = 0;
	b->later = (struct strv)STRV_INIT;
	str_init(&b->list, MODULE_LIST_MAX);
	if (dir >= 0 && file_read(dir, "load", &b->list, &e) < 0) {
		fd_close(b->dir);
		b->dir = -1;
	}
}

static int load(int dir, const char *name, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dir, name, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV)
		return err_sys(e, "cannot load module '%s'", name);
	/* Its memory is of use to the container. */
	unlinkat(dir, name, 0);
	return 0;
}

/* False: it was put off. */
static bool load_or_wait(struct boot_modules *b, const char *name)
{
	auto_close int devices = -1;
	struct err e = ERR_INIT;

	if (fd_open_dir(AT_FDCWD, "/sys/bus/virtio/devices", &devices, &e) == 0 &&
	    boot_module_can_wait(name, devices)) {
		if (only_with[find_only_with(name)].may_come)
			strv_add(&b->later, name);
		else
			unlinkat(b->dir, name, 0);
		return false;
	}
	err_clear(&e);
	if (load(b->dir, name, &e) < 0)
		console_error("%s", e.msg);
	return true;
}

bool boot_modules_step(struct boot_modules *b)
{
	while (b->dir >= 0 && b->at < b->list.len) {
		const char *line = b->list.buf + b->at;
		size_t n = strcspn(line, "\n");
		auto_free char *name = xstrndup(line, n);

		b->at += n + 1;
		if (n > 0 && load_or_wait(b, name))
			return true;
	}
	str_release(&b->list);
	if (b->dir >= 0 && b->later.n == 0)
		fd_close(take_fd(&b->dir));
	return false;
}

void boot_modules_again(struct boot_modules *b)
{
	struct strv later = b->later;

	b->later = (struct strv)STRV_INIT;
	for (size_t i = 0; i < later.n; i++)
		load_or_wait(b, later.v[i]);
	strv_release(&later);
	if (b->later.n == 0)
		fd_close(take_fd(&b->dir));
}
