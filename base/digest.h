/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) through libcrypto, and OCI digests of the form "sha256:<64 hex>". */
#ifndef KVBOX_BASE_DIGEST_H
#define KVBOX_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DIGEST_TEXT_SIZE (7 + 64 + 1) /* "sha256:", hex, terminator */

struct digest; /* a running computation */

int digest_new(struct digest **ret, struct err *e) MUST_CHECK;
void digest_free(struct digest *d);
void digest_free_ptr(struct digest **d);
#define auto_digest __attribute__((cleanup(digest_free_ptr)))
void digest_update(struct digest *d, const void *p, size_t n);
/* Writes "sha256:<hex>" and starts anew. */
void digest_final(struct digest *d, char ret[DIGEST_TEXT_SIZE]);

/* In one call. */
int digest_of(const void *p, size_t n, char ret[DIGEST_TEXT_SIZE], struct err *e) MUST_CHECK;

/* True for "sha256:" and 64 lower-case hex digits. */
bool digest_is_valid(const char *text);
/* The hex part of a valid digest, borrowed. */
const char *digest_hex(const char *text);

#endif
