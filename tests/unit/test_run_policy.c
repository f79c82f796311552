/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

static void restart_policies_are_dockers(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK,
		  "HostConfig.RestartPolicy={\"Name\":\"no\",\"MaximumRetryCount\":0}" },
		{ "--restart|", LINE_OK, "HostConfig.RestartPolicy.Name=\"no\"" },
		{ "--restart|always", LINE_OK, "HostConfig.RestartPolicy.Name=\"always\"" },
		{ "--restart|unless-stopped:0", LINE_OK,
		  "HostConfig.RestartPolicy.Name=\"unless-stopped\"" },
		{ "--restart|on-failure:3", LINE_OK,
		  "HostConfig.RestartPolicy.MaximumRetryCount=3" },
		{ "--restart|on-failure:", LINE_OK,
		  "HostConfig.RestartPolicy.MaximumRetryCount=0" },
		{ "--restart|:3", LINE_CLIENT,
		  "invalid restart policy format: no policy provided before colon" },
		{ "--restart|on-failure:x", LINE_CLIENT,
		  "invalid restart policy format: maximum retry count must be an integer" },
		{ "--restart|on-failure:1:2", LINE_CLIENT,
		  "maximum retry count must be an integer" },
		{ "--restart|on-failure:99999999999999999999", LINE_CLIENT, "must be an integer" },
		{ "--restart|on-failure:-1", LINE_ENGINE,
		  "invalid restart policy: maximum retry count cannot be negative" },
		{ "--restart|always:3", LINE_ENGINE,
		  "invalid restart policy: maximum retry count can only be used with "
		  "'on-failure'" },
		{ "--restart|no:-3", LINE_ENGINE, "'on-failure' and cannot be negative" },
		{ "--restart|foo", LINE_ENGINE,
		  "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', "
		  "'on-failure', or 'unless-stopped'" },
		{ "--restart|always|--rm", LINE_CLIENT,
		  "conflicting options: cannot specify both --restart and --rm" },
		{ "--restart|no|--rm", LINE_OK, "HostConfig.AutoRemove=true" },
		{ "--restart", LINE_FLAG, "flag needs an argument: --restart" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void logs_take_the_settings_that_there_are(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.LogConfig={\"Type\":\"json-file\",\"Config\":{}}" },
		{ "--log-driver|none", LINE_OK, "HostConfig.LogConfig.Type=\"none\"" },
		{ "--log-driver|none", LINE_OK, "LogPath=\"\"" },
		{ "--log-driver|local", LINE_OK, "HostConfig.LogConfig.Type=\"local\"" },
		{ "--log-opt|max-size=10m|--log-opt|max-file=3", LINE_OK,
		  "HostConfig.LogConfig.Config={\"max-size\":\"10m\",\"max-file\":\"3\"}" },
		{ "--log-driver|none|--log-opt|a=b", LINE_CLIENT,
		  "invalid logging opts for driver none" },
		{ "--log-driver|syslog", LINE_ENGINE,
		  "logger: no log driver named 'syslog' is registered" },
		{ "--log-opt|foo=1", LINE_ENGINE,
		  "unknown log opt 'foo' for json-file log driver" },
		{ "--log-opt|x", LINE_ENGINE, "unknown log opt 'x' for json-file log driver" },
		{ "--log-opt|=x", LINE_ENGINE, "unknown log opt '' for json-file log driver" },
		{ "--log-opt|max-size=", LINE_ENGINE, "invalid size: ''" },
		{ "--log-opt|max-size=x", LINE_ENGINE, "invalid size: 'x'" },
		{ "--log-opt|max-size=-1", LINE_ENGINE, "invalid size: '-1'" },
		{ "--log-opt|max-size=0", LINE_ENGINE, "max-size must be a positive number" },
		{ "--log-opt|max-size=9999999999999999p", LINE_ENGINE, "invalid size" },
		{ "--log-opt|max-file=0", LINE_ENGINE, "max-file cannot be less than 1" },
		{ "--log-opt|max-file=x", LINE_ENGINE,
		  "strconv.Atoi: parsing \"x\": invalid syntax" },
		{ "--log-opt|compress=true", LINE_WARNING, "--log-opt compress has no effect." },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void sizes_of_logs_are_powers_of_a_thousand(void **state)
{
	static const struct {
		const char *line;
		int64_t size, files;
	} cases[] = {
		{ "", 0, 0 },
		{ "--log-opt|max-size=5", 5, 0 },
		{ "--log-opt|max-size=10k", 10000, 0 },
		{ "--log-opt|max-size=10MB|--log-opt|max-file=7", 10000000, 7 },
		{ "--log-driver|local", 20000000, 5 },
		{ "--log-driver|local|--log-opt|max-size=1g", 1000000000, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv warnings = STRV_INIT;
		auto_spec struct container_spec spec;
		struct err e = ERR_INIT;

		spec_init(&spec);
		assert_int_equal(line_run(cases[i].line, &spec, &warnings, &e), LINE_OK);
		assert_int_equal(spec.log_max_size, cases[i].size);
		assert_int_equal(spec.log_max_files, cases[i].files);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restart_policies_are_dockers),
		cmocka_unit_test(logs_take_the_settings_that_there_are),
		cmocka_unit_test(sizes_of_logs_are_powers_of_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
