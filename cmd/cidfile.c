/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cidfile.h"

#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "cmd/env.h"

int cidfile_open(struct cidfile *f, const char *path, struct err *e)
{
	struct err why = ERR_INIT;

	if (!path || !*path)
		return 0;
	if (file_exists(AT_FDCWD, path))
		return err_set(
			e, ERR_CONFLICT,
			"container ID file found, make sure the other container isn't running or "
			"delete %.200s",
			path);
	if (fd_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0644, &f->fd, &why) < 0) {
		(void)env_open_failed(path, why.sys, e);
		return err_wrap(e, "failed to create the container ID file");
	}
	f->path = path;
	return 0;
}

int cidfile_write(struct cidfile *f, const char *id, struct err *e)
{
	if (f->fd >= 0 && fd_write_full(f->fd, id, strlen(id), e) < 0)
		return err_wrap(e, "failed to write the container ID file");
	return 0;
}

void cidfile_keep(struct cidfile *f)
{
	fd_close(f->fd);
	f->fd = -1;
}

void cidfile_release(struct cidfile *f)
{
	struct err ignored = ERR_INIT;

	if (f->fd >= 0 && file_remove(AT_FDCWD, f->path, &ignored) < 0)
		log_debug("%s stays: %s", f->path, ignored.msg);
	cidfile_keep(f);
}
