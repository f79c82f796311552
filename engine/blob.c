/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/blob.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/random.h"

int blob_new_file(struct store *s, int *ret, struct err *e)
{
	auto_close int tmp = -1;

	if (fd_open_dir(store_paths(s)->root_fd, DIR_TMP, &tmp, e) < 0)
		return -1;
	/* VMMs read layers, under users of their own; the folders keep everybody else out. */
	return fd_open_tmp(tmp, 0644, ret, e);
}

void blob_write_back(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Over a file of that name: by way of a name of its own. */
static int replace(struct store *s, int fd, const char *path, struct err *e)
{
	int root = store_paths(s)->root_fd;
	char id[ID_TEXT_SIZE], tmp[sizeof(DIR_TMP) + ID_TEXT_SIZE];

	random_id(id);
	snprintf(tmp, sizeof(tmp), DIR_TMP "/%s", id);
	if (fd_link(fd, root, tmp, e) < 0)
		return -1;
	if (file_rename(root, tmp, root, path, e) < 0) {
		struct err ignored = ERR_INIT;

		if (file_remove(root, tmp, &ignored) < 0)
			err_clear(&ignored);
		return -1;
	}
	return 0;
}

int blob_publish(struct store *s, int fd, const char *path, struct err *e)
{
	if (fd_sync(fd, e) < 0)
		return -1;
	if (fd_link(fd, store_paths(s)->root_fd, path, e) == 0)
		return 0;
	if (e->kind != ERR_CONFLICT)
		return -1;
	err_clear(e);
	return replace(s, fd, path, e);
}

int blob_sync_folders(struct store *s, struct err *e)
{
	static const char *const folders[] = { DIR_BLOBS, DIR_LAYERS, DIR_CHAINS };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		auto_close int fd = -1;

		if (fd_open_dir(store_paths(s)->root_fd, folders[i], &fd, e) < 0 ||
		    dir_sync(fd, e) < 0)
			return -1;
	}
	return 0;
}

int blob_store(struct store *s, const char *digest, const struct str *text, struct err *e)
{
	auto_close int fd = -1;
	char path[PATH_NAME_SIZE];

	path_blob(digest, path);
	if (blob_file_has_size(s, path, (int64_t)text->len))
		return 0;
	if (blob_new_file(s, &fd, e) < 0 || fd_write_full(fd, text->buf, text->len, e) < 0)
		return -1;
	return blob_publish(s, fd, path, e);
}

int blob_read(struct store *s, const char *digest, struct str *ret, struct err *e)
{
	char path[PATH_NAME_SIZE], found[DIGEST_TEXT_SIZE];

	str_clear(ret);
	if (file_read(store_paths(s)->root_fd, path_blob(digest, path), ret, e) < 0 ||
	    digest_of(ret->buf, ret->len, found, e) < 0)
		return -1;
	if (strcmp(found, digest) != 0)
		return err_set(e, ERR_CORRUPT, "blob %s in the store is damaged", digest);
	return 0;
}

bool blob_file_has_size(struct store *s, const char *path, int64_t size)
{
	struct stat st;

	return fstatat(store_paths(s)->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == size;
}
