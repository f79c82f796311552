/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include <errno.h>

#include "base/clock.h"
#include "base/random.h"

static void creating_makes_row_folder_definition_and_disk(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	auto_spec struct container_spec back = { 0 };
	auto_container struct container c = CONTAINER_INIT;
	auto_close int dir = -1;
	struct stat st;
	char path[PATH_NAME_SIZE];

	fixture_spec(&s, "web");
	strv_add(&s.labels, "a=b");
	strv_add(&s.labels, "empty=");
	assert_ok(container_create(f->store, &s, NULL, &e));
	assert_true(hex_is(s.id, 64));
	assert_memory_equal(s.hostname, s.id, 12);
	assert_int_equal(strlen(s.hostname), 12);
	assert_ok(fd_open_dir(f->paths.root_fd, path_container(s.id, NULL, path), &dir, &e));
	assert_ok(spec_read_file(dir, &back, &e));
	assert_string_equal(back.id, s.id);
	assert_string_equal(back.name, "web");
	assert_int_equal(fstatat(dir, DISK_FILE, &st, 0), 0);
	assert_int_equal(st.st_size, DISK_SIZE_MIN);
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_CREATED);
	assert_string_equal(c.command, "sh");
	assert_int_equal(c.labels.n, 2);
	assert_true(strv_has(&c.labels, "a=b"));
	assert_true(strv_has(&c.labels, "empty="));
	assert_false(fixture_exists(f, "run", s.id));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void a_name_is_made_up_when_none_is_given(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "", false, id);
	assert_ok(container_find(f->store, id, &c, &e));
	assert_non_null(strchr(c.name, '_'));
}

static void an_id_of_the_callers_is_used_unless_it_is_taken(void **state)
{
	static const char id[] = "00aa0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		auto_spec struct container_spec s;

		fixture_spec(&s, "");
		fixture_set(&s.id, id);
		assert_ok(container_create(f->store, &s, NULL, &e));
		assert_int_equal(strcmp(s.id, id) == 0, i == 0);
	}
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 2);
}

static void a_taken_name_is_refused_in_dockers_words_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	auto_free char *want = NULL;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "web", false, id);
	fixture_spec(&s, "web");
	want = xasprintf(
		"Conflict. The container name \"/web\" is already in use by container \"%s\"."
		" You have to remove (or rename) that container to be able to reuse that"
		" name.",
		id);
	assert_int_equal(container_create(f->store, &s, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_string_equal(e.msg, want);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 1);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void bad_names_are_refused_in_dockers_words(void **state)
{
	static const char *const bad[] = { "a", "-ab", "a b", "a/b", "_a", "\xc3\xa4x", ".x" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		auto_spec struct container_spec s;
		auto_free char *want = xasprintf("Invalid container name (%s), only "
						 "[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
						 bad[i]);

		fixture_spec(&s, bad[i]);
		assert_int_equal(container_create(f->store, &s, NULL, &e), -1);
		assert_string_equal(e.msg, want);
	}
}

static void a_chain_that_went_away_is_a_missing_image_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;

	fixture_spec(&s, "web");
	fixture_set(&s.chain, "sha256:none");
	assert_fails(container_create(f->store, &s, NULL, &e), "No such image: busybox");
	assert_false(fixture_exists(f, "containers", s.id));
	assert_false(fixture_exists(f, "run", s.id));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void containers_are_found_by_id_name_and_unique_beginning(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	char id[ID_TEXT_SIZE], part[ID_TEXT_SIZE];

	fixture_create(f, "web", false, id);
	for (size_t n = 1; n <= 64; n++) {
		memcpy(part, id, n);
		part[n] = 0;
		assert_ok(container_find(f->store, part, &c, &e));
		assert_string_equal(c.id, id);
	}
	assert_ok(container_find(f->store, "/web", &c, &e));
	assert_string_equal(c.id, id);
	assert_fails(container_find(f->store, "nope", &c, &e), "No such container: nope");
	assert_fails(container_find(f->store, "", &c, &e), "No such container: ");
	assert_string_equal(c.id, id);
}

static void an_ambiguous_beginning_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	char id[ID_TEXT_SIZE];
	char seen[16] = { 0 }, twice[2] = { 0 };

	for (int i = 0; !twice[0]; i++) {
		auto_free char *name = xasprintf("n%d", i);

		assert_true(i < 17);
		fixture_create(f, name, false, id);
		for (int k = 0; k < i; k++) {
			if (seen[k] == id[0])
				twice[0] = id[0];
		}
		seen[i % 16] = id[0];
	}
	assert_int_equal(container_find(f->store, twice, &c, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	assert_non_null(strstr(e.msg, "multiple IDs found with provided prefix: "));
}

static void a_name_that_looks_like_an_id_wins_over_a_beginning(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], part[5] = { 0 };

	fixture_create(f, "", false, a);
	memcpy(part, a, 4);
	fixture_create(f, part, false, b);
	assert_ok(container_find(f->store, part, &c, &e));
	assert_string_equal(c.id, b);
}

/* ---- life ---- */

static void a_whole_life_from_start_to_removal(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1000 };
	char id[ID_TEXT_SIZE];
	pid_t monitor;

	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	vm.pid = monitor;
	fixture_write_state(f, id, &vm);
	assert_int_equal(fixture_state(f, id), ST_STARTING);
	/* The truth is in state.json until the starter says so. */
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_RUNNING);
	assert_int_equal(c.started_ns, 1000);
	assert_ok(container_started(f->store, id, 1234, &e));
	assert_int_equal(fixture_state(f, id), ST_RUNNING);
	assert_fails(container_remove(f->store, id, 0, &e),
		     "cannot remove container \"/web\": container is running: stop the container "
		     "before removing or force remove");
	/* The monitor's last words, then `finish` while it holds alive still. */
	vm.phase = VM_EXITED;
	vm.exit_code = 3;
	vm.finished_at = 2000;
	fixture_write_state(f, id, &vm);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	fixture_kill(monitor);
	assert_ok(container_finish(f->store, id, &e));
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_EXITED);
	assert_int_equal(c.exit_code, 3);
	assert_int_equal(c.started_ns, 1000);
	assert_int_equal(c.finished_ns, 2000);
	assert_ok(container_remove(f->store, id, 0, &e));
	assert_false(fixture_exists(f, "containers", id));
	assert_false(fixture_exists(f, "run", id));
	assert_fails(container_remove(f->store, id, 0, &e), "No such container");
	assert_false(fixture_exists(f, "run", id));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM sandboxes"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM container_specs"), 0);
}

static void finish_does_nothing_to_a_container_that_runs(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];
	pid_t monitor;

	fixture_create(f, "web", true, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_BOTH);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_STARTING);
	fixture_kill(monitor);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_NONE);
	assert_false(fixture_exists(f, "run", id));
}

static void a_killed_monitor_is_seen_and_its_vm_killed(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1000 };
	char id[ID_TEXT_SIZE];
	pid_t monitor, vmm;
	uint64_t start;

	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	vmm = fixture_play(f, id, PLAY_VMM);
	assert_ok(proc_start_time(vmm, &start, &e));
	vm.vmm_pid = vmm;
	vm.vmm_start = (int64_t)start;
	fixture_write_state(f, id, &vm);
	assert_ok(container_started(f->store, id, 1000, &e));
	fixture_kill(monitor);
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_EXITED);
	assert_int_equal(c.exit_code, 137);
	assert_int_equal(c.started_ns, 1000);
	assert_true(c.finished_ns > 1000);
	assert_true(c.error[0] != 0);
	assert_true(fixture_was_killed(vmm));
}

static void a_vm_that_nobody_recorded_is_found_by_its_lock(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];
	pid_t vmm;

	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	vmm = fixture_play(f, id, PLAY_VMM);
	assert_ok(container_finish(f->store, id, &e));
	assert_true(fixture_was_killed(vmm));
	/* It never ran. */
	assert_int_equal(fixture_state(f, id), ST_CREATED);
}

static void a_recorded_pid_that_is_another_process_now_is_spared(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1000 };
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	pid_t bystander;

	fixture_create(f, "web", false, id);
	fixture_create(f, "db", false, other);
	fixture_begin_start(f, id);
	bystander = fixture_play(f, other, PLAY_MONITOR);
	vm.vmm_pid = bystander;
	vm.vmm_start = 1;
	fixture_write_state(f, id, &vm);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	assert_int_equal(kill(bystander, 0), 0);
	assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0);
	fixture_kill(bystander);
}

static void a_failed_start_leaves_the_container_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	struct vmstate vm = { .phase = VM_EXITED, .exit_code = 127, .finished_at = 5000 };
	char id[ID_TEXT_SIZE], error[] = "exec: \"nope\": executable file not found in $PATH";

	vm.error = error;
	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	fixture_write_state(f, id, &vm);
	assert_ok(container_finish(f->store, id, &e));
	assert_ok(container_find(f->store, id, &c, &e));
	assert_int_equal(c.state, ST_CREATED);
	assert_int_equal(c.exit_code, 127);
	assert_string_equal(c.error, error);
	assert_int_equal(c.started_ns, 0);
	assert_int_equal(c.finished_ns, 0);
	/* It can be started again, and then keeps nothing of that. */
	fixture_begin_start(f, id);
	{
		auto_rundir struct rundir d = RUNDIR_INIT;

		assert_ok(rundir_open(&f->paths, id, false, &d, &e));
		assert_false(file_exists(d.fd, VMSTATE_FILE));
	}
	assert_ok(container_started(f->store, id, 7000, &e));
	assert_int_equal(fixture_state(f, id), ST_RUNNING);
	assert_int_equal(fixture_count(f, "SELECT exit_code FROM containers"), 0);
}

static void auto_remove_takes_the_container_away_at_its_end(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct vmstate vm = { .phase = VM_EXITED, .started_at = 1, .finished_at = 2 };
	char id[ID_TEXT_SIZE];
	pid_t monitor;

	fixture_create(f, "web", true, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	fixture_write_state(f, id, &vm);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_NONE);
	assert_false(fixture_exists(f, "containers", id));
	assert_false(fixture_exists(f, "run", id));
	fixture_kill(monitor);
	assert_ok(container_finish(f->store, id, &e));
	assert_false(fixture_exists(f, "run", id));
}

static void force_removes_a_container_that_runs(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];
	pid_t monitor, vmm;

	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	vmm = fixture_play(f, id, PLAY_VMM);
	assert_ok(container_remove(f->store, id, REMOVE_FORCE, &e));
	assert_true(fixture_was_killed(monitor));
	assert_true(fixture_was_killed(vmm));
	assert_int_equal(fixture_state(f, id), ST_NONE);
	assert_false(fixture_exists(f, "run", id));
}

static void the_name_of_a_dead_auto_remove_container_is_free(void **state)
{
	struct fixture *f = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	fixture_create(f, "web", true, a);
	fixture_begin_start(f, a);
	fixture_create(f, "web", false, b);
	assert_int_equal(fixture_state(f, a), ST_NONE);
	assert_int_equal(fixture_state(f, b), ST_CREATED);
}

static void a_run_that_does_not_come_to_its_start_removes_its_container(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	struct container_lock l = CONTAINER_LOCK_INIT;

	fixture_spec(&s, "web");
	s.auto_remove = true;
	assert_ok(container_create(f->store, &s, &l, &e));
	assert_int_equal(fixture_state(f, s.id), ST_STARTING);
	container_unlock(&l);
	assert_int_equal(fixture_state(f, s.id), ST_NONE);
	assert_false(fixture_exists(f, "containers", s.id));
	assert_false(fixture_exists(f, "run", s.id));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void without_rm_it_is_as_if_it_had_only_been_created(void **state)
{
	struct fixture *f = *state;
	auto_container struct container c = CONTAINER_INIT;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	struct container_lock l = CONTAINER_LOCK_INIT;

	fixture_spec(&s, "web");
	assert_ok(container_create(f->store, &s, &l, &e));
	assert_int_equal(fixture_state(f, s.id), ST_STARTING);
	container_unlock(&l);
	assert_ok(container_find(f->store, "web", &c, &e));
	assert_int_equal(c.state, ST_CREATED);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.error, "");
	fixture_begin_start(f, s.id);
	assert_int_equal(fixture_state(f, s.id), ST_STARTING);
}

static void after_the_start_began_a_run_keeps_its_container(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	struct container_lock l = CONTAINER_LOCK_INIT;

	fixture_spec(&s, "web");
	s.auto_remove = true;
	assert_ok(container_create(f->store, &s, &l, &e));
	assert_ok(container_begin_start(&l, &e));
	assert_fails(container_begin_start(&l, &e), "starting");
	container_unlock(&l);
	assert_int_equal(fixture_state(f, s.id), ST_STARTING);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

/* ---- lists ---- */

static size_t listed(struct fixture *f, const struct container_filter *filter)
{
	struct err e = ERR_INIT;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;

	assert_ok(container_list(f->store, filter, &l, &e));
	return l.n;
}

static void filters_select(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	static const struct {
		size_t list; /* offset of a strv */
		const char *value, *second;
		size_t want;
	} cases[] = {
#define CASE(member, value, second, want) \
	{ offsetof(struct container_filter, member), value, second, want }
		CASE(names, "^/?web$", NULL, 1),
		CASE(names, "we", NULL, 2),
		CASE(names, "web$", "^db", 2),
		CASE(names, "nothing", NULL, 0),
		CASE(labels, "tier", NULL, 2),
		CASE(labels, "tier=front", NULL, 1),
		CASE(labels, "tier=front", "tier=back", 0),
		CASE(labels, "tie", NULL, 0),
		CASE(statuses, "created", NULL, 3),
		CASE(statuses, "running", "created", 3),
		CASE(statuses, "exited", NULL, 0),
		CASE(ancestors, "busybox", NULL, 3),
		CASE(ancestors, "busybox:latest", NULL, 3),
		CASE(ancestors, "busybox:1", NULL, 0),
		CASE(ancestors, "44136f", NULL, 3),
		CASE(ancestors, IMAGE_A, NULL, 3),
		CASE(ancestors, "busy", NULL, 0),
		CASE(exited, "0", NULL, 0),
		CASE(before, "web", NULL, 0),
		CASE(since, "web", NULL, 2),
		CASE(exposed, "80", NULL, 1),
		CASE(exposed, "80/tcp", "81", 1),
		CASE(exposed, "80/udp", NULL, 0),
		CASE(exposed, "70-90/tcp", NULL, 1),
		CASE(exposed, "81-90", NULL, 0),
		CASE(exposed, "53/udp", NULL, 1),
		CASE(published, "80", NULL, 0),
		CASE(networks, "none", NULL, 3),
		CASE(networks, "bridge", NULL, 0),
		CASE(volumes, "/data", NULL, 3),
		CASE(volumes, "data", NULL, 0),
		CASE(healths, "none", NULL, 3),
		CASE(healths, "healthy", "starting", 0),
#undef CASE
	};
	static const char *const labels[] = { "tier=front", "tier=back", "other=x" };
	static const char *const names[] = { "web", "web2", "db" };
	static const char *const ports[] = { "80/tcp", "53/udp", "443/tcp" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_spec struct container_spec s;

		fixture_spec(&s, names[i]);
		strv_add(&s.labels, labels[i]);
		strv_add(&s.exposed_ports, ports[i]);
		strv_add(&s.volumes, "/data");
		assert_ok(container_create(f->store, &s, NULL, &e));
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_container_filter struct container_filter filter = { .all = true };
		struct strv *list = (struct strv *)(void *)((char *)&filter + cases[i].list);

		strv_add(list, cases[i].value);
		if (cases[i].second)
			strv_add(list, cases[i].second);
		if (listed(f, &filter) != cases[i].want)
			fail_msg("case %zu (%s)", i, cases[i].value);
	}
}

static void only_running_ones_are_listed_unless_all_are_wanted(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;
	struct container_filter running = { .all = false }, all = { .all = true },
				last = { .last = 2 };
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];
	pid_t monitor;

	fixture_create(f, "aa", false, a);
	fixture_create(f, "bb", false, b);
	fixture_create(f, "cc", true, c);
	fixture_begin_start(f, a);
	monitor = fixture_play(f, a, PLAY_MONITOR);
	assert_ok(container_started(f->store, a, 10, &e));
	/* bb was being started when everything was killed, cc likewise and with --rm. */
	fixture_begin_start(f, b);
	fixture_begin_start(f, c);
	assert_int_equal(listed(f, &all), 2);
	assert_int_equal(listed(f, &last), 2);
	assert_ok(container_list(f->store, &running, &l, &e));
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].name, "aa");
	assert_int_equal(fixture_state(f, b), ST_CREATED);
	assert_int_equal(fixture_state(f, c), ST_NONE);
	fixture_kill(monitor);
	assert_int_equal(listed(f, &running), 0);
	assert_int_equal(fixture_state(f, a), ST_EXITED);
}

static void bad_filters_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;
	auto_container_filter struct container_filter regex = { .all = true };
	auto_container_filter struct container_filter word = { .all = true };
	auto_container_filter struct container_filter since = { .all = true };
	auto_container_filter struct container_filter health = { .all = true };
	auto_container_filter struct container_filter port = { .all = true };

	strv_add(&regex.names, "a[");
	strv_add(&word.statuses, "starting");
	strv_add(&since.since, "nobody");
	assert_fails(container_list(f->store, &regex, &l, &e), "invalid filter 'name=a['");
	assert_fails(container_list(f->store, &word, &l, &e), "invalid filter 'status=starting'");
	assert_fails(container_list(f->store, &since, &l, &e), "No such container: nobody");
	strv_add(&health.healths, "ill");
	assert_fails(container_list(f->store, &health, &l, &e),
		     "unrecognized filter value for health: ill");
	strv_add(&port.exposed, "90-80");
	assert_fails(container_list(f->store, &port, &l, &e),
		     "error while looking up for expose 90-80: invalid range");
	strv_clear(&port.exposed);
	strv_add(&port.published, "80:80");
	assert_fails(container_list(f->store, &port, &l, &e),
		     "filter for 'publish' should not contain ':': 80:80");
}

static void the_newest_comes_first(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "one", false, id);
	fixture_create(f, "two", false, id);
	assert_ok(container_list(f->store, NULL, &l, &e));
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].name, "two");
}

static void containers_of_an_image_are_counted_running_ones_first(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	bool active = false;
	pid_t monitor;

	assert_int_equal(container_count_image(f->store, IMAGE_A, id, &active, &e), 0);
	fixture_create(f, "aa", false, a);
	fixture_create(f, "bb", false, b);
	fixture_begin_start(f, a);
	monitor = fixture_play(f, a, PLAY_MONITOR);
	assert_int_equal(container_count_image(f->store, IMAGE_A, id, &active, &e), 2);
	assert_string_equal(id, a);
	assert_true(active);
	/* Their rows are not believed. */
	fixture_kill(monitor);
	assert_int_equal(container_count_image(f->store, IMAGE_A, id, &active, &e), 2);
	assert_string_equal(id, b);
	assert_false(active);
	fixture_create(f, "cc", true, a);
	fixture_begin_start(f, a);
	assert_int_equal(container_count_image(f->store, IMAGE_A, id, &active, &e), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(creating_makes_row_folder_definition_and_disk),
		TEST(a_name_is_made_up_when_none_is_given),
		TEST(an_id_of_the_callers_is_used_unless_it_is_taken),
		TEST(a_taken_name_is_refused_in_dockers_words_and_leaves_nothing),
		TEST(bad_names_are_refused_in_dockers_words),
		TEST(a_chain_that_went_away_is_a_missing_image_and_leaves_nothing),
		TEST(containers_are_found_by_id_name_and_unique_beginning),
		TEST(an_ambiguous_beginning_is_refused),
		TEST(a_name_that_looks_like_an_id_wins_over_a_beginning),
		TEST(a_whole_life_from_start_to_removal),
		TEST(finish_does_nothing_to_a_container_that_runs),
		TEST(a_killed_monitor_is_seen_and_its_vm_killed),
		TEST(a_vm_that_nobody_recorded_is_found_by_its_lock),
		TEST(a_recorded_pid_that_is_another_process_now_is_spared),
		TEST(a_failed_start_leaves_the_container_as_it_was),
		TEST(auto_remove_takes_the_container_away_at_its_end),
		TEST(force_removes_a_container_that_runs),
		TEST(the_name_of_a_dead_auto_remove_container_is_free),
		TEST(a_run_that_does_not_come_to_its_start_removes_its_container),
		TEST(without_rm_it_is_as_if_it_had_only_been_created),
		TEST(after_the_start_began_a_run_keeps_its_container),
		TEST(filters_select),
		TEST(only_running_ones_are_listed_unless_all_are_wanted),
		TEST(bad_filters_are_refused),
		TEST(the_newest_comes_first),
		TEST(containers_of_an_image_are_counted_running_ones_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
