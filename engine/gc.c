/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/gc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "engine/bundled.h"
#include "engine/cgroup.h"
#include "engine/joined.h"
#include "engine/rundir.h"

#define HEX 64

/* What a folder holds and which row names a file in it (?1: digest or id, ?2: writer version). */
struct kind {
	const char *folder;
	bool has_writer; /* <hex>.<writer version>.erofs, else just <hex> */
	const char *prefix;
	const char *named;
};

static const struct kind kinds[] = {
	{ DIR_BLOBS, false, "sha256:",
	  "SELECT 1 WHERE EXISTS (SELECT 1 FROM images WHERE id = ?1 OR manifest = ?1)"
	  " OR EXISTS (SELECT 1 FROM image_layers WHERE blob = ?1)"
	  " OR EXISTS (SELECT 1 FROM image_digests WHERE digest = ?1)" },
	{ DIR_LAYERS, true, "sha256:", "SELECT 1 FROM layers WHERE diffid = ?1 AND writer = ?2" },
	{ DIR_CHAINS, true, "sha256:", "SELECT 1 FROM chains WHERE id = ?1 AND writer = ?2" },
	{ DIR_CONTAINERS, false, "", "SELECT 1 FROM containers WHERE id = ?1" },
	{ DIR_TMP, false, "", NULL }, /* whatever is there, nobody wants it */
};

struct walk {
	const struct kind *kind;
	struct stmt named;
	int (*each)(void *ctx, const char *path, struct err *e);
	void *ctx;
};

/* The parts of a name; false when it is not of the kind's form. */
static bool split_name(const struct kind *k, const char *name, char key[8 + HEX], uint64_t *writer)
{
	struct err ignored = ERR_INIT;
	char number[24];
	const char *rest = name + HEX;
	size_t n = strlen(name);

	*writer = 0;
	if (n < HEX)
		return false;
	snprintf(key, 8 + HEX, "%s%.64s", k->prefix, name);
	if (!hex_is(key + strlen(k->prefix), HEX))
		return false;
	if (!k->has_writer)
		return n == HEX;
	if (rest[0] != '.' ||
	    (!str_has_suffix(rest, ".erofs") && !str_has_suffix(rest, JOINED_SUFFIX)))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(strcspn(rest + 1, ".")), rest + 1);
	return parse_u64(number, INT32_MAX, writer, &ignored) == 0;
}

static int is_named(struct walk *w, const char *name, struct err *e)
{
	char key[8 + HEX];
	uint64_t writer;

	if (!w->kind->named || !split_name(w->kind, name, key, &writer))
		return 0;
	stmt_reset(&w->named);
	stmt_bind_text(&w->named, 1, key);
	if (w->kind->has_writer)
		stmt_bind_int(&w->named, 2, (int64_t)writer);
	return stmt_step(&w->named, e);
}

static int look_at(void *ctx, const char *name, struct err *e)
{
	struct walk *w = ctx;
	char path[sizeof(DIR_CONTAINERS) + 256 + 8];
	int r = is_named(w, name, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	snprintf(path, sizeof(path), "%s/%s", w->kind->folder, name);
	return w->each(w->ctx, path, e);
}

int gc_list(struct store *s, int (*each)(void *ctx, const char *path, struct err *e), void *ctx,
	    struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct walk w = { .kind = &kinds[i], .named = STMT_INIT, .each = each, .ctx = ctx };
		int r;

		if (kinds[i].named)
			stmt_prepare(&w.named, store_db(s), kinds[i].named);
		r = dir_each(store_paths(s)->root_fd, kinds[i].folder, look_at, &w, e);
		stmt_release(&w.named);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- collecting ---- */

struct collection {
	struct store *store;
	struct gc_result result;
};

static uint64_t disk_usage(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0
								  : (uint64_t)st.st_blocks * 512;
}

struct usage {
	int fd;
	uint64_t bytes;
};

static int add_usage(void *ctx, const char *name, struct err *e)
{
	struct usage *u = ctx;

	(void)e;
	u->bytes += disk_usage(u->fd, name);
	return 0;
}

/* A file, or a folder with the files in it (the folders of containers have no others). */
static uint64_t tree_usage(int dirfd, const char *path)
{
	auto_close int fd = -1;
	struct err ignored = ERR_INIT;
	struct usage u = { -1, disk_usage(dirfd, path) };

	if (fd_open(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &fd, &ignored) < 0)
		return u.bytes;
	u.fd = fd;
	(void)!dir_each(fd, ".", add_usage, &u, &ignored);
	return u.bytes;
}

/* Of a creation that did not come to its row; the run folder is the first to go, as it is found by the other one. */
static int collect_rundir(struct store *s, const char *id, struct err *e)
{
	auto_rundir struct rundir d = RUNDIR_INIT;
	auto_stmt struct stmt st = STMT_INIT;
	struct err why = ERR_INIT;
	int r;

	if (rundir_open(store_paths(s), id, false, &d, &why) < 0)
		return why.kind == ERR_NOT_FOUND ? 0 : err_move(e, &why);
	rundir_release(&d);
	/* One with the same beginning would have the same. */
	stmt_prepare(&st, store_db(s), "SELECT 1 FROM containers WHERE substr(id, 1, 12) = ?");
	stmt_bind_textn(&st, 1, id, RUNDIR_NAME_SIZE - 1);
	r = stmt_step(&st, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (rundir_lock(store_paths(s), id, true, &d, e) < 0)
		return -1;
	return rundir_remove(store_paths(s), &d, e);
}

static int collect(void *ctx, const char *path, struct err *e)
{
	struct collection *c = ctx;
	int root = store_paths(c->store)->root_fd;
	uint64_t bytes = tree_usage(root, path);
	const char *id = path + sizeof(DIR_CONTAINERS);
	struct err why = ERR_INIT;

	if (str_has_prefix(path, DIR_CONTAINERS "/") && hex_is(id, HEX) &&
	    collect_rundir(c->store, id, &why) < 0) {
		log_debug("%s", why.msg);
		return 0;
	}
	if (dir_remove_tree(root, path, e) < 0)
		return -1;
	c->result.files++;
	c->result.bytes += bytes;
	return 0;
}

/* Chains that neither an image nor a container needs, then layers that nothing stands on. */
static int delete_rows(struct store *s, struct err *e)
{
	static const char *const statements[] = {
		"DELETE FROM chains WHERE id NOT IN (SELECT chain FROM images)"
		" AND id NOT IN (SELECT chain FROM containers)",
		"DELETE FROM layers WHERE diffid NOT IN (SELECT diffid FROM chain_layers)"
		" AND diffid NOT IN (SELECT diffid FROM image_layers)",
	};
	auto_tx struct tx tx = TX_INIT;

	/* Durable: a row must not come back after its file has gone. */
	if (tx_begin(&tx, store_db(s), e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		auto_stmt struct stmt st = STMT_INIT;

		stmt_prepare(&st, store_db(s), statements[i]);
		if (stmt_run(&st, e) < 0)
			return -1;
	}
	return tx_commit(&tx, e);
}

/* There was something to collect and somebody was in the way: the next command looks again. */
static void leave_mark(struct store *s)
{
	auto_close int fd = -1;
	struct err ignored = ERR_INIT;

	if (fd_open(store_paths(s)->root_fd, DIR_TMP "/collect", O_WRONLY | O_CREAT, 0600, &fd,
		    &ignored) < 0)
		log_debug("%s", ignored.msg);
}

int gc_run(struct store *s, bool wait, struct gc_result *ret, struct err *e)
{
	auto_urgent struct db *urgent = db_urgent_begin(store_db(s));
	struct collection c = { s, { 0, 0 } };
	int r = store_collector_lock(s, LOCK_EXCLUSIVE, wait, e);

	if (r == 0)
		leave_mark(s);
	if (r <= 0)
		return r;
	r = delete_rows(s, e);
	if (r == 0)
		r = gc_list(s, collect, &c, e);
	store_collector_unlock(s);
	bundled_collect(store_paths(s));
	cgroup_sweep();
	if (r < 0)
		return -1;
	if (ret)
		*ret = c.result;
	return 1;
}
