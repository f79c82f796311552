/* SPDX-License-Identifier: Apache-2.0 */
/* struct log_printer of engine/logread.h. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/logread.h"

#define BUFFER_SIZE (64u * 1024)
#define TIME_DIGITS 9

/* One for both streams: where they go to the same place their order stays. */
struct log_printer_buffer {
	enum log_stream stream;
	size_t n;
	char buf[BUFFER_SIZE];
};

static int write_out(struct log_printer *p, const char *bytes, size_t n, struct err *e)
{
	int fd = p->fd[p->buffer->stream];

	return fd < 0 || n == 0 ? 0 : fd_write_full(fd, bytes, n, e);
}

int log_printer_idle(void *ctx, struct err *e)
{
	struct log_printer *p = ctx;
	size_t n;

	if (!p->buffer)
		return 0;
	n = p->buffer->n;
	p->buffer->n = 0;
	return write_out(p, p->buffer->buf, n, e);
}

static int put(struct log_printer *p, const char *bytes, size_t n, struct err *e)
{
	struct log_printer_buffer *b = p->buffer;

	if (b->n + n > BUFFER_SIZE && log_printer_idle(p, e) < 0)
		return -1;
	if (n > BUFFER_SIZE)
		return write_out(p, bytes, n, e);
	memcpy(b->buf + b->n, bytes, n);
	b->n += n;
	return 0;
}

/* Docker shows nine digits, and keeps only those that are not trailing zeros: "...:05.12Z". */
static int put_time(struct log_printer *p, const char *time, struct err *e)
{
	static const char zeros[] = ".000000000";
	size_t n = strcspn(time, "Z+"), digits;
	const char *dot = memchr(time, '.', n);

	digits = dot ? n - (size_t)(dot + 1 - time) : 0;
	if (put(p, time, n, e) < 0 || (!dot && put(p, zeros, 1, e) < 0) ||
	    (digits < TIME_DIGITS && put(p, zeros + 1, TIME_DIGITS - digits, e) < 0))
		return -1;
	return put(p, time + n, strlen(time + n), e) < 0 ? -1 : put(p, " ", 1, e);
}

int log_printer_record(void *ctx, const struct log_record *r, struct err *e)
{
	struct log_printer *p = ctx;

	if (!p->buffer) {
		p->buffer = xreallocarray(NULL, 1, sizeof(*p->buffer));
		p->buffer->n = 0;
	} else if (p->buffer->stream != r->stream && log_printer_idle(p, e) < 0) {
		return -1;
	}
	p->buffer->stream = r->stream;
	if (p->timestamps && put_time(p, r->time, e) < 0)
		return -1;
	if (p->details && put(p, p->details, strlen(p->details), e) < 0)
		return -1;
	return put(p, r->text, r->n, e);
}

void log_printer_release(struct log_printer *p)
{
	free(p->buffer);
	p->buffer = NULL;
}
