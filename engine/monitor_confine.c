/* SPDX-License-Identifier: Apache-2.0 */
/* What the host lets the VMM of a container have: the limits of its cgroups, and what is told of its
 * confinement. */
#include <signal.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "engine/monitor_priv.h"
#include "vmm/confine.h"

#define REPORT_MAX 8192
#define MIB	   ((uint64_t)1 << 20)

/*
 * Over the guest's RAM: the VMM itself with its queues and page tables, and in software the cache of translated
 * code, which grows to 1 GiB. What the kernel caches of the disks counts as well, but goes before anything
 * is killed.
 */
#define OVERHEAD_MIB	      256
#define OVERHEAD_FRACTION     16 /* of RAM */
#define OVERHEAD_SOFTWARE_MIB 1024
/* A disk's queue has up to 64 workers. */
#define TASKS_BASE 192

static void choose_limits(const struct vmm_spec *spec, struct cgroup_limits *ret)
{
	uint64_t mib = (uint64_t)spec->memory_mib + spec->memory_mib / OVERHEAD_FRACTION +
		       OVERHEAD_MIB + (spec->kvm ? 0 : OVERHEAD_SOFTWARE_MIB);

	ret->memory = mib * MIB;
	ret->cpus = spec->vcpus + 1;
	ret->tasks = spec->vcpus + TASKS_BASE;
}

int monitor_confine_start(struct monitor *m, struct vmm_spec *spec, struct err *e)
{
	auto_cgroup_vm struct cgroup_vm cgroup = CGROUP_VM_INIT;
	auto_str struct str report = STR_INIT(REPORT_MAX);
	struct cgroup_limits limits;
	struct confine_host host;
	int r;

	if (vmm_can(m->choice.driver, VMM_CAP_BY_NAME))
		return vmm_start(m->choice.driver, spec, &m->vmm, e); /* isolates nothing anyway */
	choose_limits(spec, &limits);
	m->limited = true;
	cgroup_vm_make(m->run.name, &limits, &cgroup);
	host = (struct confine_host){
		.run_root = m->paths.run_fd,
		.cgroup = cgroup.folder,
		.cgroup_procs = cgroup.procs,
		.ncgroup_procs = cgroup.nprocs,
		.limits = cgroup.limits.buf,
		.no_limits = cgroup.missing.buf,
	};
	spec->confine_host = &host;
	r = vmm_start(m->choice.driver, spec, &m->vmm, e);
	spec->confine_host = NULL;
	if (r < 0)
		return -1;
	if (m->vmm.confine)
		confine_report(m->vmm.confine, &report);
	free(m->state.confinement);
	m->state.confinement = xstrdup(report.buf);
	return 0;
}

void monitor_confine_explain(struct monitor *m, int status, struct err *ret)
{
	if (status == 128 + SIGKILL && cgroup_vm_ran_out(m->run.name)) {
		m->state.oom = true;
		err_set(ret, ERR_UNAVAILABLE,
			"the host killed the virtual machine: it took more memory than it may");
	} else if (status > 128) {
		err_set(ret, ERR_UNAVAILABLE, "the virtual machine ended unexpectedly (signal %d)",
			status - 128);
	} else {
		err_set(ret, ERR_UNAVAILABLE, "the virtual machine ended unexpectedly");
	}
}

void monitor_confine_end(struct monitor *m)
{
	if (m->limited)
		m->limited = !cgroup_vm_remove(m->run.name);
}

static void leave(struct monitor *m)
{
	if (m->left || !m->state.cgroup || !*m->state.cgroup)
		return;
	m->left = true;
	cgroup_leave(m->state.cgroup);
}

void monitor_leave_cgroup(struct monitor *m)
{
	if (!m->restart.pending && !m->retry)
		leave(m);
}

void monitor_end_cgroup(struct monitor *m)
{
	leave(m);
	if (m->left)
		cgroup_remove(m->state.cgroup);
}
