/* SPDX-License-Identifier: Apache-2.0 */
/* Block devices by the serial that the VMM gave them. */
#ifndef KVBOX_AGENT_DISK_H
#define KVBOX_AGENT_DISK_H

#include "base/err.h"

#define DISK_PATH_SIZE	48
#define DISK_SERIAL_MAX 20

/*
 * The device's path in /dev. ERR_NOT_FOUND when no disk has that serial (yet). `sysfs_block` is a
 * descriptor of /sys/block.
 */
int disk_find(int sysfs_block, const char *serial, char ret[DISK_PATH_SIZE],
	      struct err *e) MUST_CHECK;

#endif
