/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "agent/proclist.h"

#define NUMBERS \
	" S 1 7 7 34816 9 4194560 11 12 13 14 15 16 17 18 20 -5 3 0 555 4096000 25 1844674 1 1 0"

static bool parse(const char *text, struct proclist_stat *s, char name[64])
{
	const char *p;
	size_t n;

	if (!proclist_parse_stat(text, strlen(text), s, &p, &n))
		return false;
	snprintf(name, 64, "%.*s", (int)n, p);
	return true;
}

static void stat_is_read_whatever_the_process_calls_itself(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "7 (sh)" NUMBERS, "sh" },	    { "7 ()" NUMBERS, "" },
		{ "7 (a b)" NUMBERS, "a b" },	    { "7 (x) R 0 (y)" NUMBERS, "x) R 0 (y" },
		{ "7 (a\nb)" NUMBERS, "a\nb" },	    { "7 (\xff\xfe)" NUMBERS, "\xff\xfe" },
		{ "7 ((((((()" NUMBERS, "((((((" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proclist_stat s;
		char name[64];

		assert_true(parse(cases[i].text, &s, name));
		assert_string_equal(name, cases[i].name);
		assert_int_equal(s.state, 'S');
		assert_int_equal(s.ppid, 1);
		assert_int_equal(s.pgid, 7);
		assert_int_equal(s.sid, 7);
		assert_int_equal(s.tty, 34816);
		assert_int_equal(s.tpgid, 9);
		assert_int_equal(s.minor_faults, 11);
		assert_int_equal(s.major_faults, 13);
		assert_int_equal(s.cpu_ticks, 15 + 16);
		assert_int_equal(s.priority, 20);
		assert_int_equal(s.nice, -5);
		assert_int_equal(s.threads, 3);
		assert_int_equal(s.start_ticks, 555);
		assert_int_equal(s.vsz, 4096000);
		assert_int_equal(s.rss, 25);
	}
}

static void a_text_that_is_cut_short_is_no_process(void **state)
{
	static const char *const texts[] = { "",
					     "7",
					     "7 (sh",
					     "7 (sh)",
					     "7 (sh) S",
					     "7 (sh) S 1 2",
					     (") (" NUMBERS),
					     "7 (sh) S 1 x" };
	struct proclist_stat s;
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(parse(texts[i], &s, name));
}

static void status_gives_a_number_of_a_line(void **state)
{
	static const char text[] = "Name:\tUid:\\n\nUid:\t1000\t1001\t1002\t1003\n"
				   "NSpid:\t345\t7\nVmLck:\t      12 kB\n";

	(void)state;
	assert_int_equal(proclist_status(text, "Uid", 0, -1), 1000);
	assert_int_equal(proclist_status(text, "Uid", 1, -1), 1001);
	assert_int_equal(proclist_status(text, "NSpid", -1, 0), 7);
	assert_int_equal(proclist_status(text, "VmLck", 0, 0), 12);
	assert_int_equal(proclist_status(text, "Gid", 0, -1), -1);
	assert_int_equal(proclist_status(text, "Uid", 7, -1), -1);
	assert_int_equal(proclist_status("", "Uid", 0, 5), 5);
}

static void terminals_are_named_as_ps_names_them(void **state)
{
	static const struct {
		int64_t dev;
		const char *want;
	} cases[] = {
		{ 0, "?" },	     { 0x8800, "pts/0" },
		{ 0x8803, "pts/3" }, { 0x8900, "pts/256" },
		{ 0x440, "ttyS0" },  { 0x501, "console" },
		{ 0xe500, "229:0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[32];

		proclist_tty(cases[i].dev, got);
		assert_string_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_is_read_whatever_the_process_calls_itself),
		cmocka_unit_test(a_text_that_is_cut_short_is_no_process),
		cmocka_unit_test(status_gives_a_number_of_a_line),
		cmocka_unit_test(terminals_are_named_as_ps_names_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
