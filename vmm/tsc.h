/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frequency of this machine's time-stamp counter.
 *
 * A guest in software emulation reads the host's counter. Left alone it takes a tenth of its boot to find
 * out how fast that runs, and only roughly; here two readings a few milliseconds apart do, since the host
 * knows the time exactly. Linux does not tell the frequency that it has found itself.
 */
#ifndef KVBOX_VMM_TSC_H
#define KVBOX_VMM_TSC_H

#include <stdbool.h>
#include <stdint.h>

struct tsc_reading {
	uint64_t cycles;
	int64_t ns; /* CLOCK_MONOTONIC_RAW */
};

/* A reading. False where the counter is not fit to tell the time (the host itself does not use it: it may
 * stop, change its pace or differ between processors) and on machines without one. */
bool tsc_read(struct tsc_reading *ret);

/* The frequency in kHz, from a reading taken before and one taken now, right to about 10 parts in a
 * million. Sleeps until the first one is TSC_BASELINE_NS old. False as above, or when the two do not make
 * sense. */
bool tsc_khz(const struct tsc_reading *before, unsigned *ret);
#define TSC_BASELINE_NS 2000000

#endif
