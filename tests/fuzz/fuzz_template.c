/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as users write them, over one document as a map and as a struct, and as a table's heading: any
 * text ends in output or in an error within the limits. What cannot be parsed says so as Go does. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl.h"

#define OUTPUT_MAX (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] = "{\"Id\":\"abc\",\"n\":5,\"f\":1.5,\"t\":true,\"null\":null,"
			       "\"list\":[\"a\",\"b\"],\"none\":[],"
			       "\"Labels\":{\"b\":\"2\",\"a\":\"1\"},\"Ports\":{\"80/"
			       "tcp\":[{\"HostPort\":\"80\"}],\"x\":null},"
			       "\"Label()\":{\"k\":\"v\"}}";

static const struct tmpl_map maps[] = { { "Labels", TMPL_ELEM_STRING },
					{ "Ports", TMPL_ELEM_LIST },
					{ NULL, TMPL_ELEM_ANY } };

static void check(const char *text)
{
	static const struct tmpl_opts ways[] = {
		{ .missing_is_error = false },
		{ .missing_is_error = true },
		{ .typed = true, .maps = maps, .type_name = "*row" },
		{ .header = true },
	};
	auto_tmpl struct tmpl *t = NULL;
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;

	if (json_parse(document, strlen(document), &j, &e) < 0)
		abort();
	if (tmpl_parse(text, &t, &e) < 0) {
		if (!str_has_prefix(e.msg, "template: "))
			abort();
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		auto_str struct str out = STR_INIT(OUTPUT_MAX);

		err_clear(&e);
		if (tmpl_execute(t, j, &ways[i], &out, &e) < 0 &&
		    !str_has_prefix(e.msg, "template: "))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);

	check(text);
	return 0;
}
