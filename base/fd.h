/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and files. The only file of the program that opens anything; every descriptor is
 * close-on-exec from birth and never 0, 1 or 2.
 *
 * `dirfd` arguments take AT_FDCWD. Paths that come from an image or a guest go through fd_open_in_root.
 */
#ifndef KVBOX_BASE_FD_H
#define KVBOX_BASE_FD_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Closes unless negative; keeps errno, never retries. */
void fd_close(int fd);
void fd_close_ptr(int *fd);
#define auto_close __attribute__((cleanup(fd_close_ptr)))

/* Moves the descriptor out of the variable, leaving -1. */
int take_fd(int *fd);

/* openat with O_CLOEXEC. Returns 0 and sets *ret. Kind ERR_NOT_FOUND for ENOENT. */
int fd_open(int dirfd, const char *path, int flags, mode_t mode, int *ret,
	    struct err *e) MUST_CHECK;
/* openat2 with RESOLVE_IN_ROOT: neither ".." nor a symbolic link leads out of `rootfd`. */
int fd_open_in_root(int rootfd, const char *path, int flags, int *ret, struct err *e) MUST_CHECK;
/* A folder, as O_PATH-like handle usable as dirfd (opened O_RDONLY | O_DIRECTORY). */
int fd_open_dir(int dirfd, const char *path, int *ret, struct err *e) MUST_CHECK;
/* An unnamed file in the folder (O_TMPFILE), and its later name; replaces nothing: ERR_CONFLICT. */
int fd_open_tmp(int dirfd, mode_t mode, int *ret, struct err *e) MUST_CHECK;
int fd_link(int fd, int dirfd, const char *name, struct err *e) MUST_CHECK;
/* A copy of the descriptor, close-on-exec, number 3 or more. */
int fd_dup(int fd, int *ret, struct err *e) MUST_CHECK;
/* A memfd. */
int fd_memfd(const char *name, int *ret, struct err *e) MUST_CHECK;
/* ret[0] reads, ret[1] writes. */
int fd_pipe(int ret[2], struct err *e) MUST_CHECK;
/* A connected pair of Unix stream sockets. */
int fd_socketpair(int ret[2], struct err *e) MUST_CHECK;
int fd_set_nonblock(int fd, bool on, struct err *e) MUST_CHECK;

/* Reads until `n` bytes or the end; returns the number of bytes. */
ssize_t fd_read_full(int fd, void *buf, size_t n, struct err *e) MUST_CHECK;
ssize_t fd_pread_full(int fd, void *buf, size_t n, off_t at, struct err *e) MUST_CHECK;
/* Writes all of it. */
int fd_write_full(int fd, const void *buf, size_t n, struct err *e) MUST_CHECK;
int fd_pwrite_full(int fd, const void *buf, size_t n, off_t at, struct err *e) MUST_CHECK;
int fd_sync(int fd, struct err *e) MUST_CHECK;
int fd_size(int fd, uint64_t *ret, struct err *e) MUST_CHECK;
/* Copies only the data extents of `from` (SEEK_DATA) and sets the size of `to`, which is empty. */
int fd_copy_sparse(int from, int to, struct err *e) MUST_CHECK;

/* The whole file as terminated text in `ret` (appended; its limit counts). */
int file_read(int dirfd, const char *path, struct str *ret, struct err *e) MUST_CHECK;
/* Temporary file in the same folder, fsync, rename, fsync of the folder. */
int file_write_atomic(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		      struct err *e) MUST_CHECK;
/* The same without either fsync, for what need not survive a power cut (run folders). */
int file_write_replace(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		       struct err *e) MUST_CHECK;
/* In its place, without a temporary file: for what nobody reads before it is there, and who leaves it half
 * written takes away. */
int file_write_new(int dirfd, const char *path, const void *data, size_t n, mode_t mode,
		   struct err *e) MUST_CHECK;
bool file_exists(int dirfd, const char *path);
int file_rename(int fromdir, const char *from, int todir, const char *to, struct err *e) MUST_CHECK;
/* Removes; a file that is not there is no error. */
int file_remove(int dirfd, const char *path, struct err *e) MUST_CHECK;
/* mkdir -p. */
int dir_make(int dirfd, const char *path, mode_t mode, struct err *e) MUST_CHECK;
/* fsync of a folder, so that renames and links in it last. */
int dir_sync(int dirfd, struct err *e) MUST_CHECK;
/* rm -r without following links or crossing `dirfd`; what is not there is no error. */
int dir_remove_tree(int dirfd, const char *name, struct err *e) MUST_CHECK;
/* Calls `each` with every name but "." and ".." (any order); stops at -1. */
int dir_each(int dirfd, const char *path, int (*each)(void *ctx, const char *name, struct err *e),
	     void *ctx, struct err *e) MUST_CHECK;

/*
 * Open-file-description locks on the whole file (F_OFD_*). They belong to the description: they end
 * when its last descriptor is closed, so a child that inherits one keeps it.
 */
enum lock_kind { LOCK_SHARED, LOCK_EXCLUSIVE };
/* wait: block until it is free. Returns 1 when taken, 0 when held elsewhere (only without wait). */
int fd_lock(int fd, enum lock_kind kind, bool wait, struct err *e) MUST_CHECK;
int fd_unlock(int fd, struct err *e) MUST_CHECK;
/* F_OFD_GETLK: 1 when some other description holds a lock that excludes an exclusive one, else 0. */
int fd_lock_is_held(int fd, struct err *e) MUST_CHECK;

/*
 * Unix stream sockets by folder and name. Where the full path is too long for sun_path, the folder's
 * descriptor is used through /proc/self/fd.
 */
int sock_listen(int dirfd, const char *name, int *ret, struct err *e) MUST_CHECK;
/* ERR_UNAVAILABLE when nobody listens or there is no such socket. One who listens but accepts nobody, whose
 * queue is full, is given `patience` milliseconds (at least one). */
int sock_connect(int dirfd, const char *name, int64_t patience, int *ret, struct err *e) MUST_CHECK;
int sock_accept(int fd, int *ret, struct err *e) MUST_CHECK;
/* One message with up to 8 descriptors. `n` is at least 1. */
int sock_send_fds(int fd, const void *buf, size_t n, const int *fds, size_t nfds,
		  struct err *e) MUST_CHECK;
ssize_t sock_recv_fds(int fd, void *buf, size_t n, int *fds, size_t *nfds,
		      struct err *e) MUST_CHECK;

#endif
