/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/random.h"

void fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

void fd_close_ptr(int *fd)
{
	fd_close(*fd);
}

int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

/* Moves a descriptor that landed on 0, 1 or 2 (a caller may have closed those) out of the way. */
static int above_stdio(int fd)
{
	int up;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	fd_close(fd);
	return up;
}

/* err_sys with the kind that callers test for. */
static int open_failed(struct err *e, const char *verb, const char *path)
{
	bool missing = errno == ENOENT;

	err_sys(e, "cannot %s '%s'", verb, path);
	if (missing)
		e->kind = ERR_NOT_FOUND;
	return -1;
}

int fd_open(int dirfd, const char *path, int flags, mode_t mode, int *ret, struct err *e)
{
	int fd = fault("fd.open") ? -1 : openat(dirfd, path, flags | O_CLOEXEC, mode);

	fd = above_stdio(fd);
	if (fd < 0)
		return open_failed(e, "open", path);
	*ret = fd;
	return 0;
}

int fd_open_in_root(int rootfd, const char *path, int flags, int *ret, struct err *e)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = fault("fd.open") ? -1 : (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

	fd = above_stdio(fd);
	if (fd < 0)
		return open_failed(e, "open", path);
	*ret = fd;
	return 0;
}

int fd_open_dir(int dirfd, const char *path, int *ret, struct err *e)
{
	return fd_open(dirfd, path, O_RDONLY | O_DIRECTORY, 0, ret, e);
}

int fd_open_tmp(int dirfd, mode_t mode, int *ret, struct err *e)
{
	return fd_open(dirfd, ".", O_RDWR | O_TMPFILE, mode, ret, e);
}

int fd_link(int fd, int dirfd, const char *name, struct err *e)
{
	char from[32];
	int r;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	r = fault("fd.link") ? -1 : linkat(AT_FDCWD, from, dirfd, name, AT_SYMLINK_FOLLOW);
	if (r == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_CONFLICT, "'%s' exists already", name);
	return err_sys(e, "cannot link '%s'", name);
}

int fd_dup(int fd, int *ret, struct err *e)
{
	int r = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (r < 0)
		return err_sys(e, "cannot duplicate descriptor %d", fd);
	*ret = r;
	return 0;
}

int fd_memfd(const char *name, int *ret, struct err *e)
{
	int fd = above_stdio(
		fault("fd.memfd") ? -1 : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));

	if (fd < 0)
		return err_sys(e, "cannot create a memory file");
	*ret = fd;
	return 0;
}

/* Both ends above stdio, or neither. */
static int take_pair(int pair[2], int ret[2], const char *what, struct err *e)
{
	pair[0] = above_stdio(pair[0]);
	pair[1] = above_stdio(pair[1]);
	if (pair[0] < 0 || pair[1] < 0) {
		fd_close(pair[0]);
		fd_close(pair[1]);
		return err_sys(e, "cannot create %s", what);
	}
	ret[0] = pair[0];
	ret[1] = pair[1];
	return 0;
}

int fd_pipe(int ret[2], struct err *e)
{
	int pair[2] = { -1, -1 };

	if (fault("fd.pipe") || pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "cannot create a pipe");
	return take_pair(pair, ret, "a pipe", e);
}

int fd_socketpair(int ret[2], struct err *e)
{
	int pair[2] = { -1, -1 };

	if (fault("fd.socketpair") || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "cannot create a socket pair");
	return take_pair(pair, ret, "a socket pair", e);
}

int fd_set_nonblock(int fd, bool on, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0)
		return err_sys(e, "cannot change the mode of descriptor %d", fd);
	return 0;
}

ssize_t fd_read_full(int fd, void *buf, size_t n, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = fault("fd.read") ? -1 : read(fd, (char *)buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot read");
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

ssize_t fd_pread_full(int fd, void *buf, size_t n, off_t at, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = fault("fd.read")
				    ? -1
				    : pread(fd, (char *)buf + done, n - done, at + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot read");
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buf, size_t n, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = fault("fd.write") ? -1 : write(fd, (const char *)buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot write");
		done += (size_t)r;
	}
	return 0;
}

int fd_pwrite_full(int fd, const void *buf, size_t n, off_t at, struct err *e)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = fault("fd.write") ? -1
					      : pwrite(fd, (const char *)buf + done, n - done,
						       at + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "cannot write");
		done += (size_t)r;
	}
	return 0;
}

int fd_sync(int fd, struct err *e)
{
	if (fault("fd.sync") || fsync(fd) < 0)
		return err_sys(e, "cannot bring data to the disk");
	return 0;
}

int fd_size(int fd, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot tell a file's size");
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* One extent, without passing the data through this process where the file system can do that. */
static int copy_extent(int from, int to, off_t at, off_t end, struct err *e)
{
	char buf[65536];

	while (at < end) {
		off_t in = at, out = at;
		ssize_t r = fault("fd.write")
				    ? -1
				    : copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);

		if (r > 0) {
			at += r;
			continue;
		}
		if (r < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
		    errno != EOPNOTSUPP)
			return err_sys(e, "cannot copy");
		r = fd_pread_full(from, buf, (size_t)(end - at < 65536 ? end - at : 65536), at, e);
		if (r <= 0)
			return r < 0 ? -1 : err_set(e, ERR_CORRUPT, "file became shorter");
		if (fd_pwrite_full(to, buf, (size_t)r, at, e) < 0)
			return -1;
		at += r;
	}
	return 0;
}

int fd_copy_sparse(int from, int to, struct err *e)
{
	uint64_t size;
	off_t at = 0;

	if (fd_size(from, &size, e) < 0)
		return -1;
	if (fault("fd.truncate") || ftruncate(to, (off_t)size) < 0)
		return err_sys(e, "cannot set a file's size");
	for (;;) {
		off_t data = lseek(from, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			return 0;
		hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return err_sys(e, "cannot look for data");
		if (copy_extent(from, to, data, hole, e) < 0)
			return -1;
		at = hole;
	}
}

#define FILE_READ_STEP ((size_t)16384)

int file_read(int dirfd, const char *path, struct str *ret, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dirfd, path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	for (;;) {
		size_t room = ret->limit - ret->len;
		char one, *at;
		ssize_t r;

		if (room == 0) { /* exactly full is fine, one more byte is not */
			r = fd_read_full(fd, &one, 1, e);
			if (r > 0)
				err_set(e, ERR_INVALID, "larger than %zu bytes", ret->limit);
			return r == 0 ? 0 : err_wrap(e, "cannot read '%s'", path);
		}
		if (room > FILE_READ_STEP)
			room = FILE_READ_STEP;
		at = str_reserve(ret, room);
		r = fd_read_full(fd, at, room, e);
		if (r < 0)
			return err_wrap(e, "cannot read '%s'", path);
		str_grow(ret, (size_t)r);
		if ((size_t)r < room)
			return 0;
	}
}

/* Names of temporary files begin with a dot so that a crash's leftovers are known as such. */
static int write_tmp(int dirfd, const char *path, char tmp[], size_t tmpsize, mode_t mode, int *ret,
		     struct err *e)
{
	const char *base = strrchr(path, '/');
	int folder = base ? (int)(base - path) + 1 : 0;
	uint32_t r;

	random_bytes(&r, sizeof(r));
	if (snprintf(tmp, tmpsize, "%.*s.tmp-%08x", folder, path, r) >= (int)tmpsize)
		return err_set(e, ERR_INVALID, "path '%.100s' is too long", path);
	return fd_open(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL, mode, ret, e);
}

static int write_file(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		      bool sync, struct err *e)
{
	auto_close int fd = -1;
	char tmp[4096];
	int r;

	if (write_tmp(dirfd, path, tmp, sizeof(tmp), mode, &fd, e) < 0)
		return -1;
	r = fd_write_full(fd, data, n, e);
	if (r == 0 && sync)
		r = fd_sync(fd, e);
	if (r == 0)
		r = file_rename(dirfd, tmp, dirfd, path, e);
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return err_wrap(e, "cannot write '%s'", path);
	}
	return 0;
}

int file_write_atomic(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		      struct err *e)
{
	const char *slash = strrchr(path, '/');
	auto_close int folder = -1;
	char name[4096];

	if (write_file(dirfd, path, data, n, mode, true, e) < 0)
		return -1;
	if (!slash) {
		if (dirfd != AT_FDCWD)
			return dir_sync(dirfd, e);
		snprintf(name, sizeof(name), ".");
	} else {
		snprintf(name, sizeof(name), "%.*s", (int)(slash - path) + 1, path);
	}
	if (fd_open_dir(dirfd, name, &folder, e) < 0)
		return -1;
	return dir_sync(folder, e);
}

int file_write_replace(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		       struct err *e)
{
	return write_file(dirfd, path, data, n, mode, false, e);
}

int file_write_new(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		   struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC, mode, &fd, e) < 0)
		return -1;
	return fd_write_full(fd, data, n, e) < 0 ? err_wrap(e, "cannot write '%s'", path) : 0;
}

bool file_exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int file_rename(int fromdir, const char *from, int todir, const char *to, struct err *e)
{
	if (fault("file.rename") || renameat(fromdir, from, todir, to) < 0)
		return err_sys(e, "cannot rename '%s' to '%s'", from, to);
	return 0;
}

int file_remove(int dirfd, const char *path, struct err *e)
{
	if ((fault("file.remove") || unlinkat(dirfd, path, 0) < 0) && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", path);
	return 0;
}

/* 1 when it was made, 0 when there is something of that name. */
static int make_one(int dirfd, const char *path, mode_t mode, struct err *e)
{
	if (!fault("dir.make") && mkdirat(dirfd, path, mode) == 0)
		return 1;
	return errno == EEXIST ? 0 : err_sys(e, "cannot create folder '%s'", path);
}

int dir_make(int dirfd, const char *path, mode_t mode, struct err *e)
{
	char part[4096];
	struct stat st;
	size_t n = strlen(path);
	struct err why = ERR_INIT;
	int r;

	if (fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return 0;
	/* As a rule only the last part of it is missing. */
	r = make_one(dirfd, path, mode, &why);
	if (r > 0)
		return 0;
	if (r < 0 && why.sys != ENOENT)
		return err_move(e, &why);
	if (r == 0 && fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (n >= sizeof(part))
		return err_set(e, ERR_INVALID, "path '%.100s' is too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (fstatat(dirfd, part, &st, 0) == 0)
			continue;
		if (make_one(dirfd, part, mode, e) < 0)
			return -1;
	}
	if (fstatat(dirfd, path, &st, 0) < 0 || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return err_sys(e, "cannot create folder '%s'", path);
	}
	return 0;
}

int dir_sync(int dirfd, struct err *e)
{
	return fd_sync(dirfd, e);
}

/* getdents64 by hand: opendir wants to own the descriptor and its memory. */
struct dirent64_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
};
#define DIRENT_NAME_OFFSET 19

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* From where the descriptor stands: once. The path is for the error. */
static int each_entry(int fd, const char *path,
		      int (*each)(void *ctx, const char *name, struct err *e), void *ctx,
		      struct err *e)
{
	char buf[8192];

	for (;;) {
		long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

		if (n < 0)
			return err_sys(e, "cannot list '%s'", path);
		if (n == 0)
			return 0;
		for (long at = 0; at < n;) {
			struct dirent64_head head;
			const char *name = buf + at + DIRENT_NAME_OFFSET;

			memcpy(&head, buf + at, DIRENT_NAME_OFFSET);
			if (!is_dot(name) && each(ctx, name, e) < 0)
				return -1;
			at += head.reclen;
		}
	}
}

int dir_each(int dirfd, const char *path, int (*each)(void *ctx, const char *name, struct err *e),
	     void *ctx, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open_dir(dirfd, path, &fd, e) < 0)
		return -1;
	return each_entry(fd, path, each, ctx, e);
}

/* Removal with a recursion that a hostile tree cannot drive deeper than this. */
#define REMOVE_DEPTH_MAX 64

struct removal {
	int dirfd;
	int depth;
};

static int remove_entry(void *ctx, const char *name, struct err *e)
{
	struct removal *up = ctx;
	auto_close int fd = -1;
	struct removal down = { -1, up->depth + 1 };

	if (!fault("file.remove") && (unlinkat(up->dirfd, name, 0) == 0 || errno == ENOENT))
		return 0;
	if (errno != EISDIR)
		return err_sys(e, "cannot remove '%s'", name);
	if (up->depth == REMOVE_DEPTH_MAX)
		return err_set(e, ERR_INVALID, "cannot remove '%s': folders are nested too deep",
			       name);
	if (fd_open(up->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd, e) < 0)
		return -1;
	down.dirfd = fd;
	if (each_entry(fd, name, remove_entry, &down, e) < 0)
		return -1;
	if (unlinkat(up->dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", name);
	return 0;
}

int dir_remove_tree(int dirfd, const char *name, struct err *e)
{
	struct removal top = { dirfd, 0 };

	return remove_entry(&top, name, e);
}

int fd_lock(int fd, enum lock_kind kind, bool wait, struct err *e)
{
	struct flock fl = { .l_type = kind == LOCK_SHARED ? F_RDLCK : F_WRLCK,
			    .l_whence = SEEK_SET };

	for (;;) {
		if (!fault("fd.lock") && fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl) == 0)
			return 1;
		if (errno == EINTR)
			continue;
		if (!wait && (errno == EAGAIN || errno == EACCES))
			return 0;
		return err_sys(e, "cannot lock");
	}
}

int fd_unlock(int fd, struct err *e)
{
	struct flock fl = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &fl) < 0)
		return err_sys(e, "cannot unlock");
	return 0;
}

int fd_lock_is_held(int fd, struct err *e)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
		return err_sys(e, "cannot test a lock");
	return fl.l_type != F_UNLCK;
}
