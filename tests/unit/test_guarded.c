/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "engine/guarded.h"

static void paths_are_hidden_unless_the_container_is_free_to_see_them(void **state)
{
	static const struct {
		bool privileged, unmasked, hidden;
	} cases[] = { { false, false, true }, { true, false, false }, { false, true, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv masked = STRV_INIT, readonly = STRV_INIT;
		auto_spec struct container_spec s;

		spec_init(&s);
		s.privileged = cases[i].privileged;
		s.unmasked = cases[i].unmasked;
		guarded_masked(&s, &masked);
		guarded_readonly(&s, &readonly);
		assert_int_equal(strv_has(&masked, "/proc/kcore"), cases[i].hidden);
		assert_int_equal(strv_has(&readonly, "/proc/sys"), cases[i].hidden);
		assert_int_equal(masked.n > 0, cases[i].hidden);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_hidden_unless_the_container_is_free_to_see_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
