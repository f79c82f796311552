/* SPDX-License-Identifier: Apache-2.0 */
/* What image.c has for image_remove.c, pull.c and load.c. */
#ifndef KVBOX_ENGINE_IMAGE_PRIV_H
#define KVBOX_ENGINE_IMAGE_PRIV_H

#include "engine/image.h"

/* Writes an event: `subject` is what it is about (the id, or the name that was pulled), `name` its
 * attribute of that name. Labels may be NULL. */
void image_event(struct store *s, const char *action, const char *subject, const char *name,
		 const struct strv *labels);
/* The same with the labels of the image `id`. */
void image_event_of(struct store *s, const char *action, const char *id, const char *subject,
		    const char *name);

#endif
