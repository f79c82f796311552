/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the layers of an image into the store: blobs are fetched where they are missing, and
 * converted to EROFS images where those are missing, three at a time.
 */
#ifndef KVBOX_ENGINE_PULL_LAYERS_H
#define KVBOX_ENGINE_PULL_LAYERS_H

#include "base/err.h"
#include "engine/image.h"
#include "engine/store.h"
#include "engine/store_image.h"
#include "registry/client.h"

/*
 * `layers` name diff id, blob, its type and size; the rest is filled in. Without a registry (NULL)
 * all blobs are in the store. The listener hears "<12 hex>: Pulling fs layer" and so on, when there
 * is a registry. The caller holds the collector lock.
 */
int pull_layers(struct store *s, struct registry *registry, struct image_layers *layers,
		const struct image_listener *listener, struct err *e) MUST_CHECK;

/* Tells the listener a line (id may be NULL), or how far something is (total >= 0). */
void pull_tell(const struct image_listener *l, const char *id, const char *status);
void pull_tell_bar(const struct image_listener *l, const char *id, const char *status,
		   int64_t current, int64_t total);

#endif
