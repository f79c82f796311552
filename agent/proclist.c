/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/proclist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "agent/boot.h"
#include "agent/cgroup.h"
#include "agent/stats.h"
#include "agent/user.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define ARGS_MAX 4096
#define FILE_MAX 65536
#define PIDS_MAX 262144
/* Longer names of users and groups are not worth the room. */
#define NAME_MAX_BYTES 256
/* Of the document, which must not pass MESSAGE_JSON_MAX: room is left for one process, each byte of its
 * arguments and names taking six at most. */
#define DOCUMENT_MAX (220u * 1024)

/* ---- the kernel's texts ---------------------------------------------------------------------- */

bool proclist_parse_stat(const char *text, size_t len, struct proclist_stat *ret, const char **name,
			 size_t *n)
{
	const char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);
	int64_t f[23] = { 0 }; /* from the fourth on */
	char *at;

	/* The name may hold brackets: it ends at the last one, behind which are only numbers. */
	if (!open || !close || close < open || close + 3 >= text + len)
		return false;
	*name = open + 1;
	*n = (size_t)(close - open - 1);
	ret->state = close[2];
	at = (char *)(uintptr_t)(close + 3);
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		char *end;

		f[i] = strtoll(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	ret->ppid = f[0];
	ret->pgid = f[1];
	ret->sid = f[2];
	ret->tty = f[3];
	ret->tpgid = f[4];
	ret->minor_faults = f[6];
	ret->major_faults = f[8];
	ret->cpu_ticks = f[10] + f[11];
	ret->priority = f[14];
	ret->nice = f[15];
	ret->threads = f[16];
	ret->start_ticks = f[18];
	ret->vsz = f[19];
	ret->rss = f[20];
	return true;
}

int64_t proclist_status(const char *text, const char *key, int at, int64_t otherwise)
{
	size_t n = strlen(key);
	const char *line = text;
	int64_t value = otherwise;

	/* The name of the process is in the first line, escaped: it cannot be taken for another. */
	while (*line && !(strncmp(line, key, n) == 0 && line[n] == ':')) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (!*line)
		return otherwise;
	line += n + 1;
	for (int i = 0; at < 0 || i <= at; i++) {
		char *end;
		int64_t one;

		line += strspn(line, " \t");
		one = strtoll(line, &end, 10);
		if (end == line)
			return at < 0 ? value : otherwise;
		value = one;
		line = end;
	}
	return value;
}

void proclist_tty(int64_t dev, char ret[32])
{
	unsigned int major_ = major((dev_t)dev), minor_ = minor((dev_t)dev);

	if (dev == 0)
		snprintf(ret, 32, "?");
	else if (major_ >= 136 && major_ <= 143)
		snprintf(ret, 32, "pts/%u", (major_ - 136) * 256 + minor_);
	else if (major_ == 4 && minor_ >= 64)
		snprintf(ret, 32, "ttyS%u", minor_ - 64);
	else if (major_ == 4)
		snprintf(ret, 32, "tty%u", minor_);
	else if (major_ == 5 && minor_ == 1)
		snprintf(ret, 32, "console");
	else
		snprintf(ret, 32, "%u:%u", major_, minor_);
}

/* ---- one process ----------------------------------------------------------------------------- */

/* Names of ids that were looked up already: there are few of them, and each look-up reads a file. */
struct names {
	int rootfd;		   /* -1: the image cannot be read */
	struct strv users, groups; /* "id=name" */
};

static const char *name_of(struct names *names, bool group, int64_t id)
{
	struct strv *known = group ? &names->groups : &names->users;
	auto_free char *key = xasprintf("%lld", (long long)id), *found = NULL;
	const char *name = strv_env_get(known, key);

	if (name)
		return name;
	if (names->rootfd >= 0)
		found = group ? user_group_name(names->rootfd, (gid_t)id)
			      : user_name(names->rootfd, (uid_t)id);
	strv_addf(known, "%s=%s", key, found && strlen(found) <= NAME_MAX_BYTES ? found : key);
	return strv_env_get(known, key);
}

static void write_args(int dir, struct json_writer *w)
{
	char text[ARGS_MAX];
	auto_close int fd = -1;
	struct err e = ERR_INIT;
	ssize_t n = 0;

	jw_begin_array(w, "args");
	if (fd_open(dir, "cmdline", O_RDONLY, 0, &fd, &e) == 0)
		n = fd_read_full(fd, text, sizeof(text), &e);
	for (ssize_t at = 0; at < n;) {
		size_t len = strnlen(text + at, (size_t)(n - at));

		jw_strn(w, NULL, text + at, len);
		at += (ssize_t)len + 1;
	}
	jw_end(w);
}

static void write_ids(const char *status, struct names *names, struct json_writer *w)
{
	int64_t euid = proclist_status(status, "Uid", 1, 0);
	int64_t egid = proclist_status(status, "Gid", 1, 0);

	jw_int(w, "ns_pid", proclist_status(status, "NSpid", -1, 0));
	jw_int(w, "uid", proclist_status(status, "Uid", 0, 0));
	jw_int(w, "euid", euid);
	jw_int(w, "gid", proclist_status(status, "Gid", 0, 0));
	jw_int(w, "egid", egid);
	jw_str(w, "user", name_of(names, false, euid));
	jw_str(w, "group", name_of(names, true, egid));
	jw_int(w, "locked_kib", proclist_status(status, "VmLck", 0, 0));
}

static void write_stat(const struct proclist_stat *s, struct json_writer *w)
{
	char tty[32];

	proclist_tty(s->tty, tty);
	jw_int(w, "ppid", s->ppid);
	jw_int(w, "pgid", s->pgid);
	jw_int(w, "sid", s->sid);
	jw_int(w, "tpgid", s->tpgid);
	jw_str(w, "tty", tty);
	jw_strn(w, "state", &s->state, 1);
	jw_int(w, "nice", s->nice);
	jw_int(w, "priority", s->priority);
	jw_int(w, "start_ticks", s->start_ticks);
	jw_int(w, "cpu_ticks", s->cpu_ticks);
	jw_int(w, "threads", s->threads);
	jw_int(w, "rss_kib", s->rss * (sysconf(_SC_PAGESIZE) / 1024));
	jw_int(w, "vsz_kib", s->vsz / 1024);
	jw_int(w, "minor_faults", s->minor_faults);
	jw_int(w, "major_faults", s->major_faults);
}

/* One that has ended meanwhile is left out. */
static void write_process(int proc, int pid, struct names *names, struct json_writer *w)
{
	auto_str struct str stat = STR_INIT(FILE_MAX), status = STR_INIT(FILE_MAX);
	auto_close int dir = -1;
	struct err e = ERR_INIT;
	struct proclist_stat s;
	const char *name;
	char path[16];
	size_t n;

	snprintf(path, sizeof(path), "%d", pid);
	if (fd_open_dir(proc, path, &dir, &e) < 0 || file_read(dir, "stat", &stat, &e) < 0 ||
	    file_read(dir, "status", &status, &e) < 0 ||
	    !proclist_parse_stat(stat.buf, stat.len, &s, &name, &n))
		return;
	jw_begin_object(w, NULL);
	jw_int(w, "pid", pid);
	write_stat(&s, w);
	write_ids(status.buf, names, w);
	jw_strn(w, "comm", name, n);
	write_args(dir, w);
	jw_end(w);
}

/* ---- the list -------------------------------------------------------------------------------- */

struct pids {
	pid_t *v;
	size_t n, cap;
};

static void add_pid(void *ctx, pid_t pid)
{
	struct pids *p = ctx;

	if (p->n == PIDS_MAX)
		return;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
	}
	p->v[p->n++] = pid;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

static size_t write_list(const struct pids *pids, int64_t after, struct names *names,
			 struct json_writer *w)
{
	auto_close int proc = -1;
	struct err e = ERR_INIT;
	size_t i = 0;

	while (i < pids->n && pids->v[i] <= after)
		i++;
	jw_begin_array(w, "processes");
	if (fd_open_dir(AT_FDCWD, "/proc", &proc, &e) == 0) {
		while (i < pids->n && w->out->len < DOCUMENT_MAX)
			write_process(proc, pids->v[i++], names, w);
	}
	jw_end(w);
	return pids->n - i;
}

void proclist_write(const struct container *c, int64_t after, struct json_writer *w)
{
	struct names names = { .rootfd = -1 };
	auto_str struct str meminfo = STR_INIT(FILE_MAX);
	auto_free char *root = xasprintf("%s/root", c->dir);
	struct pids pids = { 0 };
	int64_t hz = sysconf(_SC_CLK_TCK);
	struct err e = ERR_INIT;
	size_t left;

	if (fd_open_dir(AT_FDCWD, root, &names.rootfd, &e) < 0 ||
	    file_read(AT_FDCWD, "/proc/meminfo", &meminfo, &e) < 0)
		err_clear(&e);
	cgroup_each_process(c->cgroup, add_pid, &pids);
	if (pids.n)
		qsort(pids.v, pids.n, sizeof(*pids.v), by_number);
	left = write_list(&pids, after, &names, w);
	jw_int(w, "left_out", (int64_t)left);
	jw_int(w, "hz", hz);
	jw_int(w, "now_ticks", boot_us() * hz / 1000000);
	jw_int(w, "memory_kib", (int64_t)(stats_meminfo(meminfo.buf, "MemTotal") / 1024));
	fd_close(names.rootfd);
	strv_release(&names.users);
	strv_release(&names.groups);
	free(pids.v);
}
