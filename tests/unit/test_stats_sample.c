/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/stats_sample.h"

static char *row_text(const struct stats_row *row)
{
	auto_str struct str out = STR_INIT(4096);
	struct json_writer w;

	jw_init(&w, &out, 0);
	stats_row_write(row, &w);
	return xstrdup(out.buf);
}

static void figures_are_those_that_docker_makes_of_two_samples(void **state)
{
	const struct stats_row row = {
		.container = "web",
		.name = "web",
		.id = "aaaaaaaaaaaa",
		.before = { .cpu_ns = 100000000, .system_ns = 1000000000, .cpus = 2 },
		.now = { .cpu_ns = 500000000,
			 .system_ns = 4000000000,
			 .cpus = 2,
			 .memory = 123456789,
			 .inactive_file = 456789,
			 .memory_limit = INT64_C(2) << 30,
			 .memory_total = INT64_C(8) << 30,
			 .pids = 7,
			 .read_bytes = 10485760,
			 .rx_bytes = 1234567,
			 .tx_bytes = 999 },
	};
	auto_free char *text = row_text(&row);

	(void)state;
	assert_string_equal(text, "{\"BlockIO\":\"10.5MB / 0B\",\"CPUPerc\":\"26.67%\","
				  "\"Container\":\"web\",\"ID\":\"aaaaaaaaaaaa\",\"MemPerc\":"
				  "\"5.73%\",\"MemUsage\":\"117.3MiB / 2GiB\",\"Name\":\"web\","
				  "\"NetIO\":\"1.23MB / 999B\",\"PIDs\":\"7\"}");
}

static void without_a_limit_it_is_the_guests_memory(void **state)
{
	const struct stats_row row = {
		.container = "c",
		.id = "b",
		/* the first sample of a container that was restarted is of another run */
		.before = { .cpu_ns = 900, .system_ns = 800 },
		.now = { .cpu_ns = 1,
			 .system_ns = 2,
			 .cpus = 1,
			 .memory = 1 << 20,
			 .inactive_file = 2 << 20,
			 .memory_total = 4 << 20 },
	};
	auto_free char *text = row_text(&row);

	(void)state;
	assert_non_null(strstr(text, "\"CPUPerc\":\"0.00%\""));
	assert_non_null(strstr(text, "\"MemPerc\":\"25.00%\",\"MemUsage\":\"1MiB / 4MiB\""));
	assert_non_null(strstr(text, "\"Name\":\"--\""));
}

static void what_does_not_run_is_zero_and_what_does_not_answer_is_dashes(void **state)
{
	const struct stats_row none = { .container = "c", .name = "n", .id = "b" };
	const struct stats_row silent = {
		.container = "c", .name = "n", .id = "b", .invalid = true
	};
	auto_free char *zero = row_text(&none), *dashes = row_text(&silent);

	(void)state;
	assert_string_equal(zero,
			    "{\"BlockIO\":\"0B / 0B\",\"CPUPerc\":\"0.00%\",\"Container\":"
			    "\"c\",\"ID\":\"b\",\"MemPerc\":\"0.00%\",\"MemUsage\":\"0B / 0B\","
			    "\"Name\":\"n\",\"NetIO\":\"0B / 0B\",\"PIDs\":\"0\"}");
	assert_string_equal(dashes, "{\"BlockIO\":\"--\",\"CPUPerc\":\"--\",\"Container\":\"c\","
				    "\"ID\":\"b\",\"MemPerc\":\"--\",\"MemUsage\":\"-- / --\","
				    "\"Name\":\"n\",\"NetIO\":\"--\",\"PIDs\":\"--\"}");
}

static void the_guests_word_is_not_trusted(void **state)
{
	static const char wild[] = "{\"cpu_ns\":-5,\"system_ns\":9223372036854775807,"
				   "\"memory\":10,\"pids\":3,\"rx_bytes\":-1}";
	static const char bad[] = "{\"cpu_ns\":\"many\",\"system_ns\":1,\"memory\":1}";
	auto_json struct json *j = NULL, *k = NULL;
	struct stats_counts c;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(json_parse(wild, sizeof(wild) - 1, &j, &e));
	assert_ok(stats_counts_read(j, &c, &e));
	assert_int_equal(c.cpu_ns, 0);
	assert_int_equal(c.system_ns, 0);
	assert_int_equal(c.rx_bytes, 0);
	assert_int_equal(c.memory, 10);
	assert_int_equal(c.pids, 3);
	assert_ok(json_parse(bad, sizeof(bad) - 1, &k, &e));
	assert_fails(stats_counts_read(k, &c, &e), "bad statistics");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_those_that_docker_makes_of_two_samples),
		cmocka_unit_test(without_a_limit_it_is_the_guests_memory),
		cmocka_unit_test(what_does_not_run_is_zero_and_what_does_not_answer_is_dashes),
		cmocka_unit_test(the_guests_word_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
