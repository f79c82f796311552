/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/lastwords.h"

static struct err e;
static int dir = -1;
static char path[] = "/tmp/kvbox-lastwords-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(path) && fd_open_dir(AT_FDCWD, path, &dir, &e) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	fd_close(dir);
	return dir_remove_tree(AT_FDCWD, path, &e);
}

static void assert_words(const char *text, size_t n, const char *want)
{
	auto_str struct str got = STR_INIT(LASTWORDS_MAX);

	assert_ok(file_write_replace(dir, "console", text, n, 0600, &e));
	lastwords_read(dir, "console", &got);
	assert_false(got.over);
	assert_string_equal(got.buf, want);
}

static void the_last_lines_come_in_one_harmless_line(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "\n\n\n", "" },
		{ "one\n", "one" },
		{ "one", "one" },
		{ "one\ntwo\r\n\n three \n", "one | two |  three" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n", "3 | 4 | 5 | 6 | 7 | 8" },
		{ "\x1b[1;31mred\x1b[0m \x1b]0;title\x07 t\tab\b\x7f\xc3\xa4\n",
		  "red ]0;title t ab???" },
		{ "cut\x1b[", "cut" },
		{ "cut\x1b", "cut" },
		{ "no init\nKernel panic - not syncing: no init\nCPU: 0\n </TASK>\n",
		  "no init | Kernel panic - not syncing: no init" },
		{ "Kernel panic - one\ntrace\nKernel panic - two",
		  "Kernel panic - one | trace | Kernel panic - two" },
		{ "[1] one\n[2] Kernel panic - not syncing: x\n[2] CPU: 0\n[2] Call Trace:\n",
		  "[1] one | [2] Kernel panic - not syncing: x" },
		{ "qemu: -x: warning: odd\nqemu: -y: failed\n", "qemu: -y: failed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		assert_words(cases[i].text, strlen(cases[i].text), cases[i].want);
	assert_words("a\0b\n", 4, "ab");
}

static void long_lines_are_cut_and_many_of_them_limited(void **state)
{
	auto_free char *text = xcalloc(1, 100001);
	auto_str struct str want = STR_INIT(LASTWORDS_MAX);
	auto_free char *line = xcalloc(1, 121);
	size_t i;

	(void)state;
	memset(text, 'x', 100000);
	memset(line, 'x', 120);
	assert_words(text, 100000, line);
	for (i = 200; i < 100000; i += 200)
		text[i] = '\n';
	str_addf(&want, "%s | %s", line, line);
	assert_words(text, 99999, want.buf);
}

static void a_file_that_is_not_there_says_nothing(void **state)
{
	auto_str struct str got = STR_INIT(LASTWORDS_MAX);

	(void)state;
	lastwords_read(dir, "nothing", &got);
	assert_string_equal(got.buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_lines_come_in_one_harmless_line),
		cmocka_unit_test(long_lines_are_cut_and_many_of_them_limited),
		cmocka_unit_test(a_file_that_is_not_there_says_nothing),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
