/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/command.h"
#include "agent/root.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define SHM_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
/* Folders within folders of devices. */
#define DEPTH_MAX 8

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
		if (mknodat(dir, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
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
	if (mount("shm", "shm", "tmpfs", SHM_FLAGS, "mode=1777,size=65536k") < 0)
		return err_sys(e, "cannot mount /dev/shm");
	return chdir("/") < 0 ? err_sys(e, "cannot enter '/'") : 0;
}

int devices_size_shm(int shm, int64_t bytes, struct err *e)
{
	char path[32], options[48];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", shm);
	snprintf(options, sizeof(options), "size=%lld", (long long)bytes);
	if (mount(NULL, path, NULL, MS_REMOUNT | SHM_FLAGS, options) < 0)
		return err_sys(e, "cannot set the size of /dev/shm");
	return 0;
}

/* ---- devices of the guest -------------------------------------------------------------------- */

/* Copies what is in one folder to another. */
struct copy {
	int from, to;
	int depth;
};

/* Another container's or its own are mounted in these, and the port is the agent's. */
static bool is_private(const struct copy *c, const char *name)
{
	static const char *const names[] = { "pts", "shm", "mqueue", "fd", "console", "ptmx" };

	if (c->depth > 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return str_has_prefix(name, "vport");
}

static int make_node(int dir, const char *name, const struct stat *st, struct err *e)
{
	if (mknodat(dir, name, st->st_mode, st->st_rdev) < 0)
		/* Docker's own nodes are there already. */
		return errno == EEXIST ? 0 : err_sys(e, "cannot create device '%s'", name);
	if (fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the owner of device '%s'", name);
	return 0;
}

static int copy_entry(void *ctx, const char *name, struct err *e);

static int copy_folder(const struct copy *c, const char *name, struct err *e)
{
	auto_close int from = -1, to = -1;
	struct copy below = { .depth = c->depth + 1 };

	if (below.depth > DEPTH_MAX)
		return 0;
	if (mkdirat(c->to, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create '%s'", name);
	/* What is there may be the image's, links and all. */
	if (fd_open_dir(c->from, name, &from, e) < 0 ||
	    fd_open_in_root(c->to, name, O_PATH | O_DIRECTORY, &to, e) < 0)
		return -1;
	below.from = from;
	below.to = to;
	return dir_each(from, ".", copy_entry, &below, e);
}

static int copy_entry(void *ctx, const char *name, struct err *e)
{
	const struct copy *c = ctx;
	struct stat st;

	if (is_private(c, name) || fstatat(c->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, name, e);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return make_node(c->to, name, &st, e);
	return 0;
}

int devices_add_all(int rootfd, struct err *e)
{
	auto_close int from = -1, to = -1;
	struct copy c = { .depth = 0 };

	if (fd_open_dir(AT_FDCWD, "/dev", &from, e) < 0 ||
	    root_make(rootfd, "/dev", false, &to, e) < 0)
		return -1;
	c.from = from;
	c.to = to;
	return dir_each(from, ".", copy_entry, &c, e);
}

static int no_device(const char *source, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "error gathering device information while adding custom device \"%s\": %s",
		       source, why);
}

static int add_node(int rootfd, const char *path, const struct stat *st, struct err *e)
{
	const char *name = strrchr(path, '/');
	auto_free char *folder = NULL;
	auto_close int dir = -1;

	if (!name || !name[1])
		return err_set(e, ERR_INVALID, "bad path of a device: '%s'", path);
	folder = xstrndup(path, (size_t)(name - path) + 1);
	if (root_make(rootfd, folder, false, &dir, e) < 0)
		return -1;
	return make_node(dir, name + 1, st, e);
}

int devices_add(int rootfd, const char *text, struct err *e)
{
	auto_free char *source = xstrndup(text, strcspn(text, ":"));
	const char *rest = text + strlen(source);
	auto_free char *path = *rest ? xstrndup(rest + 1, strcspn(rest + 1, ":")) : NULL;
	const char *at = path && *path ? path : source;
	struct copy c = { .depth = 1 };
	auto_close int from = -1, to = -1;
	struct stat st;
	char why[64];

	if (!str_has_prefix(source, "/dev/") || strstr(source, "/../"))
		return no_device(source, "no such file or directory", e);
	if (stat(source, &st) < 0)
		return no_device(source, command_errno_text(errno, why), e);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return add_node(rootfd, at, &st, e);
	if (!S_ISDIR(st.st_mode))
		return no_device(source, "not a device node", e);
	if (fd_open_dir(AT_FDCWD, source, &from, e) < 0 || root_make(rootfd, at, false, &to, e) < 0)
		return -1;
	c.from = from;
	c.to = to;
	return dir_each(from, ".", copy_entry, &c, e);
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
