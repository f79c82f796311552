/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/logfile.h"

struct fixture {
	char path[64];
	int dir;
	struct logfile *log;
};

static struct err e;

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/kvbox-logfile-XXXXXX");
	if (!mkdtemp(f->path) || fd_open_dir(AT_FDCWD, f->path, &f->dir, &e) < 0)
		return -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int r;

	logfile_free(f->log);
	close(f->dir);
	r = dir_remove_tree(AT_FDCWD, f->path, &e);
	free(f);
	return r;
}

static void open_log(struct fixture *f, const struct logfile_options *options)
{
	assert_ok(logfile_open(f->dir, options, &f->log, &e));
}

static void write_text(struct fixture *f, enum log_stream stream, const char *p, size_t n)
{
	assert_ok(logfile_write(f->log, stream, p, n, &e));
}

static void read_back(struct fixture *f, const char *name, struct str *ret)
{
	assert_ok(logfile_flush(f->log, &e));
	assert_ok(file_read(f->dir, name, ret, &e));
}

/* Puts "T" for every time, after checking that it is one and not older than the one before. */
static void hide_times(struct str *text)
{
	static const char before[] = "\"time\":\"";
	int64_t last = 0, now;
	char *at = text->buf, *end;
	char time[CLOCK_TEXT_SIZE];

	while ((at = strstr(at, before))) {
		at += sizeof(before) - 1;
		end = strchr(at, '"');
		assert_non_null(end);
		assert_true((size_t)(end - at) < sizeof(time));
		memcpy(time, at, (size_t)(end - at));
		time[end - at] = '\0';
		assert_int_equal(time[strlen(time) - 1], 'Z');
		assert_ok(clock_parse(time, &now, &e));
		assert_true(now > last - 1);
		last = now;
		*at = 'T';
		memmove(at + 1, end, strlen(end) + 1);
		text->len -= (size_t)(end - at) - 1;
	}
}

static void assert_log(struct fixture *f, const char *want)
{
	auto_str struct str text = STR_INIT(STR_HUGE);

	read_back(f, LOGFILE_NAME, &text);
	hide_times(&text);
	assert_string_equal(text.buf, want);
}

#define OUT(log) "{\"log\":\"" log "\",\"stream\":\"stdout\",\"time\":\"T\"}\n"
#define ERR(log) "{\"log\":\"" log "\",\"stream\":\"stderr\",\"time\":\"T\"}\n"

static void text_is_escaped_as_docker_does(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "plain", "plain" },
		{ "say \"hi\" \\ there", "say \\\"hi\\\" \\\\ there" },
		{ "a\tb\rc\x01\x1b[0m\x7f", "a\\u0009b\\rc\\u0001\\u001b[0m\x7f" },
		{ "<a href='x'>&</a>", "\\u003ca href='x'\\u003e\\u0026\\u003c/a\\u003e" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\xaa", "\\u2028 \\u2029 \xe2\x80\xaa" },
		/* Lone, overlong, half a surrogate pair, beyond Unicode, cut off. */
		{ "\x80 \xff", "\\ufffd \\ufffd" },
		{ "\xc0\xaf", "\\ufffd\\ufffd" },
		{ "\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd" },
		{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
		{ "\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd" },
		{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
		{ "\xe2\x82", "\\ufffd\\ufffd" },
		{ "\xef\xbf\xbd", "\xef\xbf\xbd" },
	};
	struct fixture *f = *state;
	auto_str struct str want = STR_INIT(STR_HUGE);
	size_t i;

	open_log(f, NULL);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		write_text(f, LOG_STDOUT, cases[i].in, strlen(cases[i].in));
		write_text(f, LOG_STDOUT, "\n", 1);
		str_addf(&want, "{\"log\":\"%s\\n\",\"stream\":\"stdout\",\"time\":\"T\"}\n",
			 cases[i].want);
	}
	assert_log(f, want.buf);
}

static void a_zero_byte_is_text_like_any_other(void **state)
{
	struct fixture *f = *state;

	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "a\0b\n", 4);
	assert_log(f, OUT("a\\u0000b\\n"));
}

static void lines_are_put_together_whatever_the_pieces(void **state)
{
	static const char text[] = "one\ntwo\n\nthree \xe2\x82\xac\n";
	struct fixture *f = *state;
	size_t i, piece;
	auto_str struct str want = STR_INIT(STR_HUGE);

	open_log(f, NULL);
	for (piece = 1; piece < sizeof(text); piece++) {
		for (i = 0; i < sizeof(text) - 1; i += piece)
			write_text(f, LOG_STDERR, text + i,
				   sizeof(text) - 1 - i < piece ? sizeof(text) - 1 - i : piece);
		str_add(&want, ERR("one\\n") ERR("two\\n") ERR("\\n") ERR("three \xe2\x82\xac\\n"));
	}
	assert_log(f, want.buf);
}

static void the_streams_do_not_mix_within_a_line(void **state)
{
	struct fixture *f = *state;

	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "out", 3);
	write_text(f, LOG_STDERR, "err\n", 4);
	write_text(f, LOG_STDOUT, "put\n", 4);
	assert_log(f, ERR("err\\n") OUT("output\\n"));
}

static void a_long_line_is_cut_at_16_kib_and_keeps_its_time(void **state)
{
	struct fixture *f = *state;
	auto_free char *line = xcalloc(1, 40001);
	auto_str struct str text = STR_INIT(STR_HUGE), want = STR_INIT(STR_HUGE);
	char *first, *second;

	open_log(f, NULL);
	memset(line, 'x', 40000);
	line[40000] = '\n';
	write_text(f, LOG_STDOUT, line, 20000);
	usleep(2000); /* a second time stamp would differ */
	write_text(f, LOG_STDOUT, line + 20000, 20001);
	read_back(f, LOGFILE_NAME, &text);
	first = strstr(text.buf, "\"time\"");
	second = strstr(first + 1, "\"time\"");
	assert_memory_equal(first, second, 30);
	hide_times(&text);
	str_addf(&want, "{\"log\":\"%.16384s\",\"stream\":\"stdout\",\"time\":\"T\"}\n", line);
	str_addf(&want, "{\"log\":\"%.16384s\",\"stream\":\"stdout\",\"time\":\"T\"}\n", line);
	str_addf(&want, "{\"log\":\"%.7232s\\n\",\"stream\":\"stdout\",\"time\":\"T\"}\n", line);
	assert_string_equal(text.buf, want.buf);
}

static void a_line_of_exactly_16_kib_has_its_newline_in_a_record_of_its_own(void **state)
{
	struct fixture *f = *state;
	auto_free char *line = xcalloc(1, LOGFILE_LINE_MAX + 1);
	auto_str struct str want = STR_INIT(STR_HUGE);

	open_log(f, NULL);
	memset(line, 'y', LOGFILE_LINE_MAX);
	str_addf(&want, "{\"log\":\"%.16384s\",\"stream\":\"stdout\",\"time\":\"T\"}\n", line);
	str_add(&want, OUT("\\n"));
	line[LOGFILE_LINE_MAX] = '\n';
	write_text(f, LOG_STDOUT, line, LOGFILE_LINE_MAX + 1);
	assert_log(f, want.buf);
}

static void the_worst_line_fits(void **state)
{
	struct fixture *f = *state;
	auto_free char *line = xcalloc(1, 200000);
	auto_str struct str text = STR_INIT(STR_HUGE);
	struct stat st;

	open_log(f, NULL);
	memset(line, 0xff, 200000);
	write_text(f, LOG_STDOUT, line, 200000);
	assert_ok(logfile_eof(f->log, LOG_STDOUT, &e));
	assert_ok(logfile_flush(f->log, &e));
	assert_int_equal(fstatat(f->dir, LOGFILE_NAME, &st, 0), 0);
	assert_true(st.st_size > 6 * 200000);
}

static void the_end_of_a_stream_records_an_unfinished_line(void **state)
{
	struct fixture *f = *state;

	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "$ ", 2);
	assert_ok(logfile_eof(f->log, LOG_STDOUT, &e));
	assert_ok(logfile_eof(f->log, LOG_STDERR, &e));
	assert_log(f, OUT("$ "));
}

static void an_unfinished_record_in_the_file_gets_its_newline_first(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_ok(fd_open(f->dir, LOGFILE_NAME, O_WRONLY | O_CREAT, 0640, &fd, &e));
	assert_ok(fd_write_full(fd, "{\"log\":\"to", 10, &e));
	close(fd);
	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "a\n", 2);
	assert_log(f, "{\"log\":\"to\n" OUT("a\\n"));
}

static void records_wait_for_a_flush_or_64_kib(void **state)
{
	struct fixture *f = *state;
	auto_free char *line = xcalloc(1, 65536);
	struct stat st;

	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "a\n", 2);
	assert_true(logfile_is_dirty(f->log));
	assert_int_equal(fstatat(f->dir, LOGFILE_NAME, &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	memset(line, 'x', 65536);
	write_text(f, LOG_STDOUT, line, 65536);
	assert_int_equal(fstatat(f->dir, LOGFILE_NAME, &st, 0), 0);
	assert_true(st.st_size > 60000);
}

static void a_full_disk_is_told_once_and_costs_only_what_did_not_fit(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small = { 40, RLIM_INFINITY };

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	open_log(f, NULL);
	write_text(f, LOG_STDOUT, "lost\n", 5);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_fails(logfile_flush(f->log, &e), "cannot write to the log");
	write_text(f, LOG_STDOUT, "lost too\n", 9);
	assert_ok(logfile_flush(f->log, &e));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	write_text(f, LOG_STDOUT, "kept\n", 5);
	assert_log(f, "{\"log\":\"lost\\n\",\"stream\":\"stdout\",\"time\"\n" OUT("kept\\n"));
}

static void the_log_rotates_before_it_gets_too_big(void **state)
{
	struct logfile_options options = { 200, 3 };
	struct fixture *f = *state;
	auto_str struct str newest = STR_INIT(STR_HUGE), middle = STR_INIT(STR_HUGE),
			    oldest = STR_INIT(STR_HUGE);
	char line[3] = "0\n";
	int i;

	open_log(f, &options);
	for (i = 0; i < 8; i++) {
		line[0] = (char)('0' + i);
		write_text(f, LOG_STDOUT, line, 2);
		assert_ok(logfile_flush(f->log, &e));
	}
	read_back(f, "log.json", &newest);
	read_back(f, "log.json.1", &middle);
	read_back(f, "log.json.2", &oldest);
	assert_non_null(strstr(newest.buf, "\"7\\n\""));
	assert_non_null(strstr(middle.buf, "\"5\\n\""));
	assert_non_null(strstr(oldest.buf, "\"3\\n\""));
	assert_false(file_exists(f->dir, "log.json.3"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_is_escaped_as_docker_does),
		TEST(a_zero_byte_is_text_like_any_other),
		TEST(lines_are_put_together_whatever_the_pieces),
		TEST(the_streams_do_not_mix_within_a_line),
		TEST(a_long_line_is_cut_at_16_kib_and_keeps_its_time),
		TEST(a_line_of_exactly_16_kib_has_its_newline_in_a_record_of_its_own),
		TEST(the_worst_line_fits),
		TEST(the_end_of_a_stream_records_an_unfinished_line),
		TEST(an_unfinished_record_in_the_file_gets_its_newline_first),
		TEST(records_wait_for_a_flush_or_64_kib),
		TEST(a_full_disk_is_told_once_and_costs_only_what_did_not_fit),
		TEST(the_log_rotates_before_it_gets_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
