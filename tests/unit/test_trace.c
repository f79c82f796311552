/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/random.h"
#include "base/trace.h"

static void a_timeline_is_written_in_order_and_reads_back(void **state)
{
	auto_trace struct trace t = TRACE_INIT, back = TRACE_INIT;
	auto_str struct str out = STR_INIT(10000);
	struct err e = ERR_INIT;

	(void)state;
	trace_add(&t, "guest", "kernel", 3000000, 9000000);
	trace_add(&t, "kvbox", "a name that is longer than the room for it", 1000000, 2000000);
	trace_write(&t, &out);
	assert_true(strstr(out.buf, "a name") < strstr(out.buf, "kernel"));
	assert_ok(trace_read(&back, out.buf, out.len, &e));
	assert_int_equal(back.n, 2);
	assert_string_equal(trace_find(&back, "kernel")->lane, "guest");
	assert_int_equal(trace_find(&back, "kernel")->end, 9000000);
	assert_null(trace_find(&back, "nothing"));
	assert_fails(trace_read(&back, "{\"traceEvents\":[{}]}", 20, &e), "is missing");
}

static void identifiers_are_64_hex_digits_and_differ(void **state)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	(void)state;
	random_id(a);
	random_id(b);
	assert_int_equal(strspn(a, "0123456789abcdef"), 64);
	assert_string_not_equal(a, b);
	for (int i = 0; i < 1000; i++)
		assert_true(random_below(7) < 7);
	assert_int_equal(random_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timeline_is_written_in_order_and_reads_back),
		cmocka_unit_test(identifiers_are_64_hex_digits_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
