/* SPDX-License-Identifier: Apache-2.0 */
/* Several clients at one container, and output in amounts and shapes that are no everyday ones. */
#include "tests/unit/fixture_monitor.h"

/* What the monitor may use at most, sanitizer and all, while much more goes through it. */
#define MEMORY_MAX_KIB (112u * 1024)

static size_t peak_memory_kib(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/status", (int)pid);
	auto_str struct str text = STR_INIT(65536);
	unsigned long kib = 0;
	const char *at;

	assert_ok(file_read(AT_FDCWD, path, &text, &e));
	at = strstr(text.buf, "VmHWM:");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "VmHWM: %lu", &kib), 1);
	return kib;
}

/* ---- several clients --------------------------------------------------------------------------- */

/* A client of its own process, which types `text` and expects `want`; -1 as code: it does not look. */
static pid_t attach_in_child(struct fixture *f, const char *text, const char *want, int code)
{
	struct client_result result = { 0 };
	int in[2], out[2];
	char buf[4096];
	ssize_t n;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (fd_pipe(in, &e) < 0 || fd_pipe(out, &e) < 0 ||
	    client_connect(&f->paths, container_id, &f->client, &e) < 0 ||
	    client_attach(f->client, &all_streams, NULL, &e) < 0 ||
	    fd_write_full(in[1], text, strlen(text), &e) < 0)
		_exit(1);
	fd_close(in[1]);
	f->io.in = in[0];
	f->io.out = out[1];
	if (client_run_streams(f->client, &f->io, &result, &e) < 0 || result.code != code)
		_exit(2);
	fd_close(out[1]);
	n = fd_read_full(out[0], buf, sizeof(buf) - 1, &e);
	if (n < 0)
		_exit(3);
	buf[n] = '\0';
	_exit(strstr(buf, want) ? 0 : 4);
}

static void assert_child_ok(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void the_input_of_all_clients_arrives_and_all_hear_of_the_end(void **state)
{
	struct fixture *f = *state;
	pid_t a, b;

	/* The end of one client's input is not that of the container's. */
	f->spec.open_stdin = true;
	command(f, "read x; read y; echo got $x$y | tr ab xx; exit 9");
	start_detached(f);
	a = attach_in_child(f, "a\n", "got xx\n", 9);
	b = attach_in_child(f, "b\n", "got xx\n", 9);
	assert_child_ok(a);
	assert_child_ok(b);
	assert_final(f, 9);
	assert_int_equal(count_events(f, "attach"), 2);
}

static void output_goes_on_after_the_end_of_the_input(void **state)
{
	struct fixture *f = *state;
	pid_t a;

	f->spec.open_stdin = f->spec.stdin_once = true;
	command(f, "cat; sleep 0.2; echo and more; exit 3");
	start_detached(f);
	a = attach_in_child(f, "typed\n", "typed\nand more\n", 3);
	assert_child_ok(a);
	assert_final(f, 3);
}

static void clients_that_die_are_not_missed(void **state)
{
	struct fixture *f = *state;
	struct client *stay;
	pid_t a[8];

	f->spec.open_stdin = true;
	command(f, "echo begun; exec sleep 100");
	start_detached(f);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = attach_in_child(f, "x", "", 0);
	usleep(200000);
	for (size_t i = 0; i < ARRAY_LEN(a); i++) {
		int status;

		kill(a[i], SIGKILL);
		assert_int_equal(waitpid(a[i], &status, 0), a[i]);
	}
	stay = connect_again(f);
	assert_ok(client_attach(stay, &all_streams, NULL, &e));
	assert_ok(client_kill(stay, &e));
	client_free(stay);
	assert_final(f, 137);
}

static void a_size_is_kept_for_the_next_run_and_told(void **state)
{
	struct fixture *f = *state;
	const struct client_size size = { 30, 90 };

	f->spec.tty = true;
	command(f, "exec sleep 100");
	start_detached(f);
	client_send_resize(f->client, &size);
	assert_ok(client_kill(f->client, &e));
	assert_final(f, 137);
	assert_int_equal(count_events(f, "resize"), 1);
}

/* ---- much output ------------------------------------------------------------------------------- */

struct reading {
	uint64_t bytes, records;
	bool is_exact;
};

static int count_numbers(void *ctx, const struct log_record *r, struct err *err)
{
	struct reading *x = ctx;
	char want[32];

	(void)err;
	snprintf(want, sizeof(want), "%llu\n", (unsigned long long)++x->records);
	if (r->n != strlen(want) || memcmp(r->text, want, r->n) != 0)
		x->is_exact = false;
	return 0;
}

static int count_letters(void *ctx, const struct log_record *r, struct err *err)
{
	struct reading *x = ctx;

	(void)err;
	x->records++;
	x->bytes += r->n;
	for (size_t i = 0; i < r->n; i++)
		if (r->text[i] != 'x')
			x->is_exact = false;
	return 0;
}

/* Lets the container go, and follows the log to its end. */
static struct reading follow(struct fixture *f,
			     int (*record)(void *ctx, const struct log_record *r, struct err *err))
{
	struct reading x = { .is_exact = true };
	struct logread r = LOGREAD_INIT;
	struct client *c = connect_again(f);

	r.dirfd = f->dir;
	r.follow = true;
	r.record = record;
	r.ctx = &x;
	assert_ok(client_begin_wait(c, &r.end_fd, &e));
	let_go(f);
	assert_ok(logread_run(&r, &e));
	client_free(c);
	return x;
}

static void a_flood_without_a_newline_is_followed_in_bounded_memory(void **state)
{
	const uint64_t total = (uint64_t)160 << 20;
	struct fixture *f = *state;
	struct reading x;
	struct client *stalled;

	/* It keeps what was freed, up to this. */
	setenv("ASAN_OPTIONS", "detect_stack_use_after_return=1:quarantine_size_mb=1", 1);
	f->spec.open_stdin = true;
	command_that_waits(f, "", "head -c 167772160 /dev/zero | tr '\\0' x");
	start_detached(f);
	stalled = connect_again(f);
	assert_ok(client_attach(stalled, &output_only, NULL, &e));
	x = follow(f, count_letters);
	assert_true(x.is_exact);
	assert_int_equal(x.bytes, total);
	assert_true(peak_memory_kib(f->monitor) < MEMORY_MAX_KIB);
	client_free(stalled);
	assert_final(f, 0);
}

static void many_short_lines_are_followed_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct reading x;

	command_that_waits(f, "", "seq 1000000");
	start_detached(f);
	x = follow(f, count_numbers);
	assert_true(x.is_exact);
	assert_int_equal(x.records, 1000000);
	assert_final(f, 0);
}

static int run_attached_without_reading(struct fixture *f)
{
	const struct client_io nothing = CLIENT_IO_INIT;
	struct client_result result = { 0 };

	assert_ok(begin(f));
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	assert_ok(client_run_streams(f->client, &nothing, &result, &e));
	return result.code;
}

static void the_log_is_rotated_or_left_out_as_the_container_says(void **state)
{
	struct fixture *f = *state;

	f->spec.log_max_size = 100000;
	f->spec.log_max_files = 2;
	command(f, "seq 20000");
	assert_int_equal(run_attached_without_reading(f), 0);
	assert_final(f, 0);
	assert_true(file_exists(f->dir, "log.json"));
	assert_true(file_exists(f->dir, "log.json.1"));
	assert_false(file_exists(f->dir, "log.json.2"));
	assert_ok(file_remove(f->dir, "log.json", &e));
	set_text(&f->spec.log_driver, "none");
	client_free(take_ptr(&f->client));
	assert_int_equal(reap_monitor(f), 0);
	assert_int_equal(run_attached_without_reading(f), 0);
	wait_until_free(f);
	assert_false(file_exists(f->dir, "log.json"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_input_of_all_clients_arrives_and_all_hear_of_the_end),
		TEST(output_goes_on_after_the_end_of_the_input),
		TEST(clients_that_die_are_not_missed),
		TEST(a_size_is_kept_for_the_next_run_and_told),
		TEST(a_flood_without_a_newline_is_followed_in_bounded_memory),
		TEST(many_short_lines_are_followed_one_by_one),
		TEST(the_log_is_rotated_or_left_out_as_the_container_says),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests_name("monitor_attach", tests, NULL, NULL);
}
