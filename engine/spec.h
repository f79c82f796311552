/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of a container: everything that does not change while it lives, as the user and
 * the image asked for it. Stored as containers/<id>/config.json (what the monitor reads) and in
 * the database (what commands read).
 */
#ifndef KVBOX_ENGINE_SPEC_H
#define KVBOX_ENGINE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "base/strv.h"

#define SPEC_FORMAT 1
#define SPEC_FILE   "config.json"
/* Limits on what is read back, far above what a kernel lets a process be started with. */
#define SPEC_TEXT_MAX ((size_t)16 << 20)

struct container_spec {
	char *id;   /* 64 hex; empty until container_create */
	char *name; /* without a slash; empty: container_create makes one up */
	int64_t created_ns;

	char *image_ref;    /* as the user wrote it */
	char *image_id;	    /* sha256:... */
	char *platform;	    /* "linux/amd64" */
	char *chain;	    /* chain id, sha256:... */
	struct strv layers; /* diff ids, bottom first */

	struct strv args;	/* final: entrypoint and command */
	struct strv entrypoint; /* final, as inspect shows it; empty: null */
	struct strv cmd;	/* final, likewise */
	struct strv env;	/* final NAME=VALUE, in order */
	char *workdir;		/* as asked for; empty: "/" */
	char *user;		/* "", "name", "uid:gid", ... */
	char *hostname; /* empty until container_create, which takes the first 12 hex of the id */
	struct strv labels; /* key=value, of the image and the user's own over them */

	bool tty;
	bool open_stdin;
	bool stdin_once;
	bool attach_stdin;
	bool attach_stdout;
	bool attach_stderr;
	bool auto_remove;

	int64_t memory;	      /* bytes, 0: not limited */
	int64_t nano_cpus;    /* 0: not limited */
	int64_t disk_size;    /* bytes of the writable disk, 0: the default */
	char *network_mode;   /* "none" */
	char *stop_signal;    /* "SIGTERM", "15", ... as written; empty: SIGTERM */
	int64_t stop_timeout; /* seconds, -1: for ever, SPEC_STOP_TIMEOUT_DEFAULT: not given */
};
#define SPEC_STOP_TIMEOUT_DEFAULT (-2)

/* Empty texts and lists, network "none", default stop timeout. */
void spec_init(struct container_spec *s);
void spec_release(struct container_spec *s);
#define auto_spec __attribute__((cleanup(spec_release)))

/* Appends the JSON text. */
void spec_write(const struct container_spec *s, struct str *out);
/* `ret` is initialised here. ERR_CORRUPT when the text is damaged or of a format that is not
 * known. */
int spec_read(const char *text, size_t n, struct container_spec *ret, struct err *e) MUST_CHECK;
/* From <dirfd>/config.json, dirfd being the container's folder. */
int spec_read_file(int dirfd, struct container_spec *ret, struct err *e) MUST_CHECK;
/* The command as `ps --no-trunc` shows it, without the quotes; the caller frees. */
char *spec_command(const struct container_spec *s);

#endif
