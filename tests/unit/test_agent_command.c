/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/command.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static char base[] = "/tmp/kvbox-test-command-XXXXXX";

static int setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (!mkdtemp(base) || chdir(base) < 0)
		return -1;
	if (dir_make(AT_FDCWD, "bin", 0755, &e) < 0 ||
	    dir_make(AT_FDCWD, "sbin/tool", 0755, &e) < 0 ||
	    file_write_replace(AT_FDCWD, "bin/tool", "x", 1, 0755, &e) < 0 ||
	    file_write_replace(AT_FDCWD, "bin/data", "x", 1, 0644, &e) < 0 ||
	    file_write_replace(AT_FDCWD, "here", "x", 1, 0755, &e) < 0)
		return -1;
	return symlink("/nowhere/at/all", "bin/dangling");
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return chdir("/") < 0 ? -1 : dir_remove_tree(AT_FDCWD, base, &e);
}

/* `want`: the file that is found, or the error; "@" stands for the test's folder. */
static const struct {
	const char *name, *path;
	int kind; /* -1: is found */
	const char *want;
} cases[] = {
	{ "tool", "@/bin", -1, "@/bin/tool" },
	{ "tool", "/nowhere:@/sbin:@/bin", -1, "@/bin/tool" },
	{ "data", "@/bin", ERR_NO_COMMAND, "exec: \"data\": executable file not found in $PATH" },
	{ "tool", "@/sbin", ERR_NO_COMMAND, "exec: \"tool\": executable file not found in $PATH" },
	{ "tool", NULL, ERR_NO_COMMAND, "exec: \"tool\": executable file not found in $PATH" },
	{ "tool", "", ERR_NO_COMMAND, "exec: \"tool\": executable file not found in $PATH" },
	{ "", "@/bin", ERR_NO_COMMAND, "exec: \"\": executable file not found in $PATH" },
	{ "here", "/nowhere:", -1, "./here" },
	{ "./here", NULL, -1, "./here" },
	{ "bin/tool", "/nowhere", -1, "bin/tool" },
	{ "@/bin/tool", NULL, -1, "@/bin/tool" },
	{ "@/nope", "@/bin", ERR_NO_COMMAND,
	  "exec: \"@/nope\": stat @/nope: no such file or directory" },
	{ "@/bin/dangling", "", ERR_NO_COMMAND,
	  "exec: \"@/bin/dangling\": stat @/bin/dangling: no such file or directory" },
	{ "@/bin", NULL, ERR_NOT_EXEC, "exec: \"@/bin\": is a directory" },
	{ "@/bin/data", NULL, ERR_NOT_EXEC, "exec: \"@/bin/data\": permission denied" },
	{ "@/bin/data/x", NULL, ERR_NOT_EXEC,
	  "exec: \"@/bin/data/x\": stat @/bin/data/x: not a directory" },
};

static char *fill_in(const char *text)
{
	auto_str struct str s = STR_INIT(10000);
	struct err e = ERR_INIT;

	for (; text && *text; text++) {
		if (*text == '@')
			str_add(&s, base);
		else
			str_addc(&s, *text);
	}
	return text ? str_take(&s, &e) : NULL;
}

static void commands_are_found_or_refused_in_dockers_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *name = fill_in(cases[i].name), *path = fill_in(cases[i].path);
		auto_free char *want = fill_in(cases[i].want), *got = NULL;
		struct err e = ERR_INIT;
		int r = command_find(name ? name : "", path, &got, &e);

		if (r < 0 ? cases[i].kind != (int)e.kind || strcmp(e.msg, want) != 0
			  : cases[i].kind != -1 || strcmp(got, want) != 0)
			fail_msg("case %zu: %s", i, r < 0 ? e.msg : got);
	}
}

static void what_exec_refuses_is_sorted_into_126_and_127(void **state)
{
	static const struct {
		int error;
		enum err_kind kind;
		const char *want;
	} errors[] = {
		{ ENOENT, ERR_NO_COMMAND, "exec /x: no such file or directory" },
		{ ENOEXEC, ERR_NOT_EXEC, "exec /x: exec format error" },
		{ EACCES, ERR_NOT_EXEC, "exec /x: permission denied" },
		{ E2BIG, ERR_NOT_EXEC, "exec /x: argument list too long" },
		{ 12345, ERR_NOT_EXEC, "exec /x: unknown error" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(command_exec_error("/x", errors[i].error, &e), -1);
		assert_int_equal(e.kind, errors[i].kind);
		assert_string_equal(e.msg, errors[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_found_or_refused_in_dockers_words),
		cmocka_unit_test(what_exec_refuses_is_sorted_into_126_and_127),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
