/* SPDX-License-Identifier: Apache-2.0 */
/* See guestfiles.h. */
#include "vmm/guestfiles.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"

char *guest_libexec_path(const char *name, struct err *e)
{
	const char *named = getenv("KVBOX_LIBEXEC");
	auto_free char *own = NULL;

	if (named && named[0] == '/')
		return xasprintf("%s/%s", named, name);
	own = proc_own_path(e);
	if (!own)
		return NULL;
	/* The path has no symbolic links in it, so that its parents are simply its beginnings. */
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(own, '/');

		if (slash)
			*slash = '\0';
	}
	return xasprintf("%s/libexec/kvbox/%s", own, name);
}

/* The file that `env` names, else the one beside the executable; NULL with an error when it cannot be
 * read. `what` is for the error. */
static char *find_one(const char *env, const char *name, const char *what, struct err *e)
{
	const char *named = getenv(env);
	auto_free char *path = NULL;
	auto_close int fd = -1;
	bool missing;

	if (named && *named) {
		path = realpath(named, NULL);
		if (!path) {
			err_sys(e, "%s: cannot find the %s '%s'", env, what, named);
			e->kind = ERR_UNAVAILABLE;
			return NULL;
		}
	} else {
		path = guest_libexec_path(name, e);
		if (!path)
			return NULL;
	}
	if (fd_open(AT_FDCWD, path, O_RDONLY, 0, &fd, e) == 0)
		return take_ptr(&path);
	missing = e->kind == ERR_NOT_FOUND;
	e->kind = ERR_UNAVAILABLE;
	if (!missing) {
		err_wrap(e, "cannot read the %s", what);
		return NULL;
	}
	err_clear(e);
	err_set(e, ERR_UNAVAILABLE, "no %s at '%s': run 'make guest', or set %s", what, path, env);
	return NULL;
}

static int check_kernel(const char *path, struct err *e)
{
	auto_close int fd = -1;
	char head[4];
	ssize_t n;

	if (fd_open(AT_FDCWD, path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	n = fd_read_full(fd, head, sizeof(head), e);
	if (n < 0)
		return err_wrap(e, "cannot read the guest kernel '%s'", path);
	if (n < (ssize_t)sizeof(head) || memcmp(head, "\177ELF", 4) != 0)
		return err_set(e, ERR_UNAVAILABLE,
			       "guest kernel '%s' is not an uncompressed vmlinux: run 'make guest'",
			       path);
	return 0;
}

/* The first line of kernel.txt in the kernel's folder, which is there for people only. */
static char *read_about(const char *kernel)
{
	auto_str struct str path = STR_INIT(4096);
	auto_str struct str text = STR_INIT(4096);
	struct err ignored = ERR_INIT;
	const char *slash = strrchr(kernel, '/');

	str_addn(&path, kernel, slash ? (size_t)(slash - kernel) + 1 : 0);
	str_add(&path, "kernel.txt");
	if (path.over || file_read(AT_FDCWD, path.buf, &text, &ignored) < 0)
		return xstrdup("");
	return xstrndup(text.buf, strcspn(text.buf, "\n"));
}

int guest_files_find(struct guest_files *ret, struct err *e)
{
	auto_free char *kernel = find_one("KVBOX_KERNEL", "vmlinux", "guest kernel", e);
	auto_free char *initramfs = NULL;

	if (!kernel || check_kernel(kernel, e) < 0)
		return -1;
	initramfs = find_one("KVBOX_INITRAMFS", "initramfs", "guest initramfs", e);
	if (!initramfs)
		return -1;
	ret->about = read_about(kernel);
	ret->kernel = take_ptr(&kernel);
	ret->initramfs = take_ptr(&initramfs);
	return 0;
}

void guest_files_release(struct guest_files *g)
{
	free(g->kernel);
	free(g->initramfs);
	free(g->about);
	*g = (struct guest_files)GUEST_FILES_INIT;
}
