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

int cgroup_make(const char *name)
{
	const char *mount = mount_point();
	struct err e = ERR_INIT;
	auto_free char *path = NULL;
	int fd = -1;

	if (!mount)
		return -1;
	path = xasprintf("%s/kvbox/%s", mount, name);
	if (dir_make(AT_FDCWD, path, 0755, &e) < 0 || fd_open_dir(AT_FDCWD, path, &fd, &e) < 0) {
		log_debug("no cgroup: %s", e.msg);
		return -1;
	}
	return fd;
}

char *cgroup_own_path(const char *name)
{
	auto_str struct str text = STR_INIT(64 * 1024);
	auto_free char *want = xasprintf("0::/kvbox/%s\n", name);
	const char *mount = mount_point();
	struct err e = ERR_INIT;

	if (!mount || file_read(AT_FDCWD, "/proc/self/cgroup", &text, &e) < 0 ||
	    !strstr(text.buf, want))
		return xstrdup("");
	return xasprintf("%s/kvbox/%s", mount, name);
}

void cgroup_leave(const char *path)
{
	auto_free char *procs = xasprintf("%s/../cgroup.procs", path);
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	if (fd_open(AT_FDCWD, procs, O_WRONLY, 0, &fd, &e) < 0 ||
	    fd_write_full(fd, "0", 1, &e) < 0) {
		log_debug("cannot leave the cgroup: %s", e.msg);
		return;
	}
	if (rmdir(path) < 0)
		log_debug("cannot remove the cgroup '%s'", path);
}
