/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "registry/auth.h"

static void challenges_are_read_as_servers_write_them(void **state)
{
	static const struct {
		const char *header;
		size_t n;
		enum auth_scheme scheme; /* of the last */
		const char *realm, *service, *scope;
	} cases[] = {
		{ "Basic realm=\"r\"", 1, AUTH_BASIC, "r", NULL, NULL },
		{ "basic", 1, AUTH_BASIC, NULL, NULL, NULL },
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull,push\"",
		  1, AUTH_BEARER, "https://a/t", "s", "repository:a/b:pull,push" },
		{ "bearer REALM = \"x\" , service = y", 1, AUTH_BEARER, "x", "y", NULL },
		{ "Negotiate, Basic realm=\"r\"", 2, AUTH_BASIC, "r", NULL, NULL },
		{ "Negotiate abc==, Basic realm=\"r\"", 2, AUTH_BASIC, "r", NULL, NULL },
		{ "Digest realm=\"d\", nonce=\"n\", Bearer realm=\"b\"", 2, AUTH_BEARER, "b", NULL,
		  NULL },
		{ "Bearer realm=\"q\\\"uote\",error=\"invalid_token\"", 1, AUTH_BEARER, "q\"uote",
		  NULL, NULL },
		{ "Bearer realm=\"a\",realm=\"b\"", 1, AUTH_BEARER, "b", NULL, NULL },
		{ ", ,Basic realm=r,,", 1, AUTH_BASIC, "r", NULL, NULL },
		{ "", 0, AUTH_OTHER, NULL, NULL, NULL },
		{ "\"quoted\"", 0, AUTH_OTHER, NULL, NULL, NULL },
		{ "Bearer realm=\"never closed", 1, AUTH_BEARER, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_challenges struct auth_challenges c = { .n = 0 };
		const struct auth_challenge *last;

		auth_challenges_add(&c, cases[i].header);
		if (c.n != cases[i].n)
			fail_msg("'%s': %zu challenges", cases[i].header, c.n);
		if (c.n == 0)
			continue;
		last = &c.v[c.n - 1];
		assert_int_equal(last->scheme, cases[i].scheme);
		assert_true(str_eq(last->realm, cases[i].realm));
		assert_true(str_eq(last->service, cases[i].service));
		assert_true(str_eq(last->scope, cases[i].scope));
	}
}

static void a_server_with_too_many_challenges_is_cut_short(void **state)
{
	auto_challenges struct auth_challenges c = { .n = 0 };

	(void)state;
	for (int i = 0; i < 20; i++)
		auth_challenges_add(&c, "Negotiate, NTLM, Basic realm=\"x\"");
	assert_int_equal(c.n, AUTH_CHALLENGES_MAX);
	assert_non_null(auth_challenges_find(&c, AUTH_BASIC));
	assert_null(auth_challenges_find(&c, AUTH_BEARER));
}

static void credentials_come_from_the_entry_of_the_registry(void **state)
{
	/* c29tZW9uZTpwYXNzOndvcmQ= is someone:pass:word */
	static const char text[] =
		"{\"auths\":{"
		"\"https://index.docker.io/v1/\":{\"auth\":\"c29tZW9uZTpwYXNzOndvcmQ=\"},"
		"\"localhost:5000\":{\"username\":\"u\",\"password\":\"p\"},"
		"\"https://other.example/v2/\":{\"auth\":\"eDo=\"},"
		"\"token.example\":{\"auth\":\"\",\"identitytoken\":\"T\"},"
		"\"empty.example\":{},"
		"\"bad.example\":{\"auth\":\"!!!\"},"
		"\"colonless.example\":{\"auth\":\"YWJj\"}},\"credsStore\":\"x\"}";
	static const struct {
		const char *domain;
		int found;
		const char *username, *password, *token;
	} cases[] = {
		{ "docker.io", 1, "someone", "pass:word", NULL },
		{ "localhost:5000", 1, "u", "p", NULL },
		{ "localhost:5001", 0, NULL, NULL, NULL },
		{ "localhost", 0, NULL, NULL, NULL },
		{ "other.example", 1, "x", "", NULL },
		{ "token.example", 1, NULL, NULL, "T" },
		{ "empty.example", 0, NULL, NULL, NULL },
		{ "nowhere.example", 0, NULL, NULL, NULL },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_credentials struct auth_credentials c = AUTH_CREDENTIALS_INIT;

		assert_int_equal(
			auth_credentials_parse(text, sizeof(text) - 1, cases[i].domain, &c, &e),
			cases[i].found);
		assert_true(str_eq(c.username, cases[i].username));
		assert_true(str_eq(c.password, cases[i].password));
		assert_true(str_eq(c.identity_token, cases[i].token));
	}
	for (size_t i = 0; i < 2; i++) {
		auto_credentials struct auth_credentials c = AUTH_CREDENTIALS_INIT;
		const char *domain = i ? "bad.example" : "colonless.example";

		assert_fails(auth_credentials_parse(text, sizeof(text) - 1, domain, &c, &e),
			     "is not valid");
	}
}

static void the_file_is_where_docker_has_it_and_need_not_exist(void **state)
{
	auto_credentials struct auth_credentials c = AUTH_CREDENTIALS_INIT;
	char folder[] = "/tmp/kvbox-test-auth-XXXXXX";
	static const char text[] = "{\"auths\":{\"r.io\":{\"auth\":\"YTpi\"}}}";
	auto_free char *path = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("DOCKER_CONFIG", folder, 1);
	path = xasprintf("%s/config.json", folder);
	assert_int_equal(auth_credentials_read("r.io", &c, &e), 0);
	assert_ok(file_write_replace(AT_FDCWD, path, text, sizeof(text) - 1, 0600, &e));
	assert_int_equal(auth_credentials_read("r.io", &c, &e), 1);
	assert_string_equal(c.username, "a");
	assert_string_equal(c.password, "b");
	assert_ok(file_write_replace(AT_FDCWD, path, "{", 1, 0600, &e));
	assert_fails(auth_credentials_read("r.io", &c, &e), path);
	unlink(path);
	rmdir(folder);
	unsetenv("DOCKER_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_read_as_servers_write_them),
		cmocka_unit_test(a_server_with_too_many_challenges_is_cut_short),
		cmocka_unit_test(credentials_come_from_the_entry_of_the_registry),
		cmocka_unit_test(the_file_is_where_docker_has_it_and_need_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
