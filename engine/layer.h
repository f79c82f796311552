/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer, as registries have it (a tar, maybe compressed), into an EROFS image, in one pass and
 * without unpacking anything: inflate -> sha256 -> tar reader -> EROFS writer.
 *
 * Runs in this process and trusts nothing it reads, but nobody should run it on a stranger's bytes
 * outside the confined child (engine/convert.h). Memory: the buffers, at most 128 bytes for each
 * entry, and the names, links and xattrs; the limits are those of engine/tree.h.
 *
 * The image stands for the layer alone: whiteouts, opaque folders and the marks for the merge are
 * in it (engine/layer_tree.h). Its UUID is made of the diffID, and equal tars give equal images.
 */
#ifndef KVBOX_ENGINE_LAYER_H
#define KVBOX_ENGINE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "engine/inflate.h"

struct layer_info {
	char diffid[DIGEST_TEXT_SIZE];
	uint64_t tar_size;
	uint64_t image_size;
	uint64_t entries; /* inodes in the image */
};

/* Opens all libraries that layer_build uses, for a process that cannot open files later. */
int layer_load(struct err *e) MUST_CHECK;

/* Reads the compressed layer through `read` and writes the image to the empty regular file
 * `out_fd`. */
int layer_build(inflate_read read, void *ctx, int out_fd, struct layer_info *ret,
		struct err *e) MUST_CHECK;

#endif
