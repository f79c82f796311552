/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/fs.h>
#include <linux/random.h>

#include "base/fd.h"
#include "base/str.h"

#define NS_A_SECOND INT64_C(1000000000)

/*
 * Adding entropy only fills the pool, from which the generator takes a new key once a minute: until then
 * copies would give equal bytes. So it is told to take one now.
 */
static int reseed(const void *entropy, size_t n, struct err *e)
{
	/* Its bytes stand behind it. */
	unsigned char pool[sizeof(struct rand_pool_info) + IDENTITY_ENTROPY_MAX]
		__attribute__((aligned(__alignof__(struct rand_pool_info))));
	const struct rand_pool_info info = { .entropy_count = (int)(n * 8), .buf_size = (int)n };
	auto_close int fd = -1;

	memcpy(pool, &info, sizeof(info));
	memcpy(pool + sizeof(info), entropy, n);
	if (fd_open(AT_FDCWD, "/dev/urandom", O_RDWR, 0, &fd, e) < 0)
		return -1;
	if (ioctl(fd, RNDADDENTROPY, pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		return err_sys(e, "cannot seed the random number generator");
	return 0;
}

static int set_clock(int64_t now_ns, struct err *e)
{
	struct timespec ts = { now_ns / NS_A_SECOND, now_ns % NS_A_SECOND };

	return clock_settime(CLOCK_REALTIME, &ts) < 0 ? err_sys(e, "cannot set the clock") : 0;
}

static int flush_disk(void *ctx, const char *name, struct err *e)
{
	auto_close int fd = -1;
	char path[64];

	(void)ctx;
	if (!str_has_prefix(name, "vd"))
		return 0;
	snprintf(path, sizeof(path), "/dev/%.32s", name);
	if (fd_open(AT_FDCWD, path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	return ioctl(fd, BLKFLSBUF, 0) < 0 ? err_sys(e, "cannot drop what is cached of %s", path)
					   : 0;
}

static int flush_disks(struct err *e)
{
	auto_close int dir = -1;

	if (fd_open_dir(AT_FDCWD, "/sys/block", &dir, e) < 0)
		return -1;
	return dir_each(dir, ".", flush_disk, NULL, e);
}

int identity_take(const void *entropy, size_t n, int64_t now_ns, struct err *e)
{
	if (n < IDENTITY_ENTROPY_MIN || n > IDENTITY_ENTROPY_MAX)
		return err_set(e, ERR_INVALID, "%zu bytes of entropy", n);
	if (now_ns <= 0)
		return err_set(e, ERR_INVALID, "the host's time is missing");
	if (reseed(entropy, n, e) < 0 || set_clock(now_ns, e) < 0)
		return -1;
	return flush_disks(e);
}
