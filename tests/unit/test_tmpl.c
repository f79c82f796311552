/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/tmpl.h"
#include "tests/unit/tmpl_cases.h"

/* What a template makes of data; the caller frees. An error's text stands for the output. */
static char *run(const char *text, const char *data, const struct tmpl_opts *opts, bool *ret_failed)
{
	auto_tmpl struct tmpl *t = NULL;
	auto_json struct json *j = NULL;
	auto_str struct str out = STR_INIT(1u << 20);
	struct err e = ERR_INIT, ignored = ERR_INIT;

	if (data)
		assert_int_equal(json_parse(data, strlen(data), &j, &e), 0);
	*ret_failed = tmpl_parse(text, &t, &e) < 0 || tmpl_execute(t, j, opts, &out, &e) < 0;
	return *ret_failed ? xstrdup(e.msg) : str_take(&out, &ignored);
}

static void expect(const char *text, const char *data, const struct tmpl_opts *opts,
		   const char *want, const char *error)
{
	bool failed;
	auto_free char *got = run(text, data, opts, &failed);

	if (failed != (error != NULL) || strcmp(got, error ? error : want) != 0)
		fail_msg("%s\n  gives %s: %s\n  and not %s", text, failed ? "error" : "text", got,
			 error ? error : want);
}

static void templates_give_what_go_gives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tmpl_cases); i++) {
		const struct tmpl_case *c = &tmpl_cases[i];
		const struct tmpl_opts opts = { .missing_is_error = c->missing_is_error };

		expect(c->text, c->data, &opts, c->want, c->error);
	}
}

static const struct tmpl_map maps[] = { { "Labels", TMPL_ELEM_STRING },
					{ "Ports", TMPL_ELEM_LIST },
					{ "Networks", TMPL_ELEM_ANY },
					{ NULL, TMPL_ELEM_ANY } };
static const struct tmpl_alias aliases[] = { { "ID", "Id" }, { NULL, NULL } };
static const struct tmpl_opts typed = { .typed = true, .maps = maps, .aliases = aliases };

#define TYPED                                                                                      \
	"{\"Id\":\"x\",\"Z\":1,\"A\":{\"b\":true,\"a\":null},\"Labels\":{\"z\":\"1\",\"k\":\"v\"}" \
	","                                                                                        \
	"\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}],\"81/tcp\":null},\"Cmd\":null,"           \
	"\"Networks\":null,\"Label()\":{\"k\":\"v\"}}"

static void typed_documents_answer_as_go_structs_do(void **state)
{
	static const struct {
		const char *text, *want, *error;
	} cases[] = {
		{ "{{.Id}} {{.ID}}", "x x", NULL },
		{ "{{json .A}} {{.A}}", "{\"b\":true,\"a\":null} {true []}", NULL },
		{ "{{printf \"%+v\" .A}}", "{b:true a:[]}", NULL },
		{ "{{json .Labels}} {{.Labels}}", "{\"k\":\"v\",\"z\":\"1\"} map[k:v z:1]", NULL },
		{ "{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}", "kvz1", NULL },
		{ "[{{index .Labels \"no\"}}]", "[]", NULL },
		{ "{{.Labels.no}}", "<no value>", NULL },
		{ "{{.Nope}}", NULL,
		  "template: :1:2: executing \"\" at <.Nope>: map has no entry for key \"Nope\"" },
		{ "{{.A.Nope}}", NULL,
		  "template: :1:4: executing \"\" at <.A.Nope>: map has no entry for key "
		  "\"Nope\"" },
		{ "{{.Cmd}} {{len .Cmd}} {{json .Cmd}}{{range .Cmd}}x{{end}}", "[] 0 null", NULL },
		{ "{{.Networks}} {{len .Networks}} {{json .Networks}}", "map[] 0 null", NULL },
		{ "{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080", NULL },
		{ "{{index (index .Ports \"81/tcp\") 0}}", NULL,
		  "template: :1:2: executing \"\" at <index (index .Ports \"81/tcp\") 0>: error "
		  "calling index: index of untyped nil" },
		{ "{{len (index .Ports \"nope\")}}", "0", NULL },
		{ "{{range $p, $c := .Ports}}{{$p}}={{len $c}};{{end}}", "80/tcp=1;81/tcp=0;",
		  NULL },
		{ "{{.Label \"k\"}}[{{.Label \"no\"}}]", "v[]", NULL },
		{ "{{$.Label \"k\"}}{{\"k\" | .Label}}", "vv", NULL },
		{ "{{.Label}}", NULL,
		  "template: :1:2: executing \"\" at <.Label>: wrong number of args for Label: "
		  "want "
		  "1 got 0" },
		{ "{{.Label 5}}", NULL,
		  "template: :1:9: executing \"\" at <5>: expected string; found 5" },
		{ "{{.Z 5}}", NULL,
		  "template: :1:2: executing \"\" at <.Z>: Z has arguments but cannot be invoked "
		  "as "
		  "function" },
		{ "{{range .A}}{{end}}", NULL,
		  "template: :1:8: executing \"\" at <.A>: range can't iterate over {true []}" },
		{ "{{if .A}}yes{{end}}", "yes", NULL },
		{ "{{index .A \"b\"}}", "true", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(cases[i].text, TYPED, &typed, cases[i].want, cases[i].error);
}

static void fields_that_json_leaves_out_are_what_go_has_for_them(void **state)
{
	static const struct tmpl_empty empties[] = {
		{ "Health", TMPL_ZERO_POINTER }, { "Limit", TMPL_ZERO_POINTER },
		{ "Tmpfs", TMPL_ZERO_MAP },	 { "Shell", TMPL_ZERO_LIST },
		{ "Signal", TMPL_ZERO_STRING },	 { "Retries", TMPL_ZERO_INT },
		{ "Off", TMPL_ZERO_BOOL },	 { NULL, TMPL_ZERO_POINTER },
	};
	static const struct {
		const char *text, *want, *error;
	} cases[] = {
		{ "{{.S.Health}} {{.S.Limit}} {{.S.Tmpfs}} {{.S.Shell}} [{{.S.Signal}}] "
		  "{{.S.Retries}} {{.S.Off}}",
		  "<nil> <nil> map[] [] [] 0 false", NULL },
		{ "{{json .S}} {{json .S.Health}} {{json .S.Tmpfs}}", "{\"Limit\":null} null null",
		  NULL },
		{ "{{if .S.Health}}a{{else}}b{{end}}{{with .S.Limit}}c{{else}}d{{end}}", "bd",
		  NULL },
		{ "{{print .S.Health}}{{range .S.Shell}}x{{end}}{{len .S.Tmpfs}}", "<nil>0", NULL },
		{ "{{$h := .S.Health}}{{$h}}", "<nil>", NULL },
		{ "{{if eq .S.Signal \"\"}}none{{end}}", "none", NULL },
		{ "{{.S.Health.Status}}", NULL,
		  "template: :1:4: executing \"\" at <.S.Health.Status>: nil pointer evaluating "
		  "interface {}.Status" },
		{ "{{.S.Other}}", NULL,
		  "template: :1:4: executing \"\" at <.S.Other>: map has no entry for key "
		  "\"Other\"" },
		{ "{{.S.Off 1}}", NULL,
		  "template: :1:4: executing \"\" at <.S.Off>: Off has arguments but cannot be "
		  "invoked as function" },
	};
	const struct tmpl_opts opts = { .typed = true, .empties = empties };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(cases[i].text, "{\"S\":{\"Limit\":null}}", &opts, cases[i].want,
		       cases[i].error);
}

static void a_type_with_a_name_is_named_in_errors(void **state)
{
	const struct tmpl_opts opts = { .typed = true, .type_name = "*formatter.Row" };

	(void)state;
	expect("{{.Nope}}", "{\"a\":1}", &opts, NULL,
	       "template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type "
	       "*formatter.Row");
}

static void a_heading_ignores_what_dresses_its_fields(void **state)
{
	const struct tmpl_opts opts = { .header = true };

	(void)state;
	expect("{{upper .ID}}\t{{json .ID}}\t{{truncate .ID 2}}\t{{.Label "
	       "\"com.example.my-key_x\"}}",
	       "{\"ID\":\"Image id\",\"Label()\":{}}", &opts,
	       "Image id\tImage id\tImage id\tmy key x", NULL);
}

static void methods_are_neither_printed_nor_walked(void **state)
{
	(void)state;
	expect("{{.}} {{json .}} {{range $k, $v := .}}{{$k}}{{end}}",
	       "{\"a\":1,\"Label()\":{\"k\":\"v\"}}", NULL, "map[a:1] {\"a\":1} a", NULL);
}

/* ---- hostile templates ---- */

static char *repeated(const char *unit, size_t n, const char *middle, const char *end)
{
	auto_str struct str b = STR_INIT(1u << 20);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		str_add(&b, unit);
	str_add(&b, middle);
	for (size_t i = 0; i < n; i++)
		str_add(&b, end);
	return str_take(&b, &e);
}

static void expect_refused(const char *text, const char *part)
{
	bool failed;
	auto_free char *got = run(text, "{\"n\":1}", NULL, &failed);

	if (!failed || !strstr(got, part))
		fail_msg("'%.60s' gives '%.200s'", text, got);
}

static void what_never_ends_is_ended(void **state)
{
	(void)state;
	expect_refused("{{range 1000000000}}{{end}}", "too many steps");
	expect_refused("{{range 100000}}{{range 100000}}{{end}}{{end}}", "too many steps");
	expect_refused("{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}",
		       "exceeded maximum template depth");
	expect_refused("{{range 1000000}}0123456789{{end}}", "the output is too long");
	expect_refused("{{pad \"x\" 999999999 1}}", "the text is too long");
	expect_refused("{{printf \"%1000000d%1000000d\" 1 2}}", "the output is too long");
	expect_refused("{{$x := \"0123456789\"}}{{range 60}}{{$x = print $x $x}}{{end}}",
		       "the text is too long");
	expect_refused("{{$x := pad \"x\" 999999 0}}{{range 1000}}{{$y := print $x}}{{end}}",
		       "too much memory");
}

static void what_is_nested_without_end_is_refused(void **state)
{
	auto_free char *parens = repeated("(", 5000, ".n", ")");
	auto_free char *action = xasprintf("{{%s}}", parens);
	auto_free char *ifs = repeated("{{if .n}}", 3000, "x", "{{end}}");
	auto_free char *elses = repeated("{{if .no}}{{else ", 1, "", "");
	auto_free char *chain = repeated("if .no}}{{else ", 3000, "", "");
	auto_free char *else_ifs = xasprintf("%s%s", elses, chain);
	auto_free char *big = repeated("x", TMPL_TEXT_MAX + 1, "", "");
	auto_free char *data = repeated("[", 1500, "1", "]");
	auto_free char *got = NULL;
	bool failed;

	(void)state;
	expect_refused(action, "max expression depth exceeded");
	expect_refused(ifs, "nested too deeply");
	expect_refused(else_ifs, "nested too deeply");
	expect_refused(big, "the text is too long");
	got = run("{{.}}{{json .}}", data, NULL, &failed);
	assert_false(failed);
	assert_non_null(strstr(got, "..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_give_what_go_gives),
		cmocka_unit_test(typed_documents_answer_as_go_structs_do),
		cmocka_unit_test(fields_that_json_leaves_out_are_what_go_has_for_them),
		cmocka_unit_test(a_type_with_a_name_is_named_in_errors),
		cmocka_unit_test(a_heading_ignores_what_dresses_its_fields),
		cmocka_unit_test(methods_are_neither_printed_nor_walked),
		cmocka_unit_test(what_never_ends_is_ended),
		cmocka_unit_test(what_is_nested_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
