/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: pulled from a registry, loaded from an archive, found, listed and removed.
 *
 * An image is its configuration document, whose digest is its id. It stands on layers (diff ids),
 * each an EROFS file under layers/, and on one chain image under chains/ that joins them (DESIGN
 * 5). The blobs it came as stay under blobs/. An image that can be found is complete: its rows are
 * written in one transaction after all its files are in place.
 *
 * Errors have Docker's words: "No such image: x:latest" (ERR_NOT_FOUND), "pull access denied for x,
 * ..." (ERR_DENIED), "manifest for x:y not found: ..." (ERR_NOT_FOUND), "conflict: unable to ..."
 * (ERR_CONFLICT).
 */
#ifndef KVBOX_ENGINE_IMAGE_H
#define KVBOX_ENGINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/image_config.h"
#include "engine/store.h"

struct image {
	char *id;	       /* "sha256:<64 hex>" */
	char *manifest_digest; /* of the manifest it came with (of the platform's, not the index's)
				*/
	int64_t created;       /* ns of the epoch, 0: the image does not say */
	int64_t size; /* bytes of its layers' contents (uncompressed tars), as Docker counts */
	/* Names, as Docker prints them; empty until image_load_names. */
	struct strv tags;	    /* "debian:latest", "localhost:5000/a:b" */
	struct strv digests;	    /* "debian@sha256:...", of the manifest or index as pulled */
	char *chain;		    /* "sha256:<64 hex>", names chains/<hex>.<version>.erofs */
	struct image_config config; /* config.layers are the diff ids, bottom first */
	char *config_text;	    /* the document as it came */
};

void image_init(struct image *i);
void image_release(struct image *i);
#define auto_image __attribute__((cleanup(image_release)))

/*
 * Told as things happen, in the pieces of Docker's progress stream. A line for people is
 * "<id>: <status>", or the status alone when id is NULL. `current` >= 0 marks a mere movement of a
 * bar (of `total` bytes, 0: not known), which is for terminals only; those come at most ten times a
 * second and layer.
 */
struct image_progress {
	const char *id;	    /* "latest", the 12 hex digits of a layer, or NULL */
	const char *status; /* "Pulling from library/x", "Pull complete", "Digest: sha256:..." */
	int64_t current, total;
};
struct image_listener {
	void (*progress)(void *ctx, const struct image_progress *p); /* may be NULL */
	void *ctx;
	/*
	 * Becomes readable when the caller wants to stop (a signalfd or the like); the call then
	 * cleans up and fails with ERR_CANCELLED. -1: never.
	 */
	int cancel_fd;
};
#define IMAGE_LISTENER_INIT    \
	{                      \
		NULL, NULL, -1 \
	}

struct image_pull_args {
	const char *ref;      /* as the user wrote it; without tag and digest ":latest" is meant */
	const char *platform; /* --platform, or NULL: DOCKER_DEFAULT_PLATFORM, else this host's */
};
/*
 * Pulls, unless the store has just that already. `ret` (initialised) may be NULL. Two pulls of one
 * image at a time both succeed and share what they can. Progress ends with the lines
 *
 *	Digest: sha256:...
 *	Status: Downloaded newer image for x:latest | Status: Image is up to date for x:latest
 *
 * The line "Using default tag: latest" before, and the name after, are the command's.
 */
int image_pull(struct store *s, const struct image_pull_args *args, const struct image_listener *l,
	       struct image *ret, struct err *e) MUST_CHECK;

/*
 * Loads every image of a docker-archive or OCI archive (tar; plain, gzip, zstd, xz or bzip2) that
 * is read from `fd`, which may be a pipe. Progress statuses are "Loaded image: x:y" and, for one
 * without a name, "Loaded image ID: sha256:...". Images that come before damage in the archive's
 * index stay loaded.
 */
int image_load(struct store *s, int fd, const struct image_listener *l, struct err *e) MUST_CHECK;

/*
 * By id ("sha256:<hex>" or a prefix of the hex), by name ("debian", "debian:12", "x@sha256:...");
 * names go before ids, as with Docker. ERR_NOT_FOUND "No such image: debian:latest"; ERR_CONFLICT
 * when a prefix fits several.
 */
int image_find(struct store *s, const char *text, struct image *ret, struct err *e) MUST_CHECK;
/* Fills in the names of an image that was found. */
int image_load_names(struct store *s, struct image *i, struct err *e) MUST_CHECK;
/* Only its id, which the caller frees. Returns 1. */
int image_resolve(struct store *s, const char *text, char **ret, struct err *e) MUST_CHECK;

/* One image in the list: columns only, no document is read. */
struct image_row {
	char *id;
	int64_t created, size;
	char *os, *arch;
	struct strv tags, digests; /* as in struct image */
	int64_t containers;	   /* that were made from it */
};
struct image_rows {
	struct image_row *v;
	size_t n;
};
#define IMAGE_ROWS_INIT \
	{               \
		NULL, 0 \
	}
void image_row_release(struct image_row *row);
void image_rows_release(struct image_rows *r);
#define auto_image_rows __attribute__((cleanup(image_rows_release)))

/* Newest first, as `docker images`. */
int image_list(struct store *s, struct image_rows *ret, struct err *e) MUST_CHECK;

/*
 * Takes the name `text` off, or with an id all its names, and deletes the image when no name is
 * left. Without `force` an image that a container was made from stays (ERR_CONFLICT); one that a
 * running container uses stays in any case. Progress statuses are "Untagged: x:y" and "Deleted:
 * sha256:...".
 */
int image_remove(struct store *s, const char *text, bool force, const struct image_listener *l,
		 struct err *e) MUST_CHECK;

/* Gives an image one more name (which another image may lose by it). */
int image_tag(struct store *s, const char *source, const char *target, struct err *e) MUST_CHECK;

#endif
