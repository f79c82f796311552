/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything lies: the root folder (what lasts) and the run folder (what ends with the
 * machine).
 *
 * Root is --root, else KVBOX_ROOT, else /var/lib/kvbox (root) or $XDG_DATA_HOME/kvbox (plain
 * users, default ~/.local/share/kvbox). The run root is --runroot, else KVBOX_RUNROOT, else
 * /run/kvbox or $XDG_RUNTIME_DIR/kvbox. Both are kept as absolute text and as folder
 * descriptors; every file of the store is named relative to root_fd by the path_* functions.
 */
#ifndef KVBOX_ENGINE_PATHS_H
#define KVBOX_ENGINE_PATHS_H

#include <stdbool.h>

#include "base/err.h"

struct paths {
	char *root;
	char *runroot;
	int root_fd; /* -1: the folder does not exist (yet): an empty store */
	int run_fd;  /* -1: likewise */
};
#define PATHS_INIT                 \
	{                          \
		NULL, NULL, -1, -1 \
	}

/* Either option may be NULL. Without `create` a missing folder is no error and leaves its
 * descriptor at -1; with it both are made, as by paths_make. */
int paths_open(const char *root, const char *runroot, bool create, struct paths *ret,
	       struct err *e) MUST_CHECK;
/* Makes what is missing of both folders and of the folders inside the root. Idempotent and cheap
 * when all is there. The store calls it before its first write. */
int paths_make(struct paths *p, struct err *e) MUST_CHECK;
void paths_release(struct paths *p);
#define auto_paths __attribute__((cleanup(paths_release)))

/* Folders of the root, relative to root_fd. */
#define DIR_BLOBS      "blobs/sha256"
#define DIR_LAYERS     "layers"
#define DIR_CHAINS     "chains"
#define DIR_CONTAINERS "containers"
#define DIR_VOLUMES    "volumes"
#define DIR_TEMPLATES  "templates"
#define DIR_TMP	       "tmp"

/* The version of the EROFS writer, a part of the names of layers and chains. */
#define LAYER_WRITER_VERSION 1

/* Names relative to root_fd; digests and chain ids are "sha256:<64 hex>", ids 64 hex. */
#define PATH_NAME_SIZE 160
const char *path_blob(const char *digest, char buf[PATH_NAME_SIZE]);
const char *path_layer(const char *diffid, char buf[PATH_NAME_SIZE]);
const char *path_chain(const char *chainid, char buf[PATH_NAME_SIZE]);
/* containers/<id>, or containers/<id>/<file> with a file. */
const char *path_container(const char *id, const char *file, char buf[PATH_NAME_SIZE]);

/* <root>/<name> as absolute text; the caller frees. */
char *paths_absolute(const struct paths *p, const char *name);

#endif
