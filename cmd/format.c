/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/format.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define TABLE	  "table"
#define MIN_WIDTH 10
#define PADDING	  3

bool format_is_default(const char *format)
{
	return !format || !*format || strcmp(format, TABLE) == 0;
}

int format_parse(const char *format, struct tmpl **ret, struct err *e)
{
	if (tmpl_parse(str_eq(format, "json") ? "{{json .}}" : format, ret, e) < 0)
		return err_wrap(e, "template parsing error");
	return 0;
}

static int complain(int code, const struct err *e)
{
	fflush(stdout);
	fprintf(stderr, "%s\n", e->msg);
	return code;
}

void format_time(int64_t ns, struct str *out)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[64];
	struct tm tm;

	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%F %T %z %Z", &tm))
		str_add(out, text);
}

void format_rfc3339(int64_t ns, bool fraction, struct str *out)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[40], zone[8];
	struct tm tm;

	if (ns == 0) {
		str_add(out, "0001-01-01T00:00:00Z");
		return;
	}
	if (!localtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%FT%T", &tm))
		return;
	str_add(out, text);
	if (fraction)
		str_addf(out, ".%09d", (int)(ns % 1000000000));
	if (tm.tm_gmtoff == 0 || !strftime(zone, sizeof(zone), "%z", &tm))
		str_addc(out, 'Z');
	else
		str_addf(out, "%.3s:%s", zone, zone + 3);
}

/* ---- columns ---- */

struct cell {
	const char *p;
	size_t n, chars;
	size_t width; /* of its column, with the padding */
	bool last;    /* ends its line: is no part of a column */
};

struct line {
	size_t first, n; /* cells */
};

struct grid {
	struct cell *cells;
	struct line *lines;
	size_t n_cells, n_lines;
};

static size_t count_chars(const char *p, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)p[i] & 0xc0) != 0x80;
	return chars;
}

static void cut(const char *text, struct grid *g)
{
	size_t len = strlen(text);

	g->cells = xcalloc(len + 1, sizeof(*g->cells));
	g->lines = xcalloc(len + 1, sizeof(*g->lines));
	for (const char *p = text; *p; g->n_lines++) {
		struct line *l = &g->lines[g->n_lines];
		char end;

		l->first = g->n_cells;
		do {
			size_t n = strcspn(p, "\t\n");

			end = p[n];
			g->cells[g->n_cells++] = (struct cell){ p, n, count_chars(p, n), 0,
								end != '\t' };
			l->n++;
			p += n + (end != '\0');
		} while (end == '\t');
	}
}

/* A column is as wide as its widest cell in the lines next to each other that have it. */
static void measure(struct grid *g, size_t column)
{
	size_t from, to;

	for (from = 0; from < g->n_lines; from = to + 1) {
		size_t width = MIN_WIDTH;

		for (to = from; to < g->n_lines && g->lines[to].n > column + 1; to++) {
			size_t want = g->cells[g->lines[to].first + column].chars + PADDING;

			width = want > width ? want : width;
		}
		for (size_t i = from; i < to; i++)
			g->cells[g->lines[i].first + column].width = width;
	}
}

void format_columns(const char *text, struct str *out)
{
	struct grid g = { NULL, NULL, 0, 0 };
	size_t columns = 0;

	cut(text, &g);
	for (size_t i = 0; i < g.n_lines; i++)
		columns = g.lines[i].n > columns ? g.lines[i].n : columns;
	for (size_t i = 0; i + 1 < columns; i++)
		measure(&g, i);
	for (size_t i = 0; i < g.n_cells; i++) {
		const struct cell *c = &g.cells[i];

		str_addn(out, c->p, c->n);
		for (size_t n = c->chars; !c->last && n < c->width; n++)
			str_addc(out, ' ');
		if (c->last)
			str_addc(out, '\n');
	}
	free(g.cells);
	free(g.lines);
}

/* ---- rows ---- */

/* The template itself: "table" off, and the two escapes that shells leave alone. */
static void template_text(const char *format, bool table, struct str *out)
{
	const char *p = format + (table ? strlen(TABLE) : 0), *end = p + strlen(p);

	while (*p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	while (p < end) {
		if (*p == '\\' && end - p > 1 && (p[1] == 't' || p[1] == 'n')) {
			str_addc(out, p[1] == 't' ? '\t' : '\n');
			p += 2;
		} else {
			str_addc(out, *p++);
		}
	}
}

static int add_heading(const struct format_list *list, const struct tmpl *t, struct str *out,
		       struct err *e)
{
	const struct tmpl_opts opts = { .header = true };
	auto_str struct str text = STR_INIT(64 << 10);
	auto_json struct json *headings = NULL;
	struct json_writer w;

	jw_init(&w, &text, 0);
	jw_begin_object(&w, NULL);
	for (const struct format_column *c = list->columns; c->field; c++)
		jw_str(&w, c->field, c->heading);
	jw_begin_object(&w, "Label()");
	jw_end(&w);
	jw_end(&w);
	if (json_parse(text.buf, text.len, &headings, e) < 0 ||
	    tmpl_execute(t, headings, &opts, out, e) < 0)
		return -1;
	str_addc(out, '\n');
	return 0;
}

static int add_rows(const struct format_list *list, const struct tmpl *t, const char *rows,
		    struct str *out, struct err *e)
{
	const struct tmpl_opts opts = { .typed = true, .type_name = list->type_name };
	auto_json struct json *j = NULL;

	if (json_parse(rows, strlen(rows), &j, e) < 0)
		return -1;
	for (size_t i = 0; i < json_len(j); i++) {
		if (tmpl_execute(t, json_at(j, i), &opts, out, e) < 0)
			return -1;
		str_addc(out, '\n');
	}
	return 0;
}

static bool is_json(const char *format)
{
	return str_eq(format, "json") || str_eq(format, "{{json .}}");
}

/* A row of empty texts. */
static void write_empty_row(const struct format_list *list, struct str *out)
{
	struct json_writer w;

	jw_init(&w, out, 0);
	jw_begin_object(&w, NULL);
	for (const struct format_column *c = list->columns; c->field; c++)
		jw_str(&w, c->field, "");
	jw_begin_object(&w, "Label()");
	jw_end(&w);
	jw_end(&w);
}

int format_check(const struct format_list *list, const char *format, struct err *e)
{
	const struct tmpl_opts opts = { .typed = true, .type_name = list->type_name };
	auto_str struct str row = STR_INIT(64 << 10);
	auto_str struct str ignored = STR_INIT(TMPL_OUTPUT_MAX);
	auto_json struct json *j = NULL;
	auto_tmpl struct tmpl *t = NULL;

	if (format_is_default(format) || is_json(format))
		return 0;
	if (tmpl_parse(format, &t, e) < 0)
		return err_wrap(e, "failed to parse template");
	write_empty_row(list, &row);
	if (json_parse(row.buf, row.len, &j, e) < 0 || tmpl_execute(t, j, &opts, &ignored, e) < 0)
		return err_wrap(e, "failed to execute template");
	return 0;
}

bool format_uses(const char *format, const char *field)
{
	size_t n = strlen(field);

	for (const char *at = format; at && (at = strstr(at, field)); at += n) {
		if (at > format && at[-1] == '.' && !isalnum((unsigned char)at[n]) && at[n] != '_')
			return true;
	}
	return false;
}

int format_rows(const struct format_list *list, const char *format, const char *rows)
{
	bool table = str_has_prefix(format, TABLE);
	auto_str struct str template = STR_INIT(TMPL_TEXT_MAX + 1);
	auto_str struct str out = STR_INIT(TMPL_OUTPUT_MAX);
	auto_str struct str columns = STR_INIT(STR_HUGE);
	auto_tmpl struct tmpl *t = NULL;
	struct err e = ERR_INIT;

	if (list->raw && str_eq(format, "raw"))
		str_add(&template, list->raw);
	else
		template_text(format, table, &template);
	if (format_parse(template.buf, &t, &e) < 0)
		return complain(1, &e);
	if ((table && add_heading(list, t, &out, &e) < 0) ||
	    add_rows(list, t, rows, &out, &e) < 0) {
		(void)err_wrap(&e, "template parsing error");
		return complain(1, &e);
	}
	if (table) {
		format_columns(out.buf, &columns);
		fputs(columns.buf, stdout);
	} else {
		(void)fwrite(out.buf, 1, out.len, stdout);
	}
	return 0;
}

/* ---- documents ---- */

void format_document_opts(struct tmpl_opts *ret, const char *type_name)
{
	static const struct tmpl_map maps[] = {
		{ "Attributes", TMPL_ELEM_STRING }, { "Data", TMPL_ELEM_STRING },
		{ "Details", TMPL_ELEM_STRING },    { "IndexConfigs", TMPL_ELEM_ANY },
		{ "ExposedPorts", TMPL_ELEM_ANY },  { "Labels", TMPL_ELEM_STRING },
		{ "Networks", TMPL_ELEM_ANY },	    { "Options", TMPL_ELEM_STRING },
		{ "PortBindings", TMPL_ELEM_LIST }, { "Ports", TMPL_ELEM_LIST },
		{ "Runtimes", TMPL_ELEM_ANY },	    { "StorageOpt", TMPL_ELEM_STRING },
		{ "Sysctls", TMPL_ELEM_STRING },    { "Tmpfs", TMPL_ELEM_STRING },
		{ "Volumes", TMPL_ELEM_ANY },	    { NULL, TMPL_ELEM_ANY },
	};
	static const struct tmpl_alias aliases[] = {
		{ "APIVersion", "ApiVersion" },
		{ "CPUShares", "CpuShares" },
		{ "From", "from" }, /* an event's, as the next four */
		{ "ID", "Id" },
		{ "ID", "id" },
		{ "NanoCPUs", "NanoCpus" },
		{ "Scope", "scope" },
		{ "Status", "status" },
		{ "Time", "time" },
		{ "TimeNano", "timeNano" },
		{ NULL, NULL },
	};

	*ret = (struct tmpl_opts){
		.typed = true, .maps = maps, .aliases = aliases, .type_name = type_name
	};
}

int format_document(const char *format, const char *type_name, const char *document)
{
	auto_str struct str out = STR_INIT(TMPL_OUTPUT_MAX);
	auto_tmpl struct tmpl *t = NULL;
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;
	struct tmpl_opts opts;

	format_document_opts(&opts, type_name);

	if (format_parse(format, &t, &e) < 0)
		return complain(EXIT_TEMPLATE, &e);
	if (json_parse(document, strlen(document), &j, &e) < 0 ||
	    tmpl_execute(t, j, &opts, &out, &e) < 0)
		return complain(1, &e);
	(void)fwrite(out.buf, 1, out.len, stdout);
	fputc('\n', stdout);
	return 0;
}
