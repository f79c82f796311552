/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "engine/schema.h"

#define COLLECTOR_LOCK_FILE "collector.lock"
/* More open intents than this are not read at once; the rest is for the next command. */
#define INTENTS_MAX 1000

struct store {
	struct paths *paths;
	struct db *db;
	int collector_fd;
	char marker[48]; /* of a writer, "" when there is none */
	int collector_count;
	enum lock_kind collector_kind;
};

static int make_folders(void *ctx, struct err *e)
{
	return paths_make(ctx, e);
}

int store_open(struct paths *paths, struct store **ret, struct err *e)
{
	struct db_spec spec = { paths->root, &store_schema, make_folders, paths };
	struct db *db;
	struct store *s;

	if (db_open(&spec, &db, e) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->paths = paths;
	s->db = db;
	s->collector_fd = -1;
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	db_close(s->db);
	fd_close(s->collector_fd);
	free(s);
}

void store_close_ptr(struct store **s)
{
	store_close(*s);
}

struct db *store_db(struct store *s)
{
	return s->db;
}

struct paths *store_paths(struct store *s)
{
	return s->paths;
}

/*
 * Who may leave files that no row names leaves a mark while it writes: a file in tmp/, where the
 * presence of anything tells the next command that there may be something to collect.
 */
static int leave_mark(struct store *s, struct err *e)
{
	auto_close int fd = -1;
	uint64_t r;

	random_bytes(&r, sizeof(r));
	snprintf(s->marker, sizeof(s->marker), DIR_TMP "/writer-%016llx", (unsigned long long)r);
	return fd_open(s->paths->root_fd, s->marker, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd, e);
}

int store_collector_lock(struct store *s, enum lock_kind kind, bool wait, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (s->collector_count > 0) {
		/* What holds it exclusively may write as well; the other way round would
		 * deadlock. */
		assert(kind == LOCK_SHARED || s->collector_kind == LOCK_EXCLUSIVE);
		s->collector_count++;
		return 1;
	}
	assert(!db_in_tx(s->db));
	if (paths_make(s->paths, e) < 0 ||
	    fd_open(s->paths->root_fd, COLLECTOR_LOCK_FILE, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	r = fd_lock(fd, kind, wait, e);
	if (r <= 0)
		return r;
	s->marker[0] = 0;
	if (kind == LOCK_SHARED && leave_mark(s, e) < 0)
		return -1;
	s->collector_fd = take_fd(&fd);
	s->collector_kind = kind;
	s->collector_count = 1;
	return 1;
}

void store_collector_unlock(struct store *s)
{
	struct err ignored = ERR_INIT;

	assert(s->collector_count > 0);
	if (--s->collector_count > 0)
		return;
	/* One that stays only makes the next command look. */
	if (s->marker[0])
		(void)!file_remove(s->paths->root_fd, s->marker, &ignored);
	fd_close(take_fd(&s->collector_fd));
}

void store_collector_keep_mark(struct store *s)
{
	s->marker[0] = '\0';
}

/* ---- intents ---- */

void intent_release(struct intent *i)
{
	free(i->kind);
	free(i->subject);
	free(i->data);
	*i = (struct intent){ 0 };
}

void intent_list_free(struct intent *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		intent_release(&v[i]);
	free(v);
}

int intent_add(struct store *s, const char *kind, const char *subject, const char *data,
	       int64_t *ret_id, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt st = STMT_INIT;
	int64_t id;

	if (tx_begin(&tx, s->db, e) < 0)
		return -1;
	stmt_prepare(&st, s->db,
		     "INSERT INTO intents (kind, subject, data, created_ns) VALUES (?, ?, ?, ?)");
	stmt_bind_text(&st, 1, kind);
	stmt_bind_text(&st, 2, subject);
	stmt_bind_text(&st, 3, data ? data : "");
	stmt_bind_int(&st, 4, clock_now());
	if (stmt_run(&st, e) < 0)
		return -1;
	id = db_last_rowid(s->db);
	if (tx_commit(&tx, e) < 0)
		return -1;
	if (ret_id)
		*ret_id = id;
	return 0;
}

int intent_end(struct store *s, int64_t id, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(s->db);
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt st = STMT_INIT;

	/* Lazy: an intent that a power cut brings back is undone once more, to no effect. */
	if (tx_begin_lazy(&tx, s->db, e) < 0)
		return -1;
	stmt_prepare(&st, s->db, "DELETE FROM intents WHERE id = ?");
	stmt_bind_int(&st, 1, id);
	if (stmt_run(&st, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

int intent_end_subject(struct store *s, const char *kind, const char *subject, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(s->db);
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt st = STMT_INIT;

	if (tx_begin_lazy(&tx, s->db, e) < 0)
		return -1;
	stmt_prepare(&st, s->db, "DELETE FROM intents WHERE subject = ? AND kind = ?");
	stmt_bind_text(&st, 1, subject);
	stmt_bind_text(&st, 2, kind);
	if (stmt_run(&st, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

int intent_list(struct store *s, const char *subject, struct intent **ret, size_t *ret_n,
		struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	struct intent *v = NULL;
	size_t n = 0;
	int r;

	stmt_prepare(&st, s->db,
		     subject ? "SELECT id, kind, subject, data FROM intents WHERE subject = ?2"
			       " ORDER BY id LIMIT ?1"
			     : "SELECT id, kind, subject, data FROM intents ORDER BY id LIMIT ?1");
	stmt_bind_int(&st, 1, INTENTS_MAX);
	if (subject)
		stmt_bind_text(&st, 2, subject);
	while ((r = stmt_step(&st, e)) > 0) {
		v = xreallocarray(v, n + 1, sizeof(*v));
		v[n].id = stmt_int(&st, 0);
		v[n].kind = xstrdup(stmt_text0(&st, 1));
		v[n].subject = xstrdup(stmt_text0(&st, 2));
		v[n].data = xstrdup(stmt_text0(&st, 3));
		n++;
	}
	if (r < 0) {
		intent_list_free(v, n);
		return -1;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}
