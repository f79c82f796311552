/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lifecycle.h"

#include <stddef.h>

#include "base/str.h"

struct state_text {
	const char *name; /* ours */
	const char *word; /* Docker's */
	bool is_active;
};

static const struct state_text state_text[] = {
	[ST_NONE] = { "none", "none", false },
	[ST_CREATED] = { "created", "created", false },
	[ST_STARTING] = { "starting", "created", true },
	[ST_RUNNING] = { "running", "running", true },
	[ST_PAUSED] = { "paused", "paused", true },
	[ST_STOPPING] = { "stopping", "running", true },
	[ST_RESTARTING] = { "restarting", "restarting", true },
	[ST_EXITED] = { "exited", "exited", false },
	[ST_REMOVING] = { "removing", "removing", false },
	[ST_DEAD] = { "dead", "dead", false },
};
_Static_assert(ARRAY_LEN(state_text) == ST_COUNT, "state_text[] does not match enum state");

static const char *const event_text[] = {
	[EV_CREATE] = "create", [EV_START] = "start",	  [EV_STARTED] = "started",
	[EV_FAILED] = "failed", [EV_PAUSE] = "pause",	  [EV_UNPAUSE] = "unpause",
	[EV_STOP] = "stop",	[EV_RESTART] = "restart", [EV_GONE] = "gone",
	[EV_REMOVE] = "remove", [EV_REMOVED] = "removed", [EV_STUCK] = "stuck",
};
_Static_assert(ARRAY_LEN(event_text) == EV_COUNT, "event_text[] does not match enum event");

/*
 * An empty cell is refused. EV_REMOVED leads to ST_NONE, which is what an empty cell holds too,
 * so the cells hold the state plus one.
 */
#define TO(st) ((st) + 1)
/* clang-format off */
static const unsigned char next_state[ST_COUNT][EV_COUNT] = {
	[ST_NONE] = {
		[EV_CREATE] = TO(ST_CREATED),
	},
	[ST_CREATED] = {
		[EV_START] = TO(ST_STARTING), [EV_REMOVE] = TO(ST_REMOVING),
	},
	[ST_STARTING] = {
		[EV_STARTED] = TO(ST_RUNNING), [EV_FAILED] = TO(ST_CREATED),
		[EV_STOP] = TO(ST_STOPPING), [EV_GONE] = TO(ST_EXITED),
	},
	[ST_RUNNING] = {
		[EV_PAUSE] = TO(ST_PAUSED), [EV_STOP] = TO(ST_STOPPING),
		[EV_RESTART] = TO(ST_RESTARTING), [EV_GONE] = TO(ST_EXITED),
	},
	[ST_PAUSED] = {
		[EV_UNPAUSE] = TO(ST_RUNNING), [EV_STOP] = TO(ST_STOPPING),
		[EV_GONE] = TO(ST_EXITED),
	},
	[ST_STOPPING] = {
		[EV_STOP] = TO(ST_STOPPING), [EV_RESTART] = TO(ST_RESTARTING),
		[EV_FAILED] = TO(ST_CREATED), [EV_GONE] = TO(ST_EXITED),
	},
	[ST_RESTARTING] = {
		[EV_STARTED] = TO(ST_RUNNING), [EV_STOP] = TO(ST_STOPPING),
		[EV_GONE] = TO(ST_EXITED),
	},
	[ST_EXITED] = {
		[EV_START] = TO(ST_STARTING), [EV_REMOVE] = TO(ST_REMOVING),
	},
	[ST_REMOVING] = {
		[EV_REMOVE] = TO(ST_REMOVING), [EV_REMOVED] = TO(ST_NONE),
		[EV_STUCK] = TO(ST_DEAD),
	},
	[ST_DEAD] = {
		[EV_REMOVE] = TO(ST_REMOVING),
	},
};
/* clang-format on */

const char *state_name(enum state st)
{
	return st < ST_COUNT ? state_text[st].name : "?";
}

const char *state_word(enum state st)
{
	return st < ST_COUNT ? state_text[st].word : "?";
}

const char *event_name(enum event ev)
{
	return ev < EV_COUNT ? event_text[ev] : "?";
}

bool state_is_valid(long long value)
{
	return value > ST_NONE && value < ST_COUNT;
}

bool state_word_is_valid(const char *word)
{
	for (size_t i = ST_NONE + 1; i < ST_COUNT; i++) {
		if (str_eq(word, state_text[i].word))
			return true;
	}
	return false;
}

bool state_is_active(enum state st)
{
	return st < ST_COUNT && state_text[st].is_active;
}

int state_next(enum state st, enum event ev, enum state *ret, struct err *e)
{
	unsigned int cell = st < ST_COUNT && ev < EV_COUNT ? next_state[st][ev] : 0;

	if (cell == 0)
		return err_set(e, ERR_CONFLICT, "a container that is %s cannot take the step '%s'",
			       state_name(st), event_name(ev));
	*ret = (enum state)(cell - 1);
	return 0;
}
