/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "engine/lifecycle.h"

/* Every cell, written down a second time in another form: rows are states, columns events. */
static const char *const table[ST_COUNT] = {
	/* create start started failed pause unpause stop restart gone remove removed stuck */
	[ST_NONE] = "created . . . . . . . . . . .",
	[ST_CREATED] = ". starting . . . . . . . removing . .",
	[ST_STARTING] = ". . running created . . stopping . exited . . .",
	[ST_RUNNING] = ". . . . paused . stopping restarting exited . . .",
	[ST_PAUSED] = ". . . . . running stopping . exited . . .",
	[ST_STOPPING] = ". . . created . . stopping restarting exited . . .",
	[ST_RESTARTING] = ". . running . . . stopping . exited . . .",
	[ST_EXITED] = ". starting . . . . . . . removing . .",
	[ST_REMOVING] = ". . . . . . . . . removing none dead",
	[ST_DEAD] = ". . . . . . . . . removing . .",
};

static void every_step_leads_where_the_table_says_or_is_refused(void **state)
{
	(void)state;
	for (int st = 0; st < ST_COUNT; st++) {
		char row[256];
		char *save = NULL, *want;

		strcpy(row, table[st]);
		want = strtok_r(row, " ", &save);
		for (int ev = 0; ev < EV_COUNT; ev++, want = strtok_r(NULL, " ", &save)) {
			enum state to = ST_COUNT;
			struct err e = ERR_INIT;
			int r = state_next((enum state)st, (enum event)ev, &to, &e);

			assert_non_null(want);
			if (strcmp(want, ".") == 0) {
				assert_int_equal(r, -1);
				assert_int_equal(e.kind, ERR_CONFLICT);
				assert_int_equal(to, ST_COUNT);
			} else {
				assert_int_equal(r, 0);
				assert_string_equal(state_name(to), want);
			}
		}
		assert_null(want);
	}
}

static void a_refused_step_names_the_state_and_changes_nothing(void **state)
{
	enum state to = ST_DEAD;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(state_next(ST_RUNNING, EV_REMOVE, &to, &e),
		     "a container that is running cannot take the step 'remove'");
	assert_int_equal(to, ST_DEAD);
}

static void numbers_outside_the_table_are_refused(void **state)
{
	enum state to = ST_DEAD;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(state_next(ST_COUNT, EV_START, &to, &e), "?");
	assert_fails(state_next(ST_CREATED, EV_COUNT, &to, &e), "?");
	assert_false(state_is_valid(ST_NONE));
	assert_false(state_is_valid(ST_COUNT));
	assert_false(state_is_valid(-1));
	assert_true(state_is_valid(ST_DEAD));
}

static void every_state_has_one_of_dockers_words(void **state)
{
	static const char *const words[ST_COUNT] = {
		[ST_CREATED] = "created",  [ST_STARTING] = "created",
		[ST_RUNNING] = "running",  [ST_PAUSED] = "paused",
		[ST_STOPPING] = "running", [ST_RESTARTING] = "restarting",
		[ST_EXITED] = "exited",	   [ST_REMOVING] = "removing",
		[ST_DEAD] = "dead",
	};

	(void)state;
	for (int st = ST_NONE + 1; st < ST_COUNT; st++) {
		assert_string_equal(state_word((enum state)st), words[st]);
		assert_true(state_word_is_valid(words[st]));
	}
	assert_false(state_word_is_valid("starting"));
	assert_false(state_word_is_valid("none"));
	assert_false(state_word_is_valid(""));
}

static void the_active_states_are_those_that_have_a_monitor(void **state)
{
	(void)state;
	for (int st = 0; st < ST_COUNT; st++)
		assert_int_equal(state_is_active((enum state)st),
				 st >= ST_STARTING && st <= ST_RESTARTING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_leads_where_the_table_says_or_is_refused),
		cmocka_unit_test(a_refused_step_names_the_state_and_changes_nothing),
		cmocka_unit_test(numbers_outside_the_table_are_refused),
		cmocka_unit_test(every_state_has_one_of_dockers_words),
		cmocka_unit_test(the_active_states_are_those_that_have_a_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
