/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression of a layer as a stream: gzip (through ISA-L, or zlib where there is none), zstd
 * (through libzstd) or nothing at all, found out from the first bytes.
 *
 * Strict where guessing would hide damage: data that ends early and data behind the end are errors
 * (ERR_CORRUPT). Several gzip members or zstd frames one behind the other are one stream, as their
 * specifications say.
 */
#ifndef KVBOX_ENGINE_INFLATE_H
#define KVBOX_ENGINE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct inflate;

/* Gives up to `n` compressed bytes, 0 at the end, -1 with an error. */
typedef ssize_t (*inflate_read)(void *ctx, void *buf, size_t n, struct err *e);

/* Opens the libraries, for a process that cannot open files later. Optional. */
int inflate_load(struct err *e) MUST_CHECK;

/* zlib_only: do without ISA-L. */
struct inflate *inflate_new(inflate_read read, void *ctx, bool zlib_only);
void inflate_free(struct inflate *s);
void inflate_free_ptr(struct inflate **s);
#define auto_inflate __attribute__((cleanup(inflate_free_ptr)))

/*
 * The next piece of uncompressed data, which stays valid until the next call: its size, 0 at the
 * end of a stream that was good to its last byte, -1 with an error. Not to be called again after 0
 * or -1.
 */
ssize_t inflate_next(struct inflate *s, const void **ret, struct err *e) MUST_CHECK;

#endif
