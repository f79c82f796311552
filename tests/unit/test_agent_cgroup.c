/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static void cpu_max_is_made_of_billionths_or_of_period_and_quota(void **state)
{
	static const struct {
		struct cgroup_limits limits;
		const char *want;
	} cases[] = {
		{ { .nano_cpus = 0 }, "" },
		{ { .nano_cpus = 1500000000 }, "150000 100000" },
		{ { .nano_cpus = 1 }, "1000 100000" },
		{ { .nano_cpus = 1000000000, .cpu_quota = 5000 }, "100000 100000" },
		{ { .cpu_quota = 50000 }, "50000 100000" },
		{ { .cpu_quota = 50000, .cpu_period = 20000 }, "50000 20000" },
		{ { .cpu_period = 20000 }, "max 20000" },
		{ { .cpu_period = 20000, .cpu_quota = -1 }, "max 20000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[64];

		cgroup_cpu_max(&cases[i].limits, got);
		assert_string_equal(got, cases[i].want);
	}
}

static void shares_become_a_weight_as_runc_converts_them(void **state)
{
	(void)state;
	assert_int_equal(cgroup_cpu_weight(2), 1);
	assert_int_equal(cgroup_cpu_weight(1024), 39);
	assert_int_equal(cgroup_cpu_weight(262144), 10000);
	assert_int_equal(cgroup_cpu_weight(1), 1);
	assert_int_equal(cgroup_cpu_weight(INT64_MAX), 10000);
}

static void numbers_that_are_not_there_are_refused_in_dockers_words(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(cgroup_check_list("CPUs", "0-1,3", "0-3\n", &e));
	assert_ok(cgroup_check_list("CPUs", "0", "0\n", &e));
	assert_fails(cgroup_check_list("CPUs", "0-2", "0-1\n", &e),
		     "Requested CPUs are not available - requested 0-2, available: 0-1");
	assert_fails(cgroup_check_list("memory nodes", "1", "0\n", &e),
		     "Requested memory nodes are not available - requested 1, available: 0");
	assert_fails(cgroup_check_list("CPUs", "2-1", "0-3", &e), "bad list of numbers '2-1'");
	assert_fails(cgroup_check_list("CPUs", "a", "0-3", &e), "bad list of numbers 'a'");
	assert_fails(cgroup_check_list("CPUs", "0-99999999999", "0", &e), "bad list");
}

/* ---- what a cgroup's files say, in a folder that looks like one ------------------------------- */

static void put(int dir, const char *name, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dir, name, text, strlen(text), 0644, &e));
}

static void collect(void *ctx, pid_t pid)
{
	str_addf(ctx, "%d ", (int)pid);
}

static int make_folder(void **state)
{
	char *path = xstrdup("/tmp/kvbox-test-cgroup-XXXXXX");

	assert_non_null(mkdtemp(path));
	*state = path;
	return 0;
}

static int remove_folder(void **state)
{
	struct err e = ERR_INIT;

	assert_ok(dir_remove_tree(AT_FDCWD, *state, &e));
	free(*state);
	return 0;
}

static void processes_of_cgroups_below_are_told_too(void **state)
{
	auto_str struct str got = STR_INIT(1000);
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open_dir(AT_FDCWD, *state, &dir, &e));
	assert_int_equal(mkdirat(dir, "below", 0755), 0);
	assert_int_equal(mkdirat(dir, "below/again", 0755), 0);
	assert_int_equal(symlinkat(".", dir, "loop"), 0);
	put(dir, "cgroup.procs", "10\n11\n");
	put(dir, "below/cgroup.procs", "12\n");
	put(dir, "below/again/cgroup.procs", "13\n");
	cgroup_each_process(dir, collect, &got);
	assert_string_equal(got.buf, "10 11 12 13 ");
}

static void numbers_are_read_and_what_is_missing_is_zero(void **state)
{
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open_dir(AT_FDCWD, *state, &dir, &e));
	put(dir, "memory.max", "max\n");
	put(dir, "memory.current", "1048576\n");
	put(dir, "memory.events", "low 0\noom 3\noom_kill 10\noom_group_kill 4\n");
	assert_int_equal(cgroup_number(dir, "memory.max"), 0);
	assert_int_equal(cgroup_number(dir, "memory.current"), 1048576);
	assert_int_equal(cgroup_number(dir, "pids.max"), 0);
	assert_int_equal(cgroup_keyed_number(dir, "memory.events", "oom"), 3);
	assert_int_equal(cgroup_keyed_number(dir, "memory.events", "oom_kil"), 0);
	assert_int_equal(cgroup_oom_kills(dir), 10);
	assert_int_equal(cgroup_key("a 1\nab 18446744073709551615", "ab"), UINT64_MAX);
	assert_int_equal(cgroup_key("a max\n", "a"), 0);
	assert_int_equal(cgroup_key("", "a"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_max_is_made_of_billionths_or_of_period_and_quota),
		cmocka_unit_test(shares_become_a_weight_as_runc_converts_them),
		cmocka_unit_test(numbers_that_are_not_there_are_refused_in_dockers_words),
		cmocka_unit_test_setup_teardown(processes_of_cgroups_below_are_told_too,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(numbers_are_read_and_what_is_missing_is_zero,
						make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
