/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a container's log (Docker's json-file format, written by engine/logfile.h), also while it is
 * being written and across rotated files (log.json.N is older than log.json.N-1, log.json is newest).
 *
 * A damaged or unfinished record (the monitor was killed in the middle of a write) is skipped.
 */
#ifndef KVBOX_ENGINE_LOGREAD_H
#define KVBOX_ENGINE_LOGREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAM_COUNT };

struct log_record {
	enum log_stream stream;
	const char *time; /* as in the file, RFC 3339 with nanoseconds, terminated */
	int64_t time_ns;  /* 0 unless since or until was asked for */
	const char *
		text; /* `n` bytes, with "\n" unless the line was cut at 16 KiB or ended the stream */
	size_t n;
};

struct logread {
	int dirfd;     /* containers/<id>; borrowed */
	int64_t tail;  /* only that many of the last lines; -1: all */
	int64_t since; /* ns of the epoch, 0: no bound */
	int64_t until;
	bool follow;
	/* follow ends, after all that is there was read, when this descriptor becomes readable (see
	 * client_begin_wait). -1: follows only while `until` or `event` do not end it. */
	int end_fd;
	/* Another descriptor to watch while following (a signalfd), or -1. -1 from `event` ends. */
	int event_fd;
	int (*event)(void *ctx, struct err *e);
	/* Each record, oldest first; valid during the call. -1 with an error ends. */
	int (*record)(void *ctx, const struct log_record *r, struct err *e);
	/* Nothing more to read for now: flush what is buffered. May be NULL. */
	int (*idle)(void *ctx, struct err *e);
	void *ctx;
};
#define LOGREAD_INIT                                                  \
	{                                                             \
		.dirfd = -1, .tail = -1, .end_fd = -1, .event_fd = -1 \
	}

/* A log that is not there is empty. */
int logread_run(const struct logread *r, struct err *e) MUST_CHECK;

/*
 * Docker's output: text to `out` or `err`, with "<time> " before it when timestamps are asked for;
 * buffered in 64 KiB pieces. As `record` and `idle` of a logread whose ctx is a struct log_printer.
 */
struct log_printer {
	int fd[LOG_STREAM_COUNT]; /* borrowed; may be equal */
	bool timestamps;
	const char *details;		   /* put before each text, behind the time; or NULL */
	struct log_printer_buffer *buffer; /* NULL at first */
};
int log_printer_record(void *ctx, const struct log_record *r, struct err *e);
int log_printer_idle(void *ctx, struct err *e);
void log_printer_release(struct log_printer *p);

#endif
