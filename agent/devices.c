/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"

static int make_nodes(int dir, struct err *e)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const struct {
		const char *name, *target;
	} links[] = {
		{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
		{ "core", "/proc/kcore" },	 { "ptmx", "pts/ptmx" },
	};
	static const char *const folders[] = { "pts", "shm", "mqueue" };

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		/* The mode must not suffer from the umask. */
		if (mknodat(dir, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0 ||
		    fchmodat(dir, nodes[i].name, 0666, 0) < 0)
			return err_sys(e, "cannot create '/dev/%s'", nodes[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (symlinkat(links[i].target, dir, links[i].name) < 0)
			return err_sys(e, "cannot create '/dev/%s'", links[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mkdirat(dir, folders[i], 0755) < 0)
			return err_sys(e, "cannot create '/dev/%s'", folders[i]);
	}
	return 0;
}

int devices_make(const char *path, struct err *e)
{
	auto_close int dir = -1;

	if (mkdir(path, 0755) < 0)
		return err_sys(e, "cannot create '%s'", path);
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=0755,size=65536k") < 0)
		return err_sys(e, "cannot mount /dev");
	if (fd_open_dir(AT_FDCWD, path, &dir, e) < 0 || make_nodes(dir, e) < 0)
		return -1;
	if (fchdir(dir) < 0)
		return err_sys(e, "cannot enter /dev");
	if (mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5") < 0)
		return err_sys(e, "cannot mount /dev/pts");
	if (mount("shm", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=1777,size=65536k") < 0)
		return err_sys(e, "cannot mount /dev/shm");
	return chdir("/") < 0 ? err_sys(e, "cannot enter '/'") : 0;
}

int devices_open_pty(int pts, int *ret, struct err *e)
{
	auto_close int fd = -1;
	int unlock = 0;

	if (fd_open(pts, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, &fd, e) < 0)
		return err_wrap(e, "cannot open a terminal");
	if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "cannot unlock a terminal");
	*ret = take_fd(&fd);
	return 0;
}
