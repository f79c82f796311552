/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/container_priv.h"
#include "engine/disk.h"
#include "engine/finish.h"
#include "engine/names.h"

#define ID_SHORT 12
/* Made-up names without a number are tried this often. */
#define NAME_TRIES     8
#define NAME_TRIES_MAX 1000

/* One creation on its way. */
struct creation {
	struct store *store;
	struct container_spec *spec;
	bool name_is_ours;
	bool for_run;
	struct container_lock lock;
};

static void replace(char **text, const char *with)
{
	char *old = *text;

	*text = xstrdup(with);
	free(old);
}

/* With --rm nothing has to survive a power cut: what one leaves is collected after it
 * (store_recover). */
static int begin(struct creation *c, struct tx *tx, struct err *e)
{
	struct db *db = store_db(c->store);

	return c->spec->auto_remove ? tx_begin_lazy(tx, db, e) : tx_begin(tx, db, e);
}

/* 1 and the id of the container that has the name, or 0. */
static int name_holder(struct store *s, const char *name, char ret[ID_TEXT_SIZE], struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	int r;

	stmt_prepare(&st, store_db(s), "SELECT id FROM containers WHERE name = ?");
	stmt_bind_text(&st, 1, name);
	r = stmt_step(&st, e);
	if (r > 0)
		snprintf(ret, ID_TEXT_SIZE, "%s", stmt_text0(&st, 0));
	return r;
}

static int name_conflict(const char *name, const char *id, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		       "Conflict. The container name \"/%s\" is already in use by container \"%s\"."
		       " You have to remove (or rename) that container to be able to reuse that"
		       " name.",
		       name, id);
}

int container_check_name(struct store *s, const char *name, struct err *e)
{
	char holder[ID_TEXT_SIZE];
	int r;

	if (name_check(name, e) < 0)
		return -1;
	r = name_holder(s, name, holder, e);
	if (r <= 0)
		return r;
	if (container_finish(s, holder, e) < 0)
		return -1;
	r = name_holder(s, name, holder, e);
	return r <= 0 ? r : name_conflict(name, holder, e);
}

/* The first one is taken as it comes: as a rule nobody has it, and if so the row is refused. */
static int make_name(struct creation *c, bool first, struct err *e)
{
	char name[NAME_MADE_SIZE], holder[ID_TEXT_SIZE];

	for (int i = 0; i < NAME_TRIES_MAX; i++) {
		int r;

		name_make(i < NAME_TRIES ? 0 : i - NAME_TRIES + 1, name);
		r = first ? 0 : name_holder(c->store, name, holder, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			replace(&c->spec->name, name);
			return 0;
		}
	}
	return err_set(e, ERR_CONFLICT, "cannot find a free name");
}

/* The first 12 digits name the run folder and so have to be unique by themselves. */
static int is_id_used(struct store *s, const char *id, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(s),
		     "SELECT 1 FROM containers WHERE id >= ?1 AND id < ?1 || 'g'");
	stmt_bind_textn(&st, 1, id, ID_SHORT);
	return stmt_step(&st, e);
}

/* The run folder first: the collector finds it by the other one. What this cannot undo, the next command collects. */
static void undo(struct creation *c, const char *id)
{
	const struct paths *p = store_paths(c->store);
	struct err why = ERR_INIT;
	char path[PATH_NAME_SIZE];

	path_container(id, NULL, path);
	if ((c->lock.dir.fd < 0 || rundir_remove(p, &c->lock.dir, &why) == 0) &&
	    dir_remove_tree(p->root_fd, path, &why) == 0)
		return;
	store_collector_keep_mark(c->store);
	log_debug("creation of %.12s is not undone yet: %s", id, why.msg);
}

/* One attempt: 1 when the id is ours, its folder is made and its op lock held. The folder comes first, since the
 * lock makes the run folder. */
static int claim(struct creation *c, const char *id, struct err *e)
{
	const struct paths *p = store_paths(c->store);
	char path[PATH_NAME_SIZE];
	int r = is_id_used(c->store, id, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	path_container(id, NULL, path);
	if (fault("container.mkdir") || mkdirat(p->root_fd, path, 0710) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "cannot create '%s/%s'", p->root, path);
	r = container_try_op(c->store, id, &c->lock, e);
	if (r == 0) /* another creation, of an id with the same beginning */
		undo(c, id);
	if (r < 0)
		store_collector_keep_mark(c->store);
	return r;
}

static int make_id(struct creation *c, struct err *e)
{
	char id[ID_TEXT_SIZE];
	int r;

	do {
		/* The caller's own id (its environment may name it) is tried once. */
		if (hex_is(c->spec->id, ID_TEXT_SIZE - 1))
			memcpy(id, c->spec->id, ID_TEXT_SIZE);
		else
			random_id(id);
		replace(&c->spec->id, "");
		r = claim(c, id, e);
	} while (r == 0);
	if (r < 0)
		return -1;
	replace(&c->spec->id, id);
	memcpy(c->lock.row.id, id, ID_TEXT_SIZE);
	if (!c->spec->hostname[0]) {
		id[ID_SHORT] = 0;
		replace(&c->spec->hostname, id);
	}
	return 0;
}

static int write_definition(struct creation *c, struct str *text, struct err *e)
{
	const struct paths *p = store_paths(c->store);
	char path[PATH_NAME_SIZE];

	str_clear(text);
	spec_write(c->spec, text);
	if (text->over)
		return err_set(e, ERR_INVALID, "the definition of the container is too long");
	path_container(c->spec->id, SPEC_FILE, path);
	if (c->spec->auto_remove)
		return file_write_new(p->root_fd, path, text->buf, text->len, 0600, e);
	return file_write_atomic(p->root_fd, path, text->buf, text->len, 0600, e);
}

static int make_disk(struct creation *c, struct err *e)
{
	return disk_create(store_paths(c->store), c->spec->id, c->spec->disk_size,
			   !c->spec->auto_remove, e);
}

/* So that the folder itself is there after a power cut. */
static int sync_folders(struct creation *c, struct err *e)
{
	auto_close int fd = -1;

	if (c->spec->auto_remove)
		return 0;
	if (fd_open_dir(store_paths(c->store)->root_fd, DIR_CONTAINERS, &fd, e) < 0)
		return -1;
	return dir_sync(fd, e);
}

/* ---- rows ---- */

static int insert_sandbox(struct creation *c, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(c->store),
		     "INSERT INTO sandboxes (id, created_ns) VALUES (?, ?)");
	stmt_bind_text(&st, 1, c->spec->id);
	stmt_bind_int(&st, 2, c->spec->created_ns);
	return stmt_run(&st, e);
}

static int insert_container(struct creation *c, enum state state, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	auto_str struct str labels = STR_INIT(SPEC_TEXT_MAX);
	auto_free char *command = spec_command(c->spec);
	struct json_writer w;

	/* jw_map wants to be inside an object; a top-level map is an object of its own. */
	jw_init(&w, &labels, 0);
	jw_begin_object(&w, NULL);
	for (size_t i = 0; i < c->spec->labels.n; i++) {
		const char *label = c->spec->labels.v[i];
		const char *eq = strchr(label, '=');
		auto_free char *key = eq ? xstrndup(label, (size_t)(eq - label)) : xstrdup(label);

		jw_str(&w, key, eq ? eq + 1 : "");
	}
	jw_end(&w);
	stmt_prepare(&st, store_db(c->store),
		     "INSERT INTO containers (id, name, sandbox, state, created_ns, auto_remove,"
		     " chain, image, image_ref, command, labels)"
		     " VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
	stmt_bind_text(&st, 1, c->spec->id);
	stmt_bind_text(&st, 2, c->spec->name);
	stmt_bind_int(&st, 3, state);
	stmt_bind_int(&st, 4, c->spec->created_ns);
	stmt_bind_int(&st, 5, c->spec->auto_remove);
	stmt_bind_text(&st, 6, c->spec->chain);
	stmt_bind_text(&st, 7, c->spec->image_id);
	stmt_bind_text(&st, 8, c->spec->image_ref);
	stmt_bind_text(&st, 9, command);
	stmt_bind_text(&st, 10, labels.buf);
	return stmt_run(&st, e);
}

static int insert_spec(struct creation *c, const struct str *text, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(c->store),
		     "INSERT INTO container_specs (container, doc) VALUES (?, ?)");
	stmt_bind_text(&st, 1, c->spec->id);
	stmt_bind_textn(&st, 2, text->buf, text->len);
	return stmt_run(&st, e);
}

static int insert_rows(struct creation *c, const struct str *text, struct err *e)
{
	auto_tx struct tx tx = TX_INIT;
	enum state state;

	/* `run` takes two steps at once. */
	if (state_next(ST_NONE, EV_CREATE, &state, e) < 0 ||
	    (c->for_run && state_next(state, EV_START, &state, e) < 0))
		return -1;
	if (begin(c, &tx, e) < 0 || insert_sandbox(c, e) < 0 || insert_container(c, state, e) < 0 ||
	    insert_spec(c, text, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

/* Which constraint refused the row. 1: try again with another name of our own making. */
static int explain_conflict(struct creation *c, struct err *e)
{
	char holder[ID_TEXT_SIZE];
	int r;

	err_clear(e);
	r = name_holder(c->store, c->spec->name, holder, e);
	if (r < 0)
		return -1;
	if (r > 0)
		return c->name_is_ours ? 1 : name_conflict(c->spec->name, holder, e);
	return err_set(e, ERR_NOT_FOUND, "No such image: %s", c->spec->image_ref);
}

static int define(struct creation *c, struct err *e)
{
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);
	bool first = true;
	int r;

	do {
		if (c->name_is_ours && make_name(c, first, e) < 0)
			return -1;
		first = false;
		if (write_definition(c, &text, e) < 0 || sync_folders(c, e) < 0)
			return -1;
		r = insert_rows(c, &text, e);
		if (r < 0 && e->kind == ERR_CONFLICT)
			r = explain_conflict(c, e);
	} while (r > 0);
	return r;
}

static int create_under_locks(struct creation *c, struct err *e)
{
	if (make_id(c, e) < 0)
		return -1;
	if (make_disk(c, e) < 0 || define(c, e) < 0) {
		undo(c, c->spec->id);
		return -1;
	}
	return 0;
}

/* From the locks of the creation to what the caller wants to keep of them. */
static int hand_over(struct creation *c, struct container_lock *ret, struct err *e)
{
	struct err ignored = ERR_INIT;

	if (row_load(c->store, c->spec->id, &c->lock.row, e) < 0)
		return -1;
	container_event(c->store, &c->lock.row, "create");
	if (!ret) {
		(void)!rundir_remove(store_paths(c->store), &c->lock.dir, &ignored);
		return 0;
	}
	c->lock.begun = true;
	*ret = c->lock;
	c->lock = (struct container_lock)CONTAINER_LOCK_INIT;
	return 0;
}

int container_create(struct store *s, struct container_spec *spec, struct container_lock *ret_lock,
		     struct err *e)
{
	struct creation c = { .store = s,
			      .spec = spec,
			      .name_is_ours = !spec->name[0],
			      .for_run = ret_lock != NULL,
			      .lock = CONTAINER_LOCK_INIT };
	int r;

	if (!c.name_is_ours && container_check_name(s, spec->name, e) < 0)
		return -1;
	if (spec->created_ns == 0)
		spec->created_ns = clock_now();
	if (store_collector_lock(s, LOCK_SHARED, true, e) < 0)
		return -1;
	r = create_under_locks(&c, e);
	store_collector_unlock(s);
	if (r == 0)
		r = hand_over(&c, ret_lock, e);
	container_unlock(&c.lock);
	return r;
}
