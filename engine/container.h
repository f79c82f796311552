/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers: rows, folders and names. What is asked for by name comes back with its *true*
 * state: a row that says it runs while nobody holds its `alive` lock is finished first
 * (finish.h), so `ps` tells the truth after kill -9 of anything.
 *
 * Starting (engine/start.h) uses container_lock_start, container_begin_start and container_started; at
 * the end of a VM container_finish folds the result in.
 */
#ifndef KVBOX_ENGINE_CONTAINER_H
#define KVBOX_ENGINE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"
#include "base/strv.h"
#include "engine/lifecycle.h"
#include "engine/rundir.h"
#include "engine/spec.h"
#include "engine/store.h"

/* What the narrow columns hold. */
struct container {
	char id[ID_TEXT_SIZE];
	char *name;
	enum state state;
	int64_t created_ns;
	int64_t started_ns;  /* 0: never */
	int64_t finished_ns; /* 0: never */
	int exit_code;
	bool oom;
	char *error; /* why it could not be started or ended badly; "" */
	bool auto_remove;
	int64_t restart_count; /* by the restart policy, since the last start by hand */
	char *health; /* Docker's JSON of State.Health; "" without a check or before the first start */
	char *image_id;
	char *image_ref;
	char *command;
	struct strv labels; /* key=value */
};
#define CONTAINER_INIT       \
	{                    \
		.name = NULL \
	}

void container_release(struct container *c);
#define auto_container __attribute__((cleanup(container_release)))

/*
 * Creates: gives the spec its id, name, hostname and time where they are empty, checks the name,
 * makes the folder with config.json and the writable disk, and inserts the row. ERR_INVALID for
 * a bad name, ERR_CONFLICT for one that is taken (both in Docker's words), ERR_NOT_FOUND when
 * the image went away.
 *
 * `ret_lock` may be NULL. With it (`run`) the container comes back locked (op) and as one that is about to
 * start, in the same commit. Should the caller unlock before container_begin_start, or die, it is "created" again,
 * or removed if it is auto_remove: `run --rm` leaves nothing behind.
 */
struct container_lock;
int container_create(struct store *s, struct container_spec *spec, struct container_lock *ret_lock,
		     struct err *e) MUST_CHECK;

/* "starting", "healthy" or "unhealthy" of a container that has a check, else "". */
const char *container_health_word(const struct container *c);

/* By full id, name (a leading slash is ignored) or unique prefix of the id. Messages in Docker's
 * words: "No such container: x" (ERR_NOT_FOUND), "multiple IDs found with provided prefix: x"
 * (ERR_INVALID). */
int container_find(struct store *s, const char *which, struct container *ret,
		   struct err *e) MUST_CHECK;
/* The definition of a container, by full id. */
int container_spec_load(struct store *s, const char *id, struct container_spec *ret,
			struct err *e) MUST_CHECK;

/*
 * Filters, as `ps --filter`: values of one list are alternatives, the lists add up.
 * NULL-initialise.
 */
struct container_filter {
	bool all; /* also those that do not run (Docker: implied by `statuses` and `last`) */
	int last; /* only the newest n of any state; 0: no limit */
	struct strv names;     /* regular expressions, on "name" and "/name" */
	struct strv ids;       /* regular expressions */
	struct strv labels;    /* "key" or "key=value" */
	struct strv ancestors; /* image ids (or beginnings), or references as written at run */
	struct strv statuses;  /* Docker's words */
	struct strv exited;    /* exit codes */
	struct strv before;    /* created before this container */
	struct strv since;     /* created after this container */
	struct strv healths;   /* none, starting, healthy, unhealthy */
	struct strv exposed, published; /* "80", "80/udp", "80-90/tcp" */
	struct strv networks, volumes;	/* names */
};
void container_filter_release(struct container_filter *f);
#define auto_container_filter __attribute__((cleanup(container_filter_release)))

struct container_list {
	struct container *v;
	size_t n;
};
#define CONTAINER_LIST_INIT \
	{                   \
		NULL, 0     \
	}
void container_list_release(struct container_list *l);
#define auto_container_list __attribute__((cleanup(container_list_release)))

/* Newest first. A NULL filter is all. A container that cannot be brought up to date (its VM does
 * not die, say) is shown as dead, with the reason in `error`. ERR_INVALID for a bad regular
 * expression or word. */
int container_list(struct store *s, const struct container_filter *f, struct container_list *ret,
		   struct err *e) MUST_CHECK;
/* How many containers (of any state) use the image: 0, or more with the id of one in `ret_id`. */
int container_count_image(struct store *s, const char *image_id, char ret_id[ID_TEXT_SIZE],
			  bool *ret_active, struct err *e) MUST_CHECK;

/*
 * Removes a container that does not run; with REMOVE_FORCE one that runs too: its monitor and VM
 * are killed here, without further ado (who wants attached clients to see an exit code asks the
 * monitor to stop first). ERR_CONFLICT in Docker's words when it runs. Takes `op`.
 */
enum container_remove_flags { REMOVE_FORCE = 1u << 0, REMOVE_VOLUMES = 1u << 1 };
int container_remove(struct store *s, const char *id, unsigned int flags, struct err *e) MUST_CHECK;

/*
 * Gives it another name: row, definition and config.json; an event tells it. Docker's words: ERR_INVALID
 * for a name that cannot be, ERR_CONFLICT for one that is taken, ERR_INVALID for its own. A leading slash
 * is ignored. A monitor that runs is told by client_rename. Takes `op`.
 */
int container_rename(struct store *s, const char *id, const char *name, struct err *e) MUST_CHECK;

/* --- for engine/start.c and whoever else changes a container --- */

/* The op lock of a container and its row as it is under the lock. */
struct container_lock {
	struct store *store;
	struct rundir dir;
	struct container row;
	bool begun; /* by container_create, and container_begin_start not called yet */
};
#define CONTAINER_LOCK_INIT                               \
	{                                                 \
		.dir = RUNDIR_INIT, .row = CONTAINER_INIT \
	}

/* Waits for `op`, reads the row again, brings it up to date as container_find does.
 * ERR_NOT_FOUND when the container is gone by now (and no run folder is left behind). */
int container_lock(struct store *s, const char *id, struct container_lock *ret,
		   struct err *e) MUST_CHECK;
/* The same for a start: not before the monitor of the last run has left. */
int container_lock_start(struct store *s, const char *id, struct container_lock *ret,
			 struct err *e) MUST_CHECK;
void container_unlock(struct container_lock *l);
#define auto_container_lock __attribute__((cleanup(container_unlock)))

/* Before a container is stopped to be started again: one with auto_remove is removed by the next command should
 * this process die in between. Ends with the start. */
int container_begin_restart(struct store *s, const struct container *c, struct err *e) MUST_CHECK;

/* Under the lock, before the monitor is spawned: refuses unless the container may be started,
 * removes what an earlier run left in the run folder, sets the state to starting (unless it was created so). Keep the
 * lock until the monitor holds `alive` and has written state.json (until its HELLO); unlock then, or
 * after container_finish has to clean up because the monitor never came that far
 * (container_finish_locked). */
int container_begin_start(struct container_lock *l, struct err *e) MUST_CHECK;
/* When the container's process runs; without lock. Does nothing when it has ended already. The
 * time is that of state.json, `started_ns` where there is none. For what is to be told after the end of the host,
 * so it may be left out with auto_remove. */
int container_started(struct store *s, const char *id, int64_t started_ns,
		      struct err *e) MUST_CHECK;

#endif
