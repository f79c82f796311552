/* SPDX-License-Identifier: Apache-2.0 */
/* What image.c has for image_remove.c. */
#ifndef KVBOX_ENGINE_IMAGE_PRIV_H
#define KVBOX_ENGINE_IMAGE_PRIV_H

#include "engine/image.h"

/* The id of what the user means, in image_find's way; the caller frees. Returns 1. */
int image_resolve(struct store *s, const char *text, char **ret, struct err *e) MUST_CHECK;

#endif
