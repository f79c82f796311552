/* SPDX-License-Identifier: Apache-2.0 */
/* What db.c (the database and its transactions) and db_stmt.c (statements) share. */
#ifndef KVBOX_ENGINE_DB_PRIV_H
#define KVBOX_ENGINE_DB_PRIV_H

#include "engine/db.h"

struct sqlite3;

/* A command has about as many different statements. */
#define DB_KEPT 16

struct db {
	struct sqlite3 *handle;
	char *folder;
	const struct db_schema *schema;
	int (*prepare)(void *ctx, struct err *e);
	void *ctx;
	bool on_disk;
	int lock_fd;   /* db.lock, open once this process has written */
	bool locked;   /* it is held */
	int depth;     /* open transactions, nested */
	bool spoiled;  /* an inner one was rolled back */
	int synced;    /* value of PRAGMA synchronous, -1: not set yet */
	int wal_pages; /* after the last commit of this connection */
	int urgent;    /* scopes of db_urgent_begin */
	bool reserved; /* this process has seen to the reserve */
	bool full;     /* so was the disk when the transaction began */
	/* Statements to be used again: NULL, or at the start and with nothing bound; `oldest` counts those that
	 * had to go. */
	struct sqlite3_stmt *kept[DB_KEPT];
	unsigned oldest;
};

/* The library's last error of this connection in `e`; -1. */
int db_failed(struct db *db, const char *what, struct err *e);
/* Ends the statements that are kept, before the connection is closed or another takes its place. */
void stmt_drop_kept(struct db *db);

#endif
