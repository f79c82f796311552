/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half of `load` that touches hostile bytes: it takes the archive apart in a process without
 * privileges (convert_confine.h) and writes what it finds, plain, for the half that has the store
 * (load_archive.c), which believes none of it.
 *
 * A header, its two texts, and for a file its contents: pieces of a u32 and as many bytes, together
 * `size`. A piece of 0 bytes breaks off, and a header of UNPACK_ERROR follows. The last header is
 * UNPACK_END or UNPACK_ERROR. Numbers are the host's, as both halves are one program.
 */
#ifndef KVBOX_ENGINE_LOAD_UNPACK_H
#define KVBOX_ENGINE_LOAD_UNPACK_H

#include <stdint.h>

#include "base/err.h"

enum unpack_kind {
	UNPACK_FILE = 1,
	UNPACK_HARD_LINK,
	UNPACK_SYMLINK,
	UNPACK_END,
	UNPACK_ERROR,
};

struct unpack_header {
	uint32_t kind;
	uint32_t name;	 /* length of the first text: the name; of an error its kind */
	uint32_t target; /* of the second: the link's target, the error's message */
	uint32_t zero;
	int64_t size;
};

/* More headers than these in an archive are refused, whatever they are of. */
#define UNPACK_HEADERS_MAX 1000000u
#define UNPACK_PIECE_MAX   ((uint32_t)256 << 10)

/*
 * The hidden verb's side, `kvbox convert archive`: from descriptor 0 to `out_fd`, until the end
 * or an error, which is written there too. -1 when nobody reads that.
 */
int load_unpack(int out_fd);

#endif
