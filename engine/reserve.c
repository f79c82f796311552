/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

/* With less room than this a disk counts as full, with more than that the reserve is made. */
#define FULL_BYTES  RESERVE_BYTES
#define ROOMY_BYTES (8 * RESERVE_BYTES)
/*
 * What of the reserve goes to the log; the rest is for the database to grow by what is in the
 * log.
 */
#define LOG_BYTES (RESERVE_BYTES / 4)

/* What this process may still write; a lot where nobody can tell. */
static int64_t room_in(const char *folder)
{
	struct statvfs st;
	uint64_t blocks;

	if (statvfs(folder, &st) < 0)
		return INT64_MAX;
	blocks = geteuid() == 0 ? st.f_bfree : st.f_bavail;
	return blocks > INT64_MAX / st.f_frsize ? INT64_MAX : (int64_t)(blocks * st.f_frsize);
}

static int make(int dirfd, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open_tmp(dirfd, 0600, &fd, e) < 0)
		return -1;
	/* Not posix_fallocate, which would write where the file system has no such call. */
	if (fallocate(fd, 0, 0, RESERVE_BYTES) < 0)
		return err_sys(e, "cannot reserve room");
	return fd_link(fd, dirfd, RESERVE_FILE, e);
}

void reserve_keep(const char *folder)
{
	auto_free char *file = xasprintf("%s/" RESERVE_FILE, folder);
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	if (file_exists(AT_FDCWD, file) || room_in(folder) < ROOMY_BYTES)
		return;
	if ((fd_open_dir(AT_FDCWD, folder, &dir, &e) < 0 || make(dir, &e) < 0) &&
	    e.kind != ERR_CONFLICT)
		log_debug("there is no reserve for a full disk: %s", e.msg);
}

bool reserve_use(const char *folder, const char *log)
{
	auto_close int dir = -1;
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	uint64_t size;

	if (room_in(folder) >= FULL_BYTES || fd_open_dir(AT_FDCWD, folder, &dir, &e) < 0)
		return false;
	if (!file_exists(dir, RESERVE_FILE))
		return true;
	log_debug("the disk is full: using the reserve");
	if (fd_open(AT_FDCWD, log, O_RDWR, 0, &fd, &e) < 0 || fd_size(fd, &size, &e) < 0 ||
	    file_remove(dir, RESERVE_FILE, &e) < 0)
		log_debug("%s", e.msg);
	/* Where somebody else was quicker, or the file system has no such call, it goes without. */
	else if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)size, LOG_BYTES) < 0)
		log_debug("cannot keep the reserve for the log: %s", strerror(errno));
	return true;
}
