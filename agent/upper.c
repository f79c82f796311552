/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upper.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* ---- folders --------------------------------------------------------------------------------- */

/* Descriptors of the two trees. */
struct trees {
	int image, data;
};

static int make_folder(int dir, const char *name, mode_t mode, struct err *e)
{
	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create '%s' on the writable disk", name);
	return 0;
}

/* A folder like the one that `st` describes. */
static int make_like(int dir, const char *name, const struct stat *st, struct err *e)
{
	struct stat now;

	if (make_folder(dir, name, st->st_mode & 01777, e) < 0)
		return -1;
	if (fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot look at '%s' on the writable disk", name);
	if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) &&
	    fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the owner of '%s'", name);
	if (now.st_mode != st->st_mode && fchmodat(dir, name, st->st_mode & 07777, 0) < 0)
		return err_sys(e, "cannot set the mode of '%s'", name);
	return 0;
}

/* Whether the image has nothing of that name, not even a link. */
static bool is_missing(const struct trees *t, const char *name)
{
	struct stat st;

	return fstatat(t->image, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/*
 * A folder in the upper one hides the attributes of the image's. So it gets them, and one that has more
 * of them than a mode and an owner (access lists) is left to overlayfs.
 */
static int make_etc(const struct trees *t, struct err *e)
{
	static const char *const names[] = { "etc/hosts", "etc/hostname", "etc/resolv.conf" };
	struct stat st = { .st_mode = S_IFDIR | 0755 };
	bool made = false;

	if (fstatat(t->image, "etc", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (!S_ISDIR(st.st_mode) || listxattr("layers/etc", NULL, 0) > 0))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!is_missing(t, names[i]))
			continue;
		if (!made && make_like(t->data, "etc", &st, e) < 0)
			return -1;
		made = true;
		if (mknodat(t->data, names[i], S_IFREG | 0644, 0) < 0 && errno != EEXIST)
			return err_sys(e, "cannot create '%s' on the writable disk", names[i]);
	}
	return 0;
}

static int make_places(const struct trees *t, struct err *e)
{
	static const char *const names[] = { "proc", "sys", "dev" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (is_missing(t, names[i]) && make_folder(t->data, names[i], 0755, e) < 0)
			return -1;
	}
	return make_etc(t, e);
}

int upper_make_folders(bool *ret_new, struct err *e)
{
	auto_close int image = -1, data = -1;
	struct stat st;

	*ret_new = !file_exists(AT_FDCWD, "upper/work") || !file_exists(AT_FDCWD, "upper/data");
	if (!*ret_new)
		return 0;
	if (stat("layers", &st) < 0)
		return err_sys(e, "cannot look at the image's root folder");
	if (make_like(AT_FDCWD, "upper/data", &st, e) < 0 ||
	    fd_open_dir(AT_FDCWD, "layers", &image, e) < 0 ||
	    fd_open_dir(AT_FDCWD, "upper/data", &data, e) < 0)
		return -1;
	if (make_places(&(struct trees){ image, data }, e) < 0)
		return -1;
	return make_folder(AT_FDCWD, "upper/work", 0700, e);
}

/* ---- mounting -------------------------------------------------------------------------------- */

/*
 * Without a journal and barriers where nothing has to survive. A disk whose journal is not empty
 * (its last VM died) cannot be had without it.
 */
static int mount_disk(const char *device, bool is_volatile, struct err *e)
{
	if (is_volatile && mount(device, "upper", "ext4", 0,
				 "noload,barrier=0,noinit_itable,no_prefetch_block_bitmaps,noblock_"
				 "validity,nombcache,inode_readahead_blks=0") == 0)
		return 0;
	if (mount(device, "upper", "ext4", 0,
		  is_volatile ? "barrier=0,noinit_itable" : "noinit_itable") < 0)
		return err_sys(e, "cannot mount the writable disk");
	return 0;
}

/*
 * Overlay's mark of a volatile mount, which refuses the next one. It stays when the container was
 * restarted (the monitor starts none again whose disk was not unmounted).
 */
static void forget_volatile(void)
{
	unlink("upper/work/work/incompat/volatile/dirty");
	rmdir("upper/work/work/incompat/volatile");
	rmdir("upper/work/work/incompat");
}

int upper_mount(const char *device, bool is_volatile, struct err *e)
{
	bool is_new;

	if (mount_disk(device, is_volatile, e) < 0 || upper_make_folders(&is_new, e) < 0)
		return -1;
	if (is_volatile && !is_new)
		forget_volatile();
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

void upper_trim(const char *path)
{
	struct fstrim_range range = { .start = 0, .len = UINT64_MAX, .minlen = 0 };
	struct err none = ERR_INIT;
	auto_close int fd = -1;

	/* Deleted blocks are free once the journal says so. A disk without discard is no error. */
	if (fd_open_dir(AT_FDCWD, path, &fd, &none) == 0 && syncfs(fd) == 0)
		ioctl(fd, FITRIM, &range);
}
