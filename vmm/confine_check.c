/* SPDX-License-Identifier: Apache-2.0 */
/* See confine_check.h. */
#include "vmm/confine_check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "vmm/confine_priv.h"

/* No system has such a file, with or without a root of the child's own. */
#define NO_PROGRAM "/proc/kvbox-no-program"

/* Always fails: when nothing else was refused, then for want of the program. */
static void try(struct confine_plan *plan, const struct confine_host *host, struct err *e)
{
	struct confine_paths paths = { .text = STRV_INIT };
	struct sock_filter filter[CONFINE_FILTER_MAX];
	struct confinement how = { .landlock = true, .filter = filter };
	char program[] = NO_PROGRAM;
	char *argv[] = { program, NULL };
	const struct spawn s = {
		.path = NO_PROGRAM, .argv = argv, .cwd = -1, .cgroup = host->cgroup
	};
	struct proc none = PROC_INIT;

	confine_paths_add_devices(&paths, false);
	if (plan->root)
		confine_paths_add(&paths, CONFINE_PROCFS, "proc", "/proc", 0);
	confine_plan_apply(plan, &how);
	how.uid = how.gid = CONFINE_UID_FIRST;
	how.paths = paths.v;
	how.npaths = paths.n;
	how.filter_length = confine_filter(0, filter);
	if (spawn_confined(&s, &how, &none, &plan->result, e) == 0)
		proc_destroy(&none);
	confine_paths_release(&paths);
}

/* A cgroup of version 1 is entered after the program was executed: that its file could be opened has to do. */
static void judge_cgroup(struct confine_plan *plan, const struct confine_host *host)
{
	int *error = &plan->result.error[CONFINE_CGROUP];

	if (*error == CONFINE_NOT_ASKED && host->ncgroup_procs > 0)
		*error = 0;
}

/* "Operation not permitted" of "cannot start '...' (process): Operation not permitted". */
static const char *without_program(const char *missing)
{
	const char *at = missing ? strstr(missing, NO_PROGRAM) : NULL;
	const char *reason = at ? strstr(at, "): ") : NULL;

	return reason ? reason + strlen("): ") : missing;
}

int confine_check(const struct confine_host *host, struct confine_outlook *ret, struct err *e)
{
	struct confine_plan plan;
	struct err why = ERR_INIT;

	confine_plan_init(&plan);
	if (host->no_limits && *host->no_limits)
		confine_plan_note(&plan, CONFINE_CGROUP, host->no_limits);
	do {
		err_clear(&why);
		try(&plan, host, &why);
	} while (confine_plan_weaken(&plan, &why));
	if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	judge_cgroup(&plan, host);
	memset(ret, 0, sizeof(*ret));
	ret->landlock_abi = plan.result.landlock_abi;
	for (int i = 0; i < CONFINE_STEP_COUNT; i++) {
		const char *missing = without_program(
			confine_plan_missing(&plan, (enum confine_step)i));

		ret->applied[i] = confine_plan_applied(&plan, (enum confine_step)i);
		snprintf(ret->missing[i], sizeof(ret->missing[i]), "%s", missing ? missing : "");
	}
	return 0;
}
