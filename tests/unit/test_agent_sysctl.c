/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "agent/sysctl.h"

static void dots_and_slashes_separate_as_sysctl_has_them(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/1.forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding" },
		{ "net/ipv4/conf/eth0.1/forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str got = STR_INIT(200);

		sysctl_path(cases[i].name, strlen(cases[i].name), &got);
		assert_string_equal(got.buf, cases[i].want);
	}
}

static void what_cannot_be_written_is_told_in_runcs_words(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(sysctl_set("net.no_such=1", &e),
		     "open /proc/sys/net/no_such: no such file or directory");
	assert_fails(sysctl_set("net/../../self/comm=x", &e), "bad name of a sysctl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_and_slashes_separate_as_sysctl_has_them),
		cmocka_unit_test(what_cannot_be_written_is_told_in_runcs_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
