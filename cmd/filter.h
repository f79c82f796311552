/* SPDX-License-Identifier: Apache-2.0 */
/* --filter key=value, as Docker's client takes it: keys in any case, blanks around both dropped. */
#ifndef KVBOX_CMD_FILTER_H
#define KVBOX_CMD_FILTER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/image_filter.h"

/* For the member `check` of an option: "bad format of filter (expected name=value)". */
int filter_check(const char *text, struct err *e) MUST_CHECK;

/* Key and value of a filter that was checked; the caller frees both. False for an empty one, which is none. */
bool filter_split(const char *text, char **ret_key, char **ret_value);

/* Which list a key's values go to. */
struct filter_key {
	const char *key; /* NULL ends the table */
	struct strv *values;
};
/* Sorts the filters of an option into lists; ERR_INVALID "invalid filter 'x'" for a key that is none. */
int filter_sort(const struct strv *filters, const struct filter_key *keys,
		struct err *e) MUST_CHECK;

/* The values of the key "dangling"; the last one counts, and without any *ret stays. */
int filter_dangling(const struct strv *values, enum image_dangling *ret, struct err *e) MUST_CHECK;

#endif
