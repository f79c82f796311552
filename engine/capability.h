/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux capabilities by their names, and Docker's rules for which a container has.
 *
 * A set is a mask, bit n being capability n. What users write is "NET_ADMIN", "cap_net_admin" or
 * "all".
 */
#ifndef KVBOX_ENGINE_CAPABILITY_H
#define KVBOX_ENGINE_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

/* What a container has without any option: Docker's set of fourteen. */
#define CAPABILITY_DEFAULT ((uint64_t)0xa80425fb)
/*
 * All that Linux has (up to CAP_CHECKPOINT_RESTORE); the guest's kernel is newer than the last of
 * them.
 */
#define CAPABILITY_ALL (((uint64_t)1 << 41) - 1)

/* The mask's bit for exactly such a name, in upper case with "CAP_"; 0 for any other. */
uint64_t capability_bit(const char *name);

/*
 * What inspect shows for --cap-add and --cap-drop: upper case, "CAP_" in front, sorted, each
 * once; ALL stands alone; what is added is not dropped as well. Names need not be known.
 * `ret_add` and `ret_drop` are replaced.
 */
void capability_normalise(const struct strv *add, const struct strv *drop, struct strv *ret_add,
			  struct strv *ret_drop);

/*
 * The set of a container. ALL in `add` gives all but those in `drop`; ALL in `drop` gives those
 * in `add` alone; else those in `drop` are taken from the default set, and then those in `add`
 * put to it. A privileged container has all, whatever the lists say; they are checked all the
 * same. ERR_INVALID with Docker's words for a name that is unknown.
 */
int capability_mask(const struct strv *add, const struct strv *drop, bool privileged, uint64_t *ret,
		    struct err *e) MUST_CHECK;

#endif
