/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/disk.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

struct search {
	int dir;
	const char *serial;
	char *ret;
	bool found;
};

static int check(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	char path[64], serial[DISK_SERIAL_MAX + 2];
	auto_close int fd = -1;
	struct err none = ERR_INIT;
	ssize_t n;

	(void)e;
	/* Only virtio disks have the attribute, and asking costs a request to the VMM. */
	if (s->found || !str_has_prefix(name, "vd") || strlen(name) > 16)
		return 0;
	snprintf(path, sizeof(path), "%s/serial", name);
	if (fd_open(s->dir, path, O_RDONLY, 0, &fd, &none) < 0)
		return 0;
	n = fd_read_full(fd, serial, sizeof(serial) - 1, &none);
	if (n < 0)
		return 0;
	serial[n] = '\0';
	serial[strcspn(serial, "\n")] = '\0';
	if (strcmp(serial, s->serial) == 0) {
		snprintf(s->ret, DISK_PATH_SIZE, "/dev/%s", name);
		s->found = true;
	}
	return 0;
}

int disk_find(int sysfs_block, const char *serial, char ret[DISK_PATH_SIZE], struct err *e)
{
	struct search s = { sysfs_block, serial, ret, false };

	if (dir_each(sysfs_block, ".", check, &s, e) < 0)
		return -1;
	if (!s.found)
		return err_set(e, ERR_NOT_FOUND, "no disk has the serial '%s'", serial);
	return 0;
}
