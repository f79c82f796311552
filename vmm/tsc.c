/* SPDX-License-Identifier: Apache-2.0 */
/* See tsc.h. */
#include "vmm/tsc.h"

#if defined(__x86_64__)

#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "base/fd.h"
#include "base/str.h"

/* What runs slower or faster is a misreading. */
#define TSC_MIN_KHZ 100000
#define TSC_MAX_KHZ 20000000

/* Of so many readings the one is taken whose two cycle counts are the closest, and they have to be this
 * close: a clock that is slower to read is not made of the counter. */
#define TRIES	      16
#define WINDOW_MAX_NS 400

/* Clock sources of Linux that are the counter, as hardware or as a hypervisor offers it to its guest. */
static const char *const based_on_tsc[] = { "tsc", "kvm-clock", "hyperv_clocksource_tsc_page" };

static bool host_trusts_tsc(void)
{
	auto_str struct str text = STR_INIT(64);
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      &text, &ignored) < 0)
		return false;
	str_truncate(&text, strcspn(text.buf, "\n"));
	for (size_t i = 0; i < ARRAY_LEN(based_on_tsc); i++)
		if (strcmp(text.buf, based_on_tsc[i]) == 0)
			return true;
	return false;
}

static int64_t raw_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The cycles between the two counts around the clock, the least of all tries. */
static uint64_t read_closest(struct tsc_reading *ret)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t first = __rdtsc();
		int64_t ns = raw_ns();
		uint64_t window = __rdtsc() - first;

		if (window < least) {
			least = window;
			ret->cycles = first + window / 2;
			ret->ns = ns;
		}
	}
	return least;
}

bool tsc_read(struct tsc_reading *ret)
{
	if (!host_trusts_tsc())
		return false;
	read_closest(ret);
	return true;
}

bool tsc_khz(const struct tsc_reading *before, unsigned *ret)
{
	struct tsc_reading now;
	uint64_t window, cycles, khz;
	int64_t ns = raw_ns() - before->ns;

	if (ns >= 0 && ns < TSC_BASELINE_NS) {
		struct timespec rest = { 0, TSC_BASELINE_NS - ns };

		clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
	}
	window = read_closest(&now);
	ns = now.ns - before->ns;
	cycles = now.cycles - before->cycles;
	if (ns < TSC_BASELINE_NS / 2 || ns > INT64_C(60000000000) || cycles > UINT64_MAX / 1000000)
		return false;
	khz = cycles * 1000000 / (uint64_t)ns;
	if (khz < TSC_MIN_KHZ || khz > TSC_MAX_KHZ || window * 1000000 / khz > WINDOW_MAX_NS)
		return false;
	*ret = (unsigned)khz;
	return true;
}

#else

bool tsc_read(struct tsc_reading *ret)
{
	(void)ret;
	return false;
}

bool tsc_khz(const struct tsc_reading *before, unsigned *ret)
{
	(void)before;
	(void)ret;
	return false;
}

#endif
