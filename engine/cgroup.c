/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cgroup.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* Unified hierarchy, or the v2 part of a hybrid one. */
static const char *mount_point(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs st;
	size_t i;

	for (i = 0; i < ARRAY_LEN(places); i++)
		if (statfs(places[i], &st) == 0 && (unsigned long)st.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

/* NULL: there is no such hierarchy. */
static char *folder_of(const char *name)
{
	const char *mount = mount_point();

	return mount ? xasprintf("%s/kvbox/%s", mount, name) : NULL;
}

int cgroup_make(const char *name)
{
	auto_free char *path = folder_of(name);
	struct err e = ERR_INIT;
	int fd = -1;

	if (!path)
		return -1;
	if (dir_make(AT_FDCWD, path, 0755, &e) < 0 || fd_open_dir(AT_FDCWD, path, &fd, &e) < 0) {
		log_debug("no cgroup: %s", e.msg);
		return -1;
	}
	return fd;
}

void cgroup_unmake(const char *name)
{
	auto_free char *path = folder_of(name);

	if (path)
		cgroup_remove(path);
}

char *cgroup_own_path(const char *name)
{
	auto_str struct str text = STR_INIT(64 * 1024);
	auto_free char *want = xasprintf("0::/kvbox/%s\n", name);
	auto_free char *path = folder_of(name);
	struct err e = ERR_INIT;

	if (!path || file_read(AT_FDCWD, "/proc/self/cgroup", &text, &e) < 0 ||
	    !strstr(text.buf, want))
		return xstrdup("");
	return take_ptr(&path);
}

void cgroup_leave(const char *path)
{
	auto_free char *procs = xasprintf("%s/../cgroup.procs", path);
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	if (fd_open(AT_FDCWD, procs, O_WRONLY, 0, &fd, &e) < 0 || fd_write_full(fd, "0", 1, &e) < 0)
		log_debug("cannot leave the cgroup: %s", e.msg);
}

void cgroup_remove(const char *path)
{
	if (rmdir(path) < 0)
		log_debug("cannot remove the cgroup '%s'", path);
}
