/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users for VMMs. Nobody's accounts are that high, and the systemd's and containers' ranges end lower. A
 * number is drawn at random, so that run roots which do not know each other hardly ever meet, and is locked as
 * a byte of a file, so that VMs of one run root never do. The lock is the monitor's: the VMM dies with it.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/random.h"
#include "vmm/confine_priv.h"

#define UIDS_FILE "uids"
#define TRIES	  100

int confine_lease_uid(int run_root, uid_t *ret, int *ret_fd, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(run_root, UIDS_FILE, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		uint32_t n = random_below(CONFINE_UID_COUNT);
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = n, .l_len = 1
		};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
			*ret = CONFINE_UID_FIRST + n;
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, "cannot lease a user");
	}
	return err_set(e, ERR_UNAVAILABLE, "cannot lease a user: all that were tried are taken");
}
