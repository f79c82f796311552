/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "vmm/tsc.h"

static void two_measurements_agree(void **state)
{
	struct tsc_reading reading;
	unsigned a, b;

	(void)state;
	if (!tsc_read(&reading))
		return; /* a machine whose counter is not fit has nothing to measure */
	if (!tsc_khz(&reading, &a) || !tsc_khz(&reading, &b))
		return;
	assert_true(a > b ? a - b < a / 1000 : b - a < a / 1000);
}

static void measuring_waits_for_its_baseline_and_no_longer(void **state)
{
	struct tsc_reading reading;
	int64_t begin = clock_monotonic();
	bool quick = false;
	unsigned khz;

	(void)state;
	if (!tsc_read(&reading) || !tsc_khz(&reading, &khz))
		return;
	assert_true(clock_monotonic() - begin >= TSC_BASELINE_NS);
	/* Of many calls some are not held up by what else this machine does. */
	for (int i = 0; i < 1000 && !quick; i++) {
		begin = clock_monotonic();
		quick = tsc_khz(&reading, &khz) && clock_monotonic() - begin < TSC_BASELINE_NS;
	}
	assert_true(quick);
}

static void readings_that_make_no_sense_are_refused(void **state)
{
	struct tsc_reading now;
	unsigned khz = 7;

	(void)state;
	if (!tsc_read(&now))
		return;
	{
		const struct tsc_reading cases[] = {
			{ now.cycles, now.ns + INT64_C(3600000000000) }, /* of the future */
			{ now.cycles, now.ns - INT64_C(3600000000000) }, /* too slow */
			{ 0, now.ns },					 /* too fast */
			{ now.cycles + (UINT64_C(1) << 60), now.ns },	 /* backwards */
		};

		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			if (tsc_khz(&cases[i], &khz))
				fail_msg("case %zu: %u", i, khz);
	}
	assert_int_equal(khz, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_measurements_agree),
		cmocka_unit_test(measuring_waits_for_its_baseline_and_no_longer),
		cmocka_unit_test(readings_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
