/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a container as one table: state and event give the next state, an empty cell
 * refuses. Pure: who changes the state of a row is container_set_state() alone.
 *
 * "starting" is the time from the decision to start until the container's process runs; Docker
 * has no word for it and shows what it was before. Which state a row is in is the last word only
 * while nobody holds `alive` (rundir.h); container_find and container_list reconcile the two.
 */
#ifndef KVBOX_ENGINE_LIFECYCLE_H
#define KVBOX_ENGINE_LIFECYCLE_H

#include <stdbool.h>

#include "base/err.h"

/* The values are stored: append only. */
enum state {
	ST_NONE, /* no such container */
	ST_CREATED,
	ST_STARTING,
	ST_RUNNING,
	ST_PAUSED,
	ST_STOPPING,
	ST_RESTARTING,
	ST_EXITED,
	ST_REMOVING,
	ST_DEAD, /* could not be removed completely */
	ST_COUNT,
};

enum event {
	EV_CREATE,  /* the row is inserted */
	EV_START,   /* somebody begins to start it */
	EV_STARTED, /* its process runs */
	EV_FAILED,  /* it could not be started and never ran before */
	EV_PAUSE,
	EV_UNPAUSE,
	EV_STOP,    /* asked to end */
	EV_RESTART, /* ended, and the restart policy waits to start it again */
	EV_GONE,    /* ended */
	EV_REMOVE,  /* somebody begins to remove it */
	EV_REMOVED, /* the row is deleted */
	EV_STUCK,   /* removal failed for good */
	EV_COUNT,
};

/* Our name ("starting") and Docker's word ("created"). */
const char *state_name(enum state st);
const char *state_word(enum state st);
const char *event_name(enum event ev);
/* True when the number from a row is one of the states (but not ST_NONE). */
bool state_is_valid(long long value);
/* True when the word is one of Docker's (a value for --filter status=). */
bool state_word_is_valid(const char *word);
/* True where a monitor is to be there: starting, running, paused, stopping, restarting. */
bool state_is_active(enum state st);

/* The next state. ERR_CONFLICT when the step is refused; *ret is unchanged then. */
int state_next(enum state st, enum event ev, enum state *ret, struct err *e) MUST_CHECK;

#endif
