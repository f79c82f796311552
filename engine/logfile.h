/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a container's log as Docker's json-file driver does, byte for byte:
 *
 *	{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"}
 *
 * one record a line of output. A line of more than 16 KiB becomes several records, of which only the last
 * has the "\n"; they carry the time of the first. Bytes that are not UTF-8 become U+FFFD.
 *
 * Records collect in memory and are written in pieces of 64 KiB, and by logfile_flush when the caller
 * has nothing else to do. A write that fails (a full disk) loses records, never the container: the
 * error is told once and writing goes on with the next piece, on a line of its own.
 */
#ifndef KVBOX_ENGINE_LOGFILE_H
#define KVBOX_ENGINE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/logread.h"

#define LOGFILE_NAME	 "log.json"
#define LOGFILE_LINE_MAX (16u * 1024)

struct logfile;

struct logfile_options {
	uint64_t max_size;  /* rotate before the file gets bigger; 0: never */
	unsigned max_files; /* log.json and its log.json.1, ...; 0 counts as 1 */
};

/* Opens or makes log.json in the folder (borrowed) and appends. `options` NULL: no rotation. */
int logfile_open(int dirfd, const struct logfile_options *options, struct logfile **ret,
		 struct err *e) MUST_CHECK;
/* Flushes, without telling errors. Accepts NULL. */
void logfile_free(struct logfile *l);

/* Output of the container. -1 with the error only at the first failure in a row. */
int logfile_write(struct logfile *l, enum log_stream stream, const void *p, size_t n,
		  struct err *e) MUST_CHECK;
/* The stream has ended: a line without "\n" is recorded as it is. */
int logfile_eof(struct logfile *l, enum log_stream stream, struct err *e) MUST_CHECK;
int logfile_flush(struct logfile *l, struct err *e) MUST_CHECK;
/* True when logfile_flush would write something. */
bool logfile_is_dirty(const struct logfile *l);

#endif
