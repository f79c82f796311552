/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of images, their names, layers and chains (the tables are in schema.c). What calls these
 * decides; nothing here touches files. Names are canonical ("docker.io/library/debian:12") on the
 * way in.
 *
 * Functions that write join an open transaction.
 */
#ifndef KVBOX_ENGINE_STORE_IMAGE_H
#define KVBOX_ENGINE_STORE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"
#include "base/strv.h"
#include "engine/image.h"
#include "engine/store.h"

/* One layer of an image: the blob it came as and the EROFS file made of it. */
struct image_layer {
	char *diffid;
	char *blob;
	char *blob_type;
	int64_t blob_size;
	int64_t size; /* of the EROFS file; 0: not in the store */
	int64_t tar_size;
	int64_t entries;
};
struct image_layers {
	struct image_layer *v;
	size_t n;
};
#define IMAGE_LAYERS_INIT \
	{                 \
		NULL, 0   \
	}
void image_layers_release(struct image_layers *l);
#define auto_image_layers __attribute__((cleanup(image_layers_release)))

/* Everything there is to write down about an image. */
struct image_record {
	const char *id;
	const char *manifest; /* digest */
	const char *manifest_type;
	const char *doc; /* the configuration's text */
	const struct image_config *config;
	const struct image_layers *layers;
	const char *chain;
	int64_t chain_size;
};
int store_image_add(struct store *s, const struct image_record *r, struct err *e) MUST_CHECK;

/* The row of the layer by diff id: fills in size, tar_size and entries. 1, or 0 when there is none
 * (of the present writer's version). */
int store_image_layer(struct store *s, struct image_layer *l, struct err *e) MUST_CHECK;
/* The size of the chain image: 1, or 0 when there is none. */
int store_image_chain(struct store *s, const char *chain, int64_t *ret_size,
		      struct err *e) MUST_CHECK;

/* `ret` is initialised or holds an image. ERR_NOT_FOUND when there is no such row. */
int store_image_load(struct store *s, const char *id, struct image *ret, struct err *e) MUST_CHECK;
/* The layers of an image with everything known about them, bottom first. */
int store_image_layers(struct store *s, const char *id, struct image_layers *ret,
		       struct err *e) MUST_CHECK;
int store_image_rows(struct store *s, struct image_rows *ret, struct err *e) MUST_CHECK;

/* Which image: 1 and its id in `ret` (the caller frees), or 0. */
int store_image_by_tag(struct store *s, const char *reference, char **ret,
		       struct err *e) MUST_CHECK;
int store_image_by_digest(struct store *s, const char *repository, const char *digest, char **ret,
			  struct err *e) MUST_CHECK;
/* By the beginning of the hex digits. ERR_CONFLICT when several have it. */
int store_image_by_prefix(struct store *s, const char *hex, char **ret, struct err *e) MUST_CHECK;

int store_image_set_tag(struct store *s, const char *reference, const char *id,
			struct err *e) MUST_CHECK;
int store_image_set_digest(struct store *s, const char *repository, const char *digest,
			   const char *id, struct err *e) MUST_CHECK;
int store_image_drop_tag(struct store *s, const char *reference, struct err *e) MUST_CHECK;
int store_image_drop_digest(struct store *s, const char *repository, const char *digest,
			    struct err *e) MUST_CHECK;
/* All names, canonical: tags as "repository:tag", digests as "repository@sha256:...". */
int store_image_names(struct store *s, const char *id, struct strv *ret, struct err *e) MUST_CHECK;
/* How many containers of any state were made from it, with the id of one ("" when none). */
int store_image_users(struct store *s, const char *id, int64_t *ret, char ret_id[ID_TEXT_SIZE],
		      struct err *e) MUST_CHECK;
/* Deletes image and names. `ret_layers` gets the diff ids that no other image has, top first. */
int store_image_delete(struct store *s, const char *id, struct strv *ret_layers,
		       struct err *e) MUST_CHECK;

#endif
