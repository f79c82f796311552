/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One repository at a registry (the OCI distribution API): its manifests and blobs.
 *
 * Who we are is found out when the registry asks: a token (fetched with the name and password of
 * Docker's config.json, or anonymously) or Basic. Everything that has a digest is verified before
 * it is called good. A loopback registry is asked in plain HTTP first, and by TLS when that is what
 * it speaks.
 *
 * Errors are in Docker's words: "manifest for x:y not found: manifest unknown: manifest unknown"
 * (ERR_NOT_FOUND), "pull access denied for x, ..." (ERR_DENIED), "received unexpected HTTP status:
 * 500 Internal Server Error" (ERR_UNAVAILABLE).
 */
#ifndef KVBOX_REGISTRY_CLIENT_H
#define KVBOX_REGISTRY_CLIENT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "registry/reference.h"

struct registry;

/* `ref` is copied. `cancel_fd` as in transport_new. */
int registry_open(const struct reference *ref, int cancel_fd, struct registry **ret,
		  struct err *e) MUST_CHECK;
void registry_close(struct registry *r); /* after its fetches */
void registry_close_ptr(struct registry **r);
#define auto_registry __attribute__((cleanup(registry_close_ptr)))

/* The manifest or index with that digest, or of the reference's own digest or tag when it is NULL.
 * The text (at most MANIFEST_MAX) replaces what is in `text`. */
int registry_manifest(struct registry *r, const char *digest, struct str *text,
		      char ret_digest[DIGEST_TEXT_SIZE], struct err *e) MUST_CHECK;

/* A small blob in one piece. */
int registry_blob(struct registry *r, const char *digest, int64_t size, struct str *text,
		  struct err *e) MUST_CHECK;

/*
 * Blobs as streams, several at a time. `data` gets the bytes in order, exactly once each, also when
 * the connection broke in between and was made anew (it goes on behind what was taken; twice
 * without a single byte in between is an error). It returns 0, or -1 to give up.
 */
struct registry_sink {
	int (*data)(void *ctx, const void *p, size_t n, struct err *e);
	void *ctx;
};
struct registry_fetch;
int registry_fetch_start(struct registry *r, const char *digest, int64_t size,
			 const struct registry_sink *sink, struct registry_fetch **ret,
			 struct err *e) MUST_CHECK;
void registry_fetch_free(struct registry_fetch *f); /* at any time */
/* 1 when all bytes came and the digest is right, 0 when it goes on. ERR_CORRUPT when the digest is
 * wrong. */
int registry_fetch_result(struct registry_fetch *f, struct err *e) MUST_CHECK;

/* Lets fetches go on until one of them or of `fds` has news; see transport_wait. */
int registry_wait(struct registry *r, struct pollfd *fds, size_t n, int timeout,
		  struct err *e) MUST_CHECK;

#endif
