/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/disk.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define DEV	     "/dev/"
#define NAME_MAX_LEN 16

_Static_assert(sizeof(DEV) + NAME_MAX_LEN <= DISK_PATH_SIZE, "the longest path does not fit");

static int add_name(void *ctx, const char *name, struct err *e)
{
	struct disk_list *l = ctx;

	(void)e;
	/* Only virtio disks have a serial there. */
	if (str_has_prefix(name, "vd") && strlen(name) <= NAME_MAX_LEN)
		strv_add(&l->names, name);
	return 0;
}

int disk_list_init(int sysfs_block, struct disk_list *ret, struct err *e)
{
	*ret = (struct disk_list){ sysfs_block, STRV_INIT, STRV_INIT };
	return dir_each(sysfs_block, ".", add_name, ret, e);
}

void disk_list_release(struct disk_list *l)
{
	strv_release(&l->names);
	strv_release(&l->serials);
}

static void ask_next(struct disk_list *l)
{
	auto_free char *path = xconcat(l->names.v[l->serials.n], "/serial", NULL);
	char serial[DISK_SERIAL_MAX + 2];
	auto_close int fd = -1;
	struct err none = ERR_INIT;
	ssize_t n = -1;

	if (fd_open(l->sysfs_block, path, O_RDONLY, 0, &fd, &none) == 0)
		n = fd_read_full(fd, serial, sizeof(serial) - 1, &none);
	serial[n > 0 ? n : 0] = '\0';
	strv_addn(&l->serials, serial, strcspn(serial, "\n"));
}

int disk_find(struct disk_list *l, const char *serial, char ret[DISK_PATH_SIZE], struct err *e)
{
	for (size_t i = 0; i < l->names.n; i++) {
		if (i == l->serials.n)
			ask_next(l);
		if (strcmp(l->serials.v[i], serial) == 0) {
			memcpy(ret, DEV, strlen(DEV));
			memcpy(ret + strlen(DEV), l->names.v[i], strlen(l->names.v[i]) + 1);
			return 0;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "no disk has the serial '%s'", serial);
}
