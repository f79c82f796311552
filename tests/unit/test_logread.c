/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/logfile.h"
#include "engine/logread.h"

struct fixture {
	char path[64];
	struct logread r;
	struct str text; /* "o:" or "e:" before each record's text */
	unsigned idle;
};

static struct err e;

static int add_record(void *ctx, const struct log_record *r, struct err *why)
{
	struct fixture *f = ctx;

	(void)why;
	str_add(&f->text, r->stream == LOG_STDERR ? "e:" : "o:");
	str_addn(&f->text, r->text, r->n);
	return 0;
}

static int count_idle(void *ctx, struct err *why)
{
	struct fixture *f = ctx;

	(void)why;
	f->idle++;
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	err_clear(&e);
	strcpy(f->path, "/tmp/kvbox-logread-XXXXXX");
	f->r = (struct logread)LOGREAD_INIT;
	str_init(&f->text, STR_HUGE);
	if (!mkdtemp(f->path) || fd_open_dir(AT_FDCWD, f->path, &f->r.dirfd, &e) < 0)
		return -1;
	f->r.record = add_record;
	f->r.idle = count_idle;
	f->r.ctx = f;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int r;

	fd_close(f->r.dirfd);
	str_release(&f->text);
	r = dir_remove_tree(AT_FDCWD, f->path, &e);
	free(f);
	return r;
}

static void append(struct fixture *f, const char *name, const char *text)
{
	int fd;

	assert_ok(fd_open(f->r.dirfd, name, O_WRONLY | O_CREAT | O_APPEND, 0640, &fd, &e));
	assert_ok(fd_write_full(fd, text, strlen(text), &e));
	close(fd);
}

#define RECORD(text, stream, time)                                                                 \
	"{\"log\":\"" text "\",\"stream\":\"" stream "\",\"time\":\"2026-01-02T03:04:" time "Z\"}" \
	"\n"
#define OUT(text) RECORD(text, "stdout", "05.5")
#define ERR(text) RECORD(text, "stderr", "05.5")

static void assert_reads(struct fixture *f, const char *want)
{
	assert_ok(logread_run(&f->r, &e));
	assert_string_equal(f->text.buf, want);
	str_clear(&f->text);
}

static void a_log_that_is_not_there_is_empty(void **state)
{
	assert_reads(*state, "");
}

static void records_come_back_as_they_were(void **state)
{
	static const char text[] = "tab\t quote\" back\\ <&> \xe2\x82\xac \xe2\x80\xa8 \x01\n";
	struct fixture *f = *state;
	struct logfile *log;
	auto_str struct str want = STR_INIT(STR_HUGE);

	assert_ok(logfile_open(f->r.dirfd, NULL, &log, &e));
	assert_ok(logfile_write(log, LOG_STDOUT, text, sizeof(text) - 1, &e));
	assert_ok(logfile_write(log, LOG_STDERR, "err\nend", 7, &e));
	assert_ok(logfile_eof(log, LOG_STDERR, &e));
	logfile_free(log);
	str_addf(&want, "o:%se:err\ne:end", text);
	assert_reads(f, want.buf);
	assert_int_equal(f->idle, 1);
}

static void damage_costs_its_own_line_only(void **state)
{
	static const char *const cases[] = {
		"{\"log\":\"to\n",
		"garbage\n",
		"\n",
		"{}\n",
		"[1,2]\n",
		"\"text\"\n",
		"{\"log\":5}\n",
		"{\"log\":\"no time\\n\",\"stream\":\"stdout\"}\n",
		"}\n",
		"{\"log\":{\"log\":\"x\"}}\n",
		"{\"log\":\"bad \\q "
		"escape\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n",
	};
	struct fixture *f = *state;
	auto_str struct str want = STR_INIT(STR_HUGE);
	size_t i;

	append(f, "log.json", OUT("first\\n"));
	str_add(&want, "o:first\n");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		append(f, "log.json", cases[i]);
		append(f, "log.json", OUT("good\\n"));
		str_add(&want, "o:good\n");
	}
	append(f, "log.json", "{\"log\":\"unfinished");
	assert_reads(f, want.buf);
}

/* What is not written exactly as logfile.c does goes another way, to the same end. */
static void a_record_is_the_same_however_it_is_written(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"\\n",
		"plain\\n",
		"\\\\",
		"\\\"\\n",
		"a\\\\\\nb\\r\\n",
		"\\u001b[0m\\n",
		"tab\\t\\n",
		"\xe2\x82\xac\\n",
		"\\ud83d\\ude00\\n",
		"\\/\\n",
		"}\\n{\\n",
	};
	struct fixture *f = *state;
	auto_free char *plain = NULL;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_free char *ours = xasprintf(OUT("%s"), texts[i]);
		auto_free char *spaced = xasprintf(
			"{ \"log\":\"%s\",\"stream\":\"stdout\",\"time\":"
			"\"2026-01-02T03:04:05.5Z\"}\n",
			texts[i]);

		append(f, "log.json", ours);
		assert_ok(logread_run(&f->r, &e));
		plain = xstrdup(f->text.buf);
		str_clear(&f->text);
		assert_ok(file_remove(f->r.dirfd, "log.json", &e));
		append(f, "log.json", spaced);
		assert_reads(f, plain);
		assert_ok(file_remove(f->r.dirfd, "log.json", &e));
		free(take_ptr(&plain));
	}
}

static void a_line_without_end_is_skipped(void **state)
{
	struct fixture *f = *state;
	auto_free char *big = xcalloc(1, 1000001);

	memset(big, 'x', 1000000);
	append(f, "log.json", OUT("a\\n"));
	append(f, "log.json", big);
	append(f, "log.json", "\n");
	append(f, "log.json", OUT("b\\n"));
	assert_reads(f, "o:a\no:b\n");
}

static void the_tail_counts_lines_from_the_end(void **state)
{
	static const struct {
		int64_t tail;
		const char *want;
	} cases[] = {
		{ 0, "" },
		{ 1, "o:4\n" },
		{ 2, "e:3\no:4\n" },
		{ 4, "o:1\no:2\ne:3\no:4\n" },
		{ 5, "o:1\no:2\ne:3\no:4\n" },
		{ -1, "o:1\no:2\ne:3\no:4\n" },
	};
	struct fixture *f = *state;
	size_t i;

	append(f, "log.json", OUT("1\\n") OUT("2\\n") ERR("3\\n") OUT("4\\n"));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		f->r.tail = cases[i].tail;
		assert_reads(f, cases[i].want);
	}
}

static void rotated_files_are_read_oldest_first(void **state)
{
	static const struct {
		int64_t tail;
		const char *want;
	} cases[] = {
		{ -1, "o:1\no:2\no:3\no:4\n" },
		{ 1, "o:4\n" },
		{ 2, "o:3\no:4\n" },
		{ 3, "o:2\no:3\no:4\n" },
		{ 9, "o:1\no:2\no:3\no:4\n" },
	};
	struct fixture *f = *state;
	size_t i;

	append(f, "log.json.2", OUT("1\\n"));
	append(f, "log.json.1", OUT("2\\n") OUT("3\\n"));
	append(f, "log.json", OUT("4\\n"));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		f->r.tail = cases[i].tail;
		assert_reads(f, cases[i].want);
	}
}

static void the_tail_of_a_big_log_is_found_across_blocks(void **state)
{
	struct fixture *f = *state;
	auto_str struct str text = STR_INIT(STR_HUGE), want = STR_INIT(STR_HUGE);
	int i;

	for (i = 0; i < 20000; i++) {
		str_addf(&text,
			 "{\"log\":\"line %d\\n\",\"stream\":\"stdout\","
			 "\"time\":\"2026-01-02T03:04:05Z\"}\n",
			 i);
		if (i >= 20000 - 15000)
			str_addf(&want, "o:line %d\n", i);
	}
	append(f, "log.json", text.buf);
	f->r.tail = 15000;
	assert_reads(f, want.buf);
}

static void since_and_until_bound_the_times(void **state)
{
	static const struct {
		const char *since, *until, *want;
	} cases[] = {
		{ NULL, NULL, "o:1\no:2\no:3\n" },
		{ "2026-01-02T03:04:02Z", NULL, "o:2\no:3\n" },
		{ "2026-01-02T03:04:02.000000001Z", NULL, "o:3\n" },
		{ NULL, "2026-01-02T03:04:02Z", "o:1\no:2\n" },
		{ "2026-01-02T04:04:02+01:00", "2026-01-02T03:04:02Z", "o:2\n" },
		{ "2027-01-01T00:00:00Z", NULL, "" },
	};
	struct fixture *f = *state;
	size_t i;

	append(f, "log.json",
	       RECORD("1\\n", "stdout", "01") RECORD("2\\n", "stdout", "02")
		       RECORD("3\\n", "stdout", "03"));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		f->r.since = f->r.until = 0;
		if (cases[i].since)
			assert_ok(clock_parse(cases[i].since, &f->r.since, &e));
		if (cases[i].until)
			assert_ok(clock_parse(cases[i].until, &f->r.until, &e));
		assert_reads(f, cases[i].want);
	}
}

static void following_sees_what_is_added_also_after_a_rotation(void **state)
{
	struct fixture *f = *state;
	int end[2], status;
	pid_t writer;

	append(f, "log.json", OUT("1\\n"));
	assert_ok(fd_pipe(end, &e));
	writer = fork();
	if (writer == 0) {
		usleep(50000);
		append(f, "log.json", "{\"log\":\"2\\n\",\"stream\":");
		usleep(50000);
		append(f, "log.json", "\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n");
		usleep(50000);
		assert_ok(file_rename(f->r.dirfd, "log.json", f->r.dirfd, "log.json.1", &e));
		append(f, "log.json", OUT("3\\n"));
		usleep(50000);
		append(f, "log.json", OUT("4\\n"));
		_exit(0); /* closes the pipe: the end */
	}
	fd_close(end[1]);
	f->r.follow = true;
	f->r.end_fd = end[0];
	assert_reads(f, "o:1\no:2\no:3\no:4\n");
	fd_close(end[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_true(f->idle >= 2);
}

static void following_ends_at_until(void **state)
{
	struct fixture *f = *state;

	append(f, "log.json", OUT("1\\n"));
	f->r.follow = true;
	f->r.until = clock_now() + 100 * 1000000;
	assert_reads(f, "o:1\n");
	assert_true(clock_now() >= f->r.until);
}

static int cancel(void *ctx, struct err *why)
{
	(void)ctx;
	return err_set(why, ERR_CANCELLED, "interrupted");
}

static void following_ends_when_the_caller_says_so(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_ok(fd_pipe(fds, &e));
	fd_close(fds[1]);
	f->r.follow = true;
	f->r.event_fd = fds[0];
	f->r.event = cancel;
	assert_fails(logread_run(&f->r, &e), "interrupted");
	fd_close(fds[0]);
}

static void the_printer_sorts_streams_and_fills_up_times(void **state)
{
	static const struct {
		bool timestamps;
		const char *out, *err;
	} cases[] = {
		{ false, "one\ntwo", "three\n" },
		{ true, "2026-01-02T03:04:05.120000000Z one\n2026-01-02T03:04:06.000000000Z two",
		  "2026-01-02T03:04:07.123456789Z three\n" },
	};
	struct fixture *f = *state;
	char buf[4096];
	size_t i;

	append(f, "log.json",
	       RECORD("one\\n", "stdout", "05.12") RECORD("two", "stdout", "06")
		       RECORD("three\\n", "stderr", "07.123456789"));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		int out[2], err[2];
		struct log_printer p = { .timestamps = cases[i].timestamps };
		ssize_t n;

		assert_ok(fd_pipe(out, &e));
		assert_ok(fd_pipe(err, &e));
		p.fd[LOG_STDOUT] = out[1];
		p.fd[LOG_STDERR] = err[1];
		f->r.record = log_printer_record;
		f->r.idle = log_printer_idle;
		f->r.ctx = &p;
		assert_ok(logread_run(&f->r, &e));
		log_printer_release(&p);
		fd_close(out[1]);
		fd_close(err[1]);
		n = fd_read_full(out[0], buf, sizeof(buf) - 1, &e);
		buf[n] = '\0';
		assert_string_equal(buf, cases[i].out);
		n = fd_read_full(err[0], buf, sizeof(buf) - 1, &e);
		buf[n] = '\0';
		assert_string_equal(buf, cases[i].err);
		fd_close(out[0]);
		fd_close(err[0]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_log_that_is_not_there_is_empty),
		TEST(records_come_back_as_they_were),
		TEST(a_record_is_the_same_however_it_is_written),
		TEST(damage_costs_its_own_line_only),
		TEST(a_line_without_end_is_skipped),
		TEST(the_tail_counts_lines_from_the_end),
		TEST(rotated_files_are_read_oldest_first),
		TEST(the_tail_of_a_big_log_is_found_across_blocks),
		TEST(since_and_until_bound_the_times),
		TEST(following_sees_what_is_added_also_after_a_rotation),
		TEST(following_ends_at_until),
		TEST(following_ends_when_the_caller_says_so),
		TEST(the_printer_sorts_streams_and_fills_up_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
