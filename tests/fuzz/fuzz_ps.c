/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that lies about its processes, and users who write ps options: the first line, and the rest. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ps_format.h"
#include "cmd/stats_sample.h"

#define OUTPUT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct ps_format *format, const struct json *document)
{
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str out = STR_INIT(OUTPUT_MAX);
	struct err e = ERR_INIT;

	if (ps_list_add(&list, document, &e) < 0)
		return;
	ps_list_end(&list, INT64_C(1767323045) * 1000000000);
	for (size_t i = 0; i + 1 < list.n; i++) {
		if (list.v[i].pid > list.v[i + 1].pid)
			abort();
	}
	/* Titles are the user's own; what the guest says must not reach the terminal's controls. */
	if (ps_format_print(format, &list, &out, &e) == 0 && strchr(out.buf, '\033'))
		abort();
}

static void count(const struct json *document)
{
	struct stats_row row = { .container = "c", .id = "i" };
	auto_str struct str out = STR_INIT(OUTPUT_MAX);
	struct err e = ERR_INIT;
	struct json_writer w;

	if (stats_counts_read(document, &row.now, &e) < 0)
		return;
	jw_init(&w, &out, 0);
	stats_row_write(&row, &w);
	if (strstr(out.buf, "inf") || strstr(out.buf, "nan"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ps_format struct ps_format format = { .n = 0 };
	auto_free char *text = xstrndup(size ? (const char *)data : "", size);
	char *rest = strchr(text, '\n');
	auto_strv struct strv words = STRV_INIT;
	auto_json struct json *document = NULL;
	struct err e = ERR_INIT;

	if (!rest)
		return 0;
	*rest++ = '\0';
	if (strchr(text, '\033'))
		return 0;
	strv_split(&words, text, ' ');
	if (ps_format_parse(&format, words.v, words.n, &e) < 0) {
		if (!err_is_set(&e))
			abort();
		return 0;
	}
	if (json_parse(rest, strlen(rest), &document, &e) < 0)
		return 0;
	print(&format, document);
	count(document);
	return 0;
}
