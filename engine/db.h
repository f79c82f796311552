/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin layer over SQLite: one database in WAL mode, statements with sticky errors,
 * transactions that queue on a lock file. Only db.c knows the library.
 *
 *	auto_stmt struct stmt s = STMT_INIT;
 *
 *	stmt_prepare(&s, db, "SELECT name FROM containers WHERE id = ?");
 *	stmt_bind_text(&s, 1, id);
 *	while ((r = stmt_step(&s, e)) > 0)
 *		use(stmt_text(&s, 0));
 *	if (r < 0)
 *		return -1;
 *
 *	auto_tx struct tx tx = TX_INIT;
 *
 *	if (tx_begin(&tx, db, e) < 0)
 *		return -1;
 *	... any number of statements ...
 *	return tx_commit(&tx, e);	// leaving the scope without it rolls back
 *
 * A database that does not exist reads as an empty one (in memory) and is created by the first
 * tx_begin. So no statement may be open when the outermost transaction begins.
 *
 * Writers queue on `db.lock` (an OFD lock: first come, first served, no polling) before BEGIN
 * IMMEDIATE. A transaction is the innermost lock of all: no other lock is taken, no process
 * waited for and no bulk data moved while one is open. A connection is never used across a fork.
 * Closing does not checkpoint; db_checkpoint does, called at the end of a container, and a
 * commit does when the log has grown large.
 *
 * Statements that were released are kept and found again by their text: the same text serves the same purpose
 * everywhere, and values are bound, never a part of it.
 */
#ifndef KVBOX_ENGINE_DB_H
#define KVBOX_ENGINE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct sqlite3_stmt;

/* A step of the schema; step i brings the database from version i to i + 1. */
struct db_schema {
	const char *const *steps;
	int count;
};

/* `folder` is the absolute path of the folder and is copied. `prepare` is called before the
 * database is created, to make the folder. A database newer than the schema is ERR_UNAVAILABLE;
 * an older one is migrated (additively) here. */
struct db_spec {
	const char *folder;
	const struct db_schema *schema;
	int (*prepare)(void *ctx, struct err *e);
	void *ctx;
};
int db_open(const struct db_spec *spec, struct db **ret, struct err *e) MUST_CHECK;
void db_close(struct db *db);
/* True when the database exists on disk. */
bool db_exists(const struct db *db);
/* Copies the log into the database when it holds at least `pages` pages, and empties it; never waits for
 * readers or writers, which can keep either from being done. */
int db_checkpoint(struct db *db, int pages, struct err *e) MUST_CHECK;
/* SQLite's own check of the file; calls `report` with each line of trouble. */
int db_integrity(struct db *db, void (*report)(void *ctx, const char *line), void *ctx,
		 struct err *e) MUST_CHECK;

/* Statement: errors of preparing and binding are kept and reported by stmt_step. */
struct stmt {
	struct db *db;
	struct sqlite3_stmt *handle;
	int failed; /* first SQLite result that was not OK */
};
#define STMT_INIT             \
	{                     \
		NULL, NULL, 0 \
	}

void stmt_prepare(struct stmt *s, struct db *db, const char *sql);
void stmt_release(struct stmt *s);
#define auto_stmt __attribute__((cleanup(stmt_release)))
/* Parameters count from 1; text and blobs are copied; NULL text binds NULL. */
void stmt_bind_text(struct stmt *s, int at, const char *text);
void stmt_bind_textn(struct stmt *s, int at, const char *text, size_t n);
void stmt_bind_int(struct stmt *s, int at, int64_t value);
void stmt_bind_null(struct stmt *s, int at);
/* 1: a row, 0: done, -1: error. ERR_CONFLICT when a UNIQUE or PRIMARY KEY refuses, or a foreign
 * key. */
int stmt_step(struct stmt *s, struct err *e) MUST_CHECK;
/* Steps to the end and releases the statement: for those that give no rows. */
int stmt_run(struct stmt *s, struct err *e) MUST_CHECK;
/* For the next use of the same statement: back to the start, bindings cleared. */
void stmt_reset(struct stmt *s);
/* Columns count from 0. Text is borrowed until the next step; NULL gives NULL, or "" from
 * stmt_text0. */
const char *stmt_text(struct stmt *s, int col);
const char *stmt_text0(struct stmt *s, int col);
int64_t stmt_int(struct stmt *s, int col);
/* Rows that the last INSERT, UPDATE or DELETE changed; the rowid that the last INSERT made. */
int db_changes(struct db *db);
int64_t db_last_rowid(struct db *db);

/* Transaction. They nest: the outermost one counts (and says whether it is lazy); an inner one
 * that is left without commit makes the outermost commit fail. */
struct tx {
	struct db *db; /* NULL: none open */
};
#define TX_INIT      \
	{            \
		NULL \
	}

/* Durable: what is committed survives a power cut. */
int tx_begin(struct tx *tx, struct db *db, struct err *e) MUST_CHECK;
/* Without fsync: for what a later command finds out again by itself. Survives every death of
 * ours, but a power cut may undo it (whole transactions, in order). */
int tx_begin_lazy(struct tx *tx, struct db *db, struct err *e) MUST_CHECK;
int tx_commit(struct tx *tx, struct err *e) MUST_CHECK;
void tx_rollback(struct tx *tx);
bool db_in_tx(const struct db *db);
#define auto_tx __attribute__((cleanup(tx_rollback)))

/*
 * What has to work on a full disk, since it gives room back or tells how a container ended: the
 * transactions that begin in this scope may use the reserve (reserve.h). They nest.
 *
 *	auto_urgent struct db *urgent = db_urgent_begin(db);
 */
struct db *db_urgent_begin(struct db *db);
void db_urgent_end(struct db **db);
#define auto_urgent __attribute__((cleanup(db_urgent_end), unused))

#endif
