/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <sys/mount.h>

#include "agent/mounts.h"

#define DEFAULTS (MS_NOEXEC | MS_NOSUID | MS_NODEV)

static void options_become_flags_and_what_is_left_goes_to_tmpfs(void **state)
{
	static const struct {
		const char *text;
		unsigned long flags;
		const char *data;
	} cases[] = {
		{ "", DEFAULTS, "" },
		{ "size=10m", DEFAULTS, "size=10m" },
		{ "rw,size=10m,mode=0700,uid=5,gid=6", DEFAULTS, "size=10m,mode=0700,uid=5,gid=6" },
		{ "exec", MS_NOSUID | MS_NODEV, "" },
		{ "exec,suid,dev", 0, "" },
		{ "exec,noexec", DEFAULTS, "" },
		{ "noexec,exec", MS_NOSUID | MS_NODEV, "" },
		{ "ro", DEFAULTS | MS_RDONLY, "" },
		{ "ro,rw", DEFAULTS, "" },
		{ "noatime,sync", DEFAULTS | MS_NOATIME | MS_SYNCHRONOUS, "" },
		{ "size=1k,,nr_inodes=5,", DEFAULTS, "size=1k,nr_inodes=5" },
		{ "rprivate,size=5%", DEFAULTS, "size=5%" },
		{ "bogus", DEFAULTS, "bogus" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str data = STR_INIT(1000);
		unsigned long flags = 0;

		mounts_parse_options(cases[i].text, &flags, &data);
		assert_int_equal(flags, cases[i].flags);
		assert_string_equal(data.buf, cases[i].data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_flags_and_what_is_left_goes_to_tmpfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
