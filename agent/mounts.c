/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/mem.h"

#define OPTIONS_MAX 4096

void mounts_make_folders(const char *path)
{
	auto_free char *copy = xstrdup(path);

	for (char *at = copy; *at; at++) {
		if (*at != '/' || at == copy)
			continue;
		*at = '\0';
		mkdir(copy, 0755);
		*at = '/';
	}
	mkdir(copy, 0755);
}

/* ---- views ----------------------------------------------------------------------------------- */

int mounts_views(bool writable, struct err *e)
{
	static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	static const struct {
		const char *type, *at;
		bool read_only;
	} views[] = {
		{ "proc", "/proc", false },
		{ "sysfs", "/sys", true },
		{ "cgroup2", "/sys/fs/cgroup", true },
		{ "mqueue", "/dev/mqueue", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		unsigned long extra = views[i].read_only && !writable ? MS_RDONLY : 0;

		if (mount(views[i].type, views[i].at, views[i].type, flags | extra, NULL) < 0)
			return err_sys(e, "cannot mount '%s'", views[i].at);
	}
	return 0;
}

/* ---- tmpfs ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool clear;
	unsigned long flag; /* 0: means nothing for a tmpfs of one container */
} words[] = {
	{ "rw", true, MS_RDONLY },
	{ "ro", false, MS_RDONLY },
	{ "exec", true, MS_NOEXEC },
	{ "noexec", false, MS_NOEXEC },
	{ "suid", true, MS_NOSUID },
	{ "nosuid", false, MS_NOSUID },
	{ "dev", true, MS_NODEV },
	{ "nodev", false, MS_NODEV },
	{ "async", true, MS_SYNCHRONOUS },
	{ "sync", false, MS_SYNCHRONOUS },
	{ "dirsync", false, MS_DIRSYNC },
	{ "atime", true, MS_NOATIME },
	{ "noatime", false, MS_NOATIME },
	{ "diratime", true, MS_NODIRATIME },
	{ "nodiratime", false, MS_NODIRATIME },
	{ "relatime", false, MS_RELATIME },
	{ "norelatime", true, MS_RELATIME },
	{ "strictatime", false, MS_STRICTATIME },
	{ "nostrictatime", true, MS_STRICTATIME },
	{ "defaults", false, 0 },
	{ "mand", false, 0 },
	{ "nomand", false, 0 },
	{ "bind", false, 0 },
	{ "rbind", false, 0 },
	{ "remount", false, 0 },
	{ "private", false, 0 },
	{ "rprivate", false, 0 },
	{ "shared", false, 0 },
	{ "rshared", false, 0 },
	{ "slave", false, 0 },
	{ "rslave", false, 0 },
	{ "unbindable", false, 0 },
	{ "runbindable", false, 0 },
};

void mounts_parse_options(const char *text, unsigned long *ret_flags, struct str *ret_data)
{
	auto_free char *copy = xstrdup(text);
	char *save = copy, *word;

	*ret_flags = MS_NOEXEC | MS_NOSUID | MS_NODEV;
	while ((word = strsep(&save, ","))) {
		size_t i = 0;

		while (i < ARRAY_LEN(words) && strcmp(words[i].name, word) != 0)
			i++;
		if (i == ARRAY_LEN(words)) {
			if (*word)
				str_addf(ret_data, "%s%s", ret_data->len ? "," : "", word);
		} else if (words[i].clear) {
			*ret_flags &= ~words[i].flag;
		} else {
			*ret_flags |= words[i].flag;
		}
	}
}

static int mount_tmpfs(const char *path, const char *options, struct err *e)
{
	auto_str struct str data = STR_INIT(OPTIONS_MAX);
	unsigned long flags;
	struct stat st;

	if (stat(path, &st) == 0)
		str_addf(&data, "mode=%04o", (unsigned int)st.st_mode & 07777);
	else
		mounts_make_folders(path);
	mounts_parse_options(options, &flags, &data);
	if (data.over)
		return err_set(e, ERR_INVALID, "options of tmpfs '%s' are too long", path);
	if (mount("tmpfs", path, "tmpfs", flags, data.buf) < 0)
		return err_sys(e, "cannot mount a tmpfs on '%s' with \"%s\"", path, options);
	return 0;
}

static size_t path_length(const char *entry)
{
	return strcspn(entry, "=");
}

/* A folder comes before what is mounted in it. */
static int by_length(const void *a, const void *b)
{
	size_t n = path_length(*(char *const *)a), m = path_length(*(char *const *)b);

	return n < m ? -1 : n > m;
}

int mounts_tmpfs(const struct strv *list, struct err *e)
{
	auto_strv struct strv sorted = STRV_INIT;

	if (!list->n)
		return 0;
	strv_copy(&sorted, list);
	qsort(sorted.v, sorted.n, sizeof(*sorted.v), by_length);
	for (size_t i = 0; i < sorted.n; i++) {
		size_t n = path_length(sorted.v[i]);
		auto_free char *path = xstrndup(sorted.v[i], n);

		if (mount_tmpfs(path, sorted.v[i][n] ? sorted.v[i] + n + 1 : "", e) < 0)
			return -1;
	}
	return 0;
}

/* ---- hidden and protected -------------------------------------------------------------------- */

static int mask(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_sys(e, "cannot hide '%s'", path);
	if (S_ISDIR(st.st_mode)) {
		/* Nothing can ever be in it. */
		if (mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1") < 0)
			return err_sys(e, "cannot hide '%s'", path);
	} else if (mount("/dev/null", path, NULL, MS_BIND, NULL) < 0) {
		return err_sys(e, "cannot hide '%s'", path);
	}
	return 0;
}

int mounts_mask(const struct strv *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		if (mask(paths->v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* The kernel wants a remount to say again what the mount is; its names of that are statvfs's. */
static unsigned long present_flags(const char *path)
{
	static const struct {
		unsigned long seen, flag;
	} names[] = {
		{ ST_NOSUID, MS_NOSUID },     { ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC },     { ST_NOATIME, MS_NOATIME },
		{ ST_RELATIME, MS_RELATIME }, { ST_NODIRATIME, MS_NODIRATIME },
	};
	struct statvfs st;
	unsigned long flags = 0;

	if (statvfs(path, &st) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		flags |= st.f_flag & names[i].seen ? names[i].flag : 0;
	return flags;
}

int mounts_make_read_only(const char *path, struct err *e)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | present_flags(path);

	if (mount(NULL, path, NULL, flags, NULL) < 0)
		return err_sys(e, "cannot make '%s' read-only", path);
	return 0;
}

int mounts_protect(const struct strv *paths, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		const char *path = paths->v[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				continue;
			return err_sys(e, "cannot protect '%s'", path);
		}
		if (mounts_make_read_only(path, e) < 0)
			return -1;
	}
	return 0;
}
