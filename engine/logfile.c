/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it works. Complete lines are encoded straight from the caller's bytes into the output buffer; only
 * a line whose end has not come yet is kept, raw, in `line` (at most 16 KiB, Docker's reading buffer:
 * when that is full without a newline, its content becomes a partial record). One time stamp serves all
 * lines of a call.
 */
#include "engine/logfile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define FLUSH_AT (64u * 1024)
/* What one record can take at most: each byte as "\ufffd", and the frame around it. */
#define RECORD_MAX (6u * LOGFILE_LINE_MAX + 128)
#define TAIL_MAX   (CLOCK_TEXT_SIZE + 40)

/* The end of a record: stream and time. */
struct tail {
	char text[TAIL_MAX];
	size_t n;
};

struct line {
	char *raw; /* LOGFILE_LINE_MAX bytes, from the first use on */
	size_t n;
	bool continues;	  /* a partial record of this line was written */
	struct tail tail; /* of that record: its time is the whole line's */
};

struct logfile {
	int dirfd, fd;
	struct logfile_options options;
	uint64_t size; /* of the file */
	bool torn;     /* the file ends inside a record */
	bool failing;
	struct err untold; /* of the first failure in a row */
	size_t n;	   /* bytes in buf */
	struct line line[LOG_STREAM_COUNT];
	char buf[1 + FLUSH_AT + RECORD_MAX]; /* buf[0] is for the newline after a torn record */
};

static const char *const stream_name[] = { [LOG_STDOUT] = "stdout", [LOG_STDERR] = "stderr" };
_Static_assert(ARRAY_LEN(stream_name) == LOG_STREAM_COUNT, "stream_name[] does not match");

/* ---- encoding ---------------------------------------------------------------------------------- */

/* 0: stands for itself, 1: ASCII that is escaped, 2: of a multi-byte character. */
static const unsigned char byte_class[256] = {
	[0x00 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1,	     ['<'] = 1,
	['>'] = 1,	     ['&'] = 1, [0x80 ... 0xff] = 2,
};

static char *put(char *out, const char *p, size_t n)
{
	memcpy(out, p, n);
	return out + n;
}

static char *put_ascii(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = (char)c;
	} else if (c == '\n') {
		*out++ = 'n';
	} else if (c == '\r') {
		*out++ = 'r';
	} else {
		out = put(out, "u00", 3);
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	return out;
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the valid character (RFC 3629) at `p`, of which `n` bytes are there; 0 when it is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	unsigned char c = p[0];

	if (c < 0xc2 || c > 0xf4 || n < 2 || !is_continuation(p[1]))
		return 0;
	if (c < 0xe0)
		return 2;
	if (n < 3 || !is_continuation(p[2]))
		return 0;
	if (c < 0xf0) {
		/* Neither overlong nor half of a surrogate pair. */
		if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (n < 4 || !is_continuation(p[3]))
		return 0;
	if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return 4;
}

/* Bytes used; the character, or its escape, goes to *out. */
static size_t put_multibyte(char **out, const unsigned char *p, size_t n)
{
	size_t k = utf8_length(p, n);

	if (k == 0) {
		*out = put(*out, "\\ufffd", 6);
		return 1;
	}
	/* U+2028 and U+2029 end a line in JavaScript, so Go escapes them. */
	if (k == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8)
		*out = put(*out, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
	else
		*out = put(*out, (const char *)p, k);
	return k;
}

static char *encode(char *out, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0, from;

	while (i < n) {
		from = i;
		while (i < n && byte_class[p[i]] == 0)
			i++;
		out = put(out, text + from, i - from);
		if (i == n)
			break;
		if (byte_class[p[i]] == 1)
			out = put_ascii(out, p[i++]);
		else
			i += put_multibyte(&out, p + i, n - i);
	}
	return out;
}

static void make_tail(struct tail *t, enum log_stream stream)
{
	char time[CLOCK_TEXT_SIZE];
	int n;

	clock_format(clock_now(), time);
	n = snprintf(t->text, TAIL_MAX, "\",\"stream\":\"%s\",\"time\":\"%s\"}\n",
		     stream_name[stream], time);
	t->n = (size_t)n;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static int open_file(struct logfile *l, struct err *e)
{
	auto_close int fd = -1;
	char last;

	if (fd_open(l->dirfd, LOGFILE_NAME, O_RDWR | O_CREAT | O_APPEND, 0640, &fd, e) < 0 ||
	    fd_size(fd, &l->size, e) < 0)
		return -1;
	l->torn = l->size > 0 && pread(fd, &last, 1, (off_t)l->size - 1) == 1 && last != '\n';
	fd_close(l->fd);
	l->fd = take_fd(&fd);
	return 0;
}

/* log.json.1 becomes log.json.2 and so on; the oldest is overwritten. */
static int rotate(struct logfile *l, struct err *e)
{
	char from[sizeof(LOGFILE_NAME) + 12], to[sizeof(from)];
	unsigned i;

	if (l->options.max_files <= 1) {
		if (ftruncate(l->fd, 0) < 0)
			return err_sys(e, "cannot empty the log");
		l->size = 0;
		l->torn = false;
		return 0;
	}
	for (i = l->options.max_files - 1; i > 0; i--) {
		snprintf(to, sizeof(to), LOGFILE_NAME ".%u", i);
		if (i == 1)
			snprintf(from, sizeof(from), LOGFILE_NAME);
		else
			snprintf(from, sizeof(from), LOGFILE_NAME ".%u", i - 1);
		if (file_exists(l->dirfd, from) && file_rename(l->dirfd, from, l->dirfd, to, e) < 0)
			return -1;
	}
	return open_file(l, e);
}

static int write_out(struct logfile *l, struct err *e)
{
	const char *p = l->buf + 1;
	size_t n = l->n;
	ssize_t k;

	if (l->options.max_size && l->size && l->size + n > l->options.max_size && rotate(l, e) < 0)
		return err_wrap(e, "cannot rotate the log");
	if (l->torn) {
		l->buf[0] = '\n';
		p--;
		n++;
	}
	while (n > 0) {
		k = write(l->fd, p, n);
		if (k < 0)
			return err_sys(e, "cannot write to the log");
		l->size += (uint64_t)k;
		p += k;
		n -= (size_t)k;
		l->torn = p[-1] != '\n';
	}
	return 0;
}

static void flush(struct logfile *l)
{
	struct err why = ERR_INIT;
	bool failed = write_out(l, &why) < 0;

	l->n = 0;
	if (failed && !l->failing)
		l->untold = why;
	l->failing = failed;
}

static int tell(struct logfile *l, struct err *e)
{
	return err_is_set(&l->untold) ? err_move(e, &l->untold) : 0;
}

int logfile_flush(struct logfile *l, struct err *e)
{
	if (l->n > 0)
		flush(l);
	return tell(l, e);
}

bool logfile_is_dirty(const struct logfile *l)
{
	return l->n > 0;
}

/* ---- records ----------------------------------------------------------------------------------- */

static void record(struct logfile *l, const char *text, size_t n, bool newline,
		   const struct tail *tail)
{
	char *out = l->buf + 1 + l->n;

	out = put(out, "{\"log\":\"", 8);
	out = encode(out, text, n);
	if (newline)
		out = put(out, "\\n", 2);
	out = put(out, tail->text, tail->n);
	l->n = (size_t)(out - l->buf) - 1;
	if (l->n >= FLUSH_AT)
		flush(l);
}

/* What is kept of the line becomes a record; without `newline` the line goes on, or the stream ended. */
static void record_kept(struct logfile *l, struct line *line, bool newline, const struct tail *tail)
{
	if (!line->continues)
		line->tail = *tail;
	record(l, line->raw ? line->raw : "", line->n, newline, &line->tail);
	line->n = 0;
	line->continues = !newline;
}

static void keep(struct line *line, const char *p, size_t n)
{
	if (!line->raw)
		line->raw = xcalloc(1, LOGFILE_LINE_MAX);
	memcpy(line->raw + line->n, p, n);
	line->n += n;
}

/* The text up to the next newline, or all of it when there is none: returns how much of it was used. */
static size_t take_line(struct logfile *l, struct line *line, const char *p, size_t n,
			const struct tail *tail)
{
	size_t room = LOGFILE_LINE_MAX - line->n;
	const char *nl = memchr(p, '\n', n < room ? n : room);
	size_t used = nl ? (size_t)(nl - p) : n < room ? n : room;

	if (nl && line->n == 0 && !line->continues) {
		record(l, p, used, true, tail);
		return used + 1;
	}
	keep(line, p, used);
	if (nl || line->n == LOGFILE_LINE_MAX)
		record_kept(l, line, nl, tail);
	return nl ? used + 1 : used;
}

int logfile_write(struct logfile *l, enum log_stream stream, const void *bytes, size_t n,
		  struct err *e)
{
	const char *p = bytes;
	struct tail tail;
	size_t k;

	make_tail(&tail, stream);
	while (n > 0) {
		k = take_line(l, &l->line[stream], p, n, &tail);
		p += k;
		n -= k;
	}
	return tell(l, e);
}

int logfile_eof(struct logfile *l, enum log_stream stream, struct err *e)
{
	struct line *line = &l->line[stream];
	struct tail tail;

	if (line->n > 0) {
		make_tail(&tail, stream);
		record_kept(l, line, false, &tail);
	}
	line->continues = false;
	return tell(l, e);
}

int logfile_open(int dirfd, const struct logfile_options *options, struct logfile **ret,
		 struct err *e)
{
	/* Not zeroed: most of the buffer is never touched. */
	struct logfile *l = xreallocarray(NULL, 1, sizeof(*l));

	memset(l, 0, offsetof(struct logfile, buf));
	l->dirfd = dirfd;
	l->fd = -1;
	if (options)
		l->options = *options;
	if (open_file(l, e) < 0) {
		free(l);
		return err_wrap(e, "cannot open the log");
	}
	*ret = l;
	return 0;
}

void logfile_free(struct logfile *l)
{
	size_t i;

	if (!l)
		return;
	if (l->n > 0)
		flush(l);
	for (i = 0; i < LOG_STREAM_COUNT; i++)
		free(l->line[i].raw);
	fd_close(l->fd);
	free(l);
}
