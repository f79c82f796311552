/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug messages for the people who look into kvbox itself. What a user must know travels in errors.
 * Level 0 (the default) writes nothing; KVBOX_DEBUG=1 or --debug raises it. Writes go to stderr, in the
 * monitor to its own log file.
 */
#ifndef KVBOX_BASE_LOG_H
#define KVBOX_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

void log_set_level(int level);
bool log_is_on(void);
/* One line; the newline is added. Keeps errno. */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
