/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rundir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

static void set_name(struct rundir *d, const char *id)
{
	snprintf(d->name, sizeof(d->name), "%.12s", id);
}

int rundir_open(const struct paths *p, const char *id, bool create, struct rundir *ret,
		struct err *e)
{
	auto_rundir struct rundir d = RUNDIR_INIT;

	set_name(&d, id);
	if (p->run_fd < 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' does not exist", p->runroot);
	if (create && mkdirat(p->run_fd, d.name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create '%s/%s'", p->runroot, d.name);
	if (fd_open_dir(p->run_fd, d.name, &d.fd, e) < 0)
		return -1;
	*ret = d;
	d = (struct rundir)RUNDIR_INIT;
	return 0;
}

void rundir_release(struct rundir *d)
{
	fd_close(d->op);
	fd_close(d->fd);
	*d = (struct rundir)RUNDIR_INIT;
}

/* 1 when the locked file is (still) what the name stands for: neither it nor the folder was
 * removed. */
static int is_current(const struct paths *p, const struct rundir *d, struct err *e)
{
	char file[RUNDIR_NAME_SIZE + sizeof(RUNDIR_OP)];
	struct stat mine, named;

	if (fstat(d->op, &mine) < 0)
		return err_sys(e, "cannot look at a lock");
	snprintf(file, sizeof(file), "%s/" RUNDIR_OP, d->name);
	if (fstatat(p->run_fd, file, &named, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, "cannot look at '%s/%s'", p->runroot, file);
	}
	return mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* One attempt: 1 locked, 0 held elsewhere, 2 the folder was removed meanwhile. */
static int try_lock(const struct paths *p, const char *id, bool wait, struct rundir *ret,
		    struct err *e)
{
	auto_rundir struct rundir d = RUNDIR_INIT;
	struct err why = ERR_INIT;
	int r;

	if (rundir_open(p, id, true, &d, &why) < 0 ||
	    fd_open(d.fd, RUNDIR_OP, O_RDWR | O_CREAT, 0600, &d.op, &why) < 0)
		return why.kind == ERR_NOT_FOUND && p->run_fd >= 0 ? 2 : err_move(e, &why);
	r = fd_lock(d.op, LOCK_EXCLUSIVE, wait, e);
	if (r <= 0)
		return r;
	r = is_current(p, &d, e);
	if (r <= 0)
		return r < 0 ? -1 : 2;
	*ret = d;
	d = (struct rundir)RUNDIR_INIT;
	return 1;
}

int rundir_lock(const struct paths *p, const char *id, bool wait, struct rundir *ret, struct err *e)
{
	int r;

	do {
		r = try_lock(p, id, wait, ret, e);
	} while (r == 2);
	return r;
}

static int take(const struct rundir *d, const char *file, const char *what, int *ret, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (fd_open(d->fd, file, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	r = fd_lock(fd, LOCK_EXCLUSIVE, false, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_CONFLICT, "%s of '%s' lives already", what, d->name);
	*ret = take_fd(&fd);
	return 0;
}

int rundir_take_alive(const struct rundir *d, int *ret, struct err *e)
{
	return take(d, RUNDIR_ALIVE, "a monitor", ret, e);
}

int rundir_take_vm(const struct rundir *d, int *ret, struct err *e)
{
	return take(d, RUNDIR_VM, "a VM", ret, e);
}

static int test(int dirfd, const char *file, struct err *e)
{
	auto_close int fd = -1;
	struct err why = ERR_INIT;

	if (fd_open(dirfd, file, O_RDWR, 0, &fd, &why) < 0)
		return why.kind == ERR_NOT_FOUND ? 0 : err_move(e, &why);
	return fd_lock_is_held(fd, e);
}

int rundir_alive(const struct rundir *d, struct err *e)
{
	return test(d->fd, RUNDIR_ALIVE, e);
}

int rundir_vm(const struct rundir *d, struct err *e)
{
	return test(d->fd, RUNDIR_VM, e);
}

int rundir_alive_by_id(const struct paths *p, const char *id, struct err *e)
{
	char file[RUNDIR_NAME_SIZE + sizeof(RUNDIR_ALIVE)];

	if (p->run_fd < 0)
		return 0;
	snprintf(file, sizeof(file), "%.12s/" RUNDIR_ALIVE, id);
	return test(p->run_fd, file, e);
}

static bool is_lock(const char *name)
{
	return str_eq(name, RUNDIR_ALIVE) || str_eq(name, RUNDIR_VM) || str_eq(name, RUNDIR_OP);
}

static int clean_entry(void *ctx, const char *name, struct err *e)
{
	const struct rundir *d = ctx;

	return is_lock(name) ? 0 : dir_remove_tree(d->fd, name, e);
}

int rundir_clean(const struct rundir *d, struct err *e)
{
	struct rundir copy = *d;

	return dir_each(d->fd, ".", clean_entry, &copy, e);
}

int rundir_remove(const struct paths *p, struct rundir *d, struct err *e)
{
	int r = d->killed ? 0 : rundir_vm(d, e);

	if (r < 0)
		return -1;
	if (r > 0)
		return err_set(e, ERR_CONFLICT, "the VM of '%s' lives still", d->name);
	if (rundir_clean(d, e) < 0 || file_remove(d->fd, RUNDIR_ALIVE, e) < 0 ||
	    file_remove(d->fd, RUNDIR_VM, e) < 0)
		return -1;
	/* `op` last: who waits for it finds it gone and starts over. Who made a new one in
	 * between owns the folder now, and removes it as there is no row. */
	if (file_remove(d->fd, RUNDIR_OP, e) < 0)
		return -1;
	if (unlinkat(p->run_fd, d->name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		return err_sys(e, "cannot remove '%s/%s'", p->runroot, d->name);
	return 0;
}
