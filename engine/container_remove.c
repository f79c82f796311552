/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container.h"

#include "base/fd.h"
#include "base/log.h"
#include "engine/container_priv.h"
#include "engine/finish.h"

int container_begin_remove(struct container_lock *l, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(l->store));
	auto_tx struct tx tx = TX_INIT;

	if (l->row.state == ST_REMOVING)
		return 0;
	if (container_begin_tx(l, &tx, e) < 0 ||
	    container_set_state(l->store, &l->row, EV_REMOVE, NULL, false, e) < 0 ||
	    intent_add(l->store, INTENT_REMOVE, l->row.id, NULL, NULL, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

static int run_with_id(struct store *s, const char *sql, const char *id, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(s), sql);
	stmt_bind_text(&st, 1, id);
	return stmt_run(&st, e);
}

static int delete_intents(struct store *s, const char *id, struct err *e)
{
	return run_with_id(s, "DELETE FROM intents WHERE subject = ?", id, e);
}

/* Of a container whose run folder is there still only an intent tells. */
static int settle_intents(struct container_lock *l, bool emptied, struct err *e)
{
	if (emptied)
		return delete_intents(l->store, l->row.id, e);
	if (l->row.state == ST_REMOVING)
		return 0;
	return intent_add(l->store, INTENT_REMOVE, l->row.id, NULL, NULL, e);
}

/* Lazy: should a power cut bring the row back, what tells of its removal comes back with it. *ret_deleted: there was a
 * row, which another command may have deleted: the run folder is gone, and with it our lock. */
static int delete_rows(struct container_lock *l, bool emptied, bool *ret_deleted, struct err *e)
{
	struct store *s = l->store;
	auto_tx struct tx tx = TX_INIT;
	bool deleted;

	if (tx_begin_lazy(&tx, store_db(s), e) < 0 ||
	    run_with_id(s, "DELETE FROM containers WHERE id = ?", l->row.id, e) < 0)
		return -1;
	deleted = db_changes(store_db(s)) > 0;
	if (run_with_id(s,
			"DELETE FROM sandboxes WHERE id = ?1"
			" AND NOT EXISTS (SELECT 1 FROM containers WHERE sandbox = ?1)",
			l->row.id, e) < 0 ||
	    settle_intents(l, emptied, e) < 0 || tx_commit(&tx, e) < 0)
		return -1;
	*ret_deleted = deleted;
	return 0;
}

/* Without a row only the intents still tell that there is a run folder. */
static int remove_rundir(struct container_lock *l, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (rundir_remove(store_paths(l->store), &l->dir, e) < 0 ||
	    tx_begin_lazy(&tx, store_db(l->store), e) < 0 ||
	    delete_intents(l->store, l->row.id, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

int container_remove_locked(struct container_lock *l, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(l->store));
	struct err why = ERR_INIT;

	/* What the caller has in hand may stem from a transaction that failed. */
	if (row_load(l->store, l->row.id, &l->row, &why) < 0) {
		if (why.kind != ERR_NOT_FOUND)
			return err_move(e, &why);
		l->row.state = ST_NONE;
		return remove_rundir(l, e);
	}
	return container_remove_known(l, e);
}

int container_remove_ended(struct container_lock *l, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(l->store));
	struct err why = ERR_INIT;
	char path[PATH_NAME_SIZE];
	bool deleted, emptied;

	path_container(l->row.id, NULL, path);
	if (dir_remove_tree(store_paths(l->store)->root_fd, path, e) < 0)
		return err_wrap(e, "cannot remove container %.12s", l->row.id);
	/* The container goes all the same. An intent stays for a folder that could not be removed. */
	emptied = rundir_remove(store_paths(l->store), &l->dir, &why) == 0;
	if (!emptied)
		log_debug("%s", why.msg);
	if (delete_rows(l, emptied, &deleted, e) < 0)
		return err_wrap(e, "cannot remove container %.12s", l->row.id);
	if (deleted)
		container_event(l->store, &l->row, "destroy");
	l->row.state = ST_NONE;
	return 0;
}

int container_remove_known(struct container_lock *l, struct err *e)
{
	return container_begin_remove(l, e) < 0 ? -1 : container_remove_ended(l, e);
}

static int refuse(struct store *s, struct container *c, struct err *e)
{
	container_overlay(s, c);
	if (c->state == ST_PAUSED)
		return err_set(e, ERR_CONFLICT,
			       "cannot remove container \"/%s\": container is paused and must be"
			       " unpaused first",
			       c->name);
	return err_set(e, ERR_CONFLICT,
		       "cannot remove container \"/%s\": container is %s: stop the container before"
		       " removing or force remove",
		       c->name, c->state == ST_RESTARTING ? "restarting" : "running");
}

int container_remove(struct store *s, const char *id, unsigned int flags, struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;

	if (container_lock(s, id, &l, e) < 0)
		return -1;
	if (state_is_active(l.row.state)) {
		if (!(flags & REMOVE_FORCE))
			return refuse(s, &l.row, e);
		if (container_kill_survivors(&l, e) < 0 || container_finish_locked(&l, e) < 0)
			return -1;
	}
	/* An auto_remove container went with its end. */
	return l.row.state == ST_NONE ? 0 : container_remove_known(&l, e);
}
