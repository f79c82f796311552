/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeline of one start: named phases with begin and duration, taken in several processes (command,
 * monitor, guest) on the host's monotonic clock, and written as a Chrome trace (trace-event format,
 * "X" events, microseconds).
 */
#ifndef KVBOX_BASE_TRACE_H
#define KVBOX_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct trace_event {
	char name[32];
	char lane[16]; /* "kvbox", "monitor", "guest" */
	int64_t begin; /* ns, CLOCK_MONOTONIC of the host */
	int64_t end;
};

struct trace {
	struct trace_event *v;
	size_t n, cap;
};
/* clang-format off */
#define TRACE_INIT { NULL, 0, 0 }
/* clang-format on */

void trace_release(struct trace *t);
#define auto_trace __attribute__((cleanup(trace_release)))
void trace_add(struct trace *t, const char *lane, const char *name, int64_t begin, int64_t end);
/* The event of that name, or NULL. */
const struct trace_event *trace_find(const struct trace *t, const char *name);
/* Sorts by begin and appends the JSON document {"traceEvents":[...]}. */
void trace_write(struct trace *t, struct str *out);
/* Adds the events of such a document. */
int trace_read(struct trace *t, const char *text, size_t n, struct err *e) MUST_CHECK;

#endif
