/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/container_priv.h"
#include "engine/gc.h"

/* Whether the process lives that is at it. */
static bool is_at_work(const char *data)
{
	auto_strv struct strv words = STRV_INIT;
	struct proc p = PROC_INIT;
	struct err ignored = ERR_INIT;
	uint64_t pid, start;

	strv_split(&words, data ? data : "", ' ');
	if (words.n != 2 || parse_u64(words.v[0], INT32_MAX, &pid, &ignored) < 0 ||
	    parse_u64(words.v[1], UINT64_MAX, &start, &ignored) < 0 ||
	    proc_open((pid_t)pid, start, &p, &ignored) < 0)
		return false;
	proc_release(&p);
	return true;
}

/* Under op: a restart that died between stop and start. As long as the container runs it ends as --rm says, by
 * itself, unless the monitor was just about to keep it: so the intent stays until then. */
static int undo_restart(struct container_lock *l, struct err *e)
{
	struct err why = ERR_INIT;

	if (row_load(l->store, l->row.id, &l->row, &why) < 0 && why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	if (!err_is_set(&why) && state_is_active(l->row.state))
		return 0;
	return container_remove_locked(l, e);
}

struct undo {
	const char *kind;
	int (*run)(struct container_lock *l, struct err *e);
	bool by_process; /* the data tells whose it is */
};
static const struct undo undos[] = {
	{ INTENT_REMOVE, container_remove_locked, false },
	{ INTENT_RESTART, undo_restart, true },
};

/* NULL: of a newer version, or of another module. */
static const struct undo *find_undo(const struct intent *intent)
{
	for (size_t i = 0; i < ARRAY_LEN(undos); i++) {
		if (str_eq(intent->kind, undos[i].kind))
			return &undos[i];
	}
	return NULL;
}

static int recover(struct store *s, const struct intent *intent, struct err *e)
{
	const struct undo *undo = find_undo(intent);
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	auto_stmt struct stmt st = STMT_INIT;
	int r;

	if (!undo || !hex_is(intent->subject, ID_TEXT_SIZE - 1) ||
	    (undo->by_process && is_at_work(intent->data)))
		return 0;
	r = container_try_op(s, intent->subject, &l, e);
	if (r <= 0)
		return r; /* whoever holds it is at work */
	snprintf(l.row.id, sizeof(l.row.id), "%s", intent->subject);
	/* It may have been done between our look and our lock. */
	stmt_prepare(&st, store_db(s), "SELECT 1 FROM intents WHERE id = ?");
	stmt_bind_int(&st, 1, intent->id);
	r = stmt_step(&st, e);
	stmt_release(&st);
	if (r > 0)
		return undo->run(&l, e);
	if (r == 0 && row_load(s, intent->subject, &l.row, e) < 0 && e->kind == ERR_NOT_FOUND) {
		/* Locking made the folder anew. */
		err_clear(e);
		r = rundir_remove(store_paths(s), &l.dir, e);
	}
	return r;
}

static void recover_intents(struct store *s, const struct intent *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;

		if (recover(s, &v[i], &why) < 0)
			log_debug("cannot undo %s of %.12s: %s", v[i].kind, v[i].subject, why.msg);
	}
}

/* ---- files of dead writers ---- */

static int found_one(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	*(bool *)ctx = true;
	return 0;
}

/* Anything in tmp/ may be the mark or the work of somebody who is dead now
 * (store_collector_lock). */
static bool is_marked(struct store *s)
{
	struct err ignored = ERR_INIT;
	bool found = false;

	(void)!dir_each(store_paths(s)->root_fd, DIR_TMP, found_one, &found, &ignored);
	return found;
}

/* Run folders end with the machine, so without this file nobody has looked since it came up. */
#define BOOTED_FILE "booted"

static int collect(struct store *s, struct err *e)
{
	const struct paths *p = store_paths(s);
	bool booted = p->run_fd >= 0 && file_exists(p->run_fd, BOOTED_FILE);
	auto_close int fd = -1;
	int r;

	if (booted && !is_marked(s))
		return 0;
	r = gc_run(s, false, NULL, e);
	if (r <= 0 || booted)
		return r < 0 ? -1 : 0;
	return fd_open(p->run_fd, BOOTED_FILE, O_WRONLY | O_CREAT, 0600, &fd, e);
}

int store_recover(struct store *s, struct err *e)
{
	struct err why = ERR_INIT;
	struct intent *v;
	size_t n;

	if (!db_exists(store_db(s)))
		return 0;
	if (intent_list(s, NULL, &v, &n, e) < 0)
		return -1;
	recover_intents(s, v, n);
	intent_list_free(v, n);
	if (collect(s, &why) < 0)
		log_debug("cannot collect: %s", why.msg);
	return 0;
}
