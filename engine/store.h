/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: database and folders of one root, opened by each command for itself (never by a
 * monitor).
 *
 * Order of locks, outermost first: collector (shared, or exclusive for gc), `op` of a container
 * (container_lock), volumes by name, network, database transaction (db.h).
 *
 * **Intents** make side effects safe against kill -9: what will be changed outside the database (a removal, a
 * tap, a rule) is written down and committed first, then done, and the note is deleted in the same transaction that
 * records the result. Whoever writes one holds, until it is done, the lock that its kind names; store_recover, called
 * by every command before its own work, goes on with or undoes those whose lock is free. So a command that dies
 * anywhere leaves at most an intent, and the next command cleans up. Two changes need none, as they can be told from
 * what is there: files (and run folders) that no row names come from a creation or a pull, and belong to the collector;
 * an active row that nobody holds alive is that of a start or an end, and is finished (finish.h).
 */
#ifndef KVBOX_ENGINE_STORE_H
#define KVBOX_ENGINE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fd.h"
#include "engine/db.h"
#include "engine/paths.h"

struct store;

/* `paths` is borrowed and outlives the store. A root that does not exist is an empty store; the
 * first transaction creates it (paths_make). */
int store_open(struct paths *paths, struct store **ret, struct err *e) MUST_CHECK;
void store_close(struct store *s);
void store_close_ptr(struct store **s);
#define auto_store __attribute__((cleanup(store_close_ptr)))

struct db *store_db(struct store *s);
struct paths *store_paths(struct store *s);

/*
 * The collector lock. Who writes files below tmp/, blobs/, layers/, chains/ or containers/ that
 * no row names yet holds it shared from the first file to the commit of the row; gc holds it
 * exclusively. A holder that dies is noticed by the next command, which collects what it left
 * (store_recover): it leaves a mark in tmp/ while it writes.
 *
 * Taken several times in one process, it counts. Waits, except with LOCK_EXCLUSIVE and wait ==
 * false: returns 1 when taken, 0 when not. Makes the folders of the root.
 */
int store_collector_lock(struct store *s, enum lock_kind kind, bool wait, struct err *e) MUST_CHECK;
void store_collector_unlock(struct store *s);
/* For a writer that could not take back what it made: its mark stays, and a command after it collects. */
void store_collector_keep_mark(struct store *s);

/*
 * Intents. `kind` says how it is undone, `subject` what it is about (a container's id), `data`
 * is the kind's own text. Adding and ending join an open transaction, else they are one of their
 * own.
 */
#define INTENT_REMOVE "container.remove" /* the removal is completed; lock: op of the subject */
/* A --rm container that is stopped to be started again by the process that `data` names ("pid start"). When that
 * is dead and the container does not run, it is removed; lock: op. */
#define INTENT_RESTART "container.restart"

struct intent {
	int64_t id;
	char *kind;
	char *subject;
	char *data;
};
void intent_release(struct intent *i);

int intent_add(struct store *s, const char *kind, const char *subject, const char *data,
	       int64_t *ret_id, struct err *e) MUST_CHECK;
int intent_end(struct store *s, int64_t id, struct err *e) MUST_CHECK;
/* Ends all of the kind with that subject. */
int intent_end_subject(struct store *s, const char *kind, const char *subject,
		       struct err *e) MUST_CHECK;
/* All of a subject, or all at all with NULL; the array and its members are the caller's. */
int intent_list(struct store *s, const char *subject, struct intent **ret, size_t *ret_n,
		struct err *e) MUST_CHECK;
void intent_list_free(struct intent *v, size_t n);

/* Undoes what dead commands left: intents, and files that a dead writer came not to name (gc.h;
 * also once after each boot, for what a power cut left). One query and a look into tmp/ when
 * there is nothing. What cannot be undone now stays, for `system check` to report; that is no
 * error. */
int store_recover(struct store *s, struct err *e) MUST_CHECK;

#endif
