/* SPDX-License-Identifier: Apache-2.0 */
/* From the kernel's first user instruction to where a channel can be looked for. */
#ifndef KVBOX_AGENT_BOOT_H
#define KVBOX_AGENT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"

/* Guest's time since boot, microseconds (CLOCK_BOOTTIME). */
int64_t boot_us(void);

/*
 * Moves the root to a tmpfs (pivot_root, which containers need, is not possible from the initramfs
 * itself), with proc, sysfs and devtmpfs mounted. *ret_modules is the initramfs's /modules, or -1.
 */
int boot_mounts(int *ret_modules, struct err *e) MUST_CHECK;

/* What the kernel command line says to the agent. */
struct boot_options {
	enum boot_channel { CHANNEL_NONE, CHANNEL_SERIAL, CHANNEL_VSOCK } channel;
	char port_name[32]; /* of the virtio port */
	unsigned int port;  /* of vsock */
	bool off_by_reboot; /* the VMM takes a reboot for the end (kvbox.off=reboot) */
	bool silent_kernel; /* it was to print no errors while it starts (loglevel=3) */
};

/* Reads /proc/cmdline. Words that are not the agent's are ignored. */
int boot_options_read(struct boot_options *ret, struct err *e) MUST_CHECK;
/* The same out of a text. */
int boot_options_parse(const char *cmdline, struct boot_options *ret, struct err *e) MUST_CHECK;

/*
 * Kernel modules, loaded one at a time so that the channel need not wait for all of them. Those of devices
 * that not every VM has (network interfaces, vsock, memory that is added) are loaded only when there is one:
 * in emulation they take 25 ms, a third of what all take.
 */
struct boot_modules {
	int dir; /* -1: nothing left to load */
	struct str list;
	size_t at;
	struct strv later; /* those whose device may still come */
};

void boot_modules_init(struct boot_modules *b, int dir);
/*
 * Loads the next one; false when there was none. A module that cannot be loaded is told on the
 * console.
 */
bool boot_modules_step(struct boot_modules *b);
/* Once that has told false, and whenever a device has appeared: loads what was not needed before. */
void boot_modules_again(struct boot_modules *b);

/* Whether a module is for a device of which none is in the folder, which is /sys/bus/virtio/devices. */
bool boot_module_can_wait(const char *name, int devices);

#endif
