/* SPDX-License-Identifier: Apache-2.0 */
/* Who folds the result into the store: a client that offers it, or `kvbox finish`, which leaves MARK here. */
#include "tests/unit/fixture_monitor.h"

/* A client that is in the middle of it is given up after this; far more than any of these tests takes. */
#define NEVER "120"

/* What was offered, and what was seen when it was asked for. */
struct offer {
	struct fixture *f;
	int asked;
	int result;
	int alive;
	enum vmstate_phase phase;
	bool has_output;
};

static int on_finish(void *ctx, const char *id, struct err *why)
{
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	struct offer *o = ctx;
	struct pollfd output = { .fd = o->f->out, .events = POLLIN };

	assert_string_equal(id, container_id);
	assert_ok(vmstate_read(o->f->run.fd, &st, &e));
	o->asked++;
	o->phase = st.phase;
	o->alive = rundir_alive(&o->f->run, &e);
	o->has_output = o->f->out >= 0 && poll(&output, 1, 0) == 1;
	return o->result == 0 ? 0 : err_set(why, ERR_SYSTEM, "no \"room\"");
}

static bool has_mark(struct fixture *f)
{
	wait_until_free(f);
	return file_exists(f->dir, MARK);
}

/* As run_attached, with an offer. */
static struct client_result run_offering(struct fixture *f, struct offer *o)
{
	struct client_result result = { 0 };

	make_pipes(f);
	assert_ok(begin(f));
	client_offer_finish(f->client, on_finish, o, container_id);
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	close_sinks(f);
	return result;
}

static void the_attached_client_is_asked_after_its_output_and_no_program_is_started(void **state)
{
	struct fixture *f = *state;
	struct offer o = { .f = f };

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	command(f, "echo out; exit 7");
	assert_int_equal(run_offering(f, &o).code, 7);
	assert_int_equal(o.asked, 1);
	assert_int_equal(o.alive, 1);
	assert_int_equal(o.phase, VM_EXITED);
	assert_true(o.has_output);
	assert_reads(f->out, "out\n");
	assert_false(has_mark(f));
}

static void a_program_does_what_a_client_could_not(void **state)
{
	struct fixture *f = *state;
	struct offer o = { .f = f, .result = -1 };

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	command(f, "exit 7");
	assert_int_equal(run_offering(f, &o).code, 7);
	assert_int_equal(o.asked, 1);
	assert_true(has_mark(f));
}

static void a_client_whose_start_fails_is_asked_before_it_hears_why(void **state)
{
	struct fixture *f = *state;
	struct offer o = { .f = f };

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	strv_add(&f->spec.args, "no-such-command");
	assert_ok(begin(f));
	client_offer_finish(f->client, on_finish, &o, container_id);
	assert_true(client_start(f->client, &no_streams, NULL, &e) < 0);
	assert_int_equal(e.kind, ERR_NO_COMMAND);
	err_clear(&e);
	assert_int_equal(o.asked, 1);
	assert_false(has_mark(f));
}

static void ask_to_stop(struct client *c)
{
	assert_ok(client_stop(c, SIGKILL, 10, &e));
}

static void ask_to_kill(struct client *c)
{
	assert_ok(client_kill(c, &e));
}

/* Called when the request for the end is on its way. */
static int on_event(void *ctx, struct client *c, struct err *why)
{
	char byte;

	client_send_signal(c, SIGKILL);
	return fd_read_full(*(int *)ctx, &byte, 1, why) == 1 ? 0 : -1;
}

static void wait_for_end(struct client *c)
{
	int code = 0, pair[2];

	assert_ok(fd_pipe(pair, &e));
	assert_ok(fd_write_full(pair[1], "x", 1, &e));
	client_set_hooks(c, &(struct client_hooks){ &pair[0], pair[0], on_event, NULL });
	assert_ok(client_wait(c, &code, &e));
	assert_int_equal(code, 128 + SIGKILL);
	fd_close(pair[0]);
	fd_close(pair[1]);
}

static void who_stops_kills_or_waits_is_asked_as_well(void **state)
{
	static void (*const orders[])(struct client * c) = { ask_to_stop, ask_to_kill,
							     wait_for_end };
	struct fixture *f = *state;

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	command(f, "sleep 100");
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct offer o = { .f = f };
		struct client *c;

		start_detached(f);
		client_free(take_ptr(&f->client));
		c = connect_again(f);
		client_offer_finish(c, on_finish, &o, container_id);
		orders[i](c);
		assert_int_equal(o.asked, 1);
		client_free(c);
		assert_false(has_mark(f));
		assert_ok(reap_monitor(f));
	}
}

static void who_asks_for_no_end_is_not_asked(void **state)
{
	struct fixture *f = *state;
	struct offer o = { .f = f };
	struct client *c;

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	command(f, "sleep 100");
	start_detached(f);
	c = connect_again(f);
	client_offer_finish(c, on_finish, &o, container_id);
	assert_ok(client_signal(c, SIGKILL, &e));
	assert_true(has_mark(f));
	assert_int_equal(o.asked, 0);
	client_free(c);
}

/* ---- a client that does not come to its answer ------------------------------------------------- */

static int be_struck(void *ctx, const char *id, struct err *why)
{
	(void)id;
	(void)why;
	return raise(*(int *)ctx);
}

/* In a process of its own, which exits with 0 when it has heard of the end by SIGKILL. Returns when it is
 * attached and offers to be struck by a signal. */
static pid_t attach_in_child(struct fixture *f, int sig)
{
	struct client_result result = { 0 };
	int ready[2];
	char byte;
	pid_t pid;

	assert_ok(fd_pipe(ready, &e));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (client_connect(&f->paths, container_id, &f->client, &e) < 0)
			_exit(1);
		client_offer_finish(f->client, be_struck, &sig, container_id);
		if (client_attach(f->client, &no_streams, NULL, &e) < 0 ||
		    fd_write_full(ready[1], "x", 1, &e) < 0)
			_exit(2);
		if (client_run_streams(f->client, &f->io, &result, &e) < 0)
			_exit(3);
		_exit(result.code != 128 + SIGKILL);
	}
	fd_close(ready[1]);
	assert_int_equal(fd_read_full(ready[0], &byte, 1, &e), 1);
	fd_close(ready[0]);
	return pid;
}

static void when_the_client_is_killed_a_program_does_it_at_once(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	setenv("KVBOX_FINISH_TIMEOUT", NEVER, 1);
	command(f, "sleep 100");
	start_detached(f);
	pid = attach_in_child(f, SIGKILL);
	assert_ok(client_kill(f->client, &e));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(has_mark(f));
}

static void when_the_client_is_stopped_a_program_does_it_after_a_while(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	setenv("KVBOX_FINISH_TIMEOUT", "1", 1);
	command(f, "sleep 100");
	start_detached(f);
	pid = attach_in_child(f, SIGSTOP);
	/* Who has not stopped hears of the end meanwhile. */
	assert_ok(client_kill(f->client, &e));
	assert_true(has_mark(f));
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	/* It comes late with its answer, and hears of the end all the same. */
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_attached_client_is_asked_after_its_output_and_no_program_is_started),
		TEST(a_program_does_what_a_client_could_not),
		TEST(a_client_whose_start_fails_is_asked_before_it_hears_why),
		TEST(who_stops_kills_or_waits_is_asked_as_well),
		TEST(who_asks_for_no_end_is_not_asked),
		TEST(when_the_client_is_killed_a_program_does_it_at_once),
		TEST(when_the_client_is_stopped_a_program_does_it_after_a_while),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
