/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/container_priv.h"
#include "engine/finish.h"
#include "engine/state.h"

static void replace(char **text, const char *with)
{
	char *old = *text;

	*text = xstrdup(with);
	free(old);
}

static void overlay_run(struct container *c, const struct vmstate *s)
{
	c->started_ns = s->started_at;
	c->exit_code = 0;
	c->oom = s->oom;
	switch (s->phase) {
	case VM_PAUSED:
		c->state = ST_PAUSED;
		break;
	case VM_STOPPING:
		c->state = ST_STOPPING;
		break;
	case VM_RESTARTING:
		c->state = ST_RESTARTING;
		c->exit_code = (int)s->exit_code;
		c->finished_ns = s->finished_at;
		replace(&c->error, s->error);
		break;
	case VM_STARTING:
	case VM_RUNNING:
	case VM_EXITED:
	case VM_PHASE_COUNT:
		c->state = ST_RUNNING;
		break;
	}
}

void container_overlay(struct store *s, struct container *c)
{
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;
	struct err ignored = ERR_INIT;

	/* One that has exited is about to be folded in; until then the row's word is as good. */
	if (rundir_open(store_paths(s), c->id, false, &d, &ignored) < 0 ||
	    vmstate_read(d.fd, &state, &ignored) < 0 ||
	    (state.phase == VM_EXITED && c->state != ST_STARTING))
		return;
	c->restart_count = state.restart_count;
	replace(&c->health, state.health);
	/* A row may say "starting" long after: its starter died before it said so, or is about to. */
	if (state.started_at > 0)
		overlay_run(c, &state);
}

int row_settle(struct store *s, struct container *c, struct err *e)
{
	char id[ID_TEXT_SIZE];
	int alive;

	if (!state_is_active(c->state))
		return 1;
	alive = rundir_alive_by_id(store_paths(s), c->id, e);
	if (alive < 0)
		return -1;
	if (alive > 0) {
		container_overlay(s, c);
		return 1;
	}
	memcpy(id, c->id, sizeof(id));
	if (container_finish(s, id, e) < 0)
		return -1;
	if (row_load(s, id, c, e) == 0)
		return 1;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	err_clear(e);
	return 0;
}

/* The first row of a query with one text parameter: 1, or 0 when there is none. 2: there are
 * more. */
static int first_row(struct store *s, const char *sql, const char *text, struct container *ret,
		     struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	int r;

	stmt_prepare(&st, store_db(s), sql);
	stmt_bind_text(&st, 1, text);
	r = stmt_step(&st, e);
	if (r <= 0)
		return r;
	if (row_fill(&st, ret, e) < 0)
		return -1;
	r = stmt_step(&st, e);
	return r < 0 ? -1 : r + 1;
}

/* Docker's order: a whole id, a name, the beginning of an id. */
static int lookup(struct store *s, const char *which, struct container *ret, struct err *e)
{
	size_t n = strlen(which);
	int r = 0;

	if (hex_is(which, ID_TEXT_SIZE - 1))
		return first_row(s, "SELECT " CONTAINER_COLUMNS " FROM containers WHERE id = ?",
				 which, ret, e);
	r = first_row(s, "SELECT " CONTAINER_COLUMNS " FROM containers WHERE name = ?",
		      which[0] == '/' ? which + 1 : which, ret, e);
	if (r != 0 || n == 0 || n >= ID_TEXT_SIZE || !hex_is(which, n))
		return r;
	return first_row(s,
			 "SELECT " CONTAINER_COLUMNS
			 " FROM containers WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2",
			 which, ret, e);
}

int container_find(struct store *s, const char *which, struct container *ret, struct err *e)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = lookup(s, which, &c, e);

	if (r > 1)
		return err_set(e, ERR_INVALID, "multiple IDs found with provided prefix: %.255s",
			       which);
	if (r > 0)
		r = row_settle(s, &c, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NOT_FOUND, "No such container: %.255s", which);
	container_release(ret);
	*ret = c;
	c = (struct container)CONTAINER_INIT;
	return 0;
}

/* The rows of those whose monitor died, or never came to be, say that they run. */
static int settle_users(struct store *s, const char *image_id, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	auto_strv struct strv ids = STRV_INIT;
	int r;

	stmt_prepare(&st, store_db(s),
		     "SELECT id FROM containers WHERE image = ?1 AND state BETWEEN ?2 AND ?3");
	stmt_bind_text(&st, 1, image_id);
	stmt_bind_int(&st, 2, ST_STARTING);
	stmt_bind_int(&st, 3, ST_RESTARTING);
	while ((r = stmt_step(&st, e)) > 0)
		strv_add(&ids, stmt_text0(&st, 0));
	stmt_reset(&st);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		auto_container struct container c = CONTAINER_INIT;

		if (container_find(s, ids.v[i], &c, e) == 0)
			continue;
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
	}
	return r;
}

int container_count_image(struct store *s, const char *image_id, char ret_id[ID_TEXT_SIZE],
			  bool *ret_active, struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	int n = 0, r;

	if (settle_users(s, image_id, e) < 0)
		return -1;
	/* Those that run first, the newest first. */
	stmt_prepare(&st, store_db(s),
		     "SELECT id, state FROM containers WHERE image = ?"
		     " ORDER BY state BETWEEN ?2 AND ?3 DESC, created_ns DESC");
	stmt_bind_text(&st, 1, image_id);
	stmt_bind_int(&st, 2, ST_STARTING);
	stmt_bind_int(&st, 3, ST_RESTARTING);
	while ((r = stmt_step(&st, e)) > 0) {
		if (n++ > 0)
			continue;
		if (ret_id)
			snprintf(ret_id, ID_TEXT_SIZE, "%s", stmt_text0(&st, 0));
		if (ret_active)
			*ret_active = state_is_active((enum state)stmt_int(&st, 1));
	}
	return r < 0 ? -1 : n;
}
