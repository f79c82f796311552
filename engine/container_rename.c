/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming: config.json first, then row and definition in one commit. A kill in between leaves an old row
 * beside a new config.json, in which only the monitor of the next run reads the name, for its events.
 */
#include "engine/container.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/container_priv.h"
#include "engine/eventlog.h"

static int write_config(struct container_lock *l, const struct container_spec *spec,
			struct str *text, struct err *e)
{
	char path[PATH_NAME_SIZE];

	spec_write(spec, text);
	if (text->over)
		return err_set(e, ERR_INVALID, "the definition of the container is too long");
	path_container(l->row.id, SPEC_FILE, path);
	return file_write_atomic(store_paths(l->store)->root_fd, path, text->buf, text->len, 0600,
				 e);
}

static int update_text(struct container_lock *l, const char *sql, const char *text, size_t n,
		       struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(l->store), sql);
	stmt_bind_text(&st, 1, l->row.id);
	stmt_bind_textn(&st, 2, text, n);
	return stmt_run(&st, e);
}

static int update_rows(struct container_lock *l, const char *name, const struct str *text,
		       struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (container_begin_tx(l, &tx, e) < 0 ||
	    update_text(l, "UPDATE containers SET name = ?2 WHERE id = ?1", name, strlen(name), e) <
		    0 ||
	    update_text(l, "UPDATE container_specs SET doc = ?2 WHERE container = ?1", text->buf,
			text->len, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

static void tell(struct container_lock *l, const char *old)
{
	auto_strv struct strv attributes = STRV_INIT;

	strv_addf(&attributes, "image=%s", l->row.image_ref);
	strv_addf(&attributes, "name=%s", l->row.name);
	strv_addf(&attributes, "oldName=/%s", old);
	eventlog_add(store_paths(l->store), "container", "rename", l->row.id, &attributes);
}

static int rename_locked(struct container_lock *l, const char *name, struct err *e)
{
	auto_spec struct container_spec spec = { .id = NULL };
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);
	auto_free char *old = NULL;
	struct err ignored = ERR_INIT;

	if (container_spec_load(l->store, l->row.id, &spec, e) < 0)
		return -1;
	old = spec.name;
	spec.name = xstrdup(name);
	if (write_config(l, &spec, &text, e) < 0)
		return -1;
	if (update_rows(l, name, &text, e) == 0) {
		free(l->row.name);
		l->row.name = xstrdup(name);
		tell(l, old);
		return 0;
	}
	free(spec.name);
	spec.name = xstrdup(old);
	str_clear(&text);
	if (write_config(l, &spec, &text, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return -1;
}

int container_rename(struct store *s, const char *id, const char *name, struct err *e)
{
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;

	if (*name == '/')
		name++;
	if (!*name)
		return err_set(e, ERR_INVALID, "Neither old nor new names may be empty");
	if (container_lock(s, id, &l, e) < 0)
		return -1;
	if (str_eq(l.row.name, name))
		return err_set(e, ERR_INVALID,
			       "Renaming a container with the same name as its current name");
	/* Two commands that want the same name at once: the row's constraint decides. */
	if (container_check_name(s, name, e) < 0 || rename_locked(&l, name, e) < 0)
		return err_wrap(e, "Error when allocating new name");
	return 0;
}
