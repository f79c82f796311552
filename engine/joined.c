/* SPDX-License-Identifier: Apache-2.0 */
/* See joined.h. */
#include "engine/joined.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

/* Copies one extent of data; the kernel does it, without coming through here. */
static int copy_extent(int from, int to, off_t begin, off_t end, off_t at, struct err *e)
{
	ssize_t n;

	while (begin < end) {
		n = copy_file_range(from, &begin, to, &at, (size_t)(end - begin), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot copy");
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "file became shorter while it was copied");
	}
	return 0;
}

static int copy_data(int from, int to, off_t size, off_t at, struct err *e)
{
	off_t begin = 0, end;

	while (begin < size) {
		begin = lseek(from, begin, SEEK_DATA);
		if (begin < 0 && errno == ENXIO)
			return 0; /* a hole up to the end */
		end = begin < 0 ? -1 : lseek(from, begin, SEEK_HOLE);
		if (end < 0)
			return err_sys(e, "cannot look for data");
		if (copy_extent(from, to, begin, end, at + begin, e) < 0)
			return -1;
		begin = end;
	}
	return 0;
}

/* Puts the file at *at and moves that behind it. */
static int append(const struct paths *p, const char *name, int to, off_t *at, struct err *e)
{
	auto_close int from = -1;
	struct file_clone_range range = { .dest_offset = (uint64_t)*at };
	uint64_t size;

	if (fd_open(p->root_fd, name, O_RDONLY, 0, &from, e) < 0 || fd_size(from, &size, e) < 0)
		return -1;
	range.src_fd = from;
	if (ioctl(to, FICLONERANGE, &range) < 0 && copy_data(from, to, (off_t)size, *at, e) < 0)
		return err_wrap(e, "'%s'", name);
	*at += (off_t)size;
	return 0;
}

static int fill(const struct paths *p, const char *chain, const struct strv *layers, int to,
		struct err *e)
{
	char name[PATH_NAME_SIZE];
	off_t at = 0;

	if (append(p, path_chain(chain, name), to, &at, e) < 0)
		return -1;
	for (size_t i = 0; i < layers->n; i++)
		if (append(p, path_layer(layers->v[i], name), to, &at, e) < 0)
			return -1;
	if (ftruncate(to, at) < 0)
		return err_sys(e, "cannot set the size");
	return fd_sync(to, e);
}

const char *joined_name(const char *chain, char ret[PATH_NAME_SIZE])
{
	char name[PATH_NAME_SIZE];
	const char *end;

	path_chain(chain, name);
	end = strrchr(name, '.');
	snprintf(ret, PATH_NAME_SIZE, "%.*s" JOINED_SUFFIX, (int)(end - name), name);
	return ret;
}

int joined_make(const struct paths *p, const char *chain, const struct strv *layers,
		char ret[PATH_NAME_SIZE], struct err *e)
{
	auto_close int dir = -1, fd = -1;
	struct err why = ERR_INIT;

	joined_name(chain, ret);
	if (file_exists(p->root_fd, ret))
		return 0;
	if (fd_open_dir(p->root_fd, DIR_CHAINS, &dir, e) < 0 ||
	    fd_open_tmp(dir, 0444, &fd, e) < 0 || fill(p, chain, layers, fd, e) < 0)
		return err_wrap(e, "cannot copy the image's layers into one file");
	/* Somebody else may have been quicker, with the same result. */
	if (fd_link(fd, dir, strrchr(ret, '/') + 1, &why) < 0 && why.kind != ERR_CONFLICT)
		return err_move(e, &why);
	return 0;
}
