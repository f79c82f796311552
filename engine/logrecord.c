/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines exactly as logfile.c writes them are taken apart here, in one pass and in place; all
 * others by yajl. Most are the former, and where lines are short the difference is five times the
 * speed (2 million lines of one character: 150 ms instead of 980).
 */
#include "engine/logrecord.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <yajl/yajl_parse.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* As long as a line can be. */
#define TEXT_MAX ((size_t)256 << 10)

enum key { KEY_OTHER, KEY_LOG, KEY_STREAM, KEY_TIME };

struct log_parser {
	yajl_handle yajl;
	int depth;
	enum key key;
	bool has_log, has_time;
	enum log_stream stream;
	struct str text;
	char time[CLOCK_TEXT_SIZE];
};

/* ---- any JSON -------------------------------------------------------------------------------- */

static int on_map(void *ctx)
{
	struct log_parser *p = ctx;

	if (p->depth++ == 0) {
		p->has_log = p->has_time = false;
		p->stream = LOG_STDOUT;
	}
	p->key = KEY_OTHER;
	return 1;
}

static int on_map_end(void *ctx)
{
	struct log_parser *p = ctx;

	p->depth--;
	return 1;
}

static bool is_text(const unsigned char *p, size_t n, const char *text)
{
	return n == strlen(text) && memcmp(p, text, n) == 0;
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct log_parser *p = ctx;

	p->key = p->depth != 1		      ? KEY_OTHER
		 : is_text(text, n, "log")    ? KEY_LOG
		 : is_text(text, n, "stream") ? KEY_STREAM
		 : is_text(text, n, "time")   ? KEY_TIME
					      : KEY_OTHER;
	return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct log_parser *p = ctx;

	if (p->key == KEY_LOG) {
		str_clear(&p->text);
		str_addn(&p->text, text, n);
		p->has_log = true;
	} else if (p->key == KEY_STREAM) {
		p->stream = is_text(text, n, "stderr") ? LOG_STDERR : LOG_STDOUT;
	} else if (p->key == KEY_TIME && n < sizeof(p->time)) {
		memcpy(p->time, text, n);
		p->time[n] = '\0';
		p->has_time = !memchr(text, 0, n);
	}
	p->key = KEY_OTHER;
	return 1;
}

/* Values of other types are none of ours, and a text outside of an object is damage. */
static int on_null(void *ctx)
{
	return ((struct log_parser *)ctx)->depth > 0;
}

static int on_bool(void *ctx, int value)
{
	(void)value;
	return on_null(ctx);
}

static int on_number(void *ctx, const char *text, size_t n)
{
	(void)text;
	(void)n;
	return on_null(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_map_end,
};

static void new_yajl(struct log_parser *p)
{
	if (p->yajl)
		yajl_free(p->yajl);
	p->yajl = yajl_alloc(&callbacks, NULL, p);
	if (!p->yajl)
		abort();
	yajl_config(p->yajl, yajl_allow_multiple_values, 1);
	p->depth = 0;
}

static bool parse_json(struct log_parser *p, const char *line, size_t n, struct log_record *ret)
{
	p->has_log = p->has_time = false;
	if (yajl_parse(p->yajl, (const unsigned char *)line, n) != yajl_status_ok || p->depth > 0) {
		new_yajl(p);
		return false;
	}
	*ret = (struct log_record){ p->stream, p->time, 0, p->text.buf, p->text.len };
	return p->has_log && p->has_time;
}

/* ---- our own form ---------------------------------------------------------------------------- */

/* What an escape stands for that is one character; 0 for others. */
static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == '"' || c == '\\' ? c : '\0';
}

/*
 * The length of the text at `text`, up to the quote behind it; -1 when there is more in it than
 * ASCII and simple escapes, or no quote before the newline.
 */
static ssize_t plain_length(const char *text, bool *ret_escaped)
{
	const char *at = text;

	*ret_escaped = false;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			return -1;
		if (*at != '\\')
			continue;
		if (!unescape(*++at))
			return -1;
		*ret_escaped = true;
	}
	return at - text;
}

/* In place; the new length. */
static size_t unescape_text(char *text, size_t n)
{
	size_t to = 0;

	for (size_t from = 0; from < n; from++)
		text[to++] = text[from] == '\\' ? unescape(text[++from]) : text[from];
	return to;
}

/* Every word ends before the line does, at the latest by its newline. */
static bool take_word(char **at, const char *word, size_t n)
{
	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}
#define TAKE(at, word) take_word(at, word, sizeof(word) - 1)

static bool take_stream(char **at, enum log_stream *ret)
{
	if (!TAKE(at, "\",\"stream\":\"std"))
		return false;
	if (TAKE(at, "out")) {
		*ret = LOG_STDOUT;
		return true;
	}
	*ret = LOG_STDERR;
	return TAKE(at, "err");
}

static bool take_time(struct log_parser *p, char **at)
{
	const char *time;
	size_t n;

	if (!TAKE(at, "\",\"time\":\""))
		return false;
	for (time = *at; (**at >= '-' && **at <= ':') || **at == 'T' || **at == 'Z' || **at == '+';)
		(*at)++;
	n = (size_t)(*at - time);
	if (n == 0 || n >= sizeof(p->time) || !TAKE(at, "\"}\n"))
		return false;
	memcpy(p->time, time, n);
	p->time[n] = '\0';
	return true;
}

/* The line is untouched where this fails. */
static bool parse_plain(struct log_parser *p, char *line, size_t n, struct log_record *ret)
{
	enum log_stream stream;
	char *at = line, *text;
	bool escaped;
	ssize_t length;

	if (!TAKE(&at, "{\"log\":\""))
		return false;
	text = at;
	length = plain_length(text, &escaped);
	if (length < 0)
		return false;
	at += length;
	if (!take_stream(&at, &stream) || !take_time(p, &at) || at != line + n)
		return false;
	if (escaped)
		length = (ssize_t)unescape_text(text, (size_t)length);
	*ret = (struct log_record){ stream, p->time, 0, text, (size_t)length };
	return true;
}

/* ---- both ------------------------------------------------------------------------------------ */

struct log_parser *log_parser_new(void)
{
	struct log_parser *p = xcalloc(1, sizeof(*p));

	str_init(&p->text, TEXT_MAX);
	new_yajl(p);
	return p;
}

void log_parser_free(struct log_parser *p)
{
	if (!p)
		return;
	yajl_free(p->yajl);
	str_release(&p->text);
	free(p);
}

bool log_parser_line(struct log_parser *p, char *line, size_t n, struct log_record *ret)
{
	return parse_plain(p, line, n, ret) || parse_json(p, line, n, ret);
}
