/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/container_priv.h"
#include "engine/gc.h"

/* Under op: a creation that did not come to its row. */
static int undo_create(struct container_lock *l, struct err *e)
{
	char path[PATH_NAME_SIZE];

	path_container(l->row.id, NULL, path);
	if (dir_remove_tree(store_paths(l->store)->root_fd, path, e) < 0 ||
	    rundir_remove(store_paths(l->store), &l->dir, e) < 0)
		return -1;
	return intent_end_subject(l->store, INTENT_CREATE, l->row.id, e);
}

/* Under op: a `run --rm` that died before its start. */
static int undo_run(struct container_lock *l, struct err *e)
{
	struct err why = ERR_INIT;

	if (row_load(l->store, l->row.id, &l->row, &why) < 0 && why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	if (l->row.state == ST_CREATED || err_is_set(&why))
		return container_remove_locked(l, e);
	return intent_end_subject(l->store, INTENT_RUN, l->row.id, e);
}

struct undo {
	const char *kind;
	int (*run)(struct container_lock *l, struct err *e);
};
static const struct undo undos[] = {
	{ INTENT_CREATE, undo_create },
	{ INTENT_REMOVE, container_remove_locked },
	{ INTENT_RUN, undo_run },
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

	if (!undo || !hex_is(intent->subject, ID_TEXT_SIZE - 1))
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
