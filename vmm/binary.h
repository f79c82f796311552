/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the binary of a VMM is and can do: found out by running it once, and remembered.
 *
 * To ask a program for its version takes tens of milliseconds, which no start should pay. So the answer
 * is kept in a file of the run root, together with what tells one file from another (device, inode,
 * size, times): an upgraded binary is asked anew, and so is everything after the host's next boot.
 */
#ifndef KVBOX_VMM_BINARY_H
#define KVBOX_VMM_BINARY_H

#include "base/err.h"
#include "base/str.h"
#include "vmm/driver.h"

/* `run_fd`: the run root, or -1: nothing is remembered. A refusal (ERR_UNAVAILABLE: too old, made for
 * another machine, does not answer) is never remembered. */
int vmm_binary_examine(const struct vmm_driver *d, const char *path, int run_fd,
		       struct vmm_binary *ret, struct err *e) MUST_CHECK;

/* For drivers: runs `path option` and appends the first 4 KiB that it prints. ERR_UNAVAILABLE when it
 * cannot be executed, fails, or has not ended after 10 seconds. */
int vmm_binary_output(const char *path, const char *option, struct str *ret,
		      struct err *e) MUST_CHECK;

/* For drivers: the word that begins at `text` into ret->version, cut where it is not one. Its first two
 * numbers must not be below major.minor. */
int vmm_binary_set_version(struct vmm_binary *ret, const char *text, unsigned major, unsigned minor,
			   const char *name, struct err *e) MUST_CHECK;

#endif
