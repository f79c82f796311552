/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows, locks and states of containers. How the life of one goes, and what a kill at each step
 * leaves:
 *
 * Creation: mark of a writer (store.h) - folder - run folder, `op` - config.json, disk - row. Until the commit the
 * container does not exist; the mark tells that there are folders to collect, which no row names.
 *
 * Start: `op` - state "starting" (committed; `run` makes the row with it) - monitor spawned, holds `alive` - `op`
 * free. Killed before the monitor lives: an active row without `alive`, which the next look at it finishes.
 *
 * End: the monitor's last state.json - the command that waits, or `kvbox finish`: `op`, result into
 * the row (committed), files of the run folder removed. Killed anywhere: the row is active still and
 * `alive` free, or only files are left in the run folder, which the next start or the removal takes
 * away. With --rm nothing is folded in: files, run folder, and then the row are removed. Killed anywhere: the row is
 * active still, and whoever meets it goes on.
 *
 * Removal: state "removing" and an intent (one commit) - files - run folder - row and intent deleted
 * (one commit). Killed anywhere: the intent tells to go on. Between the last two another command may
 * make the run folder anew, and do the same; who deletes the row tells of it.
 */
#include "engine/container.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "engine/container_priv.h"
#include "engine/eventlog.h"
#include "engine/finish.h"
#include "engine/state.h"

void container_release(struct container *c)
{
	free(c->name);
	free(c->error);
	free(c->health);
	free(c->image_id);
	free(c->image_ref);
	free(c->command);
	strv_release(&c->labels);
	*c = (struct container)CONTAINER_INIT;
}

/* ---- rows ---- */

struct labels_doc {
	struct strv labels;
};
static const struct json_field labels_fields[] = {
	JSON_MAP("l", true, struct labels_doc, labels),
	JSON_END,
};

/* {} is by far the most common and not worth a parser. */
static int read_labels(const char *text, struct strv *ret, struct err *e)
{
	struct labels_doc doc = { STRV_INIT };
	auto_free char *wrapped = NULL;

	if (strcmp(text, "{}") == 0)
		return 0;
	wrapped = xasprintf("{\"l\":%s}", text);
	if (json_read_text(wrapped, strlen(wrapped), labels_fields, &doc, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "labels of a container are damaged");
	}
	*ret = doc.labels;
	return 0;
}

int row_fill(struct stmt *st, struct container *c, struct err *e)
{
	int64_t state = stmt_int(st, 2);
	const char *id = stmt_text0(st, 0);

	container_release(c);
	if (!hex_is(id, ID_TEXT_SIZE - 1) || !state_is_valid(state))
		return err_set(e, ERR_CORRUPT, "the row of container '%.64s' is damaged", id);
	memcpy(c->id, id, ID_TEXT_SIZE);
	c->name = xstrdup(stmt_text0(st, 1));
	c->state = (enum state)state;
	c->created_ns = stmt_int(st, 3);
	c->started_ns = stmt_int(st, 4);
	c->finished_ns = stmt_int(st, 5);
	c->exit_code = (int)stmt_int(st, 6);
	c->oom = stmt_int(st, 7) != 0;
	c->error = xstrdup(stmt_text0(st, 8));
	c->auto_remove = stmt_int(st, 9) != 0;
	c->image_id = xstrdup(stmt_text0(st, 10));
	c->image_ref = xstrdup(stmt_text0(st, 11));
	c->command = xstrdup(stmt_text0(st, 12));
	c->restart_count = stmt_int(st, 14);
	c->health = xstrdup(stmt_text0(st, 15));
	return read_labels(stmt_text0(st, 13), &c->labels, e);
}

int row_load(struct store *s, const char *id, struct container *ret, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	auto_container struct container c = CONTAINER_INIT;
	int r;

	stmt_prepare(&st, store_db(s), "SELECT " CONTAINER_COLUMNS " FROM containers WHERE id = ?");
	stmt_bind_text(&st, 1, id);
	r = stmt_step(&st, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NOT_FOUND, "No such container: %s", id);
	if (row_fill(&st, &c, e) < 0)
		return -1;
	container_release(ret);
	*ret = c;
	c = (struct container)CONTAINER_INIT;
	return 0;
}

static int update_row(struct store *s, const struct container *c, enum state to,
		      const struct row_change *change, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(s),
		     "UPDATE containers SET state = ?3, started_ns = ?4, finished_ns = ?5,"
		     " exit_code = ?6, oom = ?7, error = ?8, restart_count = ?9, health = ?10"
		     " WHERE id = ?1 AND state = ?2");
	stmt_bind_text(&st, 1, c->id);
	stmt_bind_int(&st, 2, c->state);
	stmt_bind_int(&st, 3, to);
	stmt_bind_int(&st, 4, change->started_ns ? change->started_ns : c->started_ns);
	stmt_bind_int(&st, 5, change->finished_ns ? change->finished_ns : c->finished_ns);
	stmt_bind_int(&st, 6, change->has_result ? change->exit_code : c->exit_code);
	stmt_bind_int(&st, 7, change->has_result ? change->oom : c->oom);
	stmt_bind_text(&st, 8, change->has_result ? change->error : c->error);
	stmt_bind_int(&st, 9, change->has_run ? change->restart_count : c->restart_count);
	stmt_bind_text(&st, 10, change->has_run ? change->health : c->health);
	if (stmt_run(&st, e) < 0)
		return -1;
	if (db_changes(store_db(s)) != 1)
		return err_set(e, ERR_CONFLICT, "container %.12s was changed by another command",
			       c->id);
	return 0;
}

int container_set_state(struct store *s, struct container *c, enum event ev,
			const struct row_change *change, bool lazy, struct err *e)
{
	static const struct row_change nothing = { .error = NULL };
	auto_tx struct tx tx = TX_INIT;
	enum state to;

	if (!change)
		change = &nothing;
	if (state_next(c->state, ev, &to, e) < 0 ||
	    (change->removed && state_next(to, EV_REMOVE, &to, e) < 0))
		return -1;
	if ((lazy ? tx_begin_lazy(&tx, store_db(s), e) : tx_begin(&tx, store_db(s), e)) < 0 ||
	    update_row(s, c, to, change, e) < 0 || tx_commit(&tx, e) < 0)
		return -1;
	log_debug("container %.12s: %s -> %s", c->id, state_name(c->state), state_name(to));
	c->state = to;
	if (change->started_ns)
		c->started_ns = change->started_ns;
	if (change->finished_ns)
		c->finished_ns = change->finished_ns;
	if (change->has_result) {
		c->exit_code = change->exit_code;
		c->oom = change->oom;
		free(c->error);
		c->error = xstrdup(change->error);
	}
	if (change->has_run) {
		c->restart_count = change->restart_count;
		free(c->health);
		c->health = xstrdup(change->health);
	}
	return 0;
}

const char *container_health_word(const struct container *c)
{
	static const char *const words[] = { "starting", "healthy", "unhealthy" };

	/* by far the most have no check */
	if (!c->health || !*c->health)
		return "";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char want[40];

		snprintf(want, sizeof(want), "{\"Status\":\"%s\"", words[i]);
		if (str_has_prefix(c->health, want))
			return words[i];
	}
	return "";
}

void container_event(struct store *s, const struct container *c, const char *action)
{
	const struct event_container who = { c->id, c->name, c->image_ref, &c->labels };
	auto_strv struct strv extra = STRV_INIT;

	if (strcmp(action, "die") == 0)
		strv_addf(&extra, "exitCode=%d", c->exit_code);
	eventlog_add_container(store_paths(s), &who, action, &extra);
}

int container_spec_load(struct store *s, const char *id, struct container_spec *ret, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	const char *text;
	int r;

	stmt_prepare(&st, store_db(s), "SELECT doc FROM container_specs WHERE container = ?");
	stmt_bind_text(&st, 1, id);
	r = stmt_step(&st, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NOT_FOUND, "No such container: %s", id);
	text = stmt_text0(&st, 0);
	return spec_read(text, strlen(text), ret, e);
}

/* ---- the op lock ---- */

int container_try_op(struct store *s, const char *id, struct container_lock *ret, struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	int r;

	/* A run root that went with a reboot comes back with the first lock. */
	if (store_paths(s)->run_fd < 0 && paths_make(store_paths(s), e) < 0)
		return -1;
	r = rundir_lock(store_paths(s), id, false, &l.dir, e);
	if (r <= 0)
		return r;
	l.store = s;
	*ret = l;
	l = (struct container_lock)CONTAINER_LOCK_INIT;
	return 1;
}

/* A `run` that did not come to its start. */
static int take_back(struct container_lock *l, struct err *e)
{
	return l->row.auto_remove
		       ? container_remove_ended(l, e)
		       : container_set_state(l->store, &l->row, EV_FAILED, NULL, false, e);
}

void container_unlock(struct container_lock *l)
{
	struct err e = ERR_INIT;

	if (l->begun && take_back(l, &e) < 0)
		log_debug("container %.12s is not taken back yet: %s", l->row.id, e.msg);
	container_release(&l->row);
	rundir_release(&l->dir);
	*l = (struct container_lock)CONTAINER_LOCK_INIT;
}

int container_settle(struct container_lock *l, struct err *e)
{
	if (!state_is_active(l->row.state))
		return 0;
	return container_finish_locked(l, e);
}

static bool has_rundir(const struct paths *p, const char *id)
{
	char name[RUNDIR_NAME_SIZE];

	snprintf(name, sizeof(name), "%.12s", id);
	return p->run_fd >= 0 && file_exists(p->run_fd, name);
}

int container_lock(struct store *s, const char *id, struct container_lock *ret, struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
	struct err ignored = ERR_INIT;

	/* Not for an id that does not exist (any more): locking makes the folder. */
	if (!has_rundir(store_paths(s), id) && row_load(s, id, &l.row, e) < 0)
		return -1;
	if (store_paths(s)->run_fd < 0 && paths_make(store_paths(s), e) < 0)
		return -1;
	if (rundir_lock(store_paths(s), id, true, &l.dir, e) < 0)
		return -1;
	l.store = s;
	if (row_load(s, id, &l.row, e) < 0) {
		if (e->kind == ERR_NOT_FOUND)
			(void)!rundir_remove(store_paths(s), &l.dir, &ignored);
		return -1;
	}
	if (container_settle(&l, e) < 0)
		return -1;
	if (l.row.state == ST_NONE)
		return err_set(e, ERR_NOT_FOUND, "No such container: %s", id);
	*ret = l;
	l = (struct container_lock)CONTAINER_LOCK_INIT;
	return 0;
}

/* ---- start ---- */

/* How long a monitor that has ended its run may take until it is out of the way, and how often to
 * look when it does not end. */
#define LEAVE_MS      10000
#define LEAVE_STEP_MS 20
#define NS_PER_MS     1000000

/* The monitor of the run that ends, while state.json tells of it. */
static void find_monitor(struct store *s, const char *id, struct proc *ret)
{
	auto_rundir struct rundir d = RUNDIR_INIT;
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	struct err ignored = ERR_INIT;

	if (rundir_open(store_paths(s), id, false, &d, &ignored) < 0 ||
	    vmstate_read(d.fd, &state, &ignored) < 0 || state.pid <= 1 ||
	    proc_open((pid_t)state.pid, (uint64_t)state.pid_start, ret, &ignored) < 0)
		*ret = (struct proc)PROC_INIT;
}

/* Until it has ended, or a step: it may stay for clients that are slow after it has let go of `alive`. */
static void wait_for_leave(struct proc *monitor)
{
	struct pollfd p = { .fd = monitor->pidfd, .events = POLLIN };

	if (poll(&p, 1, LEAVE_STEP_MS) <= 0)
		return;
	proc_release(monitor);
	*monitor = (struct proc)PROC_INIT;
}

int container_lock_start(struct store *s, const char *id, struct container_lock *ret, struct err *e)
{
	int64_t deadline = clock_monotonic() + (int64_t)LEAVE_MS * NS_PER_MS;
	struct proc monitor;
	int alive;

	/* Before the lock: taking it may fold the run in, which removes state.json. */
	find_monitor(s, id, &monitor);
	for (;;) {
		if (container_lock(s, id, ret, e) < 0)
			break;
		alive = state_is_active(ret->row.state) ? 0 : rundir_alive(&ret->dir, e);
		if (alive == 0 || (alive > 0 && clock_monotonic() >= deadline)) {
			proc_release(&monitor);
			return 0;
		}
		/* It waits for its `finish`, and that for our lock. */
		container_unlock(ret);
		if (alive < 0)
			break;
		wait_for_leave(&monitor);
	}
	proc_release(&monitor);
	return -1;
}

int container_begin_tx(struct container_lock *l, struct tx *tx, struct err *e)
{
	struct db *db = store_db(l->store);

	return l->row.auto_remove ? tx_begin_lazy(tx, db, e) : tx_begin(tx, db, e);
}

int container_begin_restart(struct store *s, const struct container *c, struct err *e)
{
	auto_free char *data = NULL;
	uint64_t start;

	if (!c->auto_remove)
		return 0;
	if (proc_start_time(getpid(), &start, e) < 0)
		return -1;
	data = xasprintf("%d %llu", (int)getpid(), (unsigned long long)start);
	/* One of a restart that was interrupted would have it removed in between. */
	if (intent_end_subject(s, INTENT_RESTART, c->id, e) < 0)
		return -1;
	return intent_add(s, INTENT_RESTART, c->id, data, NULL, e);
}

int container_begin_start(struct container_lock *l, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (l->begun) {
		l->begun = false;
		return 0;
	}
	if (rundir_clean(&l->dir, e) < 0)
		return -1;
	if (container_begin_tx(l, &tx, e) < 0 ||
	    container_set_state(l->store, &l->row, EV_START, NULL, false, e) < 0 ||
	    (l->row.auto_remove && intent_end_subject(l->store, INTENT_RESTART, l->row.id, e) < 0))
		return -1;
	return tx_commit(&tx, e);
}

/* The time that the monitor wrote, so that it stays the same when finish reads it there. */
static int64_t recorded_start(struct store *s, const char *id, int64_t otherwise)
{
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;
	struct err ignored = ERR_INIT;

	if (rundir_open(store_paths(s), id, false, &d, &ignored) < 0 ||
	    vmstate_read(d.fd, &state, &ignored) < 0 || state.started_at == 0)
		return otherwise;
	return state.started_at;
}

int container_started(struct store *s, const char *id, int64_t started_ns, struct err *e)
{
	auto_container struct container c = CONTAINER_INIT;
	struct row_change change = { .has_result = true, .error = "" };

	if (row_load(s, id, &c, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	if (c.state != ST_STARTING)
		return 0;
	change.started_ns = recorded_start(s, id, started_ns);
	/* Lazy: state.json says the same, and after a power cut nothing runs. */
	if (container_set_state(s, &c, EV_STARTED, &change, true, e) < 0) {
		if (e->kind != ERR_CONFLICT)
			return -1;
		/* It ended between our look and our step. */
		err_clear(e);
	}
	return 0;
}
