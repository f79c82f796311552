/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, sizes, durations and truth values out of text, in the forms that Docker's users write. */
#ifndef KVBOX_BASE_PARSE_H
#define KVBOX_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Decimal digits only, at most `max`. */
int parse_u64(const char *text, uint64_t max, uint64_t *ret, struct err *e) MUST_CHECK;
/* Decimal with an optional sign. */
int parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *e) MUST_CHECK;
/* A size in bytes: a decimal number (fraction allowed) with b, k, m, g, t or p (powers of 1024; "kb" and
 * "kib" as well, any case; a blank before the unit), as Docker's RAMInBytes. */
int parse_size(const char *text, int64_t *ret, struct err *e) MUST_CHECK;
/* Go's ParseBool: 1 t T TRUE true True 0 f F FALSE false False. */
int parse_bool(const char *text, bool *ret, struct err *e) MUST_CHECK;
/* Go's ParseDuration into nanoseconds: "1h30m", "1.5s", "300ms", "0". */
int parse_duration(const char *text, int64_t *ret, struct err *e) MUST_CHECK;

#endif
