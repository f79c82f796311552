/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive that `load` reads: one pass over a tar stream, which may be compressed and a pipe.
 * It is taken apart in a process without privileges (load_unpack.h); here is what has the store.
 * Files go into the store as blobs under their own digest while they stream by, since what they
 * are is often said only at the end; the two documents that say it are kept as text.
 */
#ifndef KVBOX_ENGINE_LOAD_ARCHIVE_H
#define KVBOX_ENGINE_LOAD_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/store.h"

#define LOAD_ENTRIES_MAX 16384u
#define LOAD_NAME_MAX	 1024u

struct load_entry {
	char *name;   /* without "./" */
	char *target; /* of a link, as a name in the archive; NULL: a file */
	char digest[DIGEST_TEXT_SIZE];
	int64_t size;
};

struct load_archive {
	struct load_entry *v;
	size_t n, cap;
	struct str manifest; /* manifest.json, "" when there is none */
	struct str index;    /* index.json, likewise */
};
void load_archive_init(struct load_archive *a);
void load_archive_release(struct load_archive *a);
#define auto_load_archive __attribute__((cleanup(load_archive_release)))

/* `fd` is read to its end. `cancel_fd` as in struct image_listener. The caller holds the collector
 * lock. */
int load_archive_read(struct store *s, int fd, int cancel_fd, struct load_archive *ret,
		      struct err *e) MUST_CHECK;
/* The file of that name, through links; NULL when there is none. */
const struct load_entry *load_archive_find(const struct load_archive *a, const char *name);

#endif
