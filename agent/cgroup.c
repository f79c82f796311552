/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cgroup.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"

#define ROOT	  "/sys/fs/cgroup"
#define PERIOD_US 100000
/* The kernel refuses a smaller quota. */
#define QUOTA_MIN_US 1000

static int write_file(int dir, const char *name, const char *text, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dir, name, O_WRONLY, 0, &fd, e) < 0)
		return -1;
	if (fd_write_full(fd, text, strlen(text), e) < 0)
		return err_wrap(e, "cannot write '%s' to '%s'", text, name);
	return 0;
}

int cgroup_prepare(struct err *e)
{
	if (mount("cgroup2", ROOT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_sys(e, "cannot mount the cgroup hierarchy");
	return 0;
}

static int limit_memory(int root, int fd, int64_t bytes, struct err *e)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)bytes);
	if (write_file(root, "cgroup.subtree_control", "+memory", e) < 0)
		return -1;
	return write_file(fd, "memory.max", text, e);
}

static int limit_cpus(int root, int fd, int64_t nano_cpus, struct err *e)
{
	int64_t quota = nano_cpus / (1000000000 / PERIOD_US);
	char text[64];

	snprintf(text, sizeof(text), "%lld %d",
		 (long long)(quota < QUOTA_MIN_US ? QUOTA_MIN_US : quota), PERIOD_US);
	if (write_file(root, "cgroup.subtree_control", "+cpu", e) < 0)
		return -1;
	return write_file(fd, "cpu.max", text, e);
}

int cgroup_make(const char *name, int64_t memory, int64_t nano_cpus, int *ret, struct err *e)
{
	auto_close int root = -1, fd = -1;

	if (fd_open_dir(AT_FDCWD, ROOT, &root, e) < 0)
		return -1;
	if (mkdirat(root, name, 0755) < 0)
		return err_sys(e, "cannot create cgroup '%s'", name);
	if (fd_open_dir(root, name, &fd, e) < 0)
		return -1;
	if (memory && limit_memory(root, fd, memory, e) < 0)
		return -1;
	if (nano_cpus && limit_cpus(root, fd, nano_cpus, e) < 0)
		return -1;
	*ret = take_fd(&fd);
	return 0;
}

int cgroup_kill(int fd, struct err *e)
{
	return write_file(fd, "cgroup.kill", "1", e);
}

/* A line "oom_kill N" with N above 0. */
static bool shows_kills(int dir, const char *path)
{
	auto_str struct str text = STR_INIT(65536);
	struct err e = ERR_INIT;
	const char *at;

	if (file_read(dir, path, &text, &e) < 0)
		return false;
	at = strstr(text.buf, "oom_kill ");
	return at && at[strlen("oom_kill ")] != '0';
}

bool cgroup_saw_oom(int fd)
{
	return shows_kills(fd, "memory.events") || shows_kills(AT_FDCWD, "/proc/vmstat");
}
