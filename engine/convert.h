/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers into EROFS images, and chains of layers into chain images, each in a child process without
 * privileges.
 *
 * The bytes of a layer come from a registry or an archive and are hostile. So the parsers of
 * compressed data and tar run in a process of their own (`kvbox convert`, a hidden verb): it is
 * nobody where it was root, has no network, can open no file, and a system call filter leaves it
 * little more than reading its input and writing its output. Everything is streamed: the caller
 * writes the layer's bytes as they arrive from the network, and the finished image is in the output
 * file when the last byte is in.
 *
 *	struct convert c = CONVERT_INIT;
 *
 *	if (convert_start(out_fd, &c, e) < 0)
 *		return -1;
 *	... write the layer as it is in the registry to c.in_fd ...
 *	if (convert_finish(&c, &result, e) < 0)
 *		return -1;
 *	... fsync out_fd, give it its name, if result.diffid is the one wanted ...
 *
 * Compression (gzip, zstd or none) is found out from the data. in_fd is the write end of a pipe and
 * blocks; fd_set_nonblock may be used on it. A write that fails with EPIPE means that the child has
 * found an error and ended (SIGPIPE must be ignored by the caller): convert_finish then says which.
 * Several conversions may run side by side.
 */
#ifndef KVBOX_ENGINE_CONVERT_H
#define KVBOX_ENGINE_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/spawn.h"

/* Part of the names of layer and chain files. Raised when the writer's output changes in a way that
 * makes earlier files unfit. */
#define CONVERT_WRITER_VERSION 1

/* More layers than this in one image are refused (Docker's own limit is 127 too). */
#define CONVERT_LAYERS_MAX 127

struct convert {
	struct proc proc;
	int in_fd;     /* the caller writes the compressed layer here; convert_finish closes it */
	int result_fd; /* internal */
};
#define CONVERT_INIT              \
	{                         \
		PROC_INIT, -1, -1 \
	}

struct convert_result {
	char diffid[DIGEST_TEXT_SIZE]; /* of the uncompressed tar; empty for a chain */
	uint64_t tar_size;	       /* bytes of the uncompressed tar; 0 for a chain */
	uint64_t image_size;	       /* bytes of the EROFS image, a multiple of 4096 */
	uint64_t entries;	       /* inodes in the image */
};

/*
 * Starts the child. `out_fd` is an empty regular file open for reading and writing (fd_open_tmp),
 * and stays the caller's. The child is /proc/self/exe; KVBOX_CONVERT names another binary (tests
 * whose own executable has no such verb).
 */
int convert_start(int out_fd, struct convert *ret, struct err *e) MUST_CHECK;

/*
 * Closes in_fd, waits for the child and gives its result. On failure the error is the child's
 * ("truncated gzip data"; ERR_CORRUPT or ERR_INVALID for data that is wrong) and the contents of
 * the output file are of no use. Releases `c` in any case.
 */
int convert_finish(struct convert *c, struct convert_result *ret, struct err *e) MUST_CHECK;

/* Kills the child if it runs and closes everything; also for CONVERT_INIT. Keeps errno. */
void convert_release(struct convert *c);
#define auto_convert __attribute__((cleanup(convert_release)))

/*
 * The same confinement for the archive that `load` reads (load_unpack.h): a child that reads `fd`,
 * borrowed, and writes what it finds to ret->result_fd. There is no in_fd and no result: at the end of
 * what it writes convert_release is enough.
 */
int convert_start_archive(int fd, struct convert *ret, struct err *e) MUST_CHECK;

/* One layer image of a chain. */
struct convert_layer {
	int fd;		    /* open for reading, borrowed */
	const char *diffid; /* "sha256:<hex>": becomes the device's tag in the chain image */
};

/*
 * Writes the chain image over `n` layer images (1 to CONVERT_LAYERS_MAX), bottom first, to the
 * empty regular file `out_fd`, in a child as above, and waits for it. See engine/chain.h for what a
 * chain image is and in which order the files are joined.
 */
int convert_chain(const struct convert_layer *layers, size_t n, int out_fd,
		  struct convert_result *ret, struct err *e) MUST_CHECK;

/* The chainID of the OCI image specification over `n` diffIDs ("sha256:<hex>"), bottom first, n >=
 * 1. */
int convert_chain_id(const char *const *diffids, size_t n, char ret[DIGEST_TEXT_SIZE],
		     struct err *e) MUST_CHECK;

/* The hidden verb, `kvbox convert layer`, `... chain HEX...` or `... archive`: the child's side. The
 * program's exit code; the caller returns it from main at once. */
int convert_main(int argc, char **argv);

#endif
