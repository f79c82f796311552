/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

static void checks_are_set_by_options(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "Config.Healthcheck=-" },
		{ "--health-cmd|", LINE_OK, "Config.Healthcheck=-" },
		{ "--health-cmd|true && x", LINE_OK,
		  "Config.Healthcheck={\"Test\":[\"CMD-SHELL\",\"true && x\"]}" },
		{ "--health-cmd|x|--health-interval|1m30s|--health-timeout|500ms|--health-retries|"
		  "4|"
		  "--health-start-period|2s|--health-start-interval|1s",
		  LINE_OK,
		  "Config.Healthcheck={\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":90000000000,"
		  "\"Timeout\":500000000,\"StartPeriod\":2000000000,\"StartInterval\":1000000000,"
		  "\"Retries\":4}" },
		{ "--health-interval|2s", LINE_OK, "Config.Healthcheck={\"Interval\":2000000000}" },
		{ "--no-healthcheck", LINE_OK, "Config.Healthcheck={\"Test\":[\"NONE\"]}" },
		{ "--no-healthcheck|--health-cmd|x", LINE_CLIENT,
		  "--no-healthcheck conflicts with --health-* options" },
		{ "--no-healthcheck|--health-retries|3", LINE_CLIENT, "conflicts with --health-*" },
		{ "--no-healthcheck|--health-start-interval|3s", LINE_CLIENT, "conflicts with" },
		{ "--health-interval|-1s", LINE_CLIENT, "--health-interval cannot be negative" },
		{ "--health-timeout|-1s", LINE_CLIENT, "--health-timeout cannot be negative" },
		{ "--health-retries|-1", LINE_CLIENT, "--health-retries cannot be negative" },
		{ "--health-start-period|-1s", LINE_CLIENT,
		  "--health-start-period cannot be negative" },
		{ "--health-start-interval|-1s", LINE_CLIENT,
		  "--health-start-interval cannot be negative" },
		{ "--health-interval|10us", LINE_ENGINE,
		  "Interval in Healthcheck cannot be less than 1ms" },
		{ "--health-timeout|1ns", LINE_ENGINE,
		  "Timeout in Healthcheck cannot be less than 1ms" },
		{ "--health-start-period|999us", LINE_ENGINE,
		  "StartPeriod in Healthcheck cannot be less than 1ms" },
		{ "--health-start-interval|1us", LINE_ENGINE,
		  "StartInterval in Healthcheck cannot be less than 1ms" },
		{ "--health-interval|x", LINE_FLAG,
		  "invalid argument \"x\" for \"--health-interval\" flag: time: invalid duration "
		  "\"x\"" },
		{ "--health-interval|", LINE_FLAG, "time: invalid duration \"\"" },
		{ "--health-interval|1", LINE_FLAG, "time: missing unit in duration \"1\"" },
		{ "--health-interval|1d", LINE_FLAG,
		  "time: unknown unit \"d\" in duration \"1d\"" },
		{ "--health-interval|99999999h", LINE_FLAG,
		  "time: invalid duration \"99999999h\"" },
		{ "--health-retries|x", LINE_FLAG, "strconv.ParseInt: parsing \"x\"" },
		{ "--health-retries|99999999999999999999", LINE_FLAG, "value out of range" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void what_no_option_says_the_image_says(void **state)
{
	static const char image[] = "{\"Test\":[\"CMD\",\"/check\"],\"Interval\":7000000000,"
				    "\"Timeout\":-5,\"Retries\":2}";
	static const struct {
		const char *line, *image, *want;
	} cases[] = {
		{ "", NULL, "-" },
		{ "", image,
		  "{\"Test\":[\"CMD\",\"/check\"],\"Interval\":7000000000,\"Retries\":2}" },
		{ "--health-cmd|x|--health-retries|5", image,
		  "{\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":7000000000,\"Retries\":5}" },
		{ "--health-timeout|1s", image,
		  "{\"Test\":[\"CMD\",\"/check\"],\"Interval\":7000000000,\"Timeout\":1000000000,"
		  "\"Retries\":2}" },
		{ "--no-healthcheck", "{\"Test\":[\"CMD\",\"x\"]}", "{\"Test\":[\"NONE\"]}" },
		{ "", "{\"Test\":[]}", "-" },
		{ "", "{}", "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv warnings = STRV_INIT;
		auto_spec struct container_spec spec;
		auto_str struct str got = STR_INIT(4096);
		struct err e = ERR_INIT;

		spec_init(&spec);
		assert_int_equal(line_run(cases[i].line, &spec, &warnings, &e), LINE_OK);
		assert_ok(run_health_image(&spec, cases[i].image, &e));
		line_inspect(&spec, "Config.Healthcheck", &got);
		assert_string_equal(got.buf, cases[i].want);
	}
}

static void an_image_with_a_broken_check_is_refused(void **state)
{
	static const char *const broken[] = { "[]", "{\"Test\":\"x\"}", "{\"Test\":[1]}",
					      "{\"Interval\":\"1s\"}", "\"x\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		auto_spec struct container_spec spec;
		struct err e = ERR_INIT;

		spec_init(&spec);
		assert_fails(run_health_image(&spec, broken[i], &e),
			     "the image's health check is not valid");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_are_set_by_options),
		cmocka_unit_test(what_no_option_says_the_image_says),
		cmocka_unit_test(an_image_with_a_broken_check_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
