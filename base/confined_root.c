/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root folder of a confined child, see spawn_confined.c. All of it runs in the child: system calls only.
 *
 * Sources are all opened (open_tree) before anything is mounted, so nothing that is mounted can hide them. The
 * new root is a tmpfs that becomes read-only; pivot_root does not work in an initramfs, there it is
 * moved over the old one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confined_priv.h"

/* Where the new root lies until it is the root: a folder that every system has, and that nothing is
 * mounted from. */
#define STAGE	  "/proc"
#define PATH_ROOM 512 /* of a target */

/* How much of two targets is the same, in whole folders. */
static size_t shared_length(const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			n = i;
	return n;
}

/* All folders above a target. Those that it shares with the target before are there. */
static int make_parents(struct new_root *k, const char *target)
{
	char path[PATH_ROOM];
	size_t n = strlen(target);

	if (n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, target, n + 1);
	for (size_t i = 1 + shared_length(target, k->last ? k->last : ""); i < n; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path + 1, 0755) < 0 && errno != EEXIST)
			return -1;
		path[i] = '/';
	}
	k->last = target;
	return 0;
}

/* The target itself, as an empty file or folder. */
static int make_target(struct new_root *k, const char *target, bool folder)
{
	int r;

	if (make_parents(k, target) < 0)
		return -1;
	r = folder ? mkdir(target + 1, 0755) : mknod(target + 1, S_IFREG | 0444, 0);
	return r < 0 && errno != EEXIST ? -1 : 0;
}

/* A copy of the mount, made read-only where nothing may be written, and never with set-id or (but for
 * devices) device files that count. -1 with errno. */
int confined_clone_tree(const struct confine_path *p)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };
	int fd = open_tree(AT_FDCWD, p->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return -1;
	if (!(p->access & CONFINE_MAY_WRITE))
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (!(p->access & CONFINE_IS_DEVICE))
		attr.attr_set |= MOUNT_ATTR_NODEV;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Opens all sources; devices that are to be the child's own are only opened as a way out. */
static int open_sources(struct new_root *k)
{
	for (size_t i = 0; i < k->how->npaths; i++) {
		const struct confine_path *p = &k->how->paths[i];

		k->trees[i] = -1;
		if (p->kind != CONFINE_BIND && p->kind != CONFINE_DEVICE)
			continue;
		k->trees[i] = confined_clone_tree(p);
		if (k->trees[i] < 0 && !(p->access & CONFINE_OPTIONAL && errno == ENOENT))
			return -1;
	}
	return 0;
}

/* An empty tmpfs as the current folder. Device nodes in it count, as the child may have its own. */
static int enter_new_root(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), root;

	if (fs < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	root = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (root < 0 || move_mount(root, "", AT_FDCWD, STAGE, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	close(fs);
	return fchdir(root);
}

/* 1 when it was made, 0 when the host's own is to be bound instead. */
static int make_device(struct new_root *k, const struct confine_path *p, int tree)
{
	struct stat st;

	if (!k->how->change_user || fstat(tree, &st) < 0 || !S_ISCHR(st.st_mode))
		return 0;
	if (make_parents(k, p->target) < 0)
		return -1;
	return mknod(p->target + 1, S_IFCHR | 0600, st.st_rdev) == 0 &&
	       chown(p->target + 1, k->how->uid, k->how->gid) == 0;
}

static int put_mount(struct new_root *k, int tree, const char *target)
{
	struct stat st;

	if (fstat(tree, &st) < 0 || make_target(k, target, S_ISDIR(st.st_mode)) < 0)
		return -1;
	return move_mount(tree, "", AT_FDCWD, target + 1, MOVE_MOUNT_F_EMPTY_PATH);
}

static int put_proc(struct new_root *k, const char *target)
{
	int fs = fsopen("proc", FSOPEN_CLOEXEC), proc = -1;

	/* Only processes: nothing of the host's settings and counters. */
	if (fs >= 0 && fsconfig(fs, FSCONFIG_SET_STRING, "subset", "pid", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		proc = fsmount(fs, FSMOUNT_CLOEXEC,
			       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (proc < 0 || put_mount(k, proc, target) < 0) {
		*k->proc_error = errno;
		return 0; /* can be done without */
	}
	*k->proc_error = 0;
	close(proc);
	close(fs);
	return 0;
}

static int put_path(struct new_root *k, size_t i)
{
	const struct confine_path *p = &k->how->paths[i];
	int tree = k->trees[i], r;

	switch (p->kind) {
	case CONFINE_LINK:
		return make_parents(k, p->target) < 0 ? -1 : symlink(p->source, p->target + 1);
	case CONFINE_PROCFS:
		return put_proc(k, p->target);
	case CONFINE_DEVICE:
		r = tree < 0 ? 1 : make_device(k, p, tree);
		if (r != 0)
			return r < 0 ? -1 : 0;
		break;
	case CONFINE_BIND:
	case CONFINE_RULE:
		break;
	}
	return tree < 0 ? 0 : put_mount(k, tree, p->target);
}

static int leave_old_root(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		/* The old root lies over the new one now. */
		if (umount2(".", MNT_DETACH) < 0)
			return -1;
	} else if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) {
		return -1;
	}
	if (chdir("/") < 0)
		return -1;
	return mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr));
}

int confined_change_root(struct new_root *k)
{
	mode_t mask = umask(0);

	/* Nothing of it reaches the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || open_sources(k) < 0 ||
	    enter_new_root() < 0)
		return -1;
	for (size_t i = 0; i < k->how->npaths; i++) {
		if (put_path(k, i) < 0)
			return -1;
		if (k->trees[i] >= 0)
			close(k->trees[i]);
	}
	umask(mask);
	return leave_old_root();
}
