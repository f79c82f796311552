/* SPDX-License-Identifier: Apache-2.0 */
/* Pause, and what may be asked of a paused container. */
#include "tests/unit/fixture_monitor.h"

#include "base/json.h"

/* Writes a line every 10 ms. */
#define TICKING "while :; do echo tick; sleep 0.01; done"

static bool is_paused(const struct vmstate *st)
{
	return st->phase == VM_PAUSED;
}

static bool is_running(const struct vmstate *st)
{
	return st->phase == VM_RUNNING;
}

static bool is_stopping(const struct vmstate *st)
{
	return st->phase == VM_STOPPING;
}

static off_t log_size(struct fixture *f)
{
	struct stat st = { .st_size = 0 };

	(void)!fstatat(f->dir, "log.json", &st, 0);
	return st.st_size;
}

/* Until it ticks: what comes before that in its script is done. */
static void wait_for_tick(struct fixture *f)
{
	off_t before = log_size(f);
	int i;

	for (i = 0; i < NAPS_MAX && log_size(f) == before; i++)
		take_nap();
	assert_true(log_size(f) > before);
}

static void assert_refused(int r, const char *words)
{
	assert_true(r < 0);
	assert_int_equal(e.kind, ERR_CONFLICT);
	if (!strstr(e.msg, words))
		fail_msg("'%s' is not in '%s'", words, e.msg);
	err_clear(&e);
}

static void a_paused_container_stands_still_and_goes_on(void **state)
{
	struct fixture *f = *state;
	off_t before;
	int looks = 0;

	command(f, TICKING);
	start_detached(f);
	assert_ok(client_pause(f->client, &e));
	assert_true(becomes(f, is_paused));
	/* What it wrote last may be on its way yet. */
	do {
		before = log_size(f);
		usleep(200000);
	} while (log_size(f) != before && ++looks < 100);
	assert_true(looks < 100);
	assert_ok(client_resume(f->client, &e));
	assert_true(becomes(f, is_running));
	wait_for_tick(f);
	assert_int_equal(count_events(f, "pause"), 1);
	assert_int_equal(count_events(f, "unpause"), 1);
	assert_ok(client_kill(f->client, &e));
}

static void what_is_paused_refuses_in_dockers_words(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	const struct client_exec x = { .args = &args };
	struct client *c;

	strv_add(&args, "/bin/true");
	command(f, TICKING);
	start_detached(f);
	assert_refused(client_resume(f->client, &e), "is not paused");
	assert_ok(client_pause(f->client, &e));
	assert_refused(client_pause(f->client, &e), "is already paused");
	c = connect_again(f);
	assert_refused(client_exec(c, &x, &e), "is paused, unpause the container before exec");
	assert_refused(client_attach(c, &output_only, NULL, &e),
		       "is paused, unpause the container before attach");
	client_free(c);
	assert_ok(client_resume(f->client, &e));
	c = connect_again(f);
	assert_ok(client_exec(c, &x, &e));
	client_free(c);
	assert_ok(client_kill(f->client, &e));
}

static void stats_and_processes_are_those_of_the_pause(void **state)
{
	struct fixture *f = *state;
	const struct json *doc;

	command(f, TICKING);
	start_detached(f);
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_begin_stats(f->client, &e));
	assert_ok(client_end_stats(f->client, &doc, &e));
	assert_int_equal(json_int(json_get(doc, "memory"), 0), 4096);
	assert_ok(client_top(f->client, 0, &doc, &e));
	assert_true(json_len(json_get(doc, "processes")) >= 1);
	assert_ok(client_resume(f->client, &e));
	assert_ok(client_top(f->client, 0, &doc, &e));
	assert_true(json_len(json_get(doc, "processes")) >= 1);
	assert_ok(client_kill(f->client, &e));
}

/* All processes, piece by piece; how many there are. */
static size_t count_processes(struct fixture *f)
{
	int64_t last = 0, left;
	size_t n = 0;

	do {
		const struct json *doc, *list;

		assert_ok(client_top(f->client, last, &doc, &e));
		list = json_get(doc, "processes");
		assert_int_equal(json_len(list), 1);
		assert_true(json_int(json_get(json_at(list, 0), "pid"), 0) > last);
		last = json_int(json_get(json_at(list, 0), "pid"), 0);
		left = json_int(json_get(doc, "left_out"), 0);
		n++;
	} while (left > 0);
	return n;
}

static void a_list_of_processes_in_pieces_is_kept_whole(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	const struct client_exec x = { .args = &args };
	struct client *c[3];

	setenv("KVBOX_FAKE", "pieces", 1);
	strv_add(&args, "/bin/sleep");
	strv_add(&args, "1000");
	command(f, TICKING);
	start_detached(f);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		c[i] = connect_again(f);
		assert_ok(client_exec(c[i], &x, &e));
	}
	assert_int_equal(count_processes(f), 4);
	assert_ok(client_pause(f->client, &e));
	assert_int_equal(count_processes(f), 4);
	assert_ok(client_kill(f->client, &e));
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		client_free(c[i]);
}

static void stop_and_kill_wake_it(void **state)
{
	struct fixture *f = *state;

	command(f, "trap 'exit 4' TERM; " TICKING);
	start_detached(f);
	wait_for_tick(f);
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_stop(f->client, 0, 10, &e));
	assert_final(f, 4);
	client_free(take_ptr(&f->client));
	assert_int_equal(reap_monitor(f), 0);
	start_detached(f);
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_signal(f->client, SIGKILL, &e));
	assert_final(f, 137);
	client_free(take_ptr(&f->client));
	assert_int_equal(reap_monitor(f), 0);
	start_detached(f);
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_kill(f->client, &e));
	assert_final(f, 137);
}

static void a_stop_kills_at_its_timeout_although_it_is_paused(void **state)
{
	struct fixture *f = *state;
	struct client *c;

	command(f, "trap '' TERM; " TICKING);
	start_detached(f);
	wait_for_tick(f);
	c = connect_again(f);
	assert_ok(client_begin_stop(c, 0, 3, &e));
	assert_true(becomes(f, is_stopping));
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_end_stop(c, &e));
	client_free(c);
	assert_final(f, 137);
}

static void a_signal_that_is_not_for_its_end_waits(void **state)
{
	struct fixture *f = *state;

	set_text(&f->spec.stop_signal, "SIGTERM");
	command(f, "trap 'exit 8' USR1; " TICKING);
	start_detached(f);
	wait_for_tick(f);
	assert_ok(client_pause(f->client, &e));
	assert_ok(client_signal(f->client, SIGUSR1, &e));
	usleep(100000);
	assert_true(becomes(f, is_paused));
	assert_ok(client_resume(f->client, &e));
	assert_final(f, 8);
}

static void the_end_of_the_vmm_ends_a_paused_container(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	command(f, TICKING);
	start_detached(f);
	assert_ok(client_pause(f->client, &e));
	st = now(f);
	kill((pid_t)st.vmm_pid, SIGKILL);
	assert_final(f, 255);
}

/* Pause and its end from many sides at a time: whatever the order, it can be ended. */
static void pauses_that_cross_leave_it_usable(void **state)
{
	struct fixture *f = *state;
	pid_t children[6];

	command(f, TICKING);
	start_detached(f);
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct client *c = connect_again(f);

			for (int k = 0; k < 20; k++) {
				err_clear(&e);
				if ((i % 2 ? client_pause(c, &e) : client_resume(c, &e)) < 0 &&
				    e.kind != ERR_CONFLICT)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
	assert_final(f, 137);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_paused_container_stands_still_and_goes_on),
		TEST(what_is_paused_refuses_in_dockers_words),
		TEST(stats_and_processes_are_those_of_the_pause),
		TEST(a_list_of_processes_in_pieces_is_kept_whole),
		TEST(stop_and_kill_wake_it),
		TEST(a_stop_kills_at_its_timeout_although_it_is_paused),
		TEST(a_signal_that_is_not_for_its_end_waits),
		TEST(the_end_of_the_vmm_ends_a_paused_container),
		TEST(pauses_that_cross_leave_it_usable),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests_name("monitor_pause", tests, NULL, NULL);
}
