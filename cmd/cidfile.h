/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --cidfile: the file is there before anything of the container is, so that a path that cannot be written
 * fails with nothing left. Unless the container came to be, it is removed again.
 */
#ifndef KVBOX_CMD_CIDFILE_H
#define KVBOX_CMD_CIDFILE_H

#include "base/err.h"

struct cidfile {
	const char *path; /* borrowed */
	int fd;		  /* -1: there is no file, or it is to stay */
};
#define CIDFILE_INIT     \
	{                \
		NULL, -1 \
	}

/* NULL and "": none. Errors in Docker's words; ERR_CONFLICT when the file is there. */
int cidfile_open(struct cidfile *f, const char *path, struct err *e) MUST_CHECK;
int cidfile_write(struct cidfile *f, const char *id, struct err *e) MUST_CHECK;
/* The container exists: the file stays. */
void cidfile_keep(struct cidfile *f);
void cidfile_release(struct cidfile *f);
#define auto_cidfile __attribute__((cleanup(cidfile_release)))

#endif
