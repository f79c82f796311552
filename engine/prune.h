/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `container prune` and `image prune`: removes what nobody uses, one thing after the other; one that
 * cannot be removed (somebody has begun to use it, say) stays and stops nobody.
 */
#ifndef KVBOX_ENGINE_PRUNE_H
#define KVBOX_ENGINE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/store.h"

/* What may go. NULL-initialise. */
struct prune_filter {
	int64_t until_ns;	/* only what was created before; 0: no bound */
	struct strv labels;	/* "key" or "key=value": all of them are there */
	struct strv not_labels; /* and not all of these */
};
void prune_filter_release(struct prune_filter *f);
#define auto_prune_filter __attribute__((cleanup(prune_filter_release)))

struct prune_result {
	struct strv
		lines; /* ids of containers; "untagged: x:y" and "deleted: sha256:..." of images */
	int64_t bytes; /* that are free now */
};
void prune_result_release(struct prune_result *r);
#define auto_prune_result __attribute__((cleanup(prune_result_release)))

/* Containers that do not run. The bytes are what they had written (disk_written). */
int prune_containers(struct store *s, const struct prune_filter *f, struct prune_result *ret,
		     struct err *e) MUST_CHECK;
/* Images without a tag, or with `all` those too that no container was made from. The bytes are those of
 * their layers' contents, as `images` counts them. */
int prune_images(struct store *s, const struct prune_filter *f, bool all, struct prune_result *ret,
		 struct err *e) MUST_CHECK;

#endif
