/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chain images: the merged tree of several layer images as one small EROFS image without file data.
 *
 * The chain image's inodes point into the layers through EROFS's device table: layer i (bottom
 * first, from 0) is device i + 1. Two ways to mount it, both read-only:
 *
 * - joined (Linux 6.4): one block device that is the chain image followed by the layers, bottom
 *   first, each file taken with its full size (all are multiples of 4096; the table's mapped_blkaddr
 *   says where each begins), with whatever padding after the last;
 * - as devices (Linux 5.16): the chain image's device with `-o device=LAYER0,device=LAYER1,...`,
 *   exactly as many as there are layers, in this order.
 *
 * Merging follows the OCI image specification: whiteouts remove what lower layers have, an opaque
 * folder hides the lower folder, a folder over a folder adds to it and replaces its attributes,
 * anything else replaces. Marks that a layer image carries are resolved and dropped:
 *
 * - trusted.kvbox.implied: the folder was only implied by the names of other entries and takes the
 *   attributes of the next lower folder of that path, or root 0755 where there is none;
 * - trusted.kvbox.link: a hard link to a path in a lower layer (the value, without leading slash).
 *   Symbolic links on the way are followed. It becomes another name of that file; when there is
 *   none, or it is a folder, the chain is refused.
 *
 * Names that are one inode in a layer are one inode in the chain, and the link count is that of the
 * names that are visible.
 *
 * The merge goes from the top layer down, so nothing that is hidden is ever taken in: memory is
 * bounded by the visible tree and its whiteouts (the limits of engine/tree.h). The layers' metadata
 * is mapped.
 */
#ifndef KVBOX_ENGINE_CHAIN_H
#define KVBOX_ENGINE_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct chain_layer {
	int fd;		 /* layer image, open for reading; borrowed */
	const char *tag; /* up to 64 bytes for the device table: the diffID's hex; not empty */
};

struct chain_info {
	uint64_t size;	  /* bytes of the chain image, a multiple of 4096 */
	uint64_t entries; /* inodes in it */
};

/* Runs in this process; most callers want convert_chain (engine/convert.h). A layer image that is
 * damaged gives ERR_CORRUPT. */
int chain_build(const struct chain_layer *layers, size_t n, int out_fd, struct chain_info *ret,
		struct err *e) MUST_CHECK;

#endif
