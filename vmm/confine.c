/* SPDX-License-Identifier: Apache-2.0 */
/* See confine.h. What a host may refuse is in `struct confine_plan`; everything else is made anew from it for each
 * try, so that paths, owners and arguments always fit together. */
#include "vmm/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "vmm/confine_priv.h"
#include "vmm/driver.h"

#define FOLDER "v" /* in the run folder */
#define INSIDE "/vm"

struct confine {
	const struct vmm_driver *driver;
	struct vmm_spec outer, inner;
	struct confine_host host;
	struct confine_plan plan;
	char *binary; /* resolved */
	char *limits;
	uid_t uid;
	int lease; /* -1: none */
	int folder;
	/* All that `inner` points to. */
	struct vmm_disk *disks;
	struct vmm_file *files;
	struct strv names;
	struct confine_paths paths;
};

static void forget(struct confine *c)
{
	fd_close(take_fd(&c->folder));
	free(take_ptr(&c->disks));
	free(take_ptr(&c->files));
	strv_release(&c->names);
	confine_paths_release(&c->paths);
}

void confine_close(struct confine *c)
{
	if (!c)
		return;
	forget(c);
	fd_close(c->lease);
	free(c->binary);
	free(c->limits);
	free(c);
}

const struct vmm_spec *confine_spec(const struct confine *c)
{
	return &c->inner;
}

/* ---- files and their names ----------------------------------------------------------------------- */

/* The name by which the VMM finds a file; it may be reached there. */
static const char *name_file(struct confine *c, const char *path, const char *inside,
			     unsigned access)
{
	confine_paths_add(&c->paths, CONFINE_BIND, path, inside, access);
	if (!c->plan.root)
		return path;
	strv_add(&c->names, inside);
	return c->names.v[c->names.n - 1];
}

/* A file that only this VM has belongs to its user; one that is only read has to be readable for all: others
 * do not get to it, as the store's folders are closed to them. */
static int grant(const struct confine *c, const char *path, bool own, struct err *e)
{
	uid_t uid = c->plan.change_user ? c->uid : 0;
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(path, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	if (own && (st.st_uid != uid || st.st_gid != uid) && chown(path, uid, uid) < 0)
		return err_sys(e, "cannot give '%s' to the VMM's user", path);
	if (own || !c->plan.change_user || st.st_mode & S_IROTH)
		return 0;
	return err_set(e, ERR_DENIED, "'%s' is not readable for all", path);
}

/* Layers and chain images of stores that were made by earlier versions. */
static int open_up(const struct confine *c, const char *path, struct err *e)
{
	struct stat st;

	if (c->plan.change_user && stat(path, &st) == 0 && st.st_uid == 0 &&
	    !(st.st_mode & S_IROTH) && chmod(path, (st.st_mode & 07777) | 0444) < 0)
		return err_sys(e, "cannot make '%s' readable", path);
	return grant(c, path, false, e);
}

static int add_disk_file(struct confine *c, const struct vmm_disk *d, size_t i,
			 struct vmm_file *ret, struct err *e)
{
	const struct vmm_file *f = &d->files[i];
	auto_free char *inside = vmm_disk_is_joined(d) ? xasprintf(INSIDE "/%s.%zu", d->serial, i)
						       : xasprintf(INSIDE "/%s", d->serial);
	const unsigned writable = d->readonly ? 0 : CONFINE_MAY_WRITE;

	if (d->readonly ? open_up(c, f->path, e) < 0 : grant(c, f->path, true, e) < 0)
		return -1;
	ret->path = name_file(c, f->path, inside, CONFINE_MAY_READ | writable);
	ret->size = f->size;
	return 0;
}

static int add_disks(struct confine *c, struct err *e)
{
	const struct vmm_spec *s = &c->outer;
	size_t total = 0, at = 0;

	for (size_t i = 0; i < s->ndisks; i++)
		total += s->disks[i].nfiles;
	c->disks = xcalloc(s->ndisks + 1, sizeof(*c->disks));
	c->files = xcalloc(total + 1, sizeof(*c->files));
	for (size_t i = 0; i < s->ndisks; i++) {
		c->disks[i] = s->disks[i];
		c->disks[i].files = &c->files[at];
		for (size_t j = 0; j < s->disks[i].nfiles; j++)
			if (add_disk_file(c, &s->disks[i], j, &c->files[at++], e) < 0)
				return -1;
	}
	c->inner.disks = c->disks;
	return 0;
}

static int add_read_only(struct confine *c, const char *path, const char *inside, const char **ret,
			 struct err *e)
{
	if (!path)
		return 0;
	if (grant(c, path, false, e) < 0)
		return -1;
	*ret = name_file(c, path, inside, CONFINE_MAY_READ);
	return 0;
}

/* An empty folder, whatever an earlier start left there. */
static int make_folder(struct confine *c, struct err *e)
{
	uid_t uid = c->plan.change_user ? c->uid : geteuid();
	gid_t gid = c->plan.change_user ? c->uid : getegid();

	if (dir_remove_tree(c->outer.run_fd, FOLDER, e) < 0)
		return -1;
	if (mkdirat(c->outer.run_fd, FOLDER, 0700) < 0 ||
	    fchownat(c->outer.run_fd, FOLDER, uid, gid, 0) < 0)
		return err_sys(e, "cannot make the VMM's folder");
	if (fd_open_dir(c->outer.run_fd, FOLDER, &c->folder, e) < 0)
		return -1;
	c->inner.run_fd = c->folder;
	strv_addf(&c->names, "%s/" FOLDER, c->plan.root ? INSIDE : c->outer.run_path);
	c->inner.run_path = c->names.v[c->names.n - 1];
	return 0;
}

static int prepare_files(struct confine *c, struct err *e)
{
	const struct vmm_spec *s = &c->outer;

	if (confine_paths_add_program(&c->paths, c->binary, c->driver->data_folders, e) < 0)
		return -1;
	confine_paths_add_devices(&c->paths, s->kvm);
	if (c->plan.root)
		confine_paths_add(&c->paths, CONFINE_PROCFS, "proc", "/proc", 0);
	if (add_read_only(c, s->kernel, INSIDE "/kernel", &c->inner.kernel, e) < 0 ||
	    add_read_only(c, s->initramfs, INSIDE "/initramfs", &c->inner.initramfs, e) < 0 ||
	    add_read_only(c, s->pad, INSIDE "/pad", &c->inner.pad, e) < 0)
		return -1;
	return add_disks(c, e);
}

static int prepare(struct confine *c, struct err *e)
{
	struct err why = ERR_INIT;

	forget(c);
	c->inner = c->outer;
	c->inner.binary = c->binary;
	c->inner.confine = c;
	if (prepare_files(c, &why) == 0)
		return make_folder(c, e);
	if (!c->plan.change_user)
		return err_move(e, &why);
	/* All of it belongs to root as long as it was not given away. */
	confine_plan_note(&c->plan, CONFINE_USER, why.msg);
	c->plan.change_user = false;
	return prepare(c, e);
}

int confine_open(const struct vmm_driver *d, const struct vmm_spec *spec, struct confine **ret,
		 struct err *e)
{
	struct confine *c = xcalloc(1, sizeof(*c));
	struct err why = ERR_INIT;

	c->driver = d;
	c->outer = *spec;
	c->host = *spec->confine_host;
	c->limits = xstrdup(c->host.limits ? c->host.limits : "");
	c->lease = c->folder = -1;
	confine_plan_init(&c->plan);
	if (c->host.no_limits && *c->host.no_limits)
		confine_plan_note(&c->plan, CONFINE_CGROUP, c->host.no_limits);
	c->binary = realpath(spec->binary, NULL);
	if (!c->binary) {
		err_sys(e, "cannot find '%s'", spec->binary);
		confine_close(c);
		return -1;
	}
	if (c->plan.change_user &&
	    confine_lease_uid(c->host.run_root, &c->uid, &c->lease, &why) < 0) {
		c->plan.change_user = false;
		confine_plan_note(&c->plan, CONFINE_USER, why.msg);
	}
	if (prepare(c, e) < 0) {
		confine_close(c);
		return -1;
	}
	*ret = c;
	return 0;
}

/* ---- starting ------------------------------------------------------------------------------------ */

static int place(void *ctx, pid_t pid)
{
	const struct confine_host *host = ctx;
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);
	int error = 0;

	for (size_t i = 0; i < host->ncgroup_procs; i++)
		if (write(host->cgroup_procs[i], text, (size_t)n) < 0)
			error = errno;
	return error;
}

/* Nothing of ours, but the way to libraries that are not where they are looked for. */
static void make_environment(struct strv *env)
{
	const char *folders = getenv("LD_LIBRARY_PATH");

	strv_add(env, "PATH=/usr/bin:/bin");
	strv_add(env, "HOME=/");
	if (folders)
		strv_addf(env, "LD_LIBRARY_PATH=%s", folders);
}

int vmm_spawn(const struct vmm_spec *spec, const struct spawn *s, unsigned flags, struct proc *ret,
	      struct err *e)
{
	struct confine *c = spec->confine;
	struct sock_filter filter[CONFINE_FILTER_MAX];
	auto_strv struct strv env = STRV_INIT;
	auto_free char *folder = NULL;
	struct confinement how = { .landlock = true, .filter = filter };
	struct spawn mine = *s;

	if (!c)
		return spawn_start(s, ret, e);
	folder = xasprintf("%s/" FOLDER, c->outer.run_path);
	confine_paths_add(&c->paths, CONFINE_BIND, folder, INSIDE "/" FOLDER,
			  flags & VMM_SPAWN_RW_FOLDER
				  ? CONFINE_MAY_READ | CONFINE_MAY_WRITE | CONFINE_MAY_CREATE
				  : CONFINE_MAY_READ);
	if (flags & VMM_SPAWN_LIST_ROOT)
		confine_paths_add(&c->paths, CONFINE_RULE, "/", "/", CONFINE_MAY_LIST);
	confine_plan_apply(&c->plan, &how);
	how.uid = how.gid = c->uid;
	how.paths = c->paths.v;
	how.npaths = c->paths.n;
	how.filter_length = confine_filter(flags, filter);
	how.place = c->host.ncgroup_procs ? place : NULL;
	how.ctx = &c->host;
	make_environment(&env);
	mine.cgroup = c->host.cgroup;
	if (!mine.envp)
		mine.envp = strv_args(&env);
	return spawn_confined(&mine, &how, ret, &c->plan.result, e);
}

/* What the host refuses goes, and what depends on it. */
bool confine_weaken(struct confine *c, struct err *e)
{
	struct err why = ERR_INIT;

	if (!confine_plan_weaken(&c->plan, e) || prepare(c, &why) < 0)
		return false;
	err_clear(e);
	return true;
}

int confine_give(struct confine *c, int dirfd, const char *name, struct err *e)
{
	if (c && c->plan.change_user &&
	    fchownat(dirfd, name, c->uid, c->uid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot give '%s' to the VMM's user", name);
	return 0;
}

/* ---- files that come later ----------------------------------------------------------------------- */

bool confine_shows(const struct confine *c)
{
	return c && c->plan.root;
}

/* No serial has such a sign, and no file that a driver makes there begins with it. */
static char *shown_as(const char *serial)
{
	return xasprintf(INSIDE "/" FOLDER "/+%s", serial);
}

int confine_show(const struct confine *c, const struct proc *p, const struct vmm_disk *disk,
		 char **ret, struct err *e)
{
	struct confine_path path = { .kind = CONFINE_BIND, .source = disk->files[0].path };
	auto_free char *inside = shown_as(disk->serial);

	if (!c) {
		*ret = xstrdup(path.source);
		return 0;
	}
	if (!confine_shows(c))
		return err_set(e, ERR_INVALID,
			       "the VMM cannot be shown a file: it has no root folder of its own");
	path.target = inside;
	path.access = CONFINE_MAY_READ | (disk->readonly ? 0u : (unsigned)CONFINE_MAY_WRITE);
	if ((disk->readonly ? open_up(c, path.source, e) : grant(c, path.source, true, e)) < 0 ||
	    spawn_confined_show(p, c->plan.user_namespace, &path, e) < 0)
		return -1;
	*ret = take_ptr(&inside);
	return 0;
}

int confine_hide(const struct confine *c, const struct proc *p, const char *serial, struct err *e)
{
	auto_free char *inside = shown_as(serial);

	return c ? spawn_confined_hide(p, c->plan.user_namespace, inside, e) : 0;
}

/* ---- what became of it --------------------------------------------------------------------------- */

void confine_report(const struct confine *c, struct str *ret)
{
	const struct confine_result *r = &c->plan.result;
	struct json_writer w;

	jw_init(&w, ret, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "User", c->plan.change_user ? (int64_t)c->uid : (int64_t)geteuid());
	jw_begin_array(&w, "Applied");
	for (int i = 0; i < CONFINE_STEP_COUNT; i++)
		if (confine_plan_applied(&c->plan, (enum confine_step)i))
			jw_str(&w, NULL, confine_step_name((enum confine_step)i));
	jw_end(&w);
	jw_begin_object(&w, "Missing");
	for (int i = 0; i < CONFINE_STEP_COUNT; i++) {
		const char *why = confine_plan_missing(&c->plan, (enum confine_step)i);

		if (why)
			jw_str(&w, confine_step_name((enum confine_step)i), why);
	}
	jw_end(&w);
	jw_int(&w, "LandlockAbi", r->landlock_abi);
	jw_str(&w, "Limits", r->error[CONFINE_CGROUP] == 0 ? c->limits : "");
	jw_end(&w);
}
