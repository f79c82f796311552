/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/ps_format.h"

/* 2026-01-02T03:04:05Z, an hour after the guest's boot. */
static const int64_t now = INT64_C(1767323045) * 1000000000;

static const char document[] =
	"{\"hz\":100,\"now_ticks\":360000,\"memory_kib\":1000000,\"processes\":["
	"{\"pid\":300,\"ns_pid\":1,\"ppid\":0,\"pgid\":300,\"sid\":300,\"tpgid\":310,\"uid\":0,"
	"\"euid\":0,\"user\":\"root\",\"group\":\"root\",\"tty\":\"pts/0\",\"state\":\"S\","
	"\"priority\":20,\"threads\":1,\"start_ticks\":354000,\"cpu_ticks\":600,\"rss_kib\":100000,"
	"\"vsz_kib\":200000,\"comm\":\"sh\",\"args\":[\"sh\",\"-c\",\"a\\nb\"]},"
	"{\"pid\":320,\"ns_pid\":9,\"ppid\":310,\"pgid\":310,\"sid\":300,\"tpgid\":310,\"uid\":5,"
	"\"euid\":5,\"user\":\"games\",\"state\":\"R\",\"nice\":-5,\"priority\":15,\"threads\":3,"
	"\"tty\":\"pts/0\",\"start_ticks\":359900,\"cpu_ticks\":90,\"rss_kib\":4,\"vsz_kib\":8,"
	"\"comm\":\"loop\",\"args\":[\"loop\"]},"
	"{\"pid\":310,\"ns_pid\":7,\"ppid\":300,\"pgid\":310,\"sid\":300,\"tpgid\":310,\"uid\":0,"
	"\"euid\":0,\"user\":\"root\",\"state\":\"S\",\"nice\":3,\"priority\":23,\"threads\":1,"
	"\"tty\":\"pts/"
	"0\",\"start_ticks\":355000,\"cpu_ticks\":0,\"rss_kib\":7000,\"vsz_kib\":9000,"
	"\"locked_kib\":1,\"comm\":\"job\"},"
	"{\"pid\":330,\"ns_pid\":12,\"ppid\":300,\"pgid\":330,\"sid\":330,\"uid\":0,\"euid\":0,"
	"\"user\":\"root\",\"state\":\"S\",\"priority\":20,\"threads\":1,\"tty\":\"?\","
	"\"start_ticks\":100,\"cpu_ticks\":36000000,\"rss_kib\":2,\"vsz_kib\":3,\"comm\":\"old\","
	"\"args\":[\"old\",\"one\"]}]}";

/* With one blank in place of several. */
static void squeeze(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != ' ' || text[1] != ' ')
			*to++ = *text;
	}
	*to = '\0';
}

static int read_list(struct ps_list *list, const struct json *j, struct err *error)
{
	if (ps_list_add(list, j, error) < 0)
		return -1;
	ps_list_end(list, now);
	return 0;
}

/* What `top c OPTIONS` prints; an error's text when it fails. */
static char *top(const char *options)
{
	auto_ps_format struct ps_format format = { .n = 0 };
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str out = STR_INIT(1 << 20);
	auto_strv struct strv words = STRV_INIT;
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;

	strv_split(&words, options, ' ');
	assert_ok(json_parse(document, sizeof(document) - 1, &j, &e));
	assert_ok(read_list(&list, j, &e));
	if (ps_format_parse(&format, words.v, words.n, &e) < 0 ||
	    ps_format_print(&format, &list, &out, &e) < 0)
		return xstrdup(e.msg);
	squeeze(out.buf);
	return xstrdup(out.buf);
}

static void check(const char *options, const char *expected)
{
	auto_free char *got = top(options);

	if (strcmp(got, expected) != 0)
		fail_msg("top c %s:\n%s\ninstead of\n%s", options, got, expected);
}

static void the_three_dialects_choose_columns_and_processes(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	check("", "UID PID PPID C STIME TTY TIME CMD\n"
		  "root 1 0 10 03:03 pts/0 00:00:06 sh -c a?b\n"
		  "root 7 1 0 03:03 pts/0 00:00:00 [job]\n"
		  "games 9 7 90 03:04 pts/0 00:00:00 loop\n"
		  "root 12 1 99 02:04 ? 4-04:00:00 old one\n");
	check("aux -p 1,9", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\n"
			    "root 1 10.0 10.0 200000 100000 pts/0 Ss 03:03 0:06 sh -c a?b\n"
			    "games 9 90.0 0.0 8 4 pts/0 R<l+ 03:04 0:00 loop\n");
	check("-eo pid,comm", "PID COMMAND\n1 sh\n7 job\n9 loop\n12 old\n");
	check("-o pid=PID,comm=NAME --ppid=1", "PID NAME\n7 job\n12 old\n");
	check("-C loop -o pid,pgid,sid,tpgid,stat,ni",
	      "PID PGID SID TPGID STAT NI\n9 7 1 7 R<l+ -5\n");
	check("-u games,nobody", "PID TTY TIME CMD\n9 pts/0 00:00:00 loop\n");
	check("-u 5 -o pid,user:32", "PID USER\n9 games\n");
	check("r", "PID TTY STAT TIME COMMAND\n9 pts/0 R<l+ 0:00 loop\n");
	check("axc -q 12", "PID TTY STAT TIME COMMAND\n12 ? Ss 6000:00 old\n");
	check("-t pts/0 opid", "PID\n1\n7\n9\n");
	check("7", "PID TTY STAT TIME COMMAND\n7 pts/0 SNL+ 0:00 [job]\n");
}

static void every_set_of_columns_has_its_titles(void **state)
{
	static const struct {
		const char *options, *titles;
	} cases[] = {
		{ "-F", "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD\n" },
		{ "-l", "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD\n" },
		{ "-lf", "F S UID PID PPID C PRI NI ADDR SZ WCHAN STIME TTY TIME CMD\n" },
		{ "-Fl", "F S UID PID PPID C PRI NI ADDR SZ WCHAN RSS PSR STIME TTY TIME CMD\n" },
		{ "-ly", "S UID PID PPID C PRI NI RSS SZ WCHAN TTY TIME CMD\n" },
		{ "-j", "PID PGID SID TTY TIME CMD\n" },
		{ "-fj", "UID PID PPID PGID SID C STIME TTY TIME CMD\n" },
		{ "j", "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND\n" },
		{ "l", "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND\n" },
		{ "x", "PID TTY STAT TIME COMMAND\n" },
		{ "-x", "PID TTY STAT TIME COMMAND\n" },
		{ "-aux", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\n" },
		{ "-O comm", "PID COMMAND S TTY TIME COMMAND\n" },
		{ "-ef -o pid", "PID\n" },
		{ "-opid -o etime,start,lstart,bsdstart,etimes,cputimes",
		  "PID ELAPSED STARTED STARTED START ELAPSED TIME\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = top(cases[i].options);

		if (strncmp(got, cases[i].titles, strlen(cases[i].titles)) != 0)
			fail_msg("top c %s: %s", cases[i].options, got);
	}
}

static void times_are_those_of_the_hosts_clock(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	check("-p 12 -o pid,etime,etimes,start,lstart,stime,cputimes",
	      "PID ELAPSED ELAPSED STARTED STARTED STIME TIME\n"
	      "12 59:59 3599 02:04:06 Fri Jan 2 02:04:06 2026 02:04 360000\n");
}

static void rows_are_sorted_by_any_column_and_stay_in_order_otherwise(void **state)
{
	(void)state;
	check("-o pid --sort=-rss", "PID\n1\n7\n9\n12\n");
	check("-o pid --sort user,-pid", "PID\n9\n12\n7\n1\n");
	check("-o pid k pcpu", "PID\n7\n1\n9\n12\n");
	check("-o pid --sort comm", "PID\n7\n9\n12\n1\n");
	check("-o pid --sort tname", "PID\n12\n1\n7\n9\n");
}

static void a_forest_has_children_behind_their_parents(void **state)
{
	(void)state;
	check("axf -o pid,args",
	      "PID COMMAND\n1 sh -c a?b\n7 \\_ [job]\n9 | \\_ loop\n12 \\_ old one\n");
}

/* Each the child of the one before: what stands before their names must not grow with each of them. */
static void a_long_line_of_children_makes_no_wide_forest(void **state)
{
	enum { PROCESSES = 2000, LINE_MAX_BYTES = 1000 };
	auto_ps_format struct ps_format format = { .n = 0 };
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str text = STR_INIT(1 << 20), out = STR_INIT(16 << 20);
	auto_strv struct strv words = STRV_INIT;
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;
	size_t lines = 0;

	(void)state;
	str_add(&text, "{\"processes\":[");
	for (int i = 1; i <= PROCESSES; i++)
		str_addf(&text, "%s{\"pid\":%d,\"ppid\":%d,\"comm\":\"x\"}", i > 1 ? "," : "", i,
			 i - 1);
	str_add(&text, "]}");
	strv_split(&words, "axf -o args,pid", ' ');
	assert_ok(json_parse(text.buf, text.len, &j, &e));
	assert_ok(read_list(&list, j, &e));
	assert_ok(ps_format_parse(&format, words.v, words.n, &e));
	assert_ok(ps_format_print(&format, &list, &out, &e));
	for (const char *line = out.buf; *line; lines++) {
		size_t n = strcspn(line, "\n");

		assert_true(n < LINE_MAX_BYTES);
		line += n + (line[n] == '\n');
	}
	assert_int_equal(lines, PROCESSES + 1);
}

static void what_ps_would_not_take_is_refused_in_its_words(void **state)
{
	static const struct {
		const char *options, *text;
	} cases[] = {
		{ "-o comm", "Couldn't find PID field in ps output" },
		{ "-eo pid=X", "Couldn't find PID field in ps output" },
		{ "aux --no-headers", "Couldn't find PID field in ps output" },
		{ "-o pid,foo", "error: unknown user-defined format specifier \"foo\"" },
		{ "-o PID", "error: unknown user-defined format specifier \"PID\"" },
		{ "-o pid,,comm", "error: improper format list" },
		{ "-o", "error: format specification must follow -o" },
		{ "-p", "error: list of process IDs must follow -p" },
		{ "-p x", "error: process ID list syntax error" },
		{ "--sort=foo", "error: unknown sort specifier" },
		{ "--sort=-", "error: unknown sort specifier" },
		{ "aux --sort", "error: long sort specification must follow --sort" },
		{ "-Q", "error: unsupported SysV option" },
		{ "Q", "error: unsupported option (BSD syntax)" },
		{ "--foo", "error: unknown gnu long option" },
		{ "uj", "error: conflicting format options" },
		{ "-f u", "error: conflicting format options" },
		{ "-eT", "error: threads and security labels cannot be shown" },
		{ "-eo comm,ppid=PID", "specifying \"comm,ppid=PID\" is not allowed" },
		{ "-eo pid,pid=PID", "specifying \"pid,pid=PID\" is not allowed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].options, cases[i].text);
}

static void columns_are_twenty_wide_at_least(void **state)
{
	auto_ps_format struct ps_format format = { .n = 0 };
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str out = STR_INIT(1 << 20);
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;
	char option[] = "-opid,comm,args";
	char *words[] = { option };
	static const char text[] =
		"{\"processes\":[{\"pid\":1,\"comm\":\"a name of 23 characters\"}]}";

	(void)state;
	assert_ok(json_parse(text, sizeof(text) - 1, &j, &e));
	assert_ok(read_list(&list, j, &e));
	assert_ok(ps_format_parse(&format, words, 1, &e));
	assert_ok(ps_format_print(&format, &list, &out, &e));
	assert_string_equal(
		out.buf,
		"PID                 COMMAND                   COMMAND\n"
		"1                   a name of 23 characters   [a name of 23 characters]\n");
}

static void a_guest_that_lies_is_survived(void **state)
{
	static const char *const good[] = {
		"{\"processes\":[]}",
		"{\"hz\":0,\"now_ticks\":-9223372036854775808,\"memory_kib\":-1,\"processes\":["
		"{\"pid\":1,\"ppid\":2,\"start_ticks\":9223372036854775807,\"cpu_ticks\":"
		"9223372036854775807,\"rss_kib\":9223372036854775807,\"priority\":"
		"-9223372036854775808},{\"pid\":2,\"ppid\":1},{\"pid\":2,\"ppid\":2},{\"pid\":-3}]"
		"}",
		"{\"hz\":1000000000000,\"processes\":[{\"pid\":1,\"comm\":\"\\u001b[2J\\u009b1m\","
		"\"tty\":\"\\n\",\"user\":\"\\u007f\"}]}",
	};
	static const char *const bad[] = { "{}", "{\"processes\":{}}", "{\"processes\":[{}]}",
					   "{\"processes\":[{\"pid\":\"1\"}]}" };
	char option[] = "axfu", sort[] = "--sort=pcpu,-pmem,etime,comm";
	char *words[] = { option, sort };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_ps_format struct ps_format format = { .n = 0 };
		auto_ps_list struct ps_list list = { .v = NULL };
		auto_str struct str out = STR_INIT(1 << 20);
		auto_json struct json *j = NULL;
		struct err e = ERR_INIT;

		assert_ok(json_parse(good[i], strlen(good[i]), &j, &e));
		assert_ok(read_list(&list, j, &e));
		assert_ok(ps_format_parse(&format, words, 2, &e));
		assert_ok(ps_format_print(&format, &list, &out, &e));
		assert_null(strchr(out.buf, '\033'));
		assert_null(strstr(out.buf, "\302\233"));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_ps_list struct ps_list list = { .v = NULL };
		auto_json struct json *j = NULL;
		struct err e = ERR_INIT;

		assert_ok(json_parse(bad[i], strlen(bad[i]), &j, &e));
		assert_fails(read_list(&list, j, &e), "bad list of processes");
	}
}

static void a_list_in_pieces_is_one(void **state)
{
	static const char *const pieces[] = {
		"{\"processes\":[{\"pid\":90,\"ns_pid\":1,\"ppid\":1},{\"pid\":91,\"ns_pid\":7,"
		"\"ppid\":90}]}",
		"{\"processes\":[{\"pid\":92,\"ns_pid\":2,\"ppid\":91},{\"pid\":93,\"ns_pid\":3,"
		"\"ppid\":92}]}",
		"{\"processes\":[]}",
	};
	auto_ps_list struct ps_list list = { .v = NULL };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		auto_json struct json *j = NULL;

		assert_ok(json_parse(pieces[i], strlen(pieces[i]), &j, &e));
		assert_ok(ps_list_add(&list, j, &e));
	}
	ps_list_end(&list, now);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.v[1].pid, 2);
	assert_int_equal(list.v[1].ppid, 7);
	assert_int_equal(list.v[2].ppid, 2);
	assert_int_equal(list.v[3].pid, 7);
	assert_int_equal(list.v[3].ppid, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_dialects_choose_columns_and_processes),
		cmocka_unit_test(every_set_of_columns_has_its_titles),
		cmocka_unit_test(a_list_in_pieces_is_one),
		cmocka_unit_test(times_are_those_of_the_hosts_clock),
		cmocka_unit_test(rows_are_sorted_by_any_column_and_stay_in_order_otherwise),
		cmocka_unit_test(a_forest_has_children_behind_their_parents),
		cmocka_unit_test(a_long_line_of_children_makes_no_wide_forest),
		cmocka_unit_test(what_ps_would_not_take_is_refused_in_its_words),
		cmocka_unit_test(columns_are_twenty_wide_at_least),
		cmocka_unit_test(a_guest_that_lies_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
