/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/frame.h"

static void a_header_is_twelve_little_endian_bytes(void **state)
{
	const struct frame f = { 0x00010000, FRAME_DATA, 0, 0x04030201 };
	const unsigned char want[FRAME_HEADER_SIZE] = { 0, 0, 1, 0, 5, 0, 0, 0, 1, 2, 3, 4 };
	unsigned char got[FRAME_HEADER_SIZE];
	struct err e = ERR_INIT;
	struct frame back;

	(void)state;
	frame_encode(&f, got);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(frame_decode(got, &back, &e), 0);
	assert_int_equal(back.length, f.length);
	assert_int_equal(back.type, f.type);
	assert_int_equal(back.flags, f.flags);
	assert_int_equal(back.stream, f.stream);
}

static void every_header_that_breaks_a_rule_is_refused(void **state)
{
	static const struct {
		unsigned char p[FRAME_HEADER_SIZE];
		const char *want; /* part of the message, NULL: is accepted */
	} cases[] = {
		{ { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, NULL },
		{ { 1, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0 }, NULL },
		{ { 0, 0, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0 }, NULL },
		{ { 0, 0, 0, 0, 6, 0, 0, 0, 255, 255, 255, 255 }, NULL },
		{ { 4, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0 }, NULL },
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 0" },
		{ { 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 8" },
		{ { 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 255" },
		{ { 1, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0 }, "unknown flags 0x2" },
		{ { 1, 0, 0, 0, 5, 1, 0, 0, 1, 0, 0, 0 }, "unknown flags 0x1" },
		{ { 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0 }, "reserved" },
		{ { 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0 }, "reserved" },
		{ { 1, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0 }, "REQUEST frame of 65537 bytes" },
		{ { 255, 255, 255, 255, 5, 0, 0, 0, 1, 0, 0, 0 },
		  "DATA frame of 4294967295 bytes" },
		{ { 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0 }, "DATA frame of 0 bytes" },
		{ { 1, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0 }, "EOF frame of 1 bytes" },
		{ { 3, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0 }, "WINDOW frame of 3 bytes" },
		{ { 5, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0 }, "WINDOW frame of 5 bytes" },
		{ { 0, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0 }, "empty REPLY frame" },
		{ { 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 }, "HELLO frame on stream 1" },
		{ { 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0 }, "DATA frame on stream 0" },
		{ { 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0 }, "WINDOW frame on stream 0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct frame f = { .length = 77 };
		int r = frame_decode(cases[i].p, &f, &e);

		if (!cases[i].want) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.msg, cases[i].want))
			fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].want, e.msg);
		assert_int_equal(f.length, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_twelve_little_endian_bytes),
		cmocka_unit_test(every_header_that_breaks_a_rule_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
