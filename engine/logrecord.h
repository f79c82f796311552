/* SPDX-License-Identifier: Apache-2.0 */
/* From a line of a log file to its record: half of engine/logread.c. */
#ifndef KVBOX_ENGINE_LOGRECORD_H
#define KVBOX_ENGINE_LOGRECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/logread.h"

struct log_parser;

struct log_parser *log_parser_new(void) __attribute__((returns_nonnull));
void log_parser_free(struct log_parser *p);

/*
 * `line` is `n` bytes, the last of which is the only newline. True with a record (time_ns stays
 * 0), which is valid as long as the line and until the next call; false where the line is damaged
 * or no record. The line may be overwritten.
 */
bool log_parser_line(struct log_parser *p, char *line, size_t n, struct log_record *ret);

#endif
