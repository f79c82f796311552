/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/db.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/db_priv.h"
#include "engine/reserve.h"

/*
 * What each setting is for:
 *
 * WAL, so that readers never wait. Kept on close (PERSIST_WAL, NO_CKPT_ON_CLOSE): else every
 * command, being the last connection as a rule, would checkpoint and delete the log with five
 * fdatasyncs.
 *
 * db.lock, since SQLite's own way to wait for a writer is to sleep and try again. The busy
 * timeout is only for programs that do not know our lock (the sqlite3 shell) and for the moment
 * of WAL recovery.
 *
 * The library holds its own locks by process, not by description: a connection must not cross a
 * fork, and nothing here opens the database's files beside it.
 */

#define DB_FILE	     "kvbox.db"
#define DB_LOCK_FILE "db.lock"
#define BUSY_MS	     10000
/* A commit that finds the log larger than this copies it into the database itself. Every command that is
 * the first to open the database reads all of the log, 2.5 microseconds a page. */
#define WAL_PAGES_MAX 200
/* SQLite's own limit is 512 for the whole name. */
#define FOLDER_MAX 440

int db_failed(struct db *db, const char *what, struct err *e)
{
	int code = sqlite3_extended_errcode(db->handle);
	enum err_kind kind = ERR_SYSTEM;

	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		kind = ERR_CONFLICT;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		kind = ERR_CORRUPT;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		kind = ERR_UNAVAILABLE;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		kind = ERR_DENIED;
		break;
	default:
		break;
	}
	return err_set(e, kind, "database: %s: %s", what, sqlite3_errmsg(db->handle));
}

static int db_exec(struct db *db, const char *sql, struct err *e)
{
	if (fault("db.exec"))
		return err_set(e, ERR_SYSTEM, "database: injected failure");
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_failed(db, "cannot execute", e);
	return 0;
}

/* A single statement without rows, one of those that come again and again. */
static int db_run(struct db *db, const char *sql, struct err *e)
{
	auto_stmt struct stmt s = STMT_INIT;

	stmt_prepare(&s, db, sql);
	return stmt_run(&s, e);
}

static void close_handle(struct db *db)
{
	stmt_drop_kept(db);
	sqlite3_close(db->handle);
	db->handle = NULL;
}

static int count_pages(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = ctx;

	(void)handle;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static int get_version(struct db *db, int *ret, struct err *e)
{
	auto_stmt struct stmt s = STMT_INIT;

	stmt_prepare(&s, db, "PRAGMA user_version");
	if (stmt_step(&s, e) < 0)
		return -1;
	*ret = (int)stmt_int(&s, 0);
	return 0;
}

/* Runs the steps from version `from` on. In a transaction when on disk. */
static int run_steps(struct db *db, int from, struct err *e)
{
	char sql[48];

	for (int i = from; i < db->schema->count; i++) {
		if (db_exec(db, db->schema->steps[i], e) < 0)
			return err_wrap(e, "schema step %d", i + 1);
	}
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", db->schema->count);
	return db_exec(db, sql, e);
}

static int migrate(struct db *db, int from, struct err *e)
{
	/* On a full disk somebody may have come to make room. */
	auto_urgent struct db *urgent = db_urgent_begin(db);
	auto_tx struct tx tx = TX_INIT;

	if (tx_begin(&tx, db, e) < 0)
		return -1;
	/* Another command may have been quicker. */
	if (get_version(db, &from, e) < 0)
		return -1;
	if (from < db->schema->count && run_steps(db, from, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

static int refuse_newer(struct db *db, int version, struct err *e)
{
	if (version <= db->schema->count)
		return 0;
	return err_set(e, ERR_UNAVAILABLE,
		       "the store in '%s' was made by a newer kvbox (schema %d, this one knows %d)",
		       db->folder, version, db->schema->count);
}

/* No process here has threads: without its locks and its counts the library takes a tenth less. They can only be
 * set before it is used first; later calls change nothing. */
static void set_up_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int configure(struct db *db, struct err *e)
{
	int on = 1;

	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	sqlite3_wal_hook(db->handle, count_pages, db);
	if (sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
		return db_failed(db, "cannot configure", e);
	/* Memory databases have no log to keep and say so. */
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	return 0;
}

static int open_handle(struct db *db, const char *file, int flags, struct err *e)
{
	int r;

	if (fault("db.open"))
		return err_set(e, ERR_SYSTEM, "cannot open '%s': injected failure", file);
	set_up_library();
	r = sqlite3_open_v2(file, &db->handle, flags, NULL);
	if (r == SQLITE_OK)
		return configure(db, e);
	err_set(e, ERR_SYSTEM, "cannot open '%s': %s", file,
		db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(r));
	close_handle(db);
	return -1;
}

/* The empty database that a missing one reads as. */
static int open_memory(struct db *db, struct err *e)
{
	db->on_disk = false;
	if (open_handle(db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, e) < 0)
		return -1;
	return run_steps(db, 0, e);
}

/*
 * Creates the file or opens what another command has created meanwhile. The journal mode lasts
 * in the file, so only the creator sets it, before anything else, under db.lock.
 */
static int open_created(struct db *db, const char *file, int *ret_version, struct err *e)
{
	auto_close int fd = -1;

	/* SQLite gives -wal and -shm the mode of the database. */
	if (fd_open(AT_FDCWD, file, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	fd_close(take_fd(&fd));
	if (open_handle(db, file, SQLITE_OPEN_READWRITE, e) < 0 ||
	    get_version(db, ret_version, e) < 0)
		return -1;
	return *ret_version > 0 ? 0 : db_exec(db, "PRAGMA journal_mode = WAL", e);
}

/* What exists on disk. Version 0 is a file whose creator was killed before its first commit:
 * nothing. */
static int open_existing(struct db *db, const char *file, struct err *e)
{
	int version = 0;

	db->on_disk = true;
	if (open_handle(db, file, SQLITE_OPEN_READWRITE, e) < 0 ||
	    get_version(db, &version, e) < 0 || refuse_newer(db, version, e) < 0)
		return -1;
	if (version == db->schema->count)
		return 0;
	if (version > 0)
		return migrate(db, version, e);
	close_handle(db);
	return open_memory(db, e);
}

static char *db_file(const struct db *db)
{
	return xasprintf("%s/" DB_FILE, db->folder);
}

static int open_lock(struct db *db, struct err *e)
{
	auto_free char *path = NULL;

	if (db->lock_fd >= 0)
		return 0;
	path = xasprintf("%s/" DB_LOCK_FILE, db->folder);
	return fd_open(AT_FDCWD, path, O_RDWR | O_CREAT, 0600, &db->lock_fd, e);
}

int db_open(const struct db_spec *spec, struct db **ret, struct err *e)
{
	struct db *db;
	auto_free char *file = NULL;
	int r;

	if (strlen(spec->folder) > FOLDER_MAX)
		return err_set(e, ERR_INVALID, "the path of the root folder is too long");
	db = xcalloc(1, sizeof(*db));
	db->folder = xstrdup(spec->folder);
	db->schema = spec->schema;
	db->prepare = spec->prepare;
	db->ctx = spec->ctx;
	db->lock_fd = -1;
	db->synced = -1;
	file = db_file(db);
	if (file_exists(AT_FDCWD, file))
		r = open_existing(db, file, e);
	else
		r = open_memory(db, e);
	if (r < 0) {
		db_close(db);
		return -1;
	}
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	assert(db->depth == 0);
	close_handle(db);
	fd_close(db->lock_fd);
	free(db->folder);
	free(db);
}

bool db_exists(const struct db *db)
{
	return db->on_disk;
}

/*
 * After all of the log was copied. The library does not remember that beyond its last connection: whoever opens
 * the database next would read the log as a whole, and copy it once more. Nothing is waited for: a writer, or a reader
 * of the log, leaves it as it is. On a full disk it keeps its room.
 */
static void empty_log(struct db *db)
{
	struct err ignored = ERR_INIT;
	bool held = db->locked;

	if (db->full || (!held && (open_lock(db, &ignored) < 0 ||
				   fd_lock(db->lock_fd, LOCK_EXCLUSIVE, false, &ignored) <= 0)))
		return;
	sqlite3_busy_timeout(db->handle, 0);
	if (sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
	    SQLITE_OK)
		db->wal_pages = 0;
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	if (!held)
		(void)!fd_unlock(db->lock_fd, &ignored);
}

int db_checkpoint(struct db *db, int pages, struct err *e)
{
	int all, copied;

	if (!db->on_disk || db->wal_pages < pages)
		return 0;
	/* PASSIVE never waits; what a reader still needs is left for the next time. */
	if (fault("db.checkpoint"))
		return err_set(e, ERR_SYSTEM, "database: injected failure");
	if (sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &copied) !=
	    SQLITE_OK)
		return db_failed(db, "cannot checkpoint", e);
	if (all > 0 && all == copied)
		empty_log(db);
	return 0;
}

int db_integrity(struct db *db, void (*report)(void *ctx, const char *line), void *ctx,
		 struct err *e)
{
	static const char *const checks[] = {
		"PRAGMA integrity_check(20)",
		"SELECT 'row of ' || \"table\" || ' refers to a missing row of ' || parent"
		" FROM pragma_foreign_key_check() LIMIT 20",
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		auto_stmt struct stmt s = STMT_INIT;

		stmt_prepare(&s, db, checks[i]);
		while ((r = stmt_step(&s, e)) > 0) {
			if (strcmp(stmt_text0(&s, 0), "ok") != 0)
				report(ctx, stmt_text0(&s, 0));
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- transactions ---- */

/* Durable transactions fsync the log at commit, lazy ones do not; set only when it differs. */
static int set_sync(struct db *db, bool lazy, struct err *e)
{
	int want = lazy ? 1 : 2;

	if (db->synced == want)
		return 0;
	if (db_exec(db, lazy ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", e) < 0)
		return -1;
	db->synced = want;
	return 0;
}

/*
 * db.lock is held. The log is the one file of the database that is open here beside the library:
 * no lock of its is on that.
 */
static void see_to_reserve(struct db *db)
{
	auto_free char *log = NULL;
	struct err ignored = ERR_INIT;

	db->full = false;
	if (db->urgent) {
		log = xasprintf("%s/" DB_FILE "-wal", db->folder);
		db->full = reserve_use(db->folder, log);
		/* While the rest of the reserve is there for the database to grow. */
		if (db->full)
			(void)!db_checkpoint(db, 0, &ignored);
	} else if (!db->reserved) {
		db->reserved = true;
		reserve_keep(db->folder);
	}
}

struct db *db_urgent_begin(struct db *db)
{
	db->urgent++;
	return db;
}

void db_urgent_end(struct db **db)
{
	(*db)->urgent--;
}

/* What was made of a database that does not come to be. Under db.lock, where only its maker has it
 * open for writing. */
static void remove_files(const char *file)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		auto_free char *path = xasprintf("%s%s", file, suffixes[i]);
		struct err ignored = ERR_INIT;

		(void)!file_remove(AT_FDCWD, path, &ignored);
	}
}

/* On disk, with a transaction open. */
static int begin_on_disk(struct db *db, bool lazy, struct err *e)
{
	see_to_reserve(db);
	if (set_sync(db, lazy, e) < 0)
		return -1;
	return db_run(db, "BEGIN IMMEDIATE", e);
}

static int begin_first(struct db *db, const char *file, int *ret_version, struct err *e)
{
	if (open_created(db, file, ret_version, e) < 0 || refuse_newer(db, *ret_version, e) < 0 ||
	    begin_on_disk(db, false, e) < 0)
		return -1;
	if (*ret_version == db->schema->count || run_steps(db, *ret_version, e) == 0)
		return 0;
	sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* The step from the empty database in memory to one on disk, whole or not at all. db.lock is held. */
static int create(struct db *db, struct err *e)
{
	auto_free char *file = db_file(db);
	struct sqlite3 *memory = db->handle;
	int version = file_exists(AT_FDCWD, file) ? -1 : 0;

	stmt_drop_kept(db);
	db->handle = NULL;
	db->on_disk = true;
	db->synced = -1;
	if (begin_first(db, file, &version, e) < 0) {
		close_handle(db);
		db->handle = memory;
		db->on_disk = false;
		if (version == 0)
			remove_files(file);
		return -1;
	}
	/* Fails (and asserts) only when a statement is open still, which db.h forbids. */
	if (sqlite3_close(memory) != SQLITE_OK)
		assert(!"a statement is open across the first transaction");
	return 0;
}

static int begin(struct tx *tx, struct db *db, bool lazy, struct err *e)
{
	assert(!tx->db);
	if (db->depth == 0) {
		if (!db->on_disk && db->prepare && db->prepare(db->ctx, e) < 0)
			return -1;
		if (open_lock(db, e) < 0 || fd_lock(db->lock_fd, LOCK_EXCLUSIVE, true, e) < 0)
			return err_wrap(e, "cannot write to the store");
		db->locked = true;
		if ((db->on_disk ? begin_on_disk(db, lazy, e) : create(db, e)) < 0) {
			struct err ignored = ERR_INIT;

			(void)!fd_unlock(db->lock_fd, &ignored);
			db->locked = false;
			return -1;
		}
		db->spoiled = false;
	}
	db->depth++;
	tx->db = db;
	return 0;
}

int tx_begin(struct tx *tx, struct db *db, struct err *e)
{
	return begin(tx, db, false, e);
}

int tx_begin_lazy(struct tx *tx, struct db *db, struct err *e)
{
	return begin(tx, db, true, e);
}

bool db_in_tx(const struct db *db)
{
	return db->depth > 0;
}

static void end_outermost(struct db *db)
{
	struct err ignored = ERR_INIT;

	(void)!fd_unlock(db->lock_fd, &ignored);
	db->locked = false;
}

int tx_commit(struct tx *tx, struct err *e)
{
	struct db *db = tx->db;
	struct err ignored = ERR_INIT;

	assert(db && db->depth > 0);
	if (db->depth > 1) {
		db->depth--;
		tx->db = NULL;
		return 0;
	}
	if (db->spoiled) {
		tx_rollback(tx);
		return err_set(e, ERR_SYSTEM, "database: a part of the change failed");
	}
	if (db_run(db, "COMMIT", e) < 0) {
		tx_rollback(tx);
		return -1;
	}
	db->depth = 0;
	tx->db = NULL;
	/* The change is made; a log that stays long is not this command's trouble. */
	(void)!db_checkpoint(db, db->full ? 1 : WAL_PAGES_MAX, &ignored);
	end_outermost(db);
	return 0;
}

void tx_rollback(struct tx *tx)
{
	struct db *db = tx->db;

	if (!db)
		return;
	tx->db = NULL;
	db->spoiled = true;
	if (--db->depth > 0)
		return;
	sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	end_outermost(db);
}
