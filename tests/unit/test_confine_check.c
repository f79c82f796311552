/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/landlock.h"
#include "base/fd.h"
#include "vmm/confine_check.h"

static void look(const char *no_limits, struct confine_outlook *ret)
{
	const struct confine_host host = { .run_root = -1, .cgroup = -1, .no_limits = no_limits };
	struct err e = ERR_INIT;

	assert_ok(confine_check(&host, ret, &e));
}

static void every_step_is_applied_or_missing_with_a_reason(void **state)
{
	struct confine_outlook o;

	(void)state;
	look("", &o);
	for (int i = 0; i < CONFINE_STEP_COUNT; i++) {
		if (i == CONFINE_USER_NS && geteuid() == 0)
			continue;
		if (o.applied[i] == (o.missing[i][0] != '\0'))
			fail_msg("%s: applied %d, missing '%s'",
				 confine_step_name((enum confine_step)i), o.applied[i],
				 o.missing[i]);
		assert_null(strstr(o.missing[i], "no-program"));
	}
}

static void what_needs_no_right_is_always_there(void **state)
{
	struct confine_outlook o;

	(void)state;
	look("", &o);
	assert_true(o.applied[CONFINE_NO_NEW_PRIVS]);
	assert_true(o.applied[CONFINE_NO_CORE]);
	assert_true(o.applied[CONFINE_SECCOMP]);
}

static void landlock_is_what_the_kernel_has(void **state)
{
	struct confine_outlook o;
	int abi = 0, fd = landlock_ruleset(&abi);

	(void)state;
	fd_close(fd);
	look("", &o);
	assert_int_equal(o.applied[CONFINE_LANDLOCK], fd >= 0);
	assert_int_equal(o.landlock_abi, fd >= 0 ? abi : 0);
}

static void the_word_about_cgroups_is_the_callers(void **state)
{
	struct confine_outlook o;

	(void)state;
	look("memory: no such controller", &o);
	assert_false(o.applied[CONFINE_CGROUP]);
	assert_string_equal(o.missing[CONFINE_CGROUP], "memory: no such controller");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_applied_or_missing_with_a_reason),
		cmocka_unit_test(what_needs_no_right_is_always_there),
		cmocka_unit_test(landlock_is_what_the_kernel_has),
		cmocka_unit_test(the_word_about_cgroups_is_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
