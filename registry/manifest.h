/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes, of the OCI and of Docker ("manifest lists"): one document names the parts
 * of an image, the other the images of several platforms.
 *
 * They come from a registry or an archive, so every count and size is limited, and every digest is
 * valid afterwards. What a document is follows from its contents; a media type that it states must
 * agree.
 */
#ifndef KVBOX_REGISTRY_MANIFEST_H
#define KVBOX_REGISTRY_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/platform.h"

#define MANIFEST_MAX	     ((size_t)4 << 20) /* bytes of a document */
#define MANIFEST_LAYERS_MAX  127u
#define MANIFEST_ENTRIES_MAX 4096u
#define MANIFEST_CONFIG_MAX  ((int64_t)8 << 20)
#define MANIFEST_LAYER_MAX   ((int64_t)1 << 40)

/* For the Accept header, best first; ends in NULL. */
extern const char *const manifest_media_types[];

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

struct descriptor {
	char *media_type; /* never NULL */
	char *digest;	  /* "sha256:<64 hex>" */
	int64_t size;
	struct platform platform; /* os is "" when it was not said */
	struct strv annotations;  /* key=value */
};

struct manifest {
	enum manifest_kind kind;
	char *media_type;	  /* as stated, else OCI's for the kind */
	struct descriptor config; /* of an image */
	struct descriptor *entry; /* layers, bottom first; or the index's manifests */
	size_t n;
};
#define MANIFEST_INIT                  \
	{                              \
		.kind = MANIFEST_IMAGE \
	}

void manifest_release(struct manifest *m);
#define auto_manifest __attribute__((cleanup(manifest_release)))

/* `ret` is MANIFEST_INIT or holds an earlier one, which is released. ERR_CORRUPT for what makes no
 * sense, ERR_INVALID for what is well formed and not supported. */
int manifest_parse(const char *text, size_t n, struct manifest *ret, struct err *e) MUST_CHECK;

/* Which entry of an index suits best. ERR_NOT_FOUND "no matching manifest for linux/arm64/v8 in the
 * manifest list entries". */
int manifest_choose(const struct manifest *index, const struct platform *want, size_t *ret,
		    struct err *e) MUST_CHECK;

#endif
