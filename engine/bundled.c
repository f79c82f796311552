/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bundled.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "vmm/bundle.h"

#define DIR_BUNDLE "bundle"
#define VARIABLE   "KVBOX_LIBEXEC"
#define LOCK	   "lock"
#define NEW	   "new"
#define OLD	   "old"

/* ---- locks --------------------------------------------------------------------------------------- */

static bool is_at(int fd, int dirfd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && fstatat(dirfd, path, &named, 0) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/* 1 and a descriptor that keeps the folder; 0: there is none. Whoever removes one does so with its lock, and
 * not while it waits. */
static int hold(int dirfd, const char *folder, int *ret, struct err *e)
{
	auto_free char *path = xasprintf("%s/" LOCK, folder);

	for (;;) {
		auto_close int fd = -1;
		struct err why = ERR_INIT;

		if (fd_open(dirfd, path, O_RDONLY, 0, &fd, &why) < 0)
			return why.kind == ERR_NOT_FOUND ? 0 : err_move(e, &why);
		if (fd_lock(fd, LOCK_SHARED, true, e) < 0)
			return -1;
		if (!is_at(fd, dirfd, path))
			continue; /* removed, and perhaps unpacked again, meanwhile */
		*ret = take_fd(&fd);
		return 1;
	}
}

/* The lock of all folders: 1 when taken, 0 when somebody has it. */
static int lock_all(int dirfd, bool wait, int *ret, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (fd_open(dirfd, LOCK, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	r = fd_lock(fd, LOCK_EXCLUSIVE, wait, e);
	if (r > 0)
		*ret = take_fd(&fd);
	return r;
}

/* ---- removing, under the lock of all ------------------------------------------------------------- */

/* Under another name first, so that what has the right name is complete. */
static int remove_folder(int dirfd, const char *name, struct err *e)
{
	if (file_rename(dirfd, name, dirfd, OLD, e) < 0)
		return -1;
	return dir_remove_tree(dirfd, OLD, e);
}

static int remove_unused(int dirfd, const char *name, struct err *e)
{
	auto_free char *path = xasprintf("%s/" LOCK, name);
	auto_close int fd = -1;
	struct err why = ERR_INIT;
	int r = 1;

	if (fd_open(dirfd, path, O_RDWR, 0, &fd, &why) == 0)
		r = fd_lock(fd, LOCK_EXCLUSIVE, false, e);
	else if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	return r > 0 ? remove_folder(dirfd, name, e) : r;
}

struct removal {
	int dirfd;
	const char *keep;
};

static int look_at(void *ctx, const char *name, struct err *e)
{
	const struct removal *r = ctx;

	if (!hex_is(name, BUNDLE_DIGEST_SIZE - 1) || strcmp(name, r->keep) == 0)
		return 0;
	return remove_unused(r->dirfd, name, e);
}

/* What was left by somebody who was killed, then what nobody uses. */
static int collect(int dirfd, const char *keep, struct err *e)
{
	struct removal r = { dirfd, keep };

	if (dir_remove_tree(dirfd, OLD, e) < 0 || dir_remove_tree(dirfd, NEW, e) < 0)
		return -1;
	return dir_each(dirfd, ".", look_at, &r, e);
}

int bundled_collect_in(int dirfd, const char *keep, struct err *e)
{
	auto_close int lock = -1;
	int r = lock_all(dirfd, false, &lock, e);

	return r > 0 ? collect(dirfd, keep, e) : r;
}

void bundled_collect(const struct paths *p)
{
	auto_free char *self = NULL;
	auto_close int dir = -1;
	char digest[BUNDLE_DIGEST_SIZE];
	struct err why = ERR_INIT;

	if (!file_exists(p->root_fd, DIR_BUNDLE))
		return;
	self = proc_own_path(&why);
	if (self && bundle_look(self, digest, &why) > 0 &&
	    fd_open_dir(p->root_fd, DIR_BUNDLE, &dir, &why) == 0)
		(void)!bundled_collect_in(dir, digest, &why);
	if (err_is_set(&why))
		log_debug("what other executables have unpacked stays: %s", why.msg);
}

/* ---- unpacking ----------------------------------------------------------------------------------- */

static int make_new(const char *self, const char *digest, int dirfd, struct err *e)
{
	auto_close int folder = -1, lock = -1;

	if (dir_make(dirfd, NEW, 0700, e) < 0 || fd_open_dir(dirfd, NEW, &folder, e) < 0 ||
	    fd_open(folder, LOCK, O_RDWR | O_CREAT | O_EXCL, 0600, &lock, e) < 0 ||
	    bundle_unpack(self, digest, folder, e) < 0 ||
	    file_rename(dirfd, NEW, dirfd, digest, e) < 0)
		return -1;
	return dir_sync(dirfd, e);
}

/* Room is made first, as far as that can be. One of the right name without a lock is not ours, or damaged. */
static int unpack(const char *self, const char *digest, int dirfd, struct err *e)
{
	struct err why = ERR_INIT, ignored = ERR_INIT;

	if (collect(dirfd, digest, &why) < 0)
		log_debug("what other executables have unpacked stays: %s", why.msg);
	if (dir_remove_tree(dirfd, NEW, e) < 0)
		return -1;
	if (file_exists(dirfd, digest) && remove_folder(dirfd, digest, e) < 0)
		return -1;
	if (make_new(self, digest, dirfd, e) == 0)
		return 0;
	(void)!dir_remove_tree(dirfd, NEW, &ignored);
	return -1;
}

static int hold_or_unpack(const char *self, const char *digest, int dirfd, int *ret, struct err *e)
{
	auto_close int lock = -1;
	int r = hold(dirfd, digest, ret, e);

	if (r != 0)
		return r;
	if (lock_all(dirfd, true, &lock, e) < 0)
		return -1;
	/* Somebody else may have been quicker. */
	r = hold(dirfd, digest, ret, e);
	if (r != 0)
		return r;
	if (unpack(self, digest, dirfd, e) < 0)
		return -1;
	return hold(dirfd, digest, ret, e);
}

int bundled_open(const char *self, int dirfd, char **ret_name, int *ret, struct err *e)
{
	char digest[BUNDLE_DIGEST_SIZE];
	int r = bundle_look(self, digest, e);

	if (r <= 0)
		return r;
	r = hold_or_unpack(self, digest, dirfd, ret, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_CONFLICT, "'%s' was removed again", digest);
	*ret_name = xstrdup(digest);
	return 1;
}

/* ---- for commands and monitors ------------------------------------------------------------------- */

static int open_in_root(struct paths *p, const char *self, char **ret_name, int *ret, struct err *e)
{
	auto_close int dir = -1;

	if (paths_make(p, e) < 0 || dir_make(p->root_fd, DIR_BUNDLE, 0700, e) < 0 ||
	    fd_open_dir(p->root_fd, DIR_BUNDLE, &dir, e) < 0 ||
	    bundled_open(self, dir, ret_name, ret, e) < 0)
		return err_wrap(e, "cannot unpack what this program carries");
	return 0;
}

int bundled_use(struct paths *p, int *ret, struct err *e)
{
	auto_free char *self = NULL, *name = NULL, *folder = NULL;
	const char *set = getenv(VARIABLE);
	char digest[BUNDLE_DIGEST_SIZE];
	auto_close int held = -1;
	int r;

	*ret = -1;
	if (set && *set)
		return 0;
	self = proc_own_path(e);
	if (!self)
		return -1;
	r = bundle_look(self, digest, e);
	if (r <= 0)
		return r;
	if (open_in_root(p, self, &name, &held, e) < 0)
		return -1;
	folder = xasprintf("%s/" DIR_BUNDLE "/%s", p->root, name);
	if (setenv(VARIABLE, folder, 1) < 0)
		return err_sys(e, "cannot set " VARIABLE);
	*ret = take_fd(&held);
	return 0;
}

int bundled_hold(int *ret, struct err *e)
{
	const char *folder = getenv(VARIABLE);

	/* No lock in there: somebody's own folder, which we do not look after. */
	return folder && *folder && hold(AT_FDCWD, folder, ret, e) < 0 ? -1 : 0;
}
