/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <unistd.h>

#include "agent/stats.h"

static void time_of_all_cpus_is_added_up_and_the_cpus_counted(void **state)
{
	struct stats_cpu cpu;

	(void)state;
	stats_parse_cpu("cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 0 0 0 0\n"
			"intr 5 6\nctxt 9\n",
			&cpu);
	assert_int_equal(cpu.ticks, 36);
	assert_int_equal(cpu.cpus, 2);
	stats_parse_cpu("", &cpu);
	assert_int_equal(cpu.ticks, 0);
	assert_int_equal(cpu.cpus, 0);
}

static void meminfo_is_read_by_whole_names(void **state)
{
	static const char text[] = "MemTotal:       2035000 kB\nMemFree:  10 kB\n"
				   "Inactive(file):    7 kB\nInactive:  20 kB\nCached: 3 kB\n";

	(void)state;
	assert_int_equal(stats_meminfo(text, "MemTotal"), 2035000 * 1024ull);
	assert_int_equal(stats_meminfo(text, "Inactive(file)"), 7 * 1024);
	assert_int_equal(stats_meminfo(text, "Inactive"), 20 * 1024);
	assert_int_equal(stats_meminfo(text, "Mem"), 0);
	assert_int_equal(stats_meminfo("", "MemTotal"), 0);
}

static void memory_is_what_processes_and_files_take(void **state)
{
	static const char text[] = "nr_free_pages 1000\nnr_anon_pages 1\nnr_file_pages 20\n"
				   "nr_slab_reclaimable 300\nnr_slab_unreclaimable 4000\n"
				   "nr_kernel_stack 16\nnr_page_table_pages 50000\n"
				   "nr_mapped 7\noom_kill 8\n";

	(void)state;
	assert_int_equal(stats_vmstat_memory(text), 54321 * (uint64_t)getpagesize() + 16 * 1024);
	assert_int_equal(stats_vmstat_memory(""), 0);
}

static void disks_count_in_sectors(void **state)
{
	struct stats_bytes b = { 1, 2 };

	(void)state;
	stats_add_disk("   10  0  100  5   20   0  200   7 0 1 1\n", &b);
	assert_int_equal(b.in, 1 + 100 * 512);
	assert_int_equal(b.out, 2 + 200 * 512);
	stats_add_disk("", &b);
	assert_int_equal(b.out, 2 + 200 * 512);
}

static void all_interfaces_but_the_loopback_count(void **state)
{
	struct stats_bytes b = { 9, 9 };

	(void)state;
	stats_parse_net(
		"Inter-|   Receive                            |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes ...\n"
		"    lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0\n"
		"  eth0:  11 1 0 0 0 0 0 0 22 1 0 0 0 0 0 0\n"
		"  lo1: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n",
		&b);
	assert_int_equal(b.in, 111);
	assert_int_equal(b.out, 222);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_of_all_cpus_is_added_up_and_the_cpus_counted),
		cmocka_unit_test(meminfo_is_read_by_whole_names),
		cmocka_unit_test(memory_is_what_processes_and_files_take),
		cmocka_unit_test(disks_count_in_sectors),
		cmocka_unit_test(all_interfaces_but_the_loopback_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
