/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain image and its layers copied into one file, end to end in the order of the chain's device table:
 * for VMMs that can neither join files nor take as many disks as an image has layers.
 *
 * It is made once per chain, by whoever needs it first, and shares its blocks with the originals where the
 * file system can do that. The collector removes it with the chain.
 */
#ifndef KVBOX_ENGINE_JOINED_H
#define KVBOX_ENGINE_JOINED_H

#include "base/err.h"
#include "base/strv.h"
#include "engine/paths.h"

/* What the name of such a file ends in, in place of ".erofs". */
#define JOINED_SUFFIX ".joined"

/* Its name relative to root_fd. Returns `ret`. */
const char *joined_name(const char *chain, char ret[PATH_NAME_SIZE]);
/* Makes it unless it is there, which may take long; `ret` as above. */
int joined_make(const struct paths *p, const char *chain, const struct strv *layers,
		char ret[PATH_NAME_SIZE], struct err *e) MUST_CHECK;

#endif
