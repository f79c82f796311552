/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices by the serial that the VMM gave them. */
#ifndef KVBOX_AGENT_DISK_H
#define KVBOX_AGENT_DISK_H

#include "base/err.h"
#include "base/strv.h"

#define DISK_PATH_SIZE	48
#define DISK_SERIAL_MAX 20

/* The disks of one moment. Their serials are asked for one after the other, as far as it takes, and kept: asking is
 * a request to the VMM. */
struct disk_list {
	int sysfs_block; /* borrowed */
	struct strv names;
	struct strv serials; /* of the first names; "" where there is none */
};

/* `sysfs_block` is a descriptor of /sys/block, which has to outlive the list. */
int disk_list_init(int sysfs_block, struct disk_list *ret, struct err *e) MUST_CHECK;
void disk_list_release(struct disk_list *l);
#define auto_disk_list __attribute__((cleanup(disk_list_release)))
/* The device's path in /dev. ERR_NOT_FOUND when no disk of the list has that serial. */
int disk_find(struct disk_list *l, const char *serial, char ret[DISK_PATH_SIZE],
	      struct err *e) MUST_CHECK;

#endif
