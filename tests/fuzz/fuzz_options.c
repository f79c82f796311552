/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of create, a word a line: any words end in a definition or in an error that is told, and
 * a definition is read as it was written, by its own reader and as inspect shows it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/inspect_json.h"
#include "cmd/run_spec.h"
#include "cmd/verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What would read a file that the words name. */
static bool reads_files(const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strstr(words->v[i], "-file") || strstr(words->v[i], "seccomp"))
			return true;
	}
	return false;
}

static void check_definition(struct container_spec *spec)
{
	struct container row = { .id = ID, .state = ST_CREATED, .name = xstrdup("x") };
	const struct inspect_container c = {
		.row = &row, .spec = spec, .log_path = "/log", .disk_path = "/disk"
	};
	auto_str struct str text = STR_INIT(STR_HUGE), again = STR_INIT(STR_HUGE),
			    shown = STR_INIT(STR_HUGE);
	auto_spec struct container_spec back = { .id = NULL };
	auto_json struct json *j = NULL;
	const struct strv no_ports = STRV_INIT;
	struct json_writer w;
	struct err e = ERR_INIT;

	free(spec->id);
	spec->id = xstrdup(ID);
	run_network_image(spec, &no_ports);
	spec_write(spec, &text);
	if (spec_read(text.buf, text.len, &back, &e) < 0)
		abort();
	spec_write(&back, &again);
	if (strcmp(text.buf, again.buf) != 0)
		abort();
	jw_init(&w, &shown, 4);
	inspect_container_json(&w, &c);
	if (json_parse(shown.buf, shown.len, &j, &e) < 0)
		abort();
	container_release(&row);
}

static void check(const struct strv *words)
{
	auto_strv struct strv warnings = STRV_INIT;
	auto_spec struct container_spec spec;
	struct run_args args = { 0 };
	struct opt_result result;
	struct operands none = { NULL, 0 };
	struct err e = ERR_INIT;

	spec_init(&spec);
	if (opt_parse(&verb_create, (int)words->n, words->v, &args, &result, &e) == 0) {
		free(result.operands.v);
		if (!result.help && run_spec_options(&args, &none, &spec, &e) == 0 &&
		    run_spec_check(&args, &spec, &warnings, &e) == 0)
			check_definition(&spec);
	}
	opt_release(&verb_create, &args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_strv struct strv words = STRV_INIT;

	if (strlen(text) != size)
		return 0;
	strv_split(&words, text, '\n');
	if (!reads_files(&words))
		check(&words);
	return 0;
}
