/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "vmm/size.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

static void memory_is_the_limit_and_what_the_guest_needs(void **state)
{
	static const struct {
		uint64_t host;
		int64_t limit;
		unsigned mib;
	} cases[] = {
		/* without a limit: a quarter of the host, from 256 MiB to 2 GiB */
		{ 64 * GIB, 0, 2048 },
		{ 4 * GIB, 0, 1024 },
		{ 4 * GIB - 200 * MIB, 0, 976 }, /* in steps of 16 */
		{ 512 * MIB, 0, 256 },
		{ 0, 0, 256 },
		/* with one: that and 64 MiB and a 64th */
		{ 64 * GIB, (int64_t)GIB, 1024 + 64 + 16 },
		{ 64 * GIB, (int64_t)(256 * MIB), 256 + 64 + 16 },
		{ 64 * GIB, 6 << 20, 256 },
		{ 64 * GIB, 1, 256 },
		/* never more than the host has */
		{ 2 * GIB, (int64_t)(8 * GIB), 2048 },
		{ 2 * GIB, INT64_MAX, 2048 },
		{ UINT64_MAX, INT64_MAX, 4 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_host host = { cases[i].host, 2 };
		struct vmm_size size;

		vmm_size_choose(&host, cases[i].limit, 0, false, &size);
		if (size.memory_mib != cases[i].mib)
			fail_msg("case %zu: %u MiB", i, size.memory_mib);
	}
}

static void processors_are_one_in_software_and_up_to_four_with_kvm(void **state)
{
	static const struct {
		unsigned host;
		int64_t nano;
		bool kvm;
		unsigned vcpus;
	} cases[] = {
		{ 8, 0, false, 1 },	     { 8, 0, true, 4 },
		{ 2, 0, true, 2 },	     { 0, 0, true, 1 },
		{ 8, 500000000, false, 1 },  { 8, 1000000000, false, 1 },
		{ 8, 1000000001, false, 2 }, { 8, 2500000000, false, 3 },
		{ 8, 500000000, true, 4 },   { 8, 6000000000, true, 6 },
		{ 2, 6000000000, true, 2 },  { 2, 6000000000, false, 2 },
		{ 8, INT64_MAX, true, 8 },   { 500, INT64_MAX, true, 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct vmm_host host = { 8 * GIB, cases[i].host };
		struct vmm_size size;

		vmm_size_choose(&host, 0, cases[i].nano, cases[i].kvm, &size);
		if (size.vcpus != cases[i].vcpus)
			fail_msg("case %zu: %u processors", i, size.vcpus);
	}
}

static void this_machine_has_memory_and_a_processor(void **state)
{
	struct vmm_host host = { 0, 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(vmm_host_read(&host, &e));
	assert_true(host.memory > 64 * MIB);
	assert_true(host.memory < (uint64_t)1 << 60);
	assert_true(host.cpus >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_the_limit_and_what_the_guest_needs),
		cmocka_unit_test(processors_are_one_in_software_and_up_to_four_with_kvm),
		cmocka_unit_test(this_machine_has_memory_and_a_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
