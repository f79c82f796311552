/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define ROOT	  "/sys/fs/cgroup"
#define PERIOD_US 100000
/* The kernel refuses a smaller quota. */
#define QUOTA_MIN_US 1000
/* Of what the kernel shows. */
#define FILE_MAX 65536
#define PIDS_MAX (8u << 20)
/* Cgroups within cgroups. */
#define DEPTH_MAX 16
/* Numbers of CPUs and memory nodes. */
#define LIST_MAX 8192

void cgroup_limits_release(struct cgroup_limits *l)
{
	free(l->cpuset_cpus);
	free(l->cpuset_mems);
	*l = (struct cgroup_limits){ 0 };
}

static int write_file(int dir, const char *name, const char *text, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dir, name, O_WRONLY, 0, &fd, e) < 0)
		return -1;
	if (fd_write_full(fd, text, strlen(text), e) < 0)
		return err_wrap(e, "cannot write '%s' to '%s'", text, name);
	return 0;
}

static int write_number(int dir, const char *name, int64_t value, struct err *e)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return write_file(dir, name, text, e);
}

int cgroup_prepare(struct err *e)
{
	if (mount("cgroup2", ROOT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_sys(e, "cannot mount the cgroup hierarchy");
	return 0;
}

/* ---- lists of numbers ------------------------------------------------------------------------ */

struct number_set {
	unsigned char has[LIST_MAX];
};

static int bad_list(const char *text, struct err *e)
{
	return err_set(e, ERR_INVALID, "bad list of numbers '%s'", text);
}

/* "0-2,4"; empty parts are skipped, as a list that the kernel shows may end in a newline. */
static int parse_list(const char *text, struct number_set *ret, struct err *e)
{
	auto_free char *copy = xstrdup(text);
	char *save = copy, *part;
	struct err none = ERR_INIT;

	while ((part = strsep(&save, ",\n"))) {
		char *to = strchr(part, '-');
		uint64_t first, last;

		if (!*part)
			continue;
		if (to)
			*to++ = '\0';
		if (parse_u64(part, LIST_MAX - 1, &first, &none) < 0)
			return bad_list(text, e);
		last = first;
		if (to && (parse_u64(to, LIST_MAX - 1, &last, &none) < 0 || last < first))
			return bad_list(text, e);
		for (; first <= last; first++)
			ret->has[first] = 1;
	}
	return 0;
}

int cgroup_check_list(const char *what, const char *want, const char *have, struct err *e)
{
	struct number_set wanted = { { 0 } }, there = { { 0 } };

	if (parse_list(want, &wanted, e) < 0 || parse_list(have, &there, e) < 0)
		return -1;
	for (size_t i = 0; i < LIST_MAX; i++) {
		if (wanted.has[i] && !there.has[i])
			return err_set(e, ERR_INVALID,
				       "Requested %s are not available - requested %s, "
				       "available: %.*s",
				       what, want, (int)strcspn(have, "\n"), have);
	}
	return 0;
}

static bool is_given(const char *list)
{
	return list && *list;
}

static int limit_set(int root, int fd, const char *file, const char *what, const char *want,
		     struct err *e)
{
	auto_free char *available = xconcat(file, ".effective", NULL);
	auto_str struct str have = STR_INIT(FILE_MAX);

	if (!is_given(want))
		return 0;
	if (file_read(root, available, &have, e) < 0 ||
	    cgroup_check_list(what, want, have.buf, e) < 0)
		return -1;
	return write_file(fd, file, want, e);
}

/* ---- limits ---------------------------------------------------------------------------------- */

void cgroup_cpu_max(const struct cgroup_limits *l, char ret[64])
{
	int64_t period = l->cpu_period > 0 ? l->cpu_period : PERIOD_US, quota = l->cpu_quota;

	if (l->nano_cpus > 0) {
		period = PERIOD_US;
		quota = l->nano_cpus / (1000000000 / PERIOD_US);
		quota = quota > 0 ? quota : QUOTA_MIN_US;
	}
	ret[0] = '\0';
	if (quota > 0)
		snprintf(ret, 64, "%lld %lld",
			 (long long)(quota < QUOTA_MIN_US ? QUOTA_MIN_US : quota),
			 (long long)period);
	else if (l->cpu_period > 0)
		snprintf(ret, 64, "max %lld", (long long)period);
}

unsigned int cgroup_cpu_weight(int64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return (unsigned int)(1 + ((shares - 2) * 9999) / 262142);
}

static bool limits_memory(const struct cgroup_limits *l)
{
	return l->memory > 0 || l->memory_reservation > 0;
}

static int limit_memory(int fd, const struct cgroup_limits *l, struct err *e)
{
	if (l->memory > 0 && write_number(fd, "memory.max", l->memory, e) < 0)
		return -1;
	if (l->memory_reservation > 0 &&
	    write_number(fd, "memory.low", l->memory_reservation, e) < 0)
		return -1;
	/* A kernel that does not count swap does not have the file, nor a use for it. */
	if (l->memory <= 0 || l->memory_swap == 0 || !file_exists(fd, "memory.swap.max"))
		return 0;
	if (l->memory_swap < 0)
		return write_file(fd, "memory.swap.max", "max", e);
	if (l->memory_swap < l->memory)
		return err_set(e, ERR_INVALID, "memory and swap together are less than memory");
	return write_number(fd, "memory.swap.max", l->memory_swap - l->memory, e);
}

static int enable_all(int root, struct err *e)
{
	auto_str struct str have = STR_INIT(FILE_MAX), all = STR_INIT(FILE_MAX);
	char *at, *word;

	if (file_read(root, "cgroup.controllers", &have, e) < 0)
		return -1;
	at = have.buf;
	while ((word = strsep(&at, " \n"))) {
		if (*word)
			str_addf(&all, "+%s ", word);
	}
	return all.len ? write_file(root, "cgroup.subtree_control", all.buf, e) : 0;
}

/* All at once: the kernel does the work of walking the tree once, too. */
static int enable_controllers(int root, const struct cgroup_limits *l, const char *cpu_max,
			      struct err *e)
{
	auto_free char *text = xconcat(
		limits_memory(l) ? "+memory " : "", *cpu_max || l->cpu_shares > 0 ? "+cpu " : "",
		is_given(l->cpuset_cpus) || is_given(l->cpuset_mems) ? "+cpuset " : "",
		l->pids > 0 ? "+pids " : "", NULL);

	if (l->delegated)
		return enable_all(root, e);
	return *text ? write_file(root, "cgroup.subtree_control", text, e) : 0;
}

static int set_limits(int root, int fd, const struct cgroup_limits *l, struct err *e)
{
	char cpu_max[64];

	cgroup_cpu_max(l, cpu_max);
	if (enable_controllers(root, l, cpu_max, e) < 0 || limit_memory(fd, l, e) < 0)
		return -1;
	if (*cpu_max && write_file(fd, "cpu.max", cpu_max, e) < 0)
		return -1;
	if (l->cpu_shares > 0 &&
	    write_number(fd, "cpu.weight", cgroup_cpu_weight(l->cpu_shares), e) < 0)
		return -1;
	if (l->pids > 0 && write_number(fd, "pids.max", l->pids, e) < 0)
		return -1;
	if (limit_set(root, fd, "cpuset.cpus", "CPUs", l->cpuset_cpus, e) < 0)
		return -1;
	return limit_set(root, fd, "cpuset.mems", "memory nodes", l->cpuset_mems, e);
}

int cgroup_make(const char *name, const struct cgroup_limits *l, int *ret, struct err *e)
{
	auto_close int root = -1, fd = -1;

	if (fd_open_dir(AT_FDCWD, ROOT, &root, e) < 0)
		return -1;
	if (mkdirat(root, name, 0755) < 0)
		return err_sys(e, "cannot create cgroup '%s'", name);
	if (fd_open_dir(root, name, &fd, e) < 0 || set_limits(root, fd, l, e) < 0)
		return -1;
	*ret = take_fd(&fd);
	return 0;
}

int cgroup_open_of(pid_t pid, int *ret, struct err *e)
{
	auto_free char *file = xasprintf("/proc/%d/cgroup", (int)pid), *path = NULL;
	auto_str struct str text = STR_INIT(FILE_MAX);
	const char *at;

	if (file_read(AT_FDCWD, file, &text, e) < 0)
		return -1;
	/* The only line that version 2 has; a name never holds a newline. */
	at = str_has_prefix(text.buf, "0::/") ? text.buf + strlen("0::") : "/";
	path = xasprintf(ROOT "%.*s", (int)strcspn(at, "\n"), at);
	return fd_open_dir(AT_FDCWD, path, ret, e);
}

int cgroup_kill(int fd, struct err *e)
{
	return write_file(fd, "cgroup.kill", "1", e);
}

/* ---- what it tells --------------------------------------------------------------------------- */

uint64_t cgroup_number(int fd, const char *name)
{
	auto_str struct str text = STR_INIT(FILE_MAX);
	struct err e = ERR_INIT;

	if (file_read(fd, name, &text, &e) < 0)
		return 0;
	return strtoull(text.buf, NULL, 10);
}

uint64_t cgroup_key(const char *text, const char *key)
{
	size_t n = strlen(key);
	uint64_t ret = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) != 0 || line[n] != ' ')
			continue;
		for (const char *c = line + n + 1; *c >= '0' && *c <= '9'; c++)
			ret = ret * 10 + (uint64_t)(*c - '0');
		break;
	}
	return ret;
}

uint64_t cgroup_keyed_number(int dirfd, const char *name, const char *key)
{
	auto_str struct str text = STR_INIT(FILE_MAX);
	struct err e = ERR_INIT;

	return file_read(dirfd, name, &text, &e) < 0 ? 0 : cgroup_key(text.buf, key);
}

uint64_t cgroup_oom_kills(int fd)
{
	if (file_exists(fd, "memory.events"))
		return cgroup_keyed_number(fd, "memory.events", "oom_kill");
	return cgroup_keyed_number(AT_FDCWD, "/proc/vmstat", "oom_kill");
}

void cgroup_count_pids(void)
{
	auto_close int root = -1;
	struct err e = ERR_INIT;

	/* Without the controller the number is missing, and nothing else. */
	if (fd_open_dir(AT_FDCWD, ROOT, &root, &e) == 0 &&
	    write_file(root, "cgroup.subtree_control", "+pids", &e) < 0)
		err_clear(&e);
}

struct walk {
	int dir;
	int depth;
	void (*each)(void *ctx, pid_t pid);
	void *ctx;
};

static void walk_processes(struct walk *w);

/* A cgroup that vanishes meanwhile has no processes any more. */
static int walk_below(void *ctx, const char *name, struct err *e)
{
	const struct walk *above = ctx;
	struct walk w = *above;
	auto_close int fd = -1;
	struct err none = ERR_INIT;
	struct stat st;

	(void)e;
	if (w.depth++ >= DEPTH_MAX || fstatat(above->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || fd_open_dir(above->dir, name, &fd, &none) < 0)
		return 0;
	w.dir = fd;
	walk_processes(&w);
	return 0;
}

static void walk_processes(struct walk *w)
{
	auto_str struct str text = STR_INIT(PIDS_MAX);
	struct err none = ERR_INIT;
	char *at;

	/* A threaded one cannot be read, its processes are told by the one above it. */
	if (file_read(w->dir, "cgroup.procs", &text, &none) < 0)
		err_clear(&none);
	for (at = text.buf; *at;) {
		pid_t pid = (pid_t)strtol(at, &at, 10);

		if (pid <= 0)
			break;
		at += *at == '\n';
		w->each(w->ctx, pid);
	}
	if (dir_each(w->dir, ".", walk_below, w, &none) < 0)
		err_clear(&none);
}

void cgroup_each_process(int fd, void (*each)(void *ctx, pid_t pid), void *ctx)
{
	struct walk w = { fd, 0, each, ctx };

	walk_processes(&w);
}
