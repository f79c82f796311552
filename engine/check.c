/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/check_priv.h"
#include "engine/container_priv.h"
#include "engine/disk.h"
#include "engine/gc.h"

#define LINE_MAX_LEN 600

static void emit(struct checking *c, const char *line)
{
	if (c->check->report)
		c->check->report(c->check->ctx, line);
}

void check_problem(struct checking *c, const char *fmt, ...)
{
	auto_str struct str line = STR_INIT(LINE_MAX_LEN);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	emit(c, line.buf);
	c->problems++;
}

void check_leftover(struct checking *c, int repaired, const struct err *why, const char *fmt, ...)
{
	auto_str struct str line = STR_INIT(LINE_MAX_LEN);
	va_list ap;

	if (c->check->repair && repaired >= 0)
		str_add(&line, "repaired: ");
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	if (c->check->repair && repaired < 0)
		str_addf(&line, " (cannot be repaired: %s)", why->msg);
	emit(c, line.buf);
	if (!c->check->repair || repaired < 0)
		c->problems++;
}

/* ---- files that rows name ---- */

/* What a query gives: owner (for the message), digest, size (-1: any), writer. */
struct file_rows {
	const char *what; /* "blob", "layer", "chain" */
	const char *sql;
	const char *(*path)(const char *digest, char buf[PATH_NAME_SIZE]);
	bool is_content; /* the name is the digest of the content */
};

static const struct file_rows file_rows[] = {
	{ "configuration", "SELECT id, id, -1 FROM images", path_blob, true },
	{ "manifest", "SELECT id, manifest, -1 FROM images", path_blob, true },
	{ "layer blob", "SELECT image, blob, blob_size FROM image_layers", path_blob, true },
	{ "layer", "SELECT diffid, diffid, size FROM layers WHERE writer = ?", path_layer, false },
	{ "chain", "SELECT id, id, size FROM chains WHERE writer = ?", path_chain, false },
};

static int check_content(struct checking *c, const struct file_rows *k, const char *digest,
			 const char *path, struct err *e)
{
	auto_digest struct digest *d = NULL;
	auto_close int fd = -1;
	auto_free char *buf = xcalloc(1, 1 << 18);
	char found[DIGEST_TEXT_SIZE];
	ssize_t n;

	if (digest_new(&d, e) < 0 ||
	    fd_open(store_paths(c->store)->root_fd, path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	while ((n = fd_read_full(fd, buf, 1 << 18, e)) > 0)
		digest_update(d, buf, (size_t)n);
	if (n < 0)
		return -1;
	digest_final(d, found);
	if (strcmp(found, digest) != 0)
		check_problem(c, "%s '%s' is damaged: its digest is %s", k->what, path, found);
	return 0;
}

static int check_file(struct checking *c, const struct file_rows *k, struct stmt *st, struct err *e)
{
	const char *owner = stmt_text0(st, 0), *digest = stmt_text0(st, 1);
	int64_t size = stmt_int(st, 2);
	char path[PATH_NAME_SIZE];
	struct stat file;

	if (!digest_is_valid(digest)) {
		check_problem(c, "%s of '%.80s' has an invalid digest", k->what, owner);
		return 0;
	}
	k->path(digest, path);
	if (fstatat(store_paths(c->store)->root_fd, path, &file, AT_SYMLINK_NOFOLLOW) < 0) {
		check_problem(c, "%s '%s' of '%.80s' is missing", k->what, path, owner);
		return 0;
	}
	if (size >= 0 && file.st_size != size) {
		check_problem(c, "%s '%s' of '%.80s' has %lld bytes instead of %lld", k->what, path,
			      owner, (long long)file.st_size, (long long)size);
		return 0;
	}
	return c->check->deep && k->is_content ? check_content(c, k, digest, path, e) : 0;
}

static int check_files(struct checking *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(file_rows); i++) {
		auto_stmt struct stmt st = STMT_INIT;
		int r;

		stmt_prepare(&st, store_db(c->store), file_rows[i].sql);
		if (strchr(file_rows[i].sql, '?'))
			stmt_bind_int(&st, 1, LAYER_WRITER_VERSION);
		while ((r = stmt_step(&st, e)) > 0) {
			if (check_file(c, &file_rows[i], &st, e) < 0)
				return -1;
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- containers ---- */

static void check_container_files(struct checking *c, const struct container *row)
{
	const struct paths *p = store_paths(c->store);
	auto_spec struct container_spec spec = { 0 };
	auto_close int dir = -1;
	struct err why = ERR_INIT;
	char path[PATH_NAME_SIZE];
	struct stat disk;

	if (fd_open_dir(p->root_fd, path_container(row->id, NULL, path), &dir, &why) < 0) {
		check_problem(c, "container %.12s (%s): %s", row->id, row->name, why.msg);
		return;
	}
	if (spec_read_file(dir, &spec, &why) < 0)
		check_problem(c, "container %.12s (%s): %s", row->id, row->name, why.msg);
	else if (!str_eq(spec.id, row->id))
		check_problem(c, "container %.12s (%s): %s is that of %.12s", row->id, row->name,
			      SPEC_FILE, spec.id);
	if (fstatat(dir, DISK_FILE, &disk, AT_SYMLINK_NOFOLLOW) < 0)
		check_problem(c, "container %.12s (%s): %s is missing", row->id, row->name,
			      DISK_FILE);
	else if (disk.st_size < DISK_SIZE_MIN)
		check_problem(c, "container %.12s (%s): %s is cut to %lld bytes", row->id,
			      row->name, DISK_FILE, (long long)disk.st_size);
}

/* Gone meanwhile: removed by another command, or --rm at its end. */
static bool is_gone(struct checking *c, const struct container *row)
{
	auto_container struct container again = CONTAINER_INIT;
	struct err why = ERR_INIT;

	return row_load(c->store, row->id, &again, &why) < 0 && why.kind == ERR_NOT_FOUND;
}

static int check_containers(struct checking *c, struct err *e)
{
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;

	/* This finishes those whose monitor died. */
	if (container_list(c->store, NULL, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		int before = c->problems;

		if (l.v[i].state == ST_DEAD)
			check_problem(c, "container %.12s (%s): %s", l.v[i].id, l.v[i].name,
				      l.v[i].error);
		if (l.v[i].state == ST_REMOVING || is_gone(c, &l.v[i]))
			continue;
		check_container_files(c, &l.v[i]);
		if (c->problems > before && is_gone(c, &l.v[i]))
			c->problems = before;
	}
	return 0;
}

/* ---- intents ---- */

/* Whoever is at work holds the lock of what the intent is about. */
static int check_intents(struct checking *c, struct err *e)
{
	struct intent *v;
	size_t n;

	if (intent_list(c->store, NULL, &v, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		auto_rundir struct rundir d = RUNDIR_INIT;
		auto_close int op = -1;
		struct err why = ERR_INIT;

		/* The lock is free while the container runs. */
		if (str_eq(v[i].kind, INTENT_RESTART))
			continue;
		if (rundir_open(store_paths(c->store), v[i].subject, false, &d, &why) == 0 &&
		    fd_open(d.fd, RUNDIR_OP, O_RDWR, 0, &op, &why) == 0 &&
		    fd_lock_is_held(op, &why) != 0)
			continue;
		check_problem(c, "'%s' of %.12s was begun and can be neither ended nor undone",
			      v[i].kind, v[i].subject);
	}
	intent_list_free(v, n);
	return 0;
}

/* ---- files that no row names ---- */

static int found_garbage(void *ctx, const char *path, struct err *e)
{
	struct checking *c = ctx;
	struct err why = ERR_INIT;
	int r = 0;

	(void)e;
	if (c->check->repair)
		r = dir_remove_tree(store_paths(c->store)->root_fd, path, &why);
	check_leftover(c, r, &why, "'%s' belongs to nothing", path);
	return 0;
}

static int check_garbage(struct checking *c, struct err *e)
{
	/* Who holds it is about to name files; there is nothing to be said about them now. */
	int r = store_collector_lock(c->store, LOCK_EXCLUSIVE, false, e);

	if (r <= 0)
		return r;
	r = gc_list(c->store, found_garbage, c, e);
	store_collector_unlock(c->store);
	return r;
}

static void report_integrity(void *ctx, const char *line)
{
	check_problem(ctx, "database: %s", line);
}

int check_run(struct store *s, const struct check *check, struct err *e)
{
	struct checking c = { .store = s, .check = check };

	if (!db_exists(store_db(s)) && store_paths(s)->root_fd < 0)
		return check_runtime(&c, e) < 0 ? -1 : c.problems;
	if (db_integrity(store_db(s), report_integrity, &c, e) < 0)
		return -1;
	if (store_recover(s, e) < 0 || check_containers(&c, e) < 0 || check_intents(&c, e) < 0 ||
	    check_files(&c, e) < 0 || check_garbage(&c, e) < 0 || check_runtime(&c, e) < 0)
		return -1;
	return c.problems;
}
