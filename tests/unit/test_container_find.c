/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a container whose monitor lives: the monitor's word, over that of the row. */
#include "tests/unit/fixture_store.h"

#include <errno.h>
#include <string.h>

#define HEALTHY "{\"Status\":\"healthy\",\"FailingStreak\":0,\"Log\":[]}"

/* A container that a monitor runs, as the store sees it. */
static pid_t run(struct fixture *f, const char *name, char id[ID_TEXT_SIZE], struct vmstate *vm)
{
	struct err e = ERR_INIT;
	pid_t monitor;

	fixture_create(f, name, false, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	vm->pid = monitor;
	fixture_write_state(f, id, vm);
	assert_ok(container_started(f->store, id, 1234, &e));
	return monitor;
}

static void each_phase_of_the_monitor_is_the_containers(void **state)
{
	static const struct {
		enum vmstate_phase phase;
		enum state state;
		const char *word;
	} cases[] = {
		{ VM_RUNNING, ST_RUNNING, "running" },
		{ VM_PAUSED, ST_PAUSED, "paused" },
		{ VM_STOPPING, ST_STOPPING, "running" },
		{ VM_RESTARTING, ST_RESTARTING, "restarting" },
		{ VM_EXITED, ST_RUNNING, "running" }, /* until it is folded in */
	};
	struct fixture *f = *state;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1000 };
	char id[ID_TEXT_SIZE];
	pid_t monitor = run(f, "web", id, &vm);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_container struct container c = CONTAINER_INIT;
		auto_container_list struct container_list l = CONTAINER_LIST_INIT;
		struct err e = ERR_INIT;

		vm.phase = cases[i].phase;
		fixture_write_state(f, id, &vm);
		assert_ok(container_find(f->store, "web", &c, &e));
		assert_int_equal(c.state, cases[i].state);
		assert_string_equal(state_word(c.state), cases[i].word);
		assert_ok(container_list(f->store, NULL, &l, &e));
		assert_int_equal(l.n, 1);
		assert_int_equal(l.v[0].state, cases[i].state);
		/* The row is not touched. */
		assert_int_equal(fixture_state(f, id), ST_RUNNING);
	}
	fixture_kill(monitor);
}

static void a_restarting_container_tells_of_its_last_run(void **state)
{
	struct fixture *f = *state;
	auto_container struct container c = CONTAINER_INIT;
	struct err e = ERR_INIT;
	char error[] = "lost", health[] = HEALTHY, id[ID_TEXT_SIZE];
	struct vmstate vm = { .phase = VM_RESTARTING,
			      .started_at = 1000,
			      .finished_at = 2000,
			      .exit_code = 7,
			      .oom = true,
			      .restart_count = 4,
			      .error = error,
			      .health = health };
	pid_t monitor = run(f, "web", id, &vm);

	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.exit_code, 7);
	assert_int_equal(c.started_ns, 1000);
	assert_int_equal(c.finished_ns, 2000);
	assert_int_equal(c.restart_count, 4);
	assert_true(c.oom);
	assert_string_equal(c.error, "lost");
	assert_string_equal(c.health, HEALTHY);
	assert_string_equal(container_health_word(&c), "healthy");
	fixture_kill(monitor);
}

static void the_end_keeps_count_and_health(void **state)
{
	struct fixture *f = *state;
	auto_container struct container c = CONTAINER_INIT;
	struct err e = ERR_INIT;
	char health[] = HEALTHY, id[ID_TEXT_SIZE];
	struct vmstate vm = { .phase = VM_EXITED,
			      .started_at = 1000,
			      .finished_at = 2000,
			      .restart_count = 2,
			      .health = health };
	pid_t monitor = run(f, "web", id, &vm);

	fixture_kill(monitor);
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_EXITED);
	assert_int_equal(c.restart_count, 2);
	assert_string_equal(c.health, HEALTHY);
}

/* It was stopped by `restart`, which starts it again. */
static void an_auto_removed_container_may_be_kept_at_its_end(void **state)
{
	struct fixture *f = *state;
	struct vmstate vm = { .phase = VM_EXITED, .started_at = 1, .finished_at = 2 };

	for (int keep = 0; keep < 2; keep++) {
		struct err e = ERR_INIT;
		char id[ID_TEXT_SIZE];

		fixture_create(f, "web", true, id);
		fixture_begin_start(f, id);
		vm.keep = keep;
		fixture_write_state(f, id, &vm);
		assert_ok(container_finish(f->store, id, &e));
		assert_int_equal(fixture_state(f, id), keep ? ST_EXITED : ST_NONE);
		assert_true(fixture_exists(f, "containers", id) == (keep != 0));
	}
}

static void removal_is_refused_in_the_words_for_its_state(void **state)
{
	static const struct {
		enum vmstate_phase phase;
		const char *words;
	} cases[] = {
		{ VM_RUNNING, "cannot remove container \"/web\": container is running: stop the "
			      "container before removing or force remove" },
		{ VM_PAUSED, "cannot remove container \"/web\": container is paused and must be "
			     "unpaused first" },
		{ VM_RESTARTING, "cannot remove container \"/web\": container is restarting: stop "
				 "the container before removing or force remove" },
	};
	struct fixture *f = *state;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1000 };
	char id[ID_TEXT_SIZE];
	pid_t monitor = run(f, "web", id, &vm);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		vm.phase = cases[i].phase;
		fixture_write_state(f, id, &vm);
		assert_int_equal(container_remove(f->store, id, 0, &e), -1);
		assert_int_equal(e.kind, ERR_CONFLICT);
		assert_string_equal(e.msg, cases[i].words);
	}
	fixture_kill(monitor);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_phase_of_the_monitor_is_the_containers),
		TEST(a_restarting_container_tells_of_its_last_run),
		TEST(the_end_keeps_count_and_health),
		TEST(an_auto_removed_container_may_be_kept_at_its_end),
		TEST(removal_is_refused_in_the_words_for_its_state),
	};

	return cmocka_run_group_tests_name("container_find", tests, NULL, NULL);
}
