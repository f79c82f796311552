/* SPDX-License-Identifier: Apache-2.0 */
/* Times: nanoseconds of the Unix epoch or of the monotonic clock, and RFC 3339 text as Go prints it. */
#ifndef KVBOX_BASE_CLOCK_H
#define KVBOX_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"

#define CLOCK_TEXT_SIZE 40

int64_t clock_now(void);       /* CLOCK_REALTIME, ns */
int64_t clock_monotonic(void); /* CLOCK_MONOTONIC, ns */

/* "2026-01-02T03:04:05.123456789Z", trailing zeros of the fraction dropped (RFC3339Nano). 0 gives
 * Docker's zero time "0001-01-01T00:00:00Z". */
void clock_format(int64_t ns, char ret[CLOCK_TEXT_SIZE]);
/* The same with the fraction always nine digits. */
void clock_format_fixed(int64_t ns, char ret[CLOCK_TEXT_SIZE]);
/* RFC 3339 with any fraction and zone; the zero time gives 0. */
int clock_parse(const char *text, int64_t *ret, struct err *e) MUST_CHECK;

#endif
