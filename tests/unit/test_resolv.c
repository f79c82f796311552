/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/str.h"
#include "engine/resolv.h"

static void check(const char *host, const char *servers, const char *search, const char *options,
		  const char *want)
{
	auto_strv struct strv s = STRV_INIT, d = STRV_INIT, o = STRV_INIT, lines = STRV_INIT;
	const struct resolv_wish wish = { &s, &d, &o };
	auto_str struct str got = STR_INIT(10000);

	if (*servers)
		strv_split(&s, servers, ' ');
	if (*search)
		strv_split(&d, search, ' ');
	if (*options)
		strv_split(&o, options, ' ');
	resolv_make(host, &wish, &lines);
	for (size_t i = 0; i < lines.n; i++)
		str_addf(&got, "%s;", lines.v[i]);
	assert_string_equal(got.buf, want);
}

static void the_hosts_file_is_taken_where_nothing_is_asked_for(void **state)
{
	(void)state;
	check("# made by x\nnameserver 10.0.0.1\nnameserver\tfd00::1 ; two\nsearch a.b  c\n"
	      "options ndots:2\noptions timeout:1\nsortlist 1.2.3.4\n",
	      "", "", "",
	      "nameserver 10.0.0.1;nameserver fd00::1;search a.b c;options ndots:2 timeout:1;");
	check("domain one\nsearch two three\nnameserver 1.1.1.1", "", "", "",
	      "nameserver 1.1.1.1;search two three;");
}

static void a_resolver_on_the_hosts_loopback_is_not_the_containers(void **state)
{
	(void)state;
	check("nameserver 127.0.0.53\nnameserver ::1\n", "", "", "",
	      "nameserver 8.8.8.8;nameserver 8.8.4.4;");
	check("nameserver 127.0.0.1\nnameserver 10.1.1.1\n", "", "", "", "nameserver 10.1.1.1;");
	check("", "", "", "", "nameserver 8.8.8.8;nameserver 8.8.4.4;");
}

static void what_the_user_says_replaces_the_hosts(void **state)
{
	static const char host[] = "nameserver 10.0.0.1\nsearch host\noptions a\n";

	(void)state;
	check(host, "127.0.0.1 9.9.9.9", "", "",
	      "nameserver 127.0.0.1;nameserver 9.9.9.9;search host;options a;");
	check(host, "", "x y", "b c", "nameserver 10.0.0.1;search x y;options b c;");
	check(host, "", ".", "", "nameserver 10.0.0.1;options a;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hosts_file_is_taken_where_nothing_is_asked_for),
		cmocka_unit_test(a_resolver_on_the_hosts_loopback_is_not_the_containers),
		cmocka_unit_test(what_the_user_says_replaces_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
