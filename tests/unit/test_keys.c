/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "cmd/keys.h"

static void keys_become_the_bytes_a_terminal_sends(void **state)
{
	struct err e = ERR_INIT;
	struct keys k;

	(void)state;
	assert_ok(keys_parse(KEYS_DEFAULT, &k, &e));
	assert_int_equal(k.n, 2);
	assert_memory_equal(k.v, "\020\021", 2);
	assert_ok(keys_parse("a,ctrl-@,ctrl-a,ctrl-z,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,DEL", &k,
			     &e));
	assert_int_equal(k.n, 10);
	assert_memory_equal(k.v, "a\000\001\032\033\034\035\036\037\177", 10);
}

static void what_is_no_key_is_refused_by_name(void **state)
{
	static const char *const bad[] = { "",	      "ab",
					   "ctrl-",   "ctrl-A",
					   "ctrl-aa", "a,,b",
					   "alt-x",   "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" };
	struct err e = ERR_INIT;
	struct keys k;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(keys_parse(bad[i], &k, &e), "Unknown character: '");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_become_the_bytes_a_terminal_sends),
		cmocka_unit_test(what_is_no_key_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
