/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `run` and `create` from the words of a command line to what inspect shows, in tables:
 *
 *	{ "--memory|1k", LINE_ENGINE, "Minimum memory limit allowed is 6MB" },
 *	{ "--memory|6m", LINE_OK, "HostConfig.Memory=6291456" },
 *
 * Words are separated by "|". The text is a piece of the error, or of LINE_WARNING a piece of the warnings, or
 * of LINE_OK the JSON of a value in inspect ("" for nothing to look at).
 */
#ifndef KVBOX_TESTS_RUN_LINE_H
#define KVBOX_TESTS_RUN_LINE_H

#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "cmd/inspect_json.h"
#include "cmd/run_spec.h"
#include "cmd/verbs.h"

enum line_result {
	LINE_OK,
	LINE_WARNING,
	LINE_FLAG,   /* refused by the parser of options */
	LINE_CLIENT, /* by run_spec_options */
	LINE_ENGINE, /* by run_spec_check */
};

struct line_case {
	const char *line;
	enum line_result result;
	const char *text;
};

/* Steps until one fails; `warnings` and `ret` are initialised by the caller. */
static inline enum line_result line_run(const char *line, struct container_spec *ret,
					struct strv *warnings, struct err *e)
{
	auto_strv struct strv words = STRV_INIT;
	struct run_args args = { 0 };
	struct opt_result result;
	enum line_result r = LINE_OK;
	const struct operands none = { NULL, 0 };

	if (*line)
		strv_split(&words, line, '|');
	if (opt_parse(&verb_create, (int)words.n, words.v, &args, &result, e) < 0) {
		opt_release(&verb_create, &args);
		return LINE_FLAG;
	}
	assert_int_equal(result.operands.n, 0);
	free(result.operands.v);
	if (run_spec_options(&args, &none, ret, e) < 0)
		r = LINE_CLIENT;
	else if (run_spec_check(&args, ret, warnings, e) < 0)
		r = LINE_ENGINE;
	else if (warnings->n)
		r = LINE_WARNING;
	opt_release(&verb_create, &args);
	return r;
}

/* "HostConfig.Memory" in what inspect shows, as compact JSON; "-" where there is no such member. */
static inline void line_inspect(const struct container_spec *spec, const char *path,
				struct str *ret)
{
	struct container row = { .state = ST_CREATED, .name = xstrdup("x") };
	const struct inspect_container c = {
		.row = &row, .spec = spec, .log_path = "/log", .disk_path = "/disk"
	};
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_strv struct strv keys = STRV_INIT;
	auto_json struct json *j = NULL;
	struct json_writer w;
	struct err e = ERR_INIT;
	const struct json *at;

	jw_init(&w, &out, 4);
	inspect_container_json(&w, &c);
	assert_ok(json_parse(out.buf, out.len, &j, &e));
	strv_split(&keys, path, '.');
	at = j;
	for (size_t i = 0; i < keys.n; i++)
		at = json_get(at, keys.v[i]);
	if (at)
		json_dump(at, ret);
	else
		str_add(ret, "-");
	container_release(&row);
}

static inline void line_check_value(const char *line, const struct container_spec *spec,
				    const char *text)
{
	size_t n = strcspn(text, "=");
	auto_free char *path = xstrndup(text, n);
	auto_str struct str got = STR_INIT(STR_HUGE);

	if (!*text)
		return;
	line_inspect(spec, path, &got);
	if (strcmp(got.buf, text + n + 1) != 0)
		fail_msg("%s: %s is %s instead of %s", line, path, got.buf, text + n + 1);
}

static inline void line_check(const struct line_case *c)
{
	static const char *const names[] = { "accepted", "warned about", "refused as a flag",
					     "refused by the client", "refused by the engine" };
	auto_strv struct strv warnings = STRV_INIT;
	auto_spec struct container_spec spec;
	auto_str struct str told = STR_INIT(65536);
	struct err e = ERR_INIT;
	enum line_result r;

	spec_init(&spec);
	r = line_run(c->line, &spec, &warnings, &e);
	if (r != c->result)
		fail_msg("%s was %s instead of %s: %s", c->line, names[r], names[c->result], e.msg);
	for (size_t i = 0; i < warnings.n; i++)
		str_addf(&told, "%s\n", warnings.v[i]);
	if (r == LINE_OK)
		line_check_value(c->line, &spec, c->text);
	else if (!strstr(r == LINE_WARNING ? told.buf : e.msg, c->text))
		fail_msg("%s: '%s' lacks '%s'", c->line, r == LINE_WARNING ? told.buf : e.msg,
			 c->text);
}

static inline void line_check_all(const struct line_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_check(&cases[i]);
}

#endif
