/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/info_confinement.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "vmm/confine_check.h"

/* Any that fit a child which only looks around; it is gone at once. */
static const struct cgroup_limits trial = { .memory = 64 << 20, .cpus = 1, .tasks = 16 };

/* 0, or -1 and why nothing can be told. */
static int look(struct confine_outlook *ret, struct err *e)
{
	auto_cgroup_vm struct cgroup_vm cgroup = CGROUP_VM_INIT;
	auto_free char *name = xasprintf("info-%d", (int)getpid());
	struct confine_host host;
	int r;

	cgroup_vm_make(name, &trial, &cgroup);
	host = (struct confine_host){
		.run_root = -1,
		.cgroup = cgroup.folder,
		.cgroup_procs = cgroup.procs,
		.ncgroup_procs = cgroup.nprocs,
		.limits = cgroup.limits.buf,
		.no_limits = cgroup.missing.buf,
	};
	r = confine_check(&host, ret, e);
	cgroup_vm_remove(name);
	return r;
}

void info_confinement_print(void)
{
	struct confine_outlook o;
	struct err e = ERR_INIT;
	const char *before = "";

	printf(" VMM Confinement: ");
	if (look(&o, &e) < 0) {
		printf("unknown (%s)\n", e.msg);
		return;
	}
	for (int i = 0; i < CONFINE_STEP_COUNT; i++) {
		if (o.applied[i]) {
			printf("%s%s", before, confine_step_name((enum confine_step)i));
			before = ", ";
		}
	}
	printf("%s\n", *before ? "" : "none");
	if (o.landlock_abi > 0)
		printf("  Landlock ABI: %d\n", o.landlock_abi);
	for (int i = 0; i < CONFINE_STEP_COUNT; i++)
		if (o.missing[i][0])
			printf("  Missing: %s (%s)\n", confine_step_name((enum confine_step)i),
			       o.missing[i]);
}

void info_confinement_write(struct json_writer *w)
{
	struct confine_outlook o = { .landlock_abi = 0 };
	struct err e = ERR_INIT;
	int r = look(&o, &e);

	jw_begin_object(w, "VmmConfinement");
	jw_begin_array(w, "Applied");
	for (int i = 0; i < CONFINE_STEP_COUNT; i++)
		if (o.applied[i])
			jw_str(w, NULL, confine_step_name((enum confine_step)i));
	jw_end(w);
	jw_begin_object(w, "Missing");
	for (int i = 0; i < CONFINE_STEP_COUNT; i++)
		if (o.missing[i][0])
			jw_str(w, confine_step_name((enum confine_step)i), o.missing[i]);
	jw_end(w);
	jw_int(w, "LandlockAbi", o.landlock_abi);
	jw_str(w, "Error", r < 0 ? e.msg : "");
	jw_end(w);
}
