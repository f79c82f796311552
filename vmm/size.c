/* SPDX-License-Identifier: Apache-2.0 */
/* See size.h. */
#include "vmm/size.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"

#define MIB ((uint64_t)1 << 20)

/*
 * What kernel and agent take away from a VM's RAM: the kernel's image and early allocations, the unpacked
 * initramfs, the agent and slab caches (measured: about 40 MiB in a guest of 256), and per page 64 bytes
 * of struct page, which is a 64th.
 */
#define GUEST_FIXED_MIB	 64
#define GUEST_PAGE_SHARE 64

#define RAM_MIN_MIB	    256
#define RAM_DEFAULT_MAX_MIB 2048
/* RAM in steps of this keeps the number of different VMs (and later of templates) small. */
#define RAM_STEP_MIB 16
#define RAM_MAX_MIB  ((uint64_t)4 << 20)

#define KVM_DEFAULT_VCPUS 4
#define VCPUS_MAX	  64 /* NR_CPUS of the guest's kernel */

/* A limit file of a cgroup; what cannot be read or is "max" limits nothing. */
static uint64_t limit_read(const char *path)
{
	auto_str struct str text = STR_INIT(64);
	struct err ignored = ERR_INIT;
	uint64_t limit;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0)
		return UINT64_MAX;
	while (text.len > 0 && text.buf[text.len - 1] == '\n')
		str_truncate(&text, text.len - 1);
	if (parse_u64(text.buf, UINT64_MAX, &limit, &ignored) < 0)
		return UINT64_MAX;
	return limit;
}

/* The least of the limits of `folder` and all folders above it, down from `mount`. */
static uint64_t limit_above(const char *mount, const char *folder, const char *name)
{
	auto_str struct str path = STR_INIT(4096);
	uint64_t least = UINT64_MAX;
	size_t root = strlen(mount);

	str_addf(&path, "%s%s", mount, strcmp(folder, "/") == 0 ? "" : folder);
	while (!path.over && path.len >= root) {
		size_t len = path.len;
		uint64_t limit;

		str_addf(&path, "/%s", name);
		limit = limit_read(path.buf);
		if (limit < least)
			least = limit;
		while (len > 0 && path.buf[len - 1] != '/')
			len--;
		if (len == 0)
			break;
		str_truncate(&path, len - 1);
	}
	return least;
}

/* The least memory limit of the cgroups that this process is in, of either version. */
static uint64_t cgroup_limit(void)
{
	auto_str struct str text = STR_INIT(64 << 10);
	struct err ignored = ERR_INIT;
	uint64_t least = UINT64_MAX;
	char *line, *rest = NULL;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", &text, &ignored) < 0)
		return least;
	for (line = strtok_r(text.buf, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		uint64_t limit = UINT64_MAX;

		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(controllers, ":") == 0)
			limit = limit_above("/sys/fs/cgroup", path, "memory.max");
		else if (strcmp(controllers, ":memory") == 0)
			limit = limit_above("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
		if (limit < least)
			least = limit;
	}
	return least;
}

int vmm_host_read(struct vmm_host *ret, struct err *e)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t memory, limit;
	cpu_set_t set;
	long cpus;

	if (pages <= 0 || size <= 0)
		return err_set(e, ERR_UNAVAILABLE,
			       "cannot find out how much memory this machine has");
	memory = (uint64_t)pages * (uint64_t)size;
	limit = cgroup_limit();
	/* The set is too small for a machine with more than 1024 processors. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = CPU_COUNT(&set);
	else
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ret->memory = limit < memory ? limit : memory;
	ret->cpus = cpus > 0 ? (unsigned)cpus : 1;
	return 0;
}

static unsigned choose_memory(const struct vmm_host *host, int64_t limit)
{
	uint64_t have = host->memory / MIB, want;

	if (limit > 0) {
		want = ((uint64_t)limit + MIB - 1) / MIB;
		if (want < RAM_MAX_MIB)
			want += GUEST_FIXED_MIB + want / GUEST_PAGE_SHARE;
		/* More than the host has would only fail to start; the limit inside stays as asked. */
		if (want > have)
			want = have;
	} else {
		want = have / 4;
		if (want > RAM_DEFAULT_MAX_MIB)
			want = RAM_DEFAULT_MAX_MIB;
	}
	if (want < RAM_MIN_MIB)
		want = RAM_MIN_MIB;
	if (want > RAM_MAX_MIB)
		want = RAM_MAX_MIB;
	return (unsigned)((want + RAM_STEP_MIB - 1) / RAM_STEP_MIB * RAM_STEP_MIB);
}

static unsigned choose_vcpus(const struct vmm_host *host, int64_t nano_cpus, bool kvm)
{
	unsigned most = host->cpus < VCPUS_MAX ? host->cpus : VCPUS_MAX;
	unsigned n = !kvm ? 1 : most < KVM_DEFAULT_VCPUS ? most : KVM_DEFAULT_VCPUS;
	int64_t asked = nano_cpus / 1000000000 + (nano_cpus % 1000000000 > 0);

	if (asked > (int64_t)n)
		n = asked < (int64_t)most ? (unsigned)asked : most;
	return n > 0 ? n : 1;
}

void vmm_size_choose(const struct vmm_host *host, int64_t memory, int64_t nano_cpus, bool kvm,
		     struct vmm_size *ret)
{
	ret->memory_mib = choose_memory(host, memory);
	ret->vcpus = choose_vcpus(host, nano_cpus, kvm);
}
