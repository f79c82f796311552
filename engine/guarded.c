/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/guarded.h"

static const char *const masked[] = {
	"/proc/asound",	    "/proc/acpi",	 "/proc/interrupts",
	"/proc/kcore",	    "/proc/keys",	 "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",	    "/sys/firmware",	 "/sys/devices/virtual/powercap",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void add(const struct container_spec *s, const char *const *list, size_t n, struct strv *ret)
{
	for (size_t i = 0; i < n && !s->privileged && !s->unmasked; i++)
		strv_add(ret, list[i]);
}

void guarded_masked(const struct container_spec *s, struct strv *ret)
{
	add(s, masked, ARRAY_LEN(masked), ret);
}

void guarded_readonly(const struct container_spec *s, struct strv *ret)
{
	add(s, readonly_paths, ARRAY_LEN(readonly_paths), ret);
}
