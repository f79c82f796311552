/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as --since and --until take them: RFC 3339 with or without zone, seconds of the epoch
 * with a fraction, dates, or how long ago ("10m", "1h30m"). What has no zone is local time.
 */
#ifndef KVBOX_CMD_WHEN_H
#define KVBOX_CMD_WHEN_H

#include <stdint.h>

#include "base/err.h"

/* `now` and the result in ns of the epoch. */
int when_parse(const char *text, int64_t now, int64_t *ret, struct err *e) MUST_CHECK;

#endif
