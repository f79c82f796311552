/* SPDX-License-Identifier: Apache-2.0 */
/* The last steps of pull and load: the chain image over the layers, and the rows. */
#ifndef KVBOX_ENGINE_IMAGE_ADD_H
#define KVBOX_ENGINE_IMAGE_ADD_H

#include "base/err.h"
#include "base/str.h"
#include "engine/image_config.h"
#include "engine/store.h"
#include "engine/store_image.h"

/* What is known about an image before its layers are there. */
struct image_parts {
	char *id;	     /* digest of the configuration */
	char *manifest;	     /* digest of the manifest */
	char *manifest_type; /* its media type */
	struct str doc;	     /* the configuration's text */
	struct image_config config;
	struct image_layers layers;
};
void image_parts_init(struct image_parts *p);
void image_parts_release(struct image_parts *p);
#define auto_image_parts __attribute__((cleanup(image_parts_release)))

/* Names of the image to be set in the same transaction, canonical; each may be NULL. */
struct image_names {
	const char *tag;	/* "docker.io/library/debian:12" */
	const char *repository; /* with `digest` */
	const char *digest;
};

/* All layers are in the store. Builds the chain where it is missing and commits image and names. */
int image_add(struct store *s, const struct image_parts *p, const struct image_names *names,
	      struct err *e) MUST_CHECK;

/* How often a pull or load that lost its image to a removal meanwhile (ERR_CONFLICT) begins anew. */
#define IMAGE_TRIES 5

/* True when the image is in the store with all of its files. 1, 0 or -1. */
int image_is_complete(struct store *s, const char *id, struct err *e) MUST_CHECK;

#endif
