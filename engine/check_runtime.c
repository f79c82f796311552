/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lives or lies about outside the store: run folders, VMs and cgroups.
 *
 * Cgroups are shared by all stores of the machine (<cgroup v2>/kvbox/<12 hex>), so one that is
 * not named after a container of this store counts as ours only when a process in it says so:
 * monitors have KVBOX_RUNROOT in their environment.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/cgroup.h"
#include "engine/check_priv.h"
#include "engine/container_priv.h"

#define NAME_LEN      (RUNDIR_NAME_SIZE - 1)
#define PROC_TEXT_MAX ((size_t)1 << 20)

struct walk {
	struct checking *check;
	const char *place; /* of cgroups */
};

/* The container whose id begins with the 12 digits: 1 and its row, or 0. */
static int find_row(struct store *s, const char *name, struct container *ret, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	int r;

	stmt_prepare(&st, store_db(s),
		     "SELECT " CONTAINER_COLUMNS
		     " FROM containers WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 1");
	stmt_bind_text(&st, 1, name);
	r = stmt_step(&st, e);
	return r <= 0 ? r : row_fill(&st, ret, e) < 0 ? -1 : 1;
}

/* Under op: nobody is at work there. */
static int check_locked(struct checking *c, struct container_lock *l, struct err *e)
{
	struct err why = ERR_INIT;
	int r = find_row(c->store, l->dir.name, &l->row, e);
	int vm = r < 0 ? -1 : rundir_vm(&l->dir, e);

	if (vm < 0)
		return -1;
	if (r > 0 && (state_is_active(l->row.state) || vm == 0))
		return 0;
	if (r > 0) {
		r = c->check->repair ? container_kill_survivors(l, &why) : 0;
		check_leftover(c, r, &why, "container %s (%s) does not run, but its VM does",
			       l->dir.name, l->row.name);
		return 0;
	}
	/* A monitor that lives on for its last client while the container is gone has no folder. */
	if (c->check->repair) {
		r = container_kill_survivors(l, &why);
		if (r == 0)
			r = rundir_remove(store_paths(c->store), &l->dir, &why);
	}
	check_leftover(c, r, &why, "run folder '%s/%s' belongs to no container",
		       store_paths(c->store)->runroot, l->dir.name);
	return 0;
}

static int check_rundir(void *ctx, const char *name, struct err *e)
{
	struct walk *w = ctx;
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	auto_container struct container row = CONTAINER_INIT;
	int r;

	if (!hex_is(name, NAME_LEN))
		return 0;
	/* A container that does or may run is nobody's leftover, and its lock not ours to take. */
	r = find_row(w->check->store, name, &row, e);
	if (r < 0)
		return -1;
	if (r > 0 && state_is_active(row.state))
		return 0;
	r = container_try_op(w->check->store, name, &l, e);
	return r <= 0 ? r : check_locked(w->check, &l, e);
}

/* ---- cgroups ---- */

static bool process_is_ours(struct checking *c, const char *pid)
{
	auto_str struct str env = STR_INIT(PROC_TEXT_MAX);
	auto_free char *want = xasprintf("KVBOX_RUNROOT=%s", store_paths(c->store)->runroot);
	struct err ignored = ERR_INIT;
	char path[64];
	size_t n = strlen(want) + 1;

	snprintf(path, sizeof(path), "/proc/%.20s/environ", pid);
	if (file_read(AT_FDCWD, path, &env, &ignored) < 0)
		return false;
	for (size_t at = 0; at + n <= env.len; at += strlen(env.buf + at) + 1) {
		if (memcmp(env.buf + at, want, n) == 0)
			return true;
	}
	return false;
}

/* Whether the cgroup has processes, and whether one of them is of this store. */
static void look_into(struct checking *c, const char *path, bool *ret_used, bool *ret_ours)
{
	auto_str struct str text = STR_INIT(PROC_TEXT_MAX);
	auto_strv struct strv pids = STRV_INIT;
	auto_free char *procs = xasprintf("%s/cgroup.procs", path);
	struct err ignored = ERR_INIT;

	*ret_used = *ret_ours = false;
	if (file_read(AT_FDCWD, procs, &text, &ignored) < 0)
		return;
	strv_split(&pids, text.buf, '\n');
	for (size_t i = 0; i < pids.n; i++) {
		*ret_used |= pids.v[i][0] != 0;
		*ret_ours |= pids.v[i][0] && process_is_ours(c, pids.v[i]);
	}
}

/* Under op and without an active row. */
static int clear_cgroup(struct container_lock *l, const char *path, struct err *e)
{
	if (container_kill_survivors(l, e) < 0)
		return -1;
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", path);
	return 0;
}

static int check_cgroup(void *ctx, const char *name, struct err *e)
{
	struct walk *w = ctx;
	struct checking *c = w->check;
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	auto_free char *path = NULL;
	struct err why = ERR_INIT;
	bool used, ours;
	int known, r;

	if (!hex_is(name, NAME_LEN))
		return 0;
	path = xasprintf("%s/%s", w->place, name);
	look_into(c, path, &used, &ours);
	known = find_row(c->store, name, &l.row, e);
	if (known < 0)
		return -1;
	if (known ? state_is_active(l.row.state) : !ours)
		return 0;
	container_release(&l.row);
	r = container_try_op(c->store, name, &l, e);
	if (r <= 0)
		return r;
	known = find_row(c->store, name, &l.row, e);
	if (known < 0)
		return -1;
	if (known && state_is_active(l.row.state))
		return 0;
	r = c->check->repair ? clear_cgroup(&l, path, &why) : 0;
	check_leftover(c, r, &why, "cgroup '%s' %s", path,
		       used ? "has processes of a container that does not run" : "is left over");
	if (!known) {
		err_clear(&why);
		(void)!rundir_remove(store_paths(c->store), &l.dir, &why);
	}
	return 0;
}

int check_runtime(struct checking *c, struct err *e)
{
	struct walk w = { c, NULL };

	if (store_paths(c->store)->run_fd >= 0 &&
	    dir_each(store_paths(c->store)->run_fd, ".", check_rundir, &w, e) < 0)
		return -1;
	for (const char *const *place = cgroup_places; *place; place++) {
		w.place = *place;
		if (file_exists(AT_FDCWD, *place) &&
		    dir_each(AT_FDCWD, *place, check_cgroup, &w, e) < 0)
			return -1;
	}
	return 0;
}
