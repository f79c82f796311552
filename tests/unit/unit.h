/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with its prerequisites, and assertions about struct err. */
#ifndef KVBOX_TESTS_UNIT_H
#define KVBOX_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* The call succeeded; otherwise its message is shown. */
#define assert_ok(call)                                   \
	do {                                              \
		if ((call) < 0)                           \
			fail_msg("%s: %s", #call, e.msg); \
	} while (0)

/* The call failed with a message that contains `text`; `e` is empty afterwards. */
#define assert_fails(call, text)                                             \
	do {                                                                 \
		if ((call) >= 0)                                             \
			fail_msg("%s succeeded", #call);                     \
		if (!strstr(e.msg, text))                                    \
			fail_msg("%s: '%s' lacks '%s'", #call, e.msg, text); \
		err_clear(&e);                                               \
	} while (0)

/* Where a test makes its folders: short, since sockets are in them. */
static inline const char *test_base(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && strlen(dir) <= 16 ? dir : "/tmp";
}

#endif
