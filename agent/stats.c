/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

/* /proc/stat has a line for each CPU, and one of all interrupts. */
#define TEXT_MAX ((size_t)1 << 20)
/* Of a sector in the statistics, whatever the disk's own are. */
#define SECTOR 512

/* Appends what the file holds; "" when it cannot be read. */
static const char *text_of(int dir, const char *path, struct str *text)
{
	struct err e = ERR_INIT;

	str_clear(text);
	if (file_read(dir, path, text, &e) < 0)
		str_clear(text);
	return text->buf;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : "";
}

/* ---- the kernel's texts ---------------------------------------------------------------------- */

void stats_parse_cpu(const char *text, struct stats_cpu *ret)
{
	*ret = (struct stats_cpu){ 0, 0 };
	for (const char *line = text; strncmp(line, "cpu", 3) == 0; line = next_line(line)) {
		char *at;

		if (line[3] != ' ') {
			ret->cpus++;
			continue;
		}
		at = (char *)(uintptr_t)(line + 3);
		/* user nice system idle iowait irq softirq steal; guest time is in the first two. */
		for (int i = 0; i < 8; i++)
			ret->ticks += strtoull(at, &at, 10);
	}
}

uint64_t stats_meminfo(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = text; *line; line = next_line(line)) {
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return strtoull(line + n + 1, NULL, 10) * 1024;
	}
	return 0;
}

uint64_t stats_vmstat_memory(const char *text)
{
	static const char *const kinds[] = { "nr_anon_pages", "nr_file_pages",
					     "nr_slab_reclaimable", "nr_slab_unreclaimable",
					     "nr_page_table_pages" };
	uint64_t pages = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		pages += cgroup_key(text, kinds[i]);
	return pages * (uint64_t)getpagesize() + cgroup_key(text, "nr_kernel_stack") * 1024;
}

/* Adds fields `in` and `out` (the first is 0) of a line of numbers. */
static void add_fields(const char *text, int in, int out, uint64_t unit, struct stats_bytes *ret)
{
	for (int i = 0; i <= in || i <= out; i++) {
		char *end;
		uint64_t n = strtoull(text, &end, 10);

		if (end == text)
			return;
		ret->in += i == in ? n * unit : 0;
		ret->out += i == out ? n * unit : 0;
		text = end;
	}
}

void stats_add_disk(const char *text, struct stats_bytes *ret)
{
	add_fields(text, 2, 6, SECTOR, ret);
}

void stats_parse_net(const char *text, struct stats_bytes *ret)
{
	*ret = (struct stats_bytes){ 0, 0 };
	for (const char *line = text; *line; line = next_line(line)) {
		const char *name = line + strspn(line, " ");
		size_t n = strcspn(name, ":\n");

		/* The two lines of the heading have no colon. */
		if (name[n] != ':' || (n == 2 && memcmp(name, "lo", 2) == 0))
			continue;
		add_fields(name + n + 1, 0, 8, 1, ret);
	}
}

/* ---- the reply ------------------------------------------------------------------------------- */

static void write_cpu(const struct container *c, struct str *text, struct json_writer *w)
{
	struct stats_cpu cpu;
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	stats_parse_cpu(text_of(AT_FDCWD, "/proc/stat", text), &cpu);
	jw_int(w, "cpu_ns",
	       (int64_t)(cgroup_keyed_number(c->cgroup, "cpu.stat", "usage_usec") * 1000));
	jw_int(w, "system_ns", (int64_t)(cpu.ticks * (1000000000 / hz)));
	jw_int(w, "cpus", cpu.cpus);
}

/*
 * Without the controller it is the guest's memory, less what it needed before there was a container: its
 * kernel and the agent.
 */
void stats_begin(struct container *c)
{
	auto_str struct str text = STR_INIT(TEXT_MAX);

	if (!file_exists(c->cgroup, "memory.current"))
		c->memory_before = stats_vmstat_memory(text_of(AT_FDCWD, "/proc/vmstat", &text));
}

static void write_memory(const struct container *c, struct str *text, struct json_writer *w)
{
	uint64_t used, inactive;
	const char *vm;

	if (file_exists(c->cgroup, "memory.current")) {
		used = cgroup_number(c->cgroup, "memory.current");
		inactive = cgroup_keyed_number(c->cgroup, "memory.stat", "inactive_file");
	} else {
		vm = text_of(AT_FDCWD, "/proc/vmstat", text);
		used = stats_vmstat_memory(vm);
		used = used > c->memory_before ? used - c->memory_before : 0;
		inactive = cgroup_key(vm, "nr_inactive_file") * (uint64_t)getpagesize();
	}
	jw_int(w, "memory", (int64_t)used);
	jw_int(w, "inactive_file", (int64_t)inactive);
	jw_int(w, "memory_limit", (int64_t)cgroup_number(c->cgroup, "memory.max"));
	jw_int(w, "memory_total",
	       (int64_t)stats_meminfo(text_of(AT_FDCWD, "/proc/meminfo", text), "MemTotal"));
}

static void write_pids(const struct container *c, struct json_writer *w)
{
	if (!file_exists(c->cgroup, "pids.current"))
		cgroup_count_pids();
	jw_int(w, "pids", (int64_t)cgroup_number(c->cgroup, "pids.current"));
	jw_int(w, "pids_limit", (int64_t)cgroup_number(c->cgroup, "pids.max"));
}

static void write_io(const struct container *c, struct str *text, struct json_writer *w)
{
	struct stats_bytes disks = { 0, 0 }, net;

	for (size_t i = 0; i < c->disks.n; i++) {
		auto_free char *path = xasprintf("/sys/block/%s/stat", c->disks.v[i]);

		stats_add_disk(text_of(AT_FDCWD, path, text), &disks);
	}
	stats_parse_net(text_of(AT_FDCWD, "/proc/net/dev", text), &net);
	jw_int(w, "read_bytes", (int64_t)disks.in);
	jw_int(w, "write_bytes", (int64_t)disks.out);
	jw_int(w, "rx_bytes", (int64_t)net.in);
	jw_int(w, "tx_bytes", (int64_t)net.out);
}

void stats_write(const struct container *c, struct json_writer *w)
{
	auto_str struct str text = STR_INIT(TEXT_MAX);

	write_cpu(c, &text, w);
	write_memory(c, &text, w);
	write_pids(c, w);
	write_io(c, &text, w);
}
