/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "engine/capability.h"

#define BIT(n) ((uint64_t)1 << (n))

enum { CHOWN = 0, NET_ADMIN = 12, NET_RAW = 13, SYS_ADMIN = 21, MKNOD = 27, BPF = 39 };

struct mask_case {
	const char *add, *drop; /* names with commas between */
	bool privileged;
	uint64_t want;
};

static void list_of(struct strv *ret, const char *text)
{
	if (text)
		strv_split(ret, text, ',');
}

static void names_and_numbers_are_linuxs(void **state)
{
	static const struct {
		unsigned int number;
		const char *name;
	} known[] = { { 0, "CAP_CHOWN" },    { 7, "CAP_SETUID" },
		      { 13, "CAP_NET_RAW" }, { 21, "CAP_SYS_ADMIN" },
		      { 31, "CAP_SETFCAP" }, { 34, "CAP_SYSLOG" },
		      { 38, "CAP_PERFMON" }, { 40, "CAP_CHECKPOINT_RESTORE" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_true(capability_bit(known[i].name) == BIT(known[i].number));
	assert_true(capability_bit("SYS_ADMIN") == 0);
	assert_true(capability_bit("cap_sys_admin") == 0);
	assert_true(capability_bit("") == 0);
}

static void the_default_set_is_dockers_fourteen(void **state)
{
	static const char *const want[] = {
		"CAP_CHOWN",	  "CAP_DAC_OVERRIDE", "CAP_FSETID",	      "CAP_FOWNER",
		"CAP_MKNOD",	  "CAP_NET_RAW",      "CAP_SETGID",	      "CAP_SETUID",
		"CAP_SETFCAP",	  "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_KILL",
		"CAP_SYS_CHROOT", "CAP_AUDIT_WRITE",
	};
	uint64_t mask = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		mask |= capability_bit(want[i]);
	assert_true(mask == CAPABILITY_DEFAULT);
}

static void adding_and_dropping_gives_dockers_sets(void **state)
{
	const uint64_t def = CAPABILITY_DEFAULT, all = CAPABILITY_ALL;
	const struct mask_case cases[] = {
		{ NULL, NULL, false, def },
		{ "NET_ADMIN", NULL, false, def | BIT(NET_ADMIN) },
		{ "cap_net_admin", NULL, false, def | BIT(NET_ADMIN) },
		{ " Cap_Net_Admin ", NULL, false, def | BIT(NET_ADMIN) },
		{ NULL, "MKNOD,net_raw", false, def & ~(BIT(MKNOD) | BIT(NET_RAW)) },
		{ NULL, "SYS_ADMIN", false, def },
		{ NULL, "ALL", false, 0 },
		{ NULL, "all", false, 0 },
		{ "CHOWN", "ALL", false, BIT(CHOWN) },
		{ "BPF,NET_ADMIN", "all,CHOWN", false, BIT(BPF) | BIT(NET_ADMIN) },
		{ "ALL", NULL, false, all },
		{ "all,CHOWN", "MKNOD", false, all & ~BIT(MKNOD) },
		/* what is added wins over the same one dropped */
		{ "MKNOD", "MKNOD", false, def },
		{ "ALL", "ALL", false, all },
		{ NULL, NULL, true, all },
		{ NULL, "ALL", true, all },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv add = STRV_INIT;
		auto_strv struct strv drop = STRV_INIT;
		uint64_t got = 0;

		list_of(&add, cases[i].add);
		list_of(&drop, cases[i].drop);
		assert_ok(capability_mask(&add, &drop, cases[i].privileged, &got, &e));
		if (got != cases[i].want)
			fail_msg("case %zu: %#llx, not %#llx", i, (unsigned long long)got,
				 (unsigned long long)cases[i].want);
	}
}

static void an_unknown_name_is_refused_in_dockers_words(void **state)
{
	auto_strv struct strv none = STRV_INIT;
	auto_strv struct strv bad = STRV_INIT;
	struct err e = ERR_INIT;
	uint64_t mask = 7;

	(void)state;
	strv_add(&bad, "NET_RAW");
	strv_add(&bad, "foo");
	assert_fails(capability_mask(&bad, &none, false, &mask, &e),
		     "invalid CapAdd: unknown capability: \"CAP_FOO\"");
	assert_fails(capability_mask(&none, &bad, true, &mask, &e),
		     "invalid CapDrop: unknown capability: \"CAP_FOO\"");
	strv_clear(&bad);
	strv_add(&bad, "");
	assert_fails(capability_mask(&bad, &none, false, &mask, &e),
		     "unknown capability: \"CAP_\"");
	assert_true(mask == 7);
}

static void inspect_shows_whole_names_in_order_and_once(void **state)
{
	static const struct {
		const char *add, *drop, *want_add, *want_drop;
	} cases[] = {
		{ NULL, NULL, NULL, NULL },
		{ "sys_time,NET_ADMIN,cap_net_admin", "mknod", "CAP_NET_ADMIN,CAP_SYS_TIME",
		  "CAP_MKNOD" },
		{ "all,NET_ADMIN", "ALL,chown", "ALL", NULL },
		{ "chown", "all,mknod", "CAP_CHOWN", "ALL" },
		{ "chown", "CAP_CHOWN,kill", "CAP_CHOWN", "CAP_KILL" },
		{ "nonsense", NULL, "CAP_NONSENSE", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv add = STRV_INIT;
		auto_strv struct strv drop = STRV_INIT;
		auto_strv struct strv want_add = STRV_INIT;
		auto_strv struct strv want_drop = STRV_INIT;

		list_of(&add, cases[i].add);
		list_of(&drop, cases[i].drop);
		list_of(&want_add, cases[i].want_add);
		list_of(&want_drop, cases[i].want_drop);
		/* in place, as callers do */
		capability_normalise(&add, &drop, &add, &drop);
		assert_int_equal(add.n, want_add.n);
		for (size_t k = 0; k < add.n; k++)
			assert_string_equal(add.v[k], want_add.v[k]);
		assert_int_equal(drop.n, want_drop.n);
		for (size_t k = 0; k < drop.n; k++)
			assert_string_equal(drop.v[k], want_drop.v[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_linuxs),
		cmocka_unit_test(the_default_set_is_dockers_fourteen),
		cmocka_unit_test(adding_and_dropping_gives_dockers_sets),
		cmocka_unit_test(an_unknown_name_is_refused_in_dockers_words),
		cmocka_unit_test(inspect_shows_whole_names_in_order_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
