/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a container and what goes wrong in it. */
#include "tests/unit/fixture_monitor.h"

#include "base/trace.h"
#include "vmm/probe.h"

/* ---- the life ---------------------------------------------------------------------------------- */

static void a_command_runs_to_its_end(void **state)
{
	struct fixture *f = *state;
	auto_str struct str log = STR_INIT(STR_HUGE);
	struct client_result result;

	command(f, "echo out; echo err >&2; exit 7");
	result = run_attached(f);
	assert_int_equal(result.code, 7);
	assert_false(result.detached);
	assert_string_equal(result.error, "");
	assert_reads(f->out, "out\n");
	assert_reads(f->err, "err\n");
	assert_final(f, 7);
	assert_ok(file_read(f->dir, "log.json", &log, &e));
	assert_non_null(strstr(log.buf, "{\"log\":\"out\\n\",\"stream\":\"stdout\",\"time\":\""));
	assert_non_null(strstr(log.buf, "{\"log\":\"err\\n\",\"stream\":\"stderr\",\"time\":\""));
}

static void an_auto_removed_container_ends_without_an_orderly_shutdown(void **state)
{
	struct fixture *f = *state;
	struct timespec a, b;

	setenv("KVBOX_FAKE", "stuck", 1); /* a shutdown would take a minute */
	f->spec.auto_remove = true;
	command(f, "echo x");
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(run_attached(f).code, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 30);
	assert_final(f, 0);
}

static void a_guest_that_does_not_shut_down_is_killed(void **state)
{
	struct fixture *f = *state;

	setenv("KVBOX_FAKE", "stuck", 1);
	setenv("KVBOX_SHUTDOWN_TIMEOUT", "1", 1);
	command(f, "exit 3");
	assert_int_equal(run_attached(f).code, 3);
	assert_final(f, 3);
}

static void a_signal_gives_128_and_its_number(void **state)
{
	struct fixture *f = *state;

	command(f, "kill -9 $$");
	assert_int_equal(run_attached(f).code, 137);
	assert_final(f, 137);
}

static void a_command_that_is_not_there_is_told_with_127(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	strv_add(&f->spec.args, "no-such-command");
	assert_ok(begin(f));
	assert_true(client_start(f->client, &no_streams, NULL, &e) < 0);
	assert_int_equal(e.kind, ERR_NO_COMMAND);
	assert_string_equal(e.msg, "exec: \"no-such-command\": executable file not found in $PATH");
	err_clear(&e);
	read_final(f, &st);
	assert_int_equal(st.exit_code, 127);
	assert_int_equal(st.started_at, 0);
	assert_non_null(strstr(st.error, "no-such-command"));
}

static void a_second_monitor_is_refused(void **state)
{
	struct fixture *f = *state;
	struct client *second;

	command(f, "sleep 100");
	start_detached(f);
	assert_true(container_start(&f->paths, container_id, NULL, &second, &e) < 0);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
}

/* Waits for what another process does; true when it came in time. */
static bool becomes_small(int dir, const char *name)
{
	for (int i = 0; i < NAPS_MAX; i++) {
		struct stat st;

		if (fstatat(dir, name, &st, 0) == 0 && st.st_size < 1 << 20)
			return true;
		take_nap();
	}
	return false;
}

static void a_console_that_a_guest_floods_does_not_fill_the_disk(void **state)
{
	static char flood[2 << 20];
	struct fixture *f = *state;
	auto_close int console = -1;

	memset(flood, 'x', sizeof(flood));
	command(f, "sleep 100");
	start_detached(f);
	assert_ok(fd_open(f->dir, "console.log", O_WRONLY | O_APPEND, 0, &console, &e));
	assert_ok(fd_write_full(console, flood, sizeof(flood), &e));
	assert_true(becomes_small(f->dir, "console.log"));
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
}

static void a_start_without_the_container_tells_why(void **state)
{
	struct fixture *f = *state;

	assert_true(container_start(&f->paths, container_id, NULL, &f->client, &e) < 0);
	assert_non_null(strstr(e.msg, SPEC_FILE));
	err_clear(&e);
}

static void a_starter_that_goes_away_takes_all_down(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	command(f, "echo never");
	assert_ok(begin(f));
	client_free(take_ptr(&f->client));
	read_final(f, &st);
	assert_int_equal(st.started_at, 0);
}

static void the_timeline_comes_with_the_end(void **state)
{
	static const char *const phases[] = {
		"store", "vmm", "setup", "exec", "process", "finish"
	};
	auto_trace struct trace t = TRACE_INIT;
	struct fixture *f = *state;
	size_t i;

	f->trace = true;
	command(f, "true");
	assert_int_equal(run_attached(f).code, 0);
	assert_non_null(client_trace(f->client));
	assert_ok(trace_read(&t, client_trace(f->client), strlen(client_trace(f->client)), &e));
	for (i = 0; i < ARRAY_LEN(phases); i++)
		assert_non_null(trace_find(&t, phases[i]));
	assert_true(file_exists(f->dir, "trace.json"));
}

static void a_starter_that_goes_away_later_is_not_missed(void **state)
{
	struct fixture *f = *state;
	struct client *c;

	command_that_waits(f, "", "exit 5");
	start_detached(f);
	client_free(take_ptr(&f->client));
	c = connect_again(f);
	assert_int_equal(wait_for_code(f, c, let_go), 5);
	client_free(c);
	assert_final(f, 5);
}

/* ---- what goes wrong with the VM --------------------------------------------------------------- */

static void a_guest_that_does_not_come_up_is_told_with_its_last_words(void **state)
{
	static const struct {
		const char *mode, *want;
	} cases[] = {
		{ "mute", "the guest did not answer within 1 seconds" },
		{ "die",
		  "the virtual machine ended unexpectedly; last lines of the console: booting | "
		  "line before the end | Kernel panic now" },
		{ "panic", "the guest's kernel panicked; last lines of the console: booting | "
			   "line before the end | Kernel panic now" },
		{ "garbage", "the guest's agent broke the protocol" },
	};
	struct fixture *f = *state;
	size_t i;

	command(f, "true");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		setenv("KVBOX_FAKE", cases[i].mode, 1);
		/* only the first one is to run out of it */
		setenv("KVBOX_BOOT_TIMEOUT", i == 0 ? "1" : "100", 1);
		assert_ok(begin(f));
		assert_true(client_start(f->client, &no_streams, NULL, &e) < 0);
		if (!strstr(e.msg, cases[i].want))
			fail_msg("%s: '%s'", cases[i].mode, e.msg);
		err_clear(&e);
		client_free(take_ptr(&f->client));
		assert_final(f, 128);
		assert_int_equal(reap_monitor(f), 0);
	}
}

static void a_vmm_that_cannot_be_started_is_told(void **state)
{
	struct fixture *f = *state;

	command(f, "true");
	setenv("KVBOX_KERNEL", "/nonexistent", 1);
	assert_ok(begin(f));
	assert_fails(client_start(f->client, &no_streams, NULL, &e), "/nonexistent");
	assert_final(f, 128);
}

static void the_end_of_the_vmm_is_the_end_of_the_container(void **state)
{
	struct fixture *f = *state;
	struct client_result result = { 0 };
	struct vmstate st;

	make_pipes(f);
	command(f, "echo ready; sleep 100");
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	st = now(f);
	assert_int_equal(st.phase, VM_RUNNING);
	assert_int_equal(kill((pid_t)st.vmm_pid, SIGKILL), 0);
	vmstate_release(&st);
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	assert_int_equal(result.code, 255);
	assert_non_null(strstr(result.error, "the virtual machine ended unexpectedly (signal 9)"));
	assert_final(f, 255);
}

static void the_end_of_the_monitor_is_the_end_of_the_vmm(void **state)
{
	struct fixture *f = *state;
	struct client_result result;
	struct vmstate st;
	int i;

	command(f, "sleep 100");
	start_detached(f);
	st = now(f);
	assert_int_equal(kill((pid_t)st.pid, SIGKILL), 0);
	assert_true(client_run_streams(f->client, &f->io, &result, &e) < 0);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	for (i = 0; i < NAPS_MAX && (rundir_alive(&f->run, &e) || rundir_vm(&f->run, &e)); i++)
		take_nap();
	assert_true(i < NAPS_MAX);
	vmstate_release(&st);
	assert_false(file_exists(f->dir, MARK));
}

/* ---- a machine whose KVM looks well and does not work ------------------------------------------ */

#define BAD_KVM "bad-kvm"

/* In place of vmm/probe.c: such a machine is not at hand. */
void kvm_probe_run(const struct kvm_probe *p, struct kvm_state *ret)
{
	(void)p;
	*ret = (struct kvm_state){ true, "looks well" };
}

void kvm_check(int run_fd, struct kvm_state *ret)
{
	*ret = (struct kvm_state){ !file_exists(run_fd, BAD_KVM), "looks well" };
}

int kvm_mark_bad(int run_fd, const char *why, struct err *err)
{
	return file_write_replace(run_fd, BAD_KVM, why, strlen(why), 0600, err);
}

int kvm_mark_good(int run_fd, struct err *err)
{
	return file_remove(run_fd, BAD_KVM, err);
}

static void keep_notice(void *ctx, const char *text)
{
	snprintf(ctx, 400, "%s", text);
}

static void use_bad_kvm(void)
{
	unsetenv("KVBOX_ACCEL");
	setenv("KVBOX_FAKE", "kvm-mute", 1);
	setenv("KVBOX_BOOT_TIMEOUT", "1", 1);
}

static void a_boot_that_fails_with_kvm_is_tried_again_in_software(void **state)
{
	struct fixture *f = *state;
	char notice[400] = "";
	const struct client_hooks hooks = { notice, -1, NULL, keep_notice };
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	auto_str struct str why = STR_INIT(STR_HUGE);

	use_bad_kvm();
	/* the boot in software has to come up in it */
	setenv("KVBOX_BOOT_TIMEOUT", "5", 1);
	command_that_waits(f, "", "exit 8");
	assert_ok(begin(f));
	client_set_hooks(f->client, &hooks);
	assert_ok(client_start(f->client, &no_streams, NULL, &e));
	assert_string_equal(notice,
			    "KVM does not work here (the guest did not answer within 5 seconds);"
			    " continuing in software, which is slower");
	assert_ok(file_read(f->paths.run_fd, BAD_KVM, &why, &e));
	assert_string_equal(why.buf, "the guest did not answer within 5 seconds");
	assert_int_equal(wait_for_code(f, f->client, let_go), 8);
	read_final(f, &st);
	assert_string_equal(st.accel, "tcg");
}

static void a_slow_host_is_not_held_against_kvm(void **state)
{
	struct fixture *f = *state;

	use_bad_kvm();
	/* with KVM and without */
	setenv("KVBOX_FAKE", "mute", 1);
	command(f, "true");
	assert_ok(begin(f));
	assert_fails(client_start(f->client, &no_streams, NULL, &e),
		     "did not answer within 1 seconds");
	assert_false(file_exists(f->paths.run_fd, BAD_KVM));
}

static void kvm_that_was_asked_for_is_not_replaced(void **state)
{
	struct fixture *f = *state;

	use_bad_kvm();
	setenv("KVBOX_ACCEL", "kvm", 1);
	command(f, "true");
	assert_ok(begin(f));
	assert_fails(client_start(f->client, &no_streams, NULL, &e),
		     "did not answer within 1 seconds");
	assert_false(file_exists(f->paths.run_fd, BAD_KVM));
}

static void a_mistake_of_ours_is_not_held_against_kvm(void **state)
{
	struct fixture *f = *state;

	use_bad_kvm();
	setenv("KVBOX_INITRAMFS", "/nonexistent", 1);
	command(f, "true");
	assert_ok(begin(f));
	assert_fails(client_start(f->client, &no_streams, NULL, &e), "/nonexistent");
	assert_false(file_exists(f->paths.run_fd, BAD_KVM));
}

static void a_starter_that_goes_away_stops_the_second_boot(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	use_bad_kvm();
	command(f, "sleep 100");
	assert_ok(begin(f));
	usleep(1000000); /* about when the first boot is given up */
	client_free(take_ptr(&f->client));
	read_final(f, &st);
	assert_int_equal(st.started_at, 0);
}

#ifdef KVBOX_FAULTS
/* ---- each operation of the monitor fails once -------------------------------------------------- */

/* More than it visits in a whole run. */
#define FAULTS_MAX 80

/* 0: the container ran; 1: it could not, and the reason was told. */
static int run_with_fault(struct fixture *f, int n)
{
	struct client_result result = { 0 };
	char text[12];
	int r;

	snprintf(text, sizeof(text), "%d", n);
	setenv("KVBOX_FAULT", text,
	       1); /* read here already: it is for the monitor and its children */
	r = begin(f);
	unsetenv("KVBOX_FAULT");
	if (r == 0)
		r = client_start(f->client, &no_streams, NULL, &e);
	if (r == 0)
		r = client_run_streams(f->client, &f->io, &result, &e);
	if (r == 0 && result.code != 7 && !result.error[0])
		fail_msg("fault %d: code %d without a reason", n, result.code);
	if (r < 0 && !e.msg[0])
		fail_msg("fault %d: an error without text", n);
	err_clear(&e);
	client_free(take_ptr(&f->client));
	return r < 0;
}

static void each_failure_has_its_reason_and_leaves_nothing_running(void **state)
{
	struct fixture *f = *state;
	int n, failed = 0;

	command(f, "exit 7");
	for (n = 1; n <= FAULTS_MAX; n++) {
		failed += run_with_fault(f, n);
		if (reap_monitor(f) < 0)
			fail_msg("fault %d: the monitor crashed", n);
		wait_until_free(f);
		assert_int_equal(rundir_vm(&f->run, &e), 0);
		remove_cgroup(f);
	}
	/* The harness works, and the last ones were past the end. */
	assert_true(failed > 5);
	assert_int_equal(run_with_fault(f, FAULTS_MAX), 0);
}

#endif
/* ---- stop and signals -------------------------------------------------------------------------- */

static void stop_sends_the_signal_and_waits(void **state)
{
	struct fixture *f = *state;
	struct client *c;

	command_that_tells(f, "trap 'exit 9' TERM", "sleep 100 & wait");
	start_detached(f);
	wait_for_mark(f, "ready");
	c = connect_again(f);
	assert_ok(client_stop(c, 0, CLIENT_STOP_DEFAULT, &e));
	assert_true(file_exists(f->dir, MARK));
	client_free(c);
	assert_final(f, 9);
}

static void stop_kills_after_the_timeout(void **state)
{
	struct fixture *f = *state;

	command_that_tells(f, "trap '' TERM", "while :; do sleep 1; done");
	start_detached(f);
	wait_for_mark(f, "ready");
	assert_ok(client_stop(f->client, 0, 1, &e));
	assert_final(f, 137);
}

static void stop_ends_a_guest_that_kills_nobody(void **state)
{
	struct fixture *f = *state;

	setenv("KVBOX_FAKE", "deaf", 1);
	command(f, "sleep 100");
	start_detached(f);
	assert_ok(client_stop(f->client, 0, 0, &e));
	assert_final(f, 137);
}

static void hang_up(struct fixture *f)
{
	assert_ok(client_signal(f->client, SIGHUP, &e));
}

static void signals_reach_the_process(void **state)
{
	struct fixture *f = *state;
	struct client *c;

	command_that_tells(f, "trap 'exit 4' HUP", "sleep 100 & wait");
	start_detached(f);
	wait_for_mark(f, "ready");
	c = connect_again(f);
	assert_int_equal(wait_for_code(f, c, hang_up), 4);
	client_free(c);
}

static void the_monitor_stops_its_container_when_it_is_told_to_end(void **state)
{
	struct fixture *f = *state;
	struct vmstate st;

	command(f, "sleep 100");
	start_detached(f);
	st = now(f);
	assert_int_equal(kill((pid_t)st.pid, SIGTERM), 0);
	vmstate_release(&st);
	assert_final(f, 143);
}

/* ---- main -------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_runs_to_its_end),
		TEST(an_auto_removed_container_ends_without_an_orderly_shutdown),
		TEST(a_guest_that_does_not_shut_down_is_killed),
		TEST(a_signal_gives_128_and_its_number),
		TEST(a_command_that_is_not_there_is_told_with_127),
		TEST(a_second_monitor_is_refused),
		TEST(a_console_that_a_guest_floods_does_not_fill_the_disk),
		TEST(a_start_without_the_container_tells_why),
		TEST(a_starter_that_goes_away_takes_all_down),
		TEST(the_timeline_comes_with_the_end),
		TEST(a_starter_that_goes_away_later_is_not_missed),
		TEST(a_guest_that_does_not_come_up_is_told_with_its_last_words),
		TEST(a_vmm_that_cannot_be_started_is_told),
		TEST(the_end_of_the_vmm_is_the_end_of_the_container),
		TEST(the_end_of_the_monitor_is_the_end_of_the_vmm),
		TEST(a_boot_that_fails_with_kvm_is_tried_again_in_software),
		TEST(a_slow_host_is_not_held_against_kvm),
		TEST(kvm_that_was_asked_for_is_not_replaced),
		TEST(a_mistake_of_ours_is_not_held_against_kvm),
		TEST(a_starter_that_goes_away_stops_the_second_boot),
#ifdef KVBOX_FAULTS
		TEST(each_failure_has_its_reason_and_leaves_nothing_running),
#endif
		TEST(stop_sends_the_signal_and_waits),
		TEST(stop_kills_after_the_timeout),
		TEST(stop_ends_a_guest_that_kills_nobody),
		TEST(signals_reach_the_process),
		TEST(the_monitor_stops_its_container_when_it_is_told_to_end),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
