/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "registry/reference.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

static void every_way_to_write_a_name_gives_the_full_and_the_short_form(void **state)
{
	static const struct {
		const char *text, *full, *familiar;
	} cases[] = {
		{ "debian", "docker.io/library/debian", "debian" },
		{ "debian:12", "docker.io/library/debian:12", "debian:12" },
		{ "library/debian", "docker.io/library/debian", "debian" },
		{ "docker.io/debian", "docker.io/library/debian", "debian" },
		{ "docker.io/library/debian:x", "docker.io/library/debian:x", "debian:x" },
		{ "index.docker.io/debian", "docker.io/library/debian", "debian" },
		{ "someone/tool", "docker.io/someone/tool", "someone/tool" },
		{ "docker.io/library/a/b", "docker.io/library/a/b", "library/a/b" },
		{ "docker.io/localhost/x", "docker.io/localhost/x", "docker.io/localhost/x" },
		{ "library/" HEX64, "docker.io/library/" HEX64, "docker.io/library/" HEX64 },
		{ "localhost/x", "localhost/x", "localhost/x" },
		{ "localhost:5000/a/b:1.2", "localhost:5000/a/b:1.2", "localhost:5000/a/b:1.2" },
		{ "127.0.0.1:5000/x", "127.0.0.1:5000/x", "127.0.0.1:5000/x" },
		{ "[::1]:5000/x:t", "[::1]:5000/x:t", "[::1]:5000/x:t" },
		{ "ghcr.io/a/b__c/d--e.f_g:V_1.0-x", "ghcr.io/a/b__c/d--e.f_g:V_1.0-x",
		  "ghcr.io/a/b__c/d--e.f_g:V_1.0-x" },
		{ "Host/x", "Host/x", "Host/x" },
		{ "x@" DIGEST, "docker.io/library/x@" DIGEST, "x@" DIGEST },
		{ "r.io/x:t@" DIGEST, "r.io/x:t@" DIGEST, "r.io/x:t@" DIGEST },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_reference struct reference r = REFERENCE_INIT;
		auto_free char *full = NULL;
		auto_free char *familiar = NULL;

		assert_ok(reference_parse(cases[i].text, &r, &e));
		full = reference_text(&r);
		familiar = reference_familiar(&r);
		assert_string_equal(full, cases[i].full);
		assert_string_equal(familiar, cases[i].familiar);
	}
}

static void what_is_no_reference_is_refused_in_dockers_words(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "invalid reference format" },
		{ "Foo",
		  "invalid reference format: repository name (library/Foo) must be lowercase" },
		{ "r.io/a/B", "repository name (a/B) must be lowercase" },
		{ "a b", "invalid reference format" },
		{ "a//b", "invalid reference format" },
		{ "/a", "invalid reference format" },
		{ "a/", "invalid reference format" },
		{ "-a", "invalid reference format" },
		{ "a..b", "invalid reference format" },
		{ "a___b", "invalid reference format" },
		{ "a:", "invalid reference format" },
		{ "a:-t", "invalid reference format" },
		{ "a:b:c", "invalid reference format" },
		{ "a:t/b", "invalid reference format" },
		{ "a:t\n", "invalid reference format" },
		{ "-h.io/a", "invalid reference format" },
		{ "h-.io/a", "invalid reference format" },
		{ "h.io:/a", "invalid reference format" },
		{ "h.io:1x/a", "invalid reference format" },
		{ "[::1/a", "invalid reference format" },
		{ "[::g]:1/a", "invalid reference format" },
		{ "a@", "invalid reference format" },
		{ "a@sha256:abc", "invalid reference format" },
		{ "a@sha256:0123456789abcdef0123456789abcdef", "invalid checksum digest length" },
		{ "a@sha512:0123456789abcdef0123456789abcdef", "unsupported digest algorithm" },
		{ "a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		  "invalid checksum digest format" },
		{ HEX64, "cannot specify 64-byte hexadecimal strings" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_reference struct reference r = REFERENCE_INIT;

		if (reference_parse(cases[i].text, &r, &e) >= 0)
			fail_msg("'%s' was accepted", cases[i].text);
		assert_int_equal(e.kind, ERR_INVALID);
		if (!strstr(e.msg, cases[i].message))
			fail_msg("'%s': '%s' lacks '%s'", cases[i].text, e.msg, cases[i].message);
		assert_null(r.domain);
		err_clear(&e);
	}
}

static void lengths_are_limited(void **state)
{
	auto_reference struct reference r = REFERENCE_INIT;
	char name[400], tag[140];
	struct err e = ERR_INIT;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[245] = '\0'; /* with docker.io/ it is 255 */
	name[7] = '/';
	assert_ok(reference_parse(name, &r, &e));
	name[245] = 'a';
	name[246] = '\0';
	assert_fails(reference_parse(name, &r, &e), "must not be more than 255 characters");
	memset(tag, 'a', sizeof(tag));
	tag[1] = ':';
	tag[2 + 128] = '\0';
	assert_ok(reference_parse(tag, &r, &e));
	tag[2 + 128] = 'a';
	tag[2 + 129] = '\0';
	assert_fails(reference_parse(tag, &r, &e), "invalid reference format");
}

static void a_default_tag_is_only_added_to_a_bare_name(void **state)
{
	auto_reference struct reference r = REFERENCE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(reference_parse("a", &r, &e));
	assert_true(reference_default_tag(&r));
	assert_string_equal(r.tag, "latest");
	assert_false(reference_default_tag(&r));
	assert_ok(reference_parse("a@" DIGEST, &r, &e));
	assert_false(reference_default_tag(&r));
	assert_null(r.tag);
}

static void shortening_leaves_alone_what_it_does_not_know(void **state)
{
	auto_free char *known = reference_shorten("docker.io/library/a:1");
	auto_free char *odd = reference_shorten("not a reference");

	(void)state;
	assert_string_equal(known, "a:1");
	assert_string_equal(odd, "not a reference");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_name_gives_the_full_and_the_short_form),
		cmocka_unit_test(what_is_no_reference_is_refused_in_dockers_words),
		cmocka_unit_test(lengths_are_limited),
		cmocka_unit_test(a_default_tag_is_only_added_to_a_bare_name),
		cmocka_unit_test(shortening_leaves_alone_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
