/* SPDX-License-Identifier: Apache-2.0 */
/* `images --filter`. */
#ifndef KVBOX_ENGINE_IMAGE_FILTER_H
#define KVBOX_ENGINE_IMAGE_FILTER_H

#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/image.h"
#include "engine/store.h"

enum image_dangling { DANGLING_ANY, DANGLING_ONLY, DANGLING_NOT };

/* Values of one list are alternatives, but all labels have to be there. NULL-initialise. */
struct image_filter {
	struct strv references;	   /* "debian", "debian:12", "deb*"; a star stops at a slash */
	struct strv labels;	   /* "key" or "key=value" */
	struct strv before, since; /* images */
	int64_t until_ns;	   /* created before; 0: no bound */
	enum image_dangling dangling;
};
void image_filter_release(struct image_filter *f);
#define auto_image_filter __attribute__((cleanup(image_filter_release)))

/* image_list's rows, those that fit. With references each has only those of its names that fit. */
int image_list_filtered(struct store *s, const struct image_filter *f, struct image_rows *ret,
			struct err *e) MUST_CHECK;

#endif
