/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "engine/db_priv.h"

/*
 * Preparing a statement takes ten times the work of what it does as a rule, and a command comes by the same one
 * several times: so they are kept, and found by their text.
 */
static struct sqlite3_stmt *take_kept(struct db *db, const char *sql)
{
	for (size_t i = 0; i < DB_KEPT; i++)
		if (db->kept[i] && strcmp(sqlite3_sql(db->kept[i]), sql) == 0)
			return take_ptr(&db->kept[i]);
	return NULL;
}

static void keep(struct db *db, struct sqlite3_stmt *handle)
{
	size_t at = 0;

	sqlite3_reset(handle);
	sqlite3_clear_bindings(handle);
	while (at < DB_KEPT && db->kept[at])
		at++;
	if (at == DB_KEPT)
		at = db->oldest++ % DB_KEPT;
	sqlite3_finalize(db->kept[at]);
	db->kept[at] = handle;
}

void stmt_drop_kept(struct db *db)
{
	for (size_t i = 0; i < DB_KEPT; i++)
		sqlite3_finalize(take_ptr(&db->kept[i]));
}

void stmt_prepare(struct stmt *s, struct db *db, const char *sql)
{
	*s = (struct stmt){ .db = db, .handle = take_kept(db, sql) };
	if (!s->handle)
		s->failed = sqlite3_prepare_v2(db->handle, sql, -1, &s->handle, NULL);
}

void stmt_release(struct stmt *s)
{
	if (s->handle)
		keep(s->db, s->handle);
	*s = (struct stmt)STMT_INIT;
}

static void bound(struct stmt *s, int result)
{
	if (s->failed == SQLITE_OK)
		s->failed = result;
}

void stmt_bind_textn(struct stmt *s, int at, const char *text, size_t n)
{
	if (s->failed == SQLITE_OK)
		bound(s,
		      sqlite3_bind_text64(s->handle, at, text, n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void stmt_bind_text(struct stmt *s, int at, const char *text)
{
	if (text)
		stmt_bind_textn(s, at, text, strlen(text));
	else
		stmt_bind_null(s, at);
}

void stmt_bind_int(struct stmt *s, int at, int64_t value)
{
	if (s->failed == SQLITE_OK)
		bound(s, sqlite3_bind_int64(s->handle, at, value));
}

void stmt_bind_null(struct stmt *s, int at)
{
	if (s->failed == SQLITE_OK)
		bound(s, sqlite3_bind_null(s->handle, at));
}

int stmt_step(struct stmt *s, struct err *e)
{
	int r;

	if (s->failed != SQLITE_OK)
		return db_failed(s->db, "bad statement", e);
	if (fault("db.step"))
		return err_set(e, ERR_SYSTEM, "database: injected failure");
	r = sqlite3_step(s->handle);
	if (r == SQLITE_ROW)
		return 1;
	if (r == SQLITE_DONE)
		return 0;
	return db_failed(s->db, "cannot execute", e);
}

int stmt_run(struct stmt *s, struct err *e)
{
	int r;

	while ((r = stmt_step(s, e)) > 0)
		continue;
	stmt_release(s);
	return r;
}

void stmt_reset(struct stmt *s)
{
	sqlite3_reset(s->handle);
	sqlite3_clear_bindings(s->handle);
}

const char *stmt_text(struct stmt *s, int col)
{
	return (const char *)sqlite3_column_text(s->handle, col);
}

const char *stmt_text0(struct stmt *s, int col)
{
	const char *text = stmt_text(s, col);

	return text ? text : "";
}

int64_t stmt_int(struct stmt *s, int col)
{
	return sqlite3_column_int64(s->handle, col);
}

int db_changes(struct db *db)
{
	return sqlite3_changes(db->handle);
}

int64_t db_last_rowid(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}
