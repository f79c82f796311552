/* SPDX-License-Identifier: Apache-2.0 */
/* What the files container_*.c, finish.c and check.c share and nobody else needs. */
#ifndef KVBOX_ENGINE_CONTAINER_PRIV_H
#define KVBOX_ENGINE_CONTAINER_PRIV_H

#include "engine/container.h"

/* The columns that row_fill expects, for "SELECT " CONTAINER_COLUMNS " FROM containers ...". */
#define CONTAINER_COLUMNS                                                               \
	"id, name, state, created_ns, started_ns, finished_ns, exit_code, oom, error, " \
	"auto_remove,"                                                                  \
	" image, image_ref, command, labels, restart_count, health"

/* Copies the current row of the statement into `c`, which is released before. */
int row_fill(struct stmt *st, struct container *c, struct err *e) MUST_CHECK;
/* The row as it is, by full id: no look at locks. ERR_NOT_FOUND in Docker's words. */
int row_load(struct store *s, const char *id, struct container *ret, struct err *e) MUST_CHECK;

/* What a step changes beside the state. */
struct row_change {
	int64_t started_ns;  /* 0: stays */
	int64_t finished_ns; /* 0: stays */
	bool has_result;     /* the next three count */
	int exit_code;
	bool oom;
	const char *error;
	bool has_run; /* the next two count */
	int64_t restart_count;
	const char *health;
	bool removed; /* the step to its removal follows at once */
};
/*
 * The one writer of the state: takes the step in the life cycle from the state that `c` has and
 * the row must have still (ERR_CONFLICT when the step is refused or the row changed), and
 * updates row and `c`. Joins an open transaction, else has one of its own, which is lazy where
 * `lazy`.
 */
int container_set_state(struct store *s, struct container *c, enum event ev,
			const struct row_change *change, bool lazy, struct err *e) MUST_CHECK;

/* What the live monitor says of a run is truer than its row, since monitors never write rows: paused,
 * restarting, health and so on. */
void container_overlay(struct store *s, struct container *c);
/* Without lock: brings a row that was read up to date with the locks, finishing the container
 * where its monitor died. 1: it is there, 0: it went away. */
int row_settle(struct store *s, struct container *c, struct err *e) MUST_CHECK;
/* Under op: brings the row up to date with the locks; state ST_NONE when the container went
 * away. */
int container_settle(struct container_lock *l, struct err *e) MUST_CHECK;
/* A transaction about the container: durable, but lazy with --rm, since of that nothing has to
 * survive a power cut: after one, what is there is removed. */
int container_begin_tx(struct container_lock *l, struct tx *tx, struct err *e) MUST_CHECK;
/* Under op: the decision, state and intent in one commit (or in the transaction that is open). From
 * there on the removal is completed, by whomever. */
int container_begin_remove(struct container_lock *l, struct err *e) MUST_CHECK;
/* Under op: takes the container away, files and row; the run folder too. Ends with row.state
 * ST_NONE. The second believes the row that the lock has: as it was read under the lock, or committed. */
int container_remove_locked(struct container_lock *l, struct err *e) MUST_CHECK;
int container_remove_known(struct container_lock *l, struct err *e) MUST_CHECK;
/* The same for one of --rm after its run, which needs no decision written first: as long as its row is there it is
 * an active one that nobody holds alive, so whoever meets it does this again. */
int container_remove_ended(struct container_lock *l, struct err *e) MUST_CHECK;
/* Kills monitor and VM of the container; whatever lives of it. Under op. Returns when they are
 * gone. */
int container_kill_survivors(struct container_lock *l, struct err *e) MUST_CHECK;
/* A name that was asked for: right in form, and free, in Docker's words. Its holder may be a `--rm` whose
 * monitor was killed. */
int container_check_name(struct store *s, const char *name, struct err *e) MUST_CHECK;
/* Writes an event about the container. */
void container_event(struct store *s, const struct container *c, const char *action);

/* Takes op without waiting and without looking at any row: 1 taken, 0 held elsewhere. */
int container_try_op(struct store *s, const char *id, struct container_lock *ret,
		     struct err *e) MUST_CHECK;

#endif
