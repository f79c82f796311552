/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/run_part.h"

#define MEMORY_MIN     (INT64_C(6) << 20)
#define NANO_CPUS_MIN  INT64_C(10000000)
#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144
#define CPUSET_MAX     8191 /* far above every processor's number */

int run_limits_set(const struct run_limits *a, struct container_spec *spec, struct err *e)
{
	int64_t swappiness = a->memory_swappiness.set ? a->memory_swappiness.v : -1;

	if (swappiness < -1 || swappiness > 100)
		return err_set(e, ERR_INVALID,
			       "invalid value: %lld. Valid memory swappiness range is 0-100",
			       (long long)swappiness);
	spec->memory = a->memory;
	spec->memory_swap = a->memory_swap;
	spec->memory_reservation = a->memory_reservation;
	spec->memory_swappiness = swappiness;
	spec->nano_cpus = a->nano_cpus;
	spec->cpu_shares = a->cpu_shares.v;
	spec->cpu_period = a->cpu_period.v;
	spec->cpu_quota = a->cpu_quota.v;
	spec->pids_limit = a->pids_limit.v;
	spec->oom_score_adj = a->oom_score_adj.v;
	spec->oom_kill_disable = a->oom_kill_disable;
	run_text(&spec->cpuset_cpus, a->cpuset_cpus);
	run_text(&spec->cpuset_mems, a->cpuset_mems);
	return ulimit_collect(&a->ulimits, &spec->ulimits, e);
}

static int check_memory(const struct container_spec *s, struct err *e)
{
	if (s->memory && s->memory < MEMORY_MIN)
		return err_set(e, ERR_INVALID, "Minimum memory limit allowed is 6MB");
	if (s->memory && s->memory_swap > 0 && s->memory_swap < s->memory)
		return err_set(e, ERR_INVALID,
			       "Minimum memoryswap limit should be larger than memory limit, see "
			       "usage");
	if (!s->memory && s->memory_swap > 0)
		return err_set(e, ERR_INVALID,
			       "You should always set the Memory limit when using Memoryswap "
			       "limit, see usage");
	if (s->memory_reservation && s->memory_reservation < MEMORY_MIN)
		return err_set(e, ERR_INVALID, "Minimum memory reservation allowed is 6MB");
	if (s->memory && s->memory < s->memory_reservation)
		return err_set(e, ERR_INVALID,
			       "Minimum memory limit can not be less than memory reservation "
			       "limit, see usage");
	return 0;
}

static int check_cpu(const struct container_spec *s, struct err *e)
{
	/* Asking for it takes three system calls. */
	long cpus = s->nano_cpus ? sysconf(_SC_NPROCESSORS_ONLN) : 0;

	if (s->nano_cpus > 0 && s->cpu_period > 0)
		return err_set(e, ERR_INVALID,
			       "Conflicting options: Nano CPUs and CPU Period cannot both be set");
	if (s->nano_cpus > 0 && s->cpu_quota > 0)
		return err_set(e, ERR_INVALID,
			       "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
	if (s->nano_cpus &&
	    (s->nano_cpus < NANO_CPUS_MIN || s->nano_cpus > cpus * INT64_C(1000000000)))
		return err_set(e, ERR_INVALID,
			       "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs "
			       "available",
			       cpus, cpus);
	if (s->cpu_period && (s->cpu_period < 1000 || s->cpu_period > 1000000))
		return err_set(e, ERR_INVALID,
			       "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than "
			       "1s (i.e. 1000000)");
	if (s->cpu_quota > 0 && s->cpu_quota < 1000)
		return err_set(e, ERR_INVALID,
			       "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (s->cpu_shares && s->cpu_shares < CPU_SHARES_MIN)
		return err_set(e, ERR_INVALID, "the minimum allowed cpu-shares is %d",
			       CPU_SHARES_MIN);
	if (s->cpu_shares > CPU_SHARES_MAX)
		return err_set(e, ERR_INVALID, "the maximum allowed cpu-shares is %d",
			       CPU_SHARES_MAX);
	return 0;
}

/* One "3" or "0-2" at `p`: the end of it, or NULL. */
static const char *read_range(const char *p, long *highest)
{
	char *end;
	long first, last;

	if (*p < '0' || *p > '9')
		return NULL;
	first = last = strtol(p, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return NULL;
		last = strtol(end + 1, &end, 10);
	}
	if (first > last || last > CPUSET_MAX)
		return NULL;
	if (last > *highest)
		*highest = last;
	return end;
}

/* -1: it is no such list. Else the highest number in it. */
static long read_set(const char *text)
{
	long highest = -1;

	for (const char *p = text;; p++) {
		p = read_range(p, &highest);
		if (!p || (*p && *p != ','))
			return -1;
		if (!*p)
			return highest;
	}
}

static int check_set(const char *text, const char *what, const char *things, long count,
		     struct err *e)
{
	char last[24] = "";
	long highest;

	if (!*text)
		return 0;
	highest = read_set(text);
	if (highest < 0)
		return err_set(e, ERR_INVALID,
			       "Invalid value %.100s for %s: invalid format: %.100s", text, what,
			       text);
	if (count > 1)
		snprintf(last, sizeof(last), "-%ld", count - 1);
	if (highest >= count)
		return err_set(e, ERR_INVALID,
			       "Requested %s are not available - requested %.100s, available: 0%s",
			       things, text, last);
	return 0;
}

int run_limits_check(const struct run_limits *a, struct container_spec *spec, struct strv *warnings,
		     struct err *e)
{
	if (check_memory(spec, e) < 0 || check_cpu(spec, e) < 0 ||
	    check_set(spec->cpuset_cpus, "cpuset cpus", "CPUs",
		      *spec->cpuset_cpus ? sysconf(_SC_NPROCESSORS_ONLN) : 0, e) < 0 ||
	    check_set(spec->cpuset_mems, "cpuset mems", "memory nodes", 1, e) < 0)
		return -1;
	if (spec->oom_score_adj < -1000 || spec->oom_score_adj > 1000)
		return err_set(e, ERR_INVALID,
			       "Invalid value %lld, range for oom score adj is [-1000, 1000]",
			       (long long)spec->oom_score_adj);
	/* The guest has cgroup v2 alone, which knows neither; Docker says the same there. */
	if (spec->memory_swappiness >= 0)
		strv_add(
			warnings,
			"Your kernel does not support memory swappiness capabilities or the cgroup "
			"is not mounted. Memory swappiness discarded.");
	spec->memory_swappiness = -1;
	if (spec->oom_kill_disable)
		strv_add(warnings, "Your kernel does not support OomKillDisable. OomKillDisable "
				   "discarded.");
	spec->oom_kill_disable = false;
	if (a->rt_period.v || a->rt_runtime.v)
		strv_add(warnings, "There is no real-time CPU time to share out in a virtual "
				   "machine. CPU real-time period and runtime discarded.");
	return 0;
}
