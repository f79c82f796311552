/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run --trace FILE`: the command's own phases and those that the monitor tells, as one Chrome trace.
 * Without a file every call does nothing.
 */
#ifndef KVBOX_CMD_RUN_TRACE_H
#define KVBOX_CMD_RUN_TRACE_H

#include <stdint.h>

#include "base/err.h"
#include "base/trace.h"

struct run_trace {
	const char *file; /* NULL: no trace */
	int fd;		  /* of it */
	int64_t last;	  /* when the last phase ended */
	struct trace trace;
};
#define RUN_TRACE_INIT                  \
	{                               \
		NULL, -1, 0, TRACE_INIT \
	}

/* `file` may be NULL; it is made at once, so that a bad name is an error before anything happens. */
int run_trace_open(struct run_trace *t, const char *file, struct err *e) MUST_CHECK;
/* What was done since the last call. */
void run_trace_phase(struct run_trace *t, const char *name);
/* The monitor's own events, a trace-event document; NULL: it told none. */
int run_trace_merge(struct run_trace *t, const char *document, struct err *e) MUST_CHECK;
/* Writes the file. */
int run_trace_finish(struct run_trace *t, struct err *e) MUST_CHECK;
void run_trace_release(struct run_trace *t);

#endif
