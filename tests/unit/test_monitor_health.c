/* SPDX-License-Identifier: Apache-2.0 */
/* Health checks: when they run, how they are judged, and what is told of them. */
#include "tests/unit/fixture_monitor.h"

#include "base/json.h"

#define MS ((int64_t)1000000)

static void check_shell(struct fixture *f, const char *line)
{
	struct spec_health *h = &f->spec.health;

	strv_clear(&h->test);
	strv_add(&h->test, "CMD-SHELL");
	strv_add(&h->test, line);
	h->interval = 50 * MS;
	h->timeout = 100000 * MS;
}

/* The State.Health document, or NULL. */
static struct json *health(struct fixture *f)
{
	auto_vmstate struct vmstate st = now(f);
	struct json *doc = NULL;

	if (*st.health)
		assert_ok(json_parse(st.health, strlen(st.health), &doc, &e));
	return doc;
}

static const char *last(const struct json *doc, const char *key)
{
	const struct json *log = json_get(doc, "Log");

	return json_str(json_get(json_at(log, json_len(log) - 1), key));
}

static int64_t last_code(const struct json *doc)
{
	const struct json *log = json_get(doc, "Log");

	return json_int(json_get(json_at(log, json_len(log) - 1), "ExitCode"), -99);
}

static bool has_status(const struct vmstate *st, const char *word)
{
	auto_free char *want = xasprintf("{\"Status\":\"%s\"", word);

	return strncmp(st->health, want, strlen(want)) == 0;
}

static bool is_healthy(const struct vmstate *st)
{
	return has_status(st, "healthy");
}

static bool is_unhealthy(const struct vmstate *st)
{
	return has_status(st, "unhealthy");
}

static bool has_a_result(const struct vmstate *st)
{
	return strstr(st->health, "\"ExitCode\"") != NULL;
}

static void a_success_makes_it_healthy(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;
	auto_free char *check = xasprintf(IN_SHELL_WAIT("go") "echo fine; echo and more >&2",
					  f->path);

	check_shell(f, check);
	command(f, "exec sleep 100");
	start_detached(f);
	doc = health(f);
	assert_string_equal(json_str(json_get(doc, "Status")), "starting");
	assert_int_equal(json_len(json_get(doc, "Log")), 0);
	json_free(doc);
	doc = NULL;
	let_go(f);
	assert_true(becomes(f, is_healthy));
	doc = health(f);
	assert_int_equal(json_int(json_get(doc, "FailingStreak"), -1), 0);
	assert_int_equal(last_code(doc), 0);
	assert_non_null(strstr(last(doc, "Output"), "fine\n"));
	assert_non_null(strstr(last(doc, "Output"), "and more\n"));
	assert_non_null(last(doc, "Start"));
	assert_non_null(last(doc, "End"));
	assert_int_equal(count_events(f, "health_status: healthy"), 1);
	assert_true(count_events(f, "exec_die") >= 1);
	assert_ok(client_kill(f->client, &e));
}

static void failures_in_a_row_make_it_unhealthy_and_five_are_kept(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;

	check_shell(f, "exit 4");
	f->spec.health.retries = 7;
	f->spec.health.interval = 20 * MS;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_unhealthy));
	doc = health(f);
	assert_true(json_int(json_get(doc, "FailingStreak"), 0) >= 7);
	assert_int_equal(json_len(json_get(doc, "Log")), 5);
	assert_int_equal(last_code(doc), 4);
	assert_int_equal(count_events(f, "health_status: unhealthy"), 1);
	assert_ok(client_kill(f->client, &e));
}

static void a_failure_in_the_start_period_does_not_count(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;

	check_shell(f, "exit 1");
	f->spec.health.interval = 1000 * 1000 * MS;
	f->spec.health.start_period = 1000 * 1000 * MS;
	f->spec.health.start_interval = 20 * MS;
	f->spec.health.retries = 1;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, has_a_result));
	doc = health(f);
	assert_string_equal(json_str(json_get(doc, "Status")), "starting");
	assert_int_equal(json_int(json_get(doc, "FailingStreak"), -1), 0);
	assert_ok(client_kill(f->client, &e));
}

static void a_check_that_takes_too_long_is_killed(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;

	check_shell(f, "echo begun; exec sleep 100");
	f->spec.health.timeout = 1500 * MS;
	f->spec.health.retries = 2;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_unhealthy));
	doc = health(f);
	assert_int_equal(last_code(doc), -1);
	assert_string_equal(last(doc, "Output"), "Health check exceeded timeout (1.5s): begun\n");
	/* The first has to have ended for the second to run. */
	assert_true(count_events(f, "exec_die") >= 1);
	assert_ok(client_kill(f->client, &e));
}

static void a_check_that_cannot_be_run_has_failed(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;

	check_shell(f, "");
	strv_clear(&f->spec.health.test);
	strv_add(&f->spec.health.test, "CMD");
	strv_add(&f->spec.health.test, "/no/such/check");
	f->spec.health.retries = 1;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_unhealthy));
	doc = health(f);
	assert_int_equal(last_code(doc), -1);
	assert_non_null(strstr(last(doc, "Output"), "executable file not found"));
	assert_ok(client_kill(f->client, &e));
}

static void output_of_any_size_and_kind_is_bounded(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;
	size_t n;

	check_shell(f, "head -c 100000 /dev/zero | tr '\\0' '\\001'; exit 1");
	f->spec.health.interval = 20 * MS;
	f->spec.health.retries = 6;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_unhealthy));
	doc = health(f);
	n = strlen(last(doc, "Output"));
	assert_int_equal(n, 4096 + 3);
	assert_string_equal(last(doc, "Output") + n - 4, "\001...");
	assert_ok(client_kill(f->client, &e));
}

static void the_images_shell_runs_the_line(void **state)
{
	struct fixture *f = *state;
	auto_json struct json *doc = NULL;

	check_shell(f, "the line");
	strv_add(&f->spec.shell, "/bin/echo");
	strv_add(&f->spec.shell, "shell:");
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_healthy));
	doc = health(f);
	assert_string_equal(last(doc, "Output"), "shell: the line\n");
	assert_ok(client_kill(f->client, &e));
}

static void none_runs_while_it_is_paused(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate a = VMSTATE_INIT, b = VMSTATE_INIT;

	check_shell(f, "true");
	f->spec.health.interval = 20 * MS;
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, is_healthy));
	assert_ok(client_pause(f->client, &e));
	a = now(f);
	usleep(300000);
	b = now(f);
	assert_string_equal(a.health, b.health);
	assert_ok(client_resume(f->client, &e));
	for (int i = 0; i < NAPS_MAX && strcmp(a.health, b.health) == 0; i++) {
		take_nap();
		vmstate_release(&b);
		b = now(f);
	}
	assert_string_not_equal(a.health, b.health);
	assert_ok(client_kill(f->client, &e));
}

static bool is_healthy_again(const struct vmstate *st)
{
	return st->restart_count == 1 && is_healthy(st);
}

static void a_new_run_begins_anew_and_an_ended_one_is_unhealthy(void **state)
{
	struct fixture *f = *state;
	auto_free char *script = xasprintf(
		"echo x >>%s/runs; n=$(wc -l <%s/runs);" IN_SHELL_WAIT("go$n") "exit 1", f->path,
		f->path, f->path);
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	check_shell(f, "true");
	set_text(&f->spec.restart_policy, "on-failure");
	f->spec.restart_max = 1;
	command(f, script);
	start_detached(f);
	assert_true(becomes(f, is_healthy));
	make_mark(f, "go1");
	assert_true(becomes(f, is_healthy_again));
	make_mark(f, "go2");
	read_final(f, &st);
	assert_int_equal(st.restart_count, 1);
	assert_true(is_unhealthy(&st));
	assert_int_equal(count_events(f, "health_status: healthy"), 2);
}

static void without_a_check_there_is_no_health(void **state)
{
	struct fixture *f = *state;

	strv_add(&f->spec.health.test, "NONE");
	command(f, "exec sleep 100");
	start_detached(f);
	assert_null(health(f));
	assert_ok(client_kill(f->client, &e));
}

static bool has_oom(const struct vmstate *st)
{
	return st->oom;
}

static void a_lack_of_memory_is_told(void **state)
{
	struct fixture *f = *state;

	setenv("KVBOX_FAKE", "oom", 1);
	command(f, "exec sleep 100");
	start_detached(f);
	assert_true(becomes(f, has_oom));
	assert_int_equal(count_events(f, "oom"), 1);
	assert_ok(client_kill(f->client, &e));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_success_makes_it_healthy),
		TEST(failures_in_a_row_make_it_unhealthy_and_five_are_kept),
		TEST(a_failure_in_the_start_period_does_not_count),
		TEST(a_check_that_takes_too_long_is_killed),
		TEST(a_check_that_cannot_be_run_has_failed),
		TEST(output_of_any_size_and_kind_is_bounded),
		TEST(the_images_shell_runs_the_line),
		TEST(none_runs_while_it_is_paused),
		TEST(a_new_run_begins_anew_and_an_ended_one_is_unhealthy),
		TEST(without_a_check_there_is_no_health),
		TEST(a_lack_of_memory_is_told),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests_name("monitor_health", tests, NULL, NULL);
}
