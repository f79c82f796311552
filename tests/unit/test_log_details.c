/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/log_details.h"

static void set(char **field, const char *text)
{
	free(*field);
	*field = xstrdup(text);
}

static void make_spec(struct container_spec *spec)
{
	spec_init(spec);
	set(&spec->id, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	set(&spec->name, "web");
	set(&spec->image_ref, "busybox:1");
	set(&spec->image_id, "sha256:feedfacecafe00000000000000000000");
	strv_add(&spec->labels, "team=a b/c");
	strv_add(&spec->labels, "tier=front");
	strv_add(&spec->labels, "none=");
	strv_add(&spec->env, "PATH=/bin");
	strv_add(&spec->env, "VAR=1,2=3");
}

static void chosen_labels_and_variables_are_escaped_and_sorted(void **state)
{
	static const struct {
		const char *opts[2];
		const char *text;
	} cases[] = {
		{ { NULL, NULL }, " " },
		{ { "labels=", "env=NOSUCH" }, " " },
		{ { "labels=tier,team,missing", "env=VAR" },
		  "VAR=1%2C2%3D3,team=a+b%2Fc,tier=front " },
		{ { "labels-regex=^t", "env-regex=TH$" }, "PATH=%2Fbin,team=a+b%2Fc,tier=front " },
		{ { "labels=none", "tag={{.Name}}-{{.ID}}" }, "none=,tag=web-0123456789ab " },
		{ { "tag={{.ImageName}} {{.ImageID}}", NULL }, "tag=busybox%3A1+feedfacecafe " },
		{ { "tag=", "max-size=1m" }, " " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_spec struct container_spec spec = { .id = NULL };
		auto_str struct str out = STR_INIT(4096);
		struct err e = ERR_INIT;

		make_spec(&spec);
		for (size_t k = 0; k < 2 && cases[i].opts[k]; k++)
			strv_add(&spec.log_opts, cases[i].opts[k]);
		assert_ok(log_details(&spec, &out, &e));
		assert_string_equal(out.buf, cases[i].text);
	}
}

static void a_bad_pattern_or_template_is_told(void **state)
{
	static const char *const bad[][2] = { { "labels-regex=(", "bad regular expression '('" },
					      { "tag={{.Name", "unclosed action" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_spec struct container_spec spec = { .id = NULL };
		auto_str struct str out = STR_INIT(4096);
		struct err e = ERR_INIT;

		make_spec(&spec);
		strv_add(&spec.log_opts, bad[i][0]);
		assert_fails(log_details(&spec, &out, &e), bad[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_labels_and_variables_are_escaped_and_sorted),
		cmocka_unit_test(a_bad_pattern_or_template_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
