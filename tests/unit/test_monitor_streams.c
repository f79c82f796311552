/* SPDX-License-Identifier: Apache-2.0 */
/* Output, input, exec and logs through monitor and client. */
#include "tests/unit/fixture_monitor.h"

/* ---- streams ----------------------------------------------------------------------------------- */

/* Writes `total` bytes of a pattern to `fd` in a child, or reads and checks them, so that both ends of
 * the copying can be slow. */
static pid_t feed_pattern(int fd, size_t total)
{
	pid_t pid = fork();
	unsigned char buf[8192];
	size_t at = 0, i, n;
	ssize_t k;

	if (pid != 0)
		return pid;
	while (at < total) {
		n = total - at < sizeof(buf) ? total - at : sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = (unsigned char)((at + i) * 31 >> 3);
		k = write(fd, buf, n);
		if (k <= 0)
			_exit(1);
		at += (size_t)k;
	}
	_exit(0);
}

/* In a child: exit code 0 when exactly `total` bytes of the pattern come, the first after `delay_ms`. */
static pid_t check_pattern(int fd, size_t total, unsigned delay_ms)
{
	pid_t pid = fork();
	unsigned char buf[65536];
	size_t at = 0;
	ssize_t k, i;

	if (pid != 0)
		return pid;
	usleep(delay_ms * 1000);
	while ((k = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < k; i++, at++)
			if (buf[i] != (unsigned char)(at * 31 >> 3))
				_exit(1);
	}
	_exit(at == total ? 0 : 2);
}

static void assert_child_ok(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void input_and_output_are_exact_and_the_end_travels(void **state)
{
	struct fixture *f = *state;
	struct client_result result = { 0 };
	const size_t total = 20 * 1024 * 1024 + 17;
	pid_t writer, reader;

	f->spec.open_stdin = f->spec.stdin_once = true;
	command(f, "cat; exit 6");
	make_pipes(f);
	writer = feed_pattern(f->in, total);
	fd_close(take_fd(&f->in));
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &all_streams, NULL, &e));
	/* The reader must not hold the writing end. */
	reader = fork();
	if (reader == 0) {
		close_sinks(f);
		reader = check_pattern(f->out, total, 0);
		assert_child_ok(reader);
		_exit(0);
	}
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	close_sinks(f);
	assert_int_equal(result.code, 6);
	assert_child_ok(writer);
	assert_child_ok(reader);
}

/* 32 MiB in lines, twice the credit and every buffer on the way. */
#define BIG_SCRIPT "head -c 33554432 /dev/zero | tr '\\0' 'x' | fold -w 99"

static size_t count_bytes(int fd)
{
	char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	return total;
}

static void a_stalled_client_stalls_nobody_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct client_result result = { 0 };
	const size_t total = 33554432 + 33554432 / 99 + 0;
	pid_t counter;
	int status;

	make_pipes(f);
	command(f, BIG_SCRIPT);
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	/* Nobody reads the client's socket until the container has ended for everybody else. */
	wait_until_free(f);
	assert_true(file_exists(f->dir, MARK));
	counter = fork();
	if (counter == 0) {
		close_sinks(f);
		_exit(count_bytes(f->out) == total ? 0 : 1);
	}
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	close_sinks(f);
	assert_int_equal(result.code, 0);
	assert_int_equal(waitpid(counter, &status, 0), counter);
	assert_int_equal(status, 0);
}

/* Until the monitor has taken some output in. */
static void wait_for_log(struct fixture *f)
{
	struct stat st = { .st_size = 0 };
	int i;

	for (i = 0; i < NAPS_MAX && (fstatat(f->dir, "log.json", &st, 0) < 0 || st.st_size == 0);
	     i++)
		take_nap();
	assert_true(st.st_size > 0);
}

static void an_attached_client_sees_what_comes_from_then_on(void **state)
{
	struct fixture *f = *state;
	struct client_attached attached;
	struct client_result result = { 0 };
	struct client *c;

	f->spec.open_stdin = true;
	make_pipes(f);
	command(f, "echo before; read x; echo after $x");
	start_detached(f);
	wait_for_log(f);
	c = connect_again(f);
	assert_ok(client_attach(c, &all_streams, &attached, &e));
	assert_true(attached.open_stdin);
	assert_false(attached.tty);
	assert_ok(fd_write_full(f->in, "line\n", 5, &e));
	assert_ok(client_run_streams(c, &f->io, &result, &e));
	close_sinks(f);
	assert_int_equal(result.code, 0);
	assert_reads(f->out, "after line\n");
	client_free(c);
}

static void a_stalled_client_does_not_hold_up_another(void **state)
{
	struct fixture *f = *state;
	const struct client_io nothing = CLIENT_IO_INIT;
	struct client_result result = { 0 };
	struct client *stalled, *reading;

	f->spec.open_stdin = true;
	command(f, "read x; " BIG_SCRIPT "; exit 4");
	start_detached(f);
	stalled = connect_again(f);
	assert_ok(client_attach(stalled, &all_streams, NULL, &e));
	reading = connect_again(f);
	make_pipes(f);
	assert_ok(fd_write_full(f->in, "\n", 1, &e));
	assert_ok(client_attach(reading, &all_streams, NULL, &e));
	f->io.out = f->io.err = -1; /* read and dropped */
	assert_ok(client_run_streams(reading, &f->io, &result, &e));
	assert_int_equal(result.code, 4);
	client_free(reading);
	assert_ok(client_run_streams(stalled, &nothing, &result, &e));
	assert_int_equal(result.code, 4);
	client_free(stalled);
}

static void the_detach_keys_detach_and_are_not_sent(void **state)
{
	struct fixture *f = *state;
	struct client_result result = { 0 };
	struct client *c;

	f->spec.open_stdin = true;
	command(f, "read x; echo got $x; read y; exit 3");
	make_pipes(f);
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &all_streams, NULL, &e));
	f->io.detach_keys = "\x10\x11";
	f->io.ndetach_keys = 2;
	assert_ok(fd_write_full(f->in, "a\x10z\n\x10\x11", 6, &e));
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	assert_true(result.detached);
	client_free(take_ptr(&f->client));
	c = connect_again(f);
	assert_ok(client_attach(c, &all_streams, NULL, &e));
	assert_ok(fd_write_full(f->in, "b\n", 2, &e));
	f->io.ndetach_keys = 0;
	assert_ok(client_run_streams(c, &f->io, &result, &e));
	client_free(c);
	close_sinks(f);
	assert_int_equal(result.code, 3);
	assert_final(f, 3);
	assert_int_equal(count_events(f, "detach"), 1);
	assert_int_equal(count_events(f, "attach"), 2);
}

static void a_reader_that_goes_away_is_an_error_of_the_client_only(void **state)
{
	struct fixture *f = *state;
	struct client_result result;

	signal(SIGPIPE, SIG_IGN);
	make_pipes(f);
	command(f, "echo a; sleep 0.2; echo b; sleep 0.2; exit 2");
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	fd_close(take_fd(&f->out));
	assert_true(client_run_streams(f->client, &f->io, &result, &e) < 0);
	assert_int_equal(e.sys, EPIPE);
	err_clear(&e);
	assert_final(f, 2);
}

/* ---- exec -------------------------------------------------------------------------------------- */

static struct client_exec exec_of(struct strv *args, const char *script)
{
	strv_clear(args);
	strv_add(args, "/bin/sh");
	strv_add(args, "-c");
	strv_add(args, script);
	return (struct client_exec){ .args = args, .streams = output_only };
}

static void exec_has_its_own_streams_code_and_environment(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT, env = STRV_INIT;
	struct client_exec x = exec_of(&args, "echo $A $PATH; pwd; echo e >&2; exit 12");
	struct client_result result = { 0 };
	struct client *c;

	command(f, "sleep 100");
	start_detached(f);
	make_pipes(f);
	strv_add(&env, "A=b");
	x.env = &env;
	x.cwd = "/usr";
	c = connect_again(f);
	assert_ok(client_exec(c, &x, &e));
	assert_ok(client_run_streams(c, &f->io, &result, &e));
	close_sinks(f);
	assert_int_equal(result.code, 12);
	assert_reads(f->out, "b /usr/bin:/bin\n/usr\n");
	assert_reads(f->err, "e\n");
	client_free(c);
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
	assert_false(file_exists(f->dir, "log.json") && count_bytes(f->out));
}

static void a_failed_exec_leaves_the_container_alone(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	struct client_exec x = { .args = &args };
	struct client *c;

	command(f, "sleep 100");
	start_detached(f);
	c = connect_again(f);
	assert_fails(client_exec(c, &x, &e), "no exec command");
	client_free(c);
	strv_add(&args, "no-such-command");
	c = connect_again(f);
	assert_true(client_exec(c, &x, &e) < 0);
	assert_int_equal(e.kind, ERR_NO_COMMAND);
	err_clear(&e);
	client_free(c);
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
	assert_final(f, 137);
}

static void ten_execs_run_side_by_side(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	struct client *c[10];
	struct client_result result = { 0 };
	const struct client_io nothing = CLIENT_IO_INIT;
	char script[100];
	int i;

	command(f, "sleep 100");
	start_detached(f);
	for (i = 0; i < 10; i++) {
		struct client_exec x;

		snprintf(script, sizeof(script), "head -c 3000000 /dev/zero; exit %d", i);
		x = exec_of(&args, script);
		c[i] = connect_again(f);
		assert_ok(client_exec(c[i], &x, &e));
	}
	for (i = 9; i >= 0; i--) {
		assert_ok(client_run_streams(c[i], &nothing, &result, &e));
		assert_int_equal(result.code, i);
		client_free(c[i]);
	}
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
}

static void an_exec_that_nobody_reads_waits_and_the_others_do_not(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	struct client_exec x = exec_of(&args, "head -c 8000000 /dev/zero");
	const struct client_io nothing = CLIENT_IO_INIT;
	struct client_result result = { 0 };
	struct client *stalled, *c;

	command(f, "sleep 100");
	start_detached(f);
	stalled = connect_again(f);
	assert_ok(client_exec(stalled, &x, &e));
	c = connect_again(f);
	assert_ok(client_exec(c, &x, &e));
	assert_ok(client_run_streams(c, &nothing, &result, &e));
	assert_int_equal(result.code, 0);
	client_free(c);
	assert_ok(client_run_streams(stalled, &nothing, &result, &e));
	assert_int_equal(result.code, 0);
	client_free(stalled);
	assert_ok(client_stop(f->client, SIGKILL, 10, &e));
}

static void execs_end_with_the_container(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv args = STRV_INIT;
	struct client_exec x = exec_of(&args, "sleep 100");
	const struct client_io nothing = CLIENT_IO_INIT;
	struct client_result result = { 0 };
	struct client *c, *late;

	command_that_waits(f, "", "exit 0");
	start_detached(f);
	c = connect_again(f);
	assert_ok(client_exec(c, &x, &e));
	late = connect_again(f);
	let_go(f);
	assert_ok(client_run_streams(c, &nothing, &result, &e));
	assert_int_equal(result.code, 137);
	client_free(c);
	client_free(late);
	assert_final(f, 0);
}

/* ---- logs -------------------------------------------------------------------------------------- */

static int add_record(void *ctx, const struct log_record *r, struct err *why)
{
	(void)why;
	str_addn(ctx, r->text, r->n);
	return 0;
}

static void following_the_log_ends_with_the_container(void **state)
{
	struct fixture *f = *state;
	struct logread r = LOGREAD_INIT;
	auto_str struct str text = STR_INIT(4096);
	struct client *c;

	command_that_waits(f, "echo a;", "echo b; sleep 0.2; printf c");
	start_detached(f);
	c = connect_again(f);
	r.dirfd = f->dir;
	r.follow = true;
	r.record = add_record;
	r.ctx = &text;
	assert_ok(client_begin_wait(c, &r.end_fd, &e));
	let_go(f);
	assert_ok(logread_run(&r, &e));
	assert_string_equal(text.buf, "a\nb\nc");
	client_free(c);
}

/* ---- main -------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(input_and_output_are_exact_and_the_end_travels),
		TEST(a_stalled_client_stalls_nobody_and_loses_nothing),
		TEST(an_attached_client_sees_what_comes_from_then_on),
		TEST(a_stalled_client_does_not_hold_up_another),
		TEST(the_detach_keys_detach_and_are_not_sent),
		TEST(a_reader_that_goes_away_is_an_error_of_the_client_only),
		TEST(exec_has_its_own_streams_code_and_environment),
		TEST(a_failed_exec_leaves_the_container_alone),
		TEST(ten_execs_run_side_by_side),
		TEST(an_exec_that_nobody_reads_waits_and_the_others_do_not),
		TEST(execs_end_with_the_container),
		TEST(following_the_log_ends_with_the_container),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
