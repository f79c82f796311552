/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "proto/preamble.h"

#define NONCE "0123456789abcdef"

/* Feeds `step` bytes at a time; the offset behind the preamble, or -1. */
static int scan(struct preamble_scan *s, const char *text, size_t n, size_t step)
{
	for (size_t at = 0; at < n; at += step) {
		size_t part = n - at < step ? n - at : step, used = 0;

		if (preamble_scan(s, text + at, part, &used))
			return (int)(at + used);
		assert_int_equal(used, part);
	}
	return -1;
}

static void the_guest_finds_the_magic_after_old_bytes_however_they_are_cut(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ PREAMBLE_MAGIC NONCE, 32 },
		{ PREAMBLE_MAGIC NONCE "rest", 32 },
		{ "old frames" PREAMBLE_MAGIC NONCE "rest", 42 },
		{ "KVBOX-CHAN" PREAMBLE_MAGIC NONCE, 42 },
		{ "KKVKVB" PREAMBLE_MAGIC NONCE, 38 },
		{ PREAMBLE_MAGIC "0123456789abcde", -1 },
		{ "KVBOX-CHANNEL-2\n" NONCE, -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].text);

		for (size_t step = 1; step <= n + 1; step++) {
			struct preamble_scan s;

			preamble_scan_init(&s, NULL);
			assert_int_equal(scan(&s, cases[i].text, n, step), cases[i].want);
			if (cases[i].want > 0)
				assert_memory_equal(s.buf, PREAMBLE_MAGIC NONCE, PREAMBLE_SIZE);
		}
	}
}

static void the_host_accepts_only_its_own_nonce(void **state)
{
	/* The second nonce holds the start of the third preamble, so matching must go back. */
	static const char text[] = PREAMBLE_MAGIC "another session." PREAMBLE_MAGIC
						  "01234KVBOX-CHANN" PREAMBLE_MAGIC NONCE
						  "first frame";
	unsigned char want[PREAMBLE_SIZE];

	(void)state;
	memcpy(want, PREAMBLE_MAGIC NONCE, PREAMBLE_SIZE);
	for (size_t step = 1; step < sizeof(text); step++) {
		struct preamble_scan s;

		preamble_scan_init(&s, want);
		assert_int_equal(scan(&s, text, sizeof(text) - 1, step), 3 * PREAMBLE_SIZE);
	}
}

static void two_preambles_differ_in_the_nonce_only(void **state)
{
	unsigned char a[PREAMBLE_SIZE], b[PREAMBLE_SIZE];

	(void)state;
	preamble_make(a);
	preamble_make(b);
	assert_memory_equal(a, PREAMBLE_MAGIC, PREAMBLE_MAGIC_SIZE);
	assert_memory_equal(b, PREAMBLE_MAGIC, PREAMBLE_MAGIC_SIZE);
	assert_memory_not_equal(a, b, PREAMBLE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_finds_the_magic_after_old_bytes_however_they_are_cut),
		cmocka_unit_test(the_host_accepts_only_its_own_nonce),
		cmocka_unit_test(two_preambles_differ_in_the_nonce_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
