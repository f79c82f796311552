/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMM's cgroups, see cgroup.h.
 *
 * Where they are: as root at the top of each hierarchy; a plain user gets what was delegated to him, that is
 * the topmost folder on the way to his own cgroup that he may write to. What a systemd user manager
 * delegates works for commands that were started below it; the kernel refuses to move a process in
 * from elsewhere (a login over ssh), and then there are no limits, but a word on how to come by them.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strv.h"
#include "engine/cgroup.h"
#include "engine/rundir.h"

#define TOP	  "kvbox-vm"
#define TEXT_MAX  ((size_t)64 * 1024)
#define NAME_LEN  (RUNDIR_NAME_SIZE - 1)
#define SWEEP_AGE 60	  /* seconds */
#define PERIOD	  100000u /* microseconds of the CPU limit */

/* One limit: its controller and the files that set it. */
struct limit {
	const char *controller;
	const char *v1, *v2;
	const char *what; /* for people, after the number */
};

enum { LIMIT_MEMORY, LIMIT_CPU, LIMIT_TASKS, LIMIT_COUNT };
static const struct limit limits[] = {
	[LIMIT_MEMORY] = { "memory", "memory.limit_in_bytes", "memory.max", "MiB of memory" },
	[LIMIT_CPU] = { "cpu", "cpu.cfs_quota_us", "cpu.max", "processors" },
	[LIMIT_TASKS] = { "pids", "pids.max", "pids.max", "threads" },
};
_Static_assert(ARRAY_LEN(limits) == LIMIT_COUNT && LIMIT_COUNT == CGROUP_VM_MAX,
	       "limits[] does not match its enum");

/* ---- where --------------------------------------------------------------------------------------- */

static bool is_mount(const char *path, unsigned long magic)
{
	struct statfs st;

	return statfs(path, &st) == 0 && (unsigned long)st.f_type == magic;
}

static bool is_v2(void)
{
	return is_mount("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);
}

/* The path after "0::" in /proc/self/cgroup; the caller frees. */
static char *own_path(void)
{
	auto_str struct str text = STR_INIT(TEXT_MAX);
	auto_strv struct strv lines = STRV_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", &text, &ignored) < 0)
		return NULL;
	strv_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.n; i++)
		if (strncmp(lines.v[i], "0::/", 4) == 0)
			return xstrdup(lines.v[i] + 3);
	return NULL;
}

/* The folder in which a plain user may make cgroups. */
static char *delegated(void)
{
	auto_free char *own = own_path();

	for (size_t i = 1; own && own[i]; i++) {
		char *slash = strchr(own + i, '/');
		size_t n = slash ? (size_t)(slash - own) : strlen(own);
		auto_free char *path = xasprintf("/sys/fs/cgroup%.*s", (int)n, own);

		if (access(path, W_OK) == 0)
			return take_ptr(&path);
		if (!slash)
			break;
		i = n;
	}
	return NULL;
}

/* The folder above TOP for a limit; NULL: there is none. */
static char *base_folder(const struct limit *l, bool v2)
{
	auto_free char *v1 = NULL;

	if (v2)
		return geteuid() == 0 ? xstrdup("/sys/fs/cgroup") : delegated();
	v1 = xasprintf("/sys/fs/cgroup/%s", l->controller);
	return is_mount(v1, CGROUP_SUPER_MAGIC) && access(v1, W_OK) == 0 ? take_ptr(&v1) : NULL;
}

static char *vm_folder(const struct limit *l, bool v2, const char *name)
{
	auto_free char *base = base_folder(l, v2);

	return base ? xasprintf("%s/" TOP "/%s", base, name) : NULL;
}

void cgroup_vm_each(const char *name, void (*each)(void *ctx, const char *path), void *ctx)
{
	const bool v2 = is_v2();

	for (size_t i = 0; i < (v2 ? 1 : LIMIT_COUNT); i++) {
		auto_free char *path = vm_folder(&limits[i], v2, name);

		if (path && access(path, F_OK) == 0)
			each(ctx, path);
	}
}

bool cgroup_vm_remove(const char *name)
{
	const bool v2 = is_v2();
	bool removed = true;

	for (size_t i = 0; i < (v2 ? 1 : LIMIT_COUNT); i++) {
		auto_free char *path = vm_folder(&limits[i], v2, name);

		if (!path || rmdir(path) == 0 || errno == ENOENT)
			continue;
		log_debug("cgroup '%s' stays: %s", path, strerror(errno));
		removed = false;
	}
	return removed;
}

/* ---- making -------------------------------------------------------------------------------------- */

static int write_text(const char *folder, const char *file, const char *text, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s", folder, file);
	auto_close int fd = -1;

	if (fd_open(AT_FDCWD, path, O_WRONLY, 0, &fd, e) < 0 ||
	    fd_write_full(fd, text, strlen(text), e) < 0)
		return -1;
	return 0;
}

/* Lets the cgroups below a folder have the controller; it may be on already, or be refused: then the
 * limit's file is not there, and that is told. */
static void enable(const char *folder, const struct limit *l)
{
	auto_free char *text = xasprintf("+%s", l->controller);
	struct err e = ERR_INIT;

	if (write_text(folder, "cgroup.subtree_control", text, &e) < 0)
		log_debug("%s", e.msg);
}

/* What can be done about it. With a user manager of systemd, whose socket that is, it takes one command. */
static int explain(bool v2, struct err *e)
{
	auto_free char *manager = xasprintf("/run/user/%u/systemd/private", (unsigned)geteuid());
	const char *advice = "run kvbox as a service whose cgroup is delegated";

	if (geteuid() == 0)
		return err_set(e, ERR_UNAVAILABLE, "no cgroup here can be divided");
	if (!v2)
		advice = "that takes root, or cgroups of version 2 only";
	else if (access(manager, F_OK) == 0)
		advice = "start kvbox with 'systemd-run --user --scope kvbox ...'";
	return err_set(e, ERR_UNAVAILABLE, "no cgroup that this user may divide: %s", advice);
}

static int make_folder(const struct limit *l, bool v2, const char *name, char **ret, struct err *e)
{
	auto_free char *base = base_folder(l, v2), *top = NULL, *path = NULL, *file = NULL;

	if (!base)
		return explain(v2, e);
	top = xasprintf("%s/" TOP, base);
	path = xasprintf("%s/%s", top, name);
	if (dir_make(AT_FDCWD, path, 0755, e) < 0)
		return -1;
	/* The controller stays where an earlier VM has let it in. */
	file = xasprintf("%s/%s", path, l->v2);
	if (v2 && access(file, F_OK) < 0) {
		enable(base, l);
		enable(top, l);
	}
	*ret = take_ptr(&path);
	return 0;
}

static int set_limit(size_t which, bool v2, const char *folder, const struct cgroup_limits *want,
		     struct err *e)
{
	const char *file = v2 ? limits[which].v2 : limits[which].v1;
	auto_free char *text = NULL;

	if (which == LIMIT_MEMORY)
		text = xasprintf("%" PRIu64, want->memory);
	else if (which == LIMIT_TASKS)
		text = xasprintf("%u", want->tasks);
	else if (v2)
		text = xasprintf("%" PRIu64 " %u", (uint64_t)want->cpus * PERIOD, PERIOD);
	else
		text = xasprintf("%" PRIu64, (uint64_t)want->cpus * PERIOD);
	return write_text(folder, file, text, e);
}

/* The same folder serves all limits in v2: it is entered once. */
static int open_procs(const char *folder, bool v2, struct cgroup_vm *c, struct err *e)
{
	auto_free char *path = xasprintf("%s/cgroup.procs", folder);

	if (v2 && c->nprocs > 0)
		return 0;
	if (fd_open(AT_FDCWD, path, O_WRONLY, 0, &c->procs[c->nprocs], e) < 0 ||
	    (v2 && fd_open_dir(AT_FDCWD, folder, &c->folder, e) < 0))
		return -1;
	c->nprocs++;
	return 0;
}

static int make_one(size_t which, bool v2, const char *name, const struct cgroup_limits *want,
		    struct cgroup_vm *c, struct err *e)
{
	const uint64_t shown[] = { want->memory >> 20, want->cpus, want->tasks };
	auto_free char *folder = NULL;

	if (make_folder(&limits[which], v2, name, &folder, e) < 0 ||
	    set_limit(which, v2, folder, want, e) < 0 || open_procs(folder, v2, c, e) < 0)
		return -1;
	str_addf(&c->limits, "%s%" PRIu64 " %s", c->limits.len ? ", " : "", shown[which],
		 limits[which].what);
	return 0;
}

/* "memory, cpu: why; pids: why else" */
void cgroup_vm_make(const char *name, const struct cgroup_limits *want, struct cgroup_vm *c)
{
	const bool v2 = is_v2();
	struct err last = ERR_INIT;

	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		struct err e = ERR_INIT;

		if (make_one(i, v2, name, want, c, &e) == 0)
			continue;
		if (err_is_set(&last) && strcmp(last.msg, e.msg) == 0)
			str_addf(&c->missing, ", %s", limits[i].controller);
		else if (err_is_set(&last))
			str_addf(&c->missing, ": %.200s; %s", last.msg, limits[i].controller);
		else
			str_add(&c->missing, limits[i].controller);
		last = e;
	}
	if (err_is_set(&last))
		str_addf(&c->missing, ": %.200s", last.msg);
}

void cgroup_vm_release(struct cgroup_vm *c)
{
	for (size_t i = 0; i < c->nprocs; i++)
		fd_close(c->procs[i]);
	fd_close(take_fd(&c->folder));
	str_release(&c->limits);
	str_release(&c->missing);
	c->nprocs = 0;
}

/* ---- out of memory ------------------------------------------------------------------------------- */

/* "oom_kill 1" among the lines of memory.events (v2) or memory.oom_control (v1). */
bool cgroup_vm_ran_out(const char *name)
{
	static const char key[] = "oom_kill ";
	const bool v2 = is_v2();
	auto_free char *folder = vm_folder(&limits[LIMIT_MEMORY], v2, name);
	auto_free char *path = NULL;
	auto_str struct str text = STR_INIT(TEXT_MAX);
	auto_strv struct strv lines = STRV_INIT;
	struct err ignored = ERR_INIT;

	if (!folder)
		return false;
	path = xasprintf("%s/%s", folder, v2 ? "memory.events" : "memory.oom_control");
	if (file_read(AT_FDCWD, path, &text, &ignored) < 0)
		return false;
	strv_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.n; i++)
		if (strncmp(lines.v[i], key, sizeof(key) - 1) == 0)
			return strcmp(lines.v[i] + sizeof(key) - 1, "0") != 0;
	return false;
}

/* ---- of any container ---------------------------------------------------------------------------- */

const char *const cgroup_places[] = {
	"/sys/fs/cgroup/kvbox",
	"/sys/fs/cgroup/unified/kvbox",
	"/sys/fs/cgroup/kvbox-vm",
	"/sys/fs/cgroup/memory/kvbox-vm",
	"/sys/fs/cgroup/cpu/kvbox-vm",
	"/sys/fs/cgroup/pids/kvbox-vm",
	NULL,
};

static int sweep(void *ctx, const char *name, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s", (const char *)ctx, name);
	struct stat st;

	(void)e;
	/* One that was made just now is about to be used. It takes no removal while somebody is in it. */
	if (hex_is(name, NAME_LEN) && stat(path, &st) == 0 &&
	    st.st_mtime + SWEEP_AGE < time(NULL) && rmdir(path) == 0)
		log_debug("removed the cgroup '%s'", path);
	return 0;
}

void cgroup_sweep(void)
{
	for (const char *const *place = cgroup_places; *place; place++) {
		struct err ignored = ERR_INIT;

		if (file_exists(AT_FDCWD, *place) &&
		    dir_each(AT_FDCWD, *place, sweep, (void *)(uintptr_t)*place, &ignored) < 0)
			log_debug("%s", ignored.msg);
	}
}
