/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <signal.h>

#include "engine/signame.h"

static struct err e;

static void names_and_numbers_are_understood_as_docker_does(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "KILL", SIGKILL },
		{ "SIGKILL", SIGKILL },
		{ "sigterm", SIGTERM },
		{ "Hup", SIGHUP },
		{ "9", 9 },
		{ "1", 1 },
		{ "64", 64 },
		{ "WINCH", SIGWINCH },
		{ "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 },
		{ "rtmax", 64 },
		{ "RTMAX-2", 62 },
	};
	size_t i;
	int sig;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(signame_parse(cases[i].text, &sig, &e));
		assert_int_equal(sig, cases[i].want);
	}
}

static void what_is_no_signal_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"0",
		"65",
		"-9",
		"9x",
		"FOO",
		"SIG",
		"SIGSIGKILL",
		"RTMIN+31",
		"RTMAX+1",
		"RTMIN-1",
		"RTMIN+",
		"99999999999999999999",
		" KILL",
		"KILL ",
	};
	int sig = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (signame_parse(cases[i], &sig, &e) == 0)
			fail_msg("'%s' is taken as %d", cases[i], sig);
		assert_non_null(strstr(e.msg, "invalid signal: "));
		assert_int_equal(e.kind, ERR_INVALID);
		err_clear(&e);
		assert_int_equal(sig, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_understood_as_docker_does),
		cmocka_unit_test(what_is_no_signal_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
