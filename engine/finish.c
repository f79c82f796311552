/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/finish.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/container_priv.h"
#include "engine/state.h"

/* The code of a container whose monitor was killed: so was it, by SIGKILL. */
#define CODE_KILLED 137
/*
 * A log of this many pages is copied into the database at the end of a container, whose rows were ten of them. Every
 * command reads the log, 2.5 microseconds a page, and a copy of it waits three times for the disk: half as many would
 * cost more on most.
 */
#define WAL_PAGES 60

/* What the run folder tells about the run that is to be folded in. */
struct ending {
	struct vmstate state; /* empty when there is none */
	bool has_state;
	bool alive;   /* the monitor waits for us */
	bool removed; /* all but the row: who was at it was killed, or is about to delete that too */
};

static int look(const struct container_lock *l, struct ending *ret, struct err *e)
{
	struct err why = ERR_INIT;
	char path[PATH_NAME_SIZE];
	int alive = rundir_alive(&l->dir, e);

	if (alive < 0)
		return -1;
	ret->alive = alive > 0;
	ret->has_state = vmstate_read(l->dir.fd, &ret->state, &why) == 0;
	if (!ret->has_state && why.kind != ERR_NOT_FOUND)
		log_debug("%s", why.msg);
	/* A monitor that has not written one yet is in a container that is there. */
	ret->removed = l->row.auto_remove && !ret->has_state &&
		       !file_exists(store_paths(l->store)->root_fd,
				    path_container(l->row.id, NULL, path));
	return 0;
}

static bool is_running(const struct ending *end)
{
	return end->alive && !end->removed && !(end->has_state && end->state.phase == VM_EXITED);
}

/* The event and the row's new values. */
static enum event judge(const struct container *c, const struct ending *end,
			struct row_change *change)
{
	bool final = end->has_state && end->state.phase == VM_EXITED;
	bool ran = end->has_state ? end->state.started_at > 0 : c->state != ST_STARTING;

	change->has_result = true;
	change->exit_code = final ? (int)end->state.exit_code : CODE_KILLED;
	change->oom = end->has_state && end->state.oom;
	change->error = final ? end->state.error : "the container's monitor ended unexpectedly";
	if (ran && end->has_state) {
		change->started_ns = end->state.started_at;
		change->has_run = true;
		change->restart_count = end->state.restart_count;
		change->health = end->state.health;
	}
	/* Never ran, this time or ever: Docker leaves the times and the word alone. */
	if (!ran && c->started_ns == 0)
		return EV_FAILED;
	if (ran)
		change->finished_ns = final && end->state.finished_at ? end->state.finished_at
								      : clock_now();
	return EV_GONE;
}

static bool is_kept(const struct ending *end)
{
	return end->has_state && end->state.phase == VM_EXITED && end->state.keep;
}

/* A monitor that came to its end has told of it. */
static void tell_die(struct container_lock *l, const struct ending *end, enum event ev,
		     const struct row_change *change)
{
	bool told = end->removed || (end->has_state && end->state.phase == VM_EXITED);

	if (told || ev != EV_GONE || change->finished_ns == 0)
		return;
	l->row.exit_code = change->exit_code;
	container_event(l->store, &l->row, "die");
}

static int record(struct container_lock *l, enum event ev, const struct row_change *change,
		  struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (container_begin_tx(l, &tx, e) < 0 ||
	    container_set_state(l->store, &l->row, ev, change, false, e) < 0 ||
	    (change->removed && intent_add(l->store, INTENT_REMOVE, l->row.id, NULL, NULL, e) < 0))
		return -1;
	return tx_commit(&tx, e);
}

static int fold(struct container_lock *l, const struct ending *end, struct err *e)
{
	struct row_change change = { .has_result = false };
	enum event ev = judge(&l->row, end, &change);

	if (record(l, ev, &change, e) < 0)
		return -1;
	tell_die(l, end, ev, &change);
	return rundir_clean(&l->dir, e);
}

/* --rm: nothing is folded into a row that is about to go. */
static int take_away(struct container_lock *l, const struct ending *end, struct err *e)
{
	struct row_change change = { .removed = true };
	enum event ev = judge(&l->row, end, &change);
	struct err ignored = ERR_INIT;

	tell_die(l, end, ev, &change);
	l->dir.killed = end->alive && end->state.vmm_pid != 0;
	if (container_remove_ended(l, e) == 0)
		return 0;
	/* What does not go now is to be seen, and tried again. */
	if (record(l, ev, &change, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return -1;
}

static int finish_run(struct container_lock *l, const struct ending *end, struct err *e)
{
	struct err ignored = ERR_INIT;
	bool goes = l->row.auto_remove && !is_kept(end);

	/* The monitor that waits for us has ended its VM; one that died may have left something. */
	if (!end->alive && !end->removed && container_kill_survivors(l, e) < 0)
		return -1;
	if ((goes ? take_away(l, end, e) : fold(l, end, e)) < 0)
		return -1;
	if (db_checkpoint(store_db(l->store), WAL_PAGES, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return 0;
}

int container_finish_locked(struct container_lock *l, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(l->store));
	struct ending end = { .state = VMSTATE_INIT };
	int r = 0;

	if (l->row.state == ST_NONE || l->row.state == ST_REMOVING)
		return 0; /* who removes it or recovers goes on */
	if (!state_is_active(l->row.state))
		/* Folded already; a kill may have left the files. */
		return rundir_clean(&l->dir, e);
	if (look(l, &end, e) < 0)
		return -1;
	if (!is_running(&end))
		r = finish_run(l, &end, e);
	vmstate_release(&end.state);
	return r;
}

int container_finish(struct store *s, const char *id, struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;

	/* Taking the lock settles the row, which is all there is to do for an active one. */
	if (container_lock(s, id, &l, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return err_wrap(e, "cannot finish container %.12s", id);
		err_clear(e);
		return 0;
	}
	if (state_is_active(l.row.state))
		return 0;
	/* Who was at it is dead, or at its last step: it had the lock. */
	if (l.row.state == ST_REMOVING)
		return container_remove_known(&l, e);
	return container_finish_locked(&l, e);
}
