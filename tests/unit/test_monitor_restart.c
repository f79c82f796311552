/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies, and what ends them. */
#include "tests/unit/fixture_monitor.h"

/* Counts its runs in the file "runs" of the store, then runs `rest` with $n runs so far. */
static void counting_command(struct fixture *f, const char *rest)
{
	auto_free char *script = xasprintf("echo x >>%s/runs; n=$(wc -l <%s/runs); %s", f->path,
					   f->path, rest);

	command(f, script);
}

static size_t count_runs(struct fixture *f)
{
	auto_free char *path = xasprintf("%s/runs", f->path);
	auto_str struct str text = STR_INIT(STR_HUGE);

	if (file_read(AT_FDCWD, path, &text, &e) < 0)
		err_clear(&e);
	return text.len / 2;
}

/* The starter's connection ends with the run that it started. */
static void reconnect(struct fixture *f)
{
	client_free(f->client);
	f->client = connect_again(f);
}

static bool is_restarting(const struct vmstate *st)
{
	return st->phase == VM_RESTARTING;
}

static bool has_restarted_often(const struct vmstate *st)
{
	return st->restart_count >= 3;
}

static bool runs_again(const struct vmstate *st)
{
	return st->phase == VM_RUNNING && st->restart_count > 0;
}

static void a_failure_is_repeated_as_often_as_asked(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	auto_str struct str log = STR_INIT(STR_HUGE);

	set_text(&f->spec.restart_policy, "on-failure");
	f->spec.restart_max = 2;
	counting_command(f, "echo run $n; exit 3");
	start_detached(f);
	read_final(f, &st);
	assert_int_equal(st.exit_code, 3);
	assert_int_equal(st.restart_count, 2);
	assert_int_equal(count_runs(f), 3);
	assert_int_equal(count_events(f, "start"), 3);
	assert_int_equal(count_events(f, "die"), 3);
	assert_ok(file_read(f->dir, "log.json", &log, &e));
	assert_non_null(strstr(log.buf, "run 1\\n"));
	assert_non_null(strstr(log.buf, "run 3\\n"));
}

static void success_ends_a_policy_for_failures(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	set_text(&f->spec.restart_policy, "on-failure");
	counting_command(f, "[ $n = 2 ]");
	start_detached(f);
	read_final(f, &st);
	assert_int_equal(st.exit_code, 0);
	assert_int_equal(st.restart_count, 1);
}

static void no_policy_and_an_auto_removed_container_run_once(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	set_text(&f->spec.restart_policy, "always");
	f->spec.auto_remove = true;
	counting_command(f, "exit 1");
	start_detached(f);
	read_final(f, &st);
	assert_int_equal(count_runs(f), 1);
	assert_int_equal(st.restart_count, 0);
}

static void the_attached_command_sees_the_end_of_its_run(void **state)
{
	struct fixture *f = *state;
	struct client_result result;
	struct client *c;

	set_text(&f->spec.restart_policy, "always");
	counting_command(f, "echo run $n; [ $n = 1 ] && exit 5; sleep 100");
	result = run_attached(f);
	assert_int_equal(result.code, 5);
	assert_reads(f->out, "run 1\n");
	assert_true(becomes(f, runs_again));
	c = connect_again(f);
	assert_ok(client_stop(c, SIGKILL, 10, &e));
	client_free(c);
	assert_final(f, 137);
}

static void a_wait_hears_of_the_run_and_a_stop_of_the_end(void **state)
{
	struct fixture *f = *state;
	struct client *c;
	int code = -1;

	set_text(&f->spec.restart_policy, "always");
	counting_command(f, "sleep 0.2; exit 6");
	start_detached(f);
	assert_ok(client_wait(f->client, &code, &e));
	assert_int_equal(code, 6);
	assert_int_equal(rundir_alive(&f->run, &e), 1);
	c = connect_again(f);
	assert_ok(client_stop(c, 0, 10, &e));
	client_free(c);
	wait_until_free(f);
}

/* Whichever phase it is in when the order comes, it ends. */
static void stop_and_kill_end_it_at_any_time(void **state)
{
	static const unsigned delays_ms[] = { 0, 30, 60, 90, 150, 220, 300 };
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	size_t i;

	set_text(&f->spec.restart_policy, "always");
	command(f, "exit 1");
	for (i = 0; i < 2 * ARRAY_LEN(delays_ms); i++) {
		struct client *c;

		start_detached(f);
		usleep(delays_ms[i / 2] * 1000);
		c = connect_again(f);
		assert_ok(i % 2 ? client_kill(c, &e) : client_stop(c, 0, 10, &e));
		client_free(c);
		read_final(f, &st);
		/* Its own, where it came to that. */
		if (st.exit_code != 1)
			assert_int_equal(st.exit_code, 128 + (i % 2 ? SIGKILL : SIGTERM));
		vmstate_release(&st);
		client_free(take_ptr(&f->client));
		assert_int_equal(reap_monitor(f), 0);
	}
}

static void a_signal_by_hand_ends_the_policy_too(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	set_text(&f->spec.restart_policy, "unless-stopped");
	command(f, "exec sleep 100");
	start_detached(f);
	assert_ok(client_signal(f->client, SIGKILL, &e));
	read_final(f, &st);
	assert_int_equal(st.exit_code, 137);
	assert_int_equal(count_events(f, "start"), 1);
	assert_int_equal(count_events(f, "kill"), 1);
	assert_int_equal(count_events(f, "stop"), 0);
}

static void a_signal_that_is_not_the_stop_signal_does_not(void **state)
{
	struct fixture *f = *state;

	set_text(&f->spec.restart_policy, "always");
	set_text(&f->spec.stop_signal, "SIGQUIT");
	command(f, "exec sleep 100");
	start_detached(f);
	assert_ok(client_signal(f->client, SIGHUP, &e));
	assert_true(becomes(f, runs_again));
	reconnect(f);
	assert_ok(client_signal(f->client, SIGQUIT, &e));
	assert_final(f, 131);
	assert_int_equal(count_events(f, "start"), 2);
}

static void nothing_is_done_to_a_process_between_two_runs(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	const struct client_exec x = { .args = &args };
	struct client *c;

	setenv("KVBOX_FAKE", "stuck", 1); /* its end takes three seconds */
	setenv("KVBOX_SHUTDOWN_TIMEOUT", "3", 1);
	set_text(&f->spec.restart_policy, "always");
	strv_add(&args, "/bin/true");
	command(f, "exit 2");
	start_detached(f);
	assert_true(becomes(f, is_restarting));
	c = connect_again(f);
	assert_true(client_exec(c, &x, &e) < 0);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_non_null(strstr(e.msg, "is restarting, wait until the container is running"));
	err_clear(&e);
	assert_true(client_pause(c, &e) < 0);
	assert_non_null(strstr(e.msg, "is restarting, wait until the container is running"));
	err_clear(&e);
	assert_ok(client_kill(c, &e));
	client_free(c);
	assert_final(f, 2);
}

static void a_lost_vm_is_a_run_that_has_failed(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	struct vmstate before;

	set_text(&f->spec.restart_policy, "on-failure");
	command(f, "exec sleep 100");
	start_detached(f);
	before = now(f);
	kill((pid_t)before.vmm_pid, SIGKILL);
	vmstate_release(&before);
	assert_true(becomes(f, runs_again));
	st = now(f);
	assert_string_equal(st.error, "");
	reconnect(f);
	assert_ok(client_stop(f->client, 0, 10, &e));
}

static void the_wait_doubles_and_the_count_is_kept(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	struct timespec a, b;

	set_text(&f->spec.restart_policy, "always");
	command(f, "exit 1");
	clock_gettime(CLOCK_MONOTONIC, &a);
	start_detached(f);
	assert_true(becomes(f, has_restarted_often));
	clock_gettime(CLOCK_MONOTONIC, &b);
	/* 100 and 200 ms lie before the third end. */
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 >= 300);
	reconnect(f);
	assert_ok(client_kill(f->client, &e));
	read_final(f, &st);
	assert_true(st.restart_count >= 3);
}

static void a_restart_that_fails_ends_the_container(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	auto_free char *path = xasprintf("%s/program", f->path);

	set_text(&f->spec.restart_policy, "always");
	make_file(AT_FDCWD, path, "#!/bin/sh\nrm $0; exit 9\n", 25);
	chmod(path, 0755);
	strv_clear(&f->spec.args);
	strv_add(&f->spec.args, path);
	start_detached(f);
	read_final(f, &st);
	assert_int_equal(st.exit_code, 127);
	assert_int_equal(st.restart_count, 1);
	assert_non_null(strstr(st.error, "executable file not found"));
	assert_int_equal(count_events(f, "die"), 1);
}

/* `restart` of a container that is removed at its end. */
static void one_that_is_started_again_by_hand_is_kept_unless_it_had_to_be_killed(void **state)
{
	static const struct {
		const char *mode; /* of the fake VMM */
		bool again, kept;
	} cases[] = {
		{ "", true, true },
		{ "", false, false },
		{ "stuck", true, false },
	};
	struct fixture *f = *state;

	f->spec.auto_remove = true;
	command(f, "exec sleep 100");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_vmstate struct vmstate st = VMSTATE_INIT;

		setenv("KVBOX_FAKE", cases[i].mode, 1);
		/* who is not stuck is in time */
		setenv("KVBOX_SHUTDOWN_TIMEOUT", *cases[i].mode ? "1" : "100", 1);
		start_detached(f);
		if (cases[i].again)
			assert_ok(client_begin_restop(f->client, 0, 10, &e));
		else
			assert_ok(client_begin_stop(f->client, 0, 10, &e));
		assert_ok(client_end_stop(f->client, &e));
		read_final(f, &st);
		assert_int_equal(st.keep, cases[i].kept);
		assert_int_equal(st.exit_code, 143);
		client_free(take_ptr(&f->client));
		assert_int_equal(reap_monitor(f), 0);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_failure_is_repeated_as_often_as_asked),
		TEST(success_ends_a_policy_for_failures),
		TEST(no_policy_and_an_auto_removed_container_run_once),
		TEST(the_attached_command_sees_the_end_of_its_run),
		TEST(a_wait_hears_of_the_run_and_a_stop_of_the_end),
		TEST(stop_and_kill_end_it_at_any_time),
		TEST(a_signal_by_hand_ends_the_policy_too),
		TEST(a_signal_that_is_not_the_stop_signal_does_not),
		TEST(nothing_is_done_to_a_process_between_two_runs),
		TEST(a_lost_vm_is_a_run_that_has_failed),
		TEST(the_wait_doubles_and_the_count_is_kept),
		TEST(a_restart_that_fails_ends_the_container),
		TEST(one_that_is_started_again_by_hand_is_kept_unless_it_had_to_be_killed),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests_name("monitor_restart", tests, NULL, NULL);
}
