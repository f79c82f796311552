/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/root.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

/* Dangling links that are followed and folders that are made, for one place. */
#define STEPS_MAX 40

/* The folder part of a path, and behind it the last name; "a" is in ".". The caller frees *dir. */
static const char *split(const char *path, char **dir)
{
	const char *slash = strrchr(path, '/');

	*dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	return slash ? slash + 1 : path;
}

static char *without_end_slashes(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return xstrndup(path, n);
}

/* What is being made. */
struct making {
	int rootfd;
	int steps; /* that are left */
};

static int make(struct making *m, const char *path, bool file, int *ret, struct err *e);

/* `name` in `parent` exists and leads nowhere: makes what it points to. */
static int make_target(struct making *m, int parent, const char *path, bool file, int *ret,
		       struct err *e)
{
	char target[PATH_MAX];
	auto_free char *dir = NULL, *next = NULL;
	const char *name = split(path, &dir);
	ssize_t n = readlinkat(parent, name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, "cannot create '%s'", path);
	target[n] = '\0';
	next = target[0] == '/' ? xstrdup(target) : xasprintf("%s/%s", dir, target);
	return make(m, next, file, ret, e);
}

static int make(struct making *m, const char *path, bool file, int *ret, struct err *e)
{
	auto_free char *clean = without_end_slashes(path), *dir = NULL;
	int flags = O_PATH | (file ? 0 : O_DIRECTORY), r;
	auto_close int parent = -1;
	const char *name;

	if (fd_open_in_root(m->rootfd, clean, flags, ret, e) == 0)
		return 0;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	if (m->steps-- == 0 || strlen(clean) >= PATH_MAX)
		return err_wrap(e, "too many links");
	err_clear(e);
	name = split(clean, &dir);
	if (make(m, dir, false, &parent, e) < 0)
		return -1;
	r = file ? mknodat(parent, name, S_IFREG | 0644, 0) : mkdirat(parent, name, 0755);
	if (r < 0 && errno == EEXIST)
		return make_target(m, parent, clean, file, ret, e);
	if (r < 0)
		return err_sys(e, "cannot create '%s'", clean);
	return fd_open_in_root(m->rootfd, clean, flags, ret, e);
}

int root_make(int rootfd, const char *path, bool file, int *ret, struct err *e)
{
	struct making m = { rootfd, STEPS_MAX };

	return make(&m, path, file, ret, e);
}

int root_open_file(int rootfd, const char *path, int *ret, struct err *e)
{
	auto_close int fd = -1;
	struct stat st;

	/* Looked at before it is opened: opening a device or FIFO has effects. */
	if (fd_open_in_root(rootfd, path, O_PATH, &fd, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is not a regular file", path);
	fd_close(take_fd(&fd));
	if (fd_open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK, &fd, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is not a regular file", path);
	*ret = take_fd(&fd);
	return 0;
}
