/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--format` as verbs use it, over cmd/tmpl.h. Verbs that list hand over an array of rows and the headings
 * of their columns; others hand over one document.
 *
 *	if (!format_is_default(a->format))
 *		return format_rows(&list, a->format, rows);
 *
 * Errors are Docker's: "template parsing error: template: :1: unclosed action".
 */
#ifndef KVBOX_CMD_FORMAT_H
#define KVBOX_CMD_FORMAT_H

#include "cmd/tmpl.h"

#define FORMAT_HELP	 "Format output using a Go template, or 'json'"
#define FORMAT_LIST_HELP "Format output using a Go template, or 'table', 'table TEMPLATE', 'json'"
#define EXIT_TEMPLATE	 64 /* Docker's for templates that cannot be read */

struct format_column {
	const char *field, *heading; /* a NULL field ends the list */
};

struct format_list {
	const struct format_column *columns;
	const char *type_name; /* of a row, to Go */
	const char *raw;       /* what "raw" stands for; NULL: such a template is text */
};

/* Not given, or "table": the verb prints its own table. */
bool format_is_default(const char *format);

/*
 * For verbs that look at the template before they look at anything else: "failed to parse template: ...",
 * or "failed to execute template: ..." for a field that there is not.
 */
int format_check(const struct format_list *list, const char *format, struct err *e) MUST_CHECK;
/* Whether a template asks for the field. */
bool format_uses(const char *format, const char *field);

/* Prints each entry of the JSON array `rows`; nothing when one of them fails. Returns the exit code; what
 * is wrong is printed. */
int format_rows(const struct format_list *list, const char *format, const char *rows);

/* A parsed format: "json", or a template. */
int format_parse(const char *format, struct tmpl **ret, struct err *e) MUST_CHECK;

/*
 * What templates have to know about documents in Docker's shape: which fields are maps, and the names of
 * fields in Go where those in JSON are others (.ID and "Id").
 */
void format_document_opts(struct tmpl_opts *ret, const char *type_name);

/* Prints one document and a line feed. Returns the exit code; what is wrong is printed. */
int format_document(const char *format, const char *type_name, const char *document);

/* A time as Docker's rows have it: "2026-01-02 03:04:05 +0000 UTC". */
void format_time(int64_t ns, struct str *out);

/* RFC 3339 in local time with Go's zone ("Z", "+02:00"), with nine digits of a fraction or none; 0 is Go's
 * zero time. */
void format_rfc3339(int64_t ns, bool fraction, struct str *out);

/* Tab-separated cells in lines become columns: ten wide at least, three blanks between. */
void format_columns(const char *text, struct str *out);

#endif
