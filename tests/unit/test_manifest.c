/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "registry/manifest.h"

#define D(c)	 "\"sha256:" c c c c c c c c c c c c c c c c "\""
#define DIGEST_A D("aaaa")
#define DIGEST_B D("bbbb")
#define CONFIG	 "\"config\":{\"digest\":" DIGEST_A ",\"size\":7}"
#define LAYER	 "{\"digest\":" DIGEST_B ",\"size\":9}"
#define V2	 "\"schemaVersion\":2"
#define DOCKER	 "application/vnd.docker.distribution.manifest"

static int parse(const char *text, struct manifest *m, struct err *e)
{
	return manifest_parse(text, strlen(text), m, e);
}

static void both_kinds_of_both_formats_are_read(void **state)
{
	static const struct {
		const char *text;
		enum manifest_kind kind;
		size_t n;
	} cases[] = {
		{ "{" V2 "," CONFIG ",\"layers\":[" LAYER "]}", MANIFEST_IMAGE, 1 },
		{ "{" V2 "," CONFIG ",\"layers\":[]}", MANIFEST_IMAGE, 0 },
		{ "{" V2 ",\"mediaType\":\"" DOCKER ".v2+json\"," CONFIG ",\"layers\":[" LAYER
		  "," LAYER "]}",
		  MANIFEST_IMAGE, 2 },
		{ "{" V2 ",\"manifests\":[" LAYER "]}", MANIFEST_INDEX, 1 },
		{ "{" V2 ",\"mediaType\":\"" DOCKER ".list.v2+json\",\"manifests\":[]}",
		  MANIFEST_INDEX, 0 },
		{ "{" V2 ",\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":"
		  "[{\"digest\":" DIGEST_A ",\"size\":1,\"annotations\":{\"a\":\"b\"},\"platform\":"
		  "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}}]}",
		  MANIFEST_INDEX, 1 },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_manifest struct manifest m = MANIFEST_INIT;

		assert_ok(parse(cases[i].text, &m, &e));
		assert_int_equal(m.kind, cases[i].kind);
		assert_int_equal(m.n, cases[i].n);
		assert_non_null(strstr(m.media_type, "application/vnd."));
	}
}

static void what_a_manifest_says_arrives(void **state)
{
	auto_manifest struct manifest m = MANIFEST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse("{" V2 ",\"manifests\":[{\"digest\":" DIGEST_A
			",\"size\":5,\"annotations\":"
			"{\"k\":\"v\"},\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\","
			"\"variant\":\"v6\"}}]}",
			&m, &e));
	assert_int_equal(m.entry[0].size, 5);
	assert_string_equal(m.entry[0].platform.arch, "arm");
	assert_string_equal(m.entry[0].platform.variant, "v6");
	assert_string_equal(m.entry[0].annotations.v[0], "k=v");
}

static void bad_documents_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *message;
		enum err_kind kind;
	} cases[] = {
		{ "", "manifest: invalid JSON", ERR_CORRUPT },
		{ "<html>", "manifest: invalid JSON", ERR_CORRUPT },
		{ "[]", "is not an object", ERR_CORRUPT },
		{ "{}", "schemaVersion is not 2", ERR_CORRUPT },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1", ERR_INVALID },
		{ "{" V2 "}", "neither an image's nor an index", ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[],\"manifests\":[]}", "neither", ERR_CORRUPT },
		{ "{" V2 ",\"layers\":[]}", "config is missing", ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[{\"size\":1}]}", "'digest' is missing",
		  ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":1}]}",
		  "is no sha256 digest", ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[{\"digest\":" DIGEST_A ",\"size\":-1}]}",
		  "is not possible", ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[{\"digest\":" DIGEST_A
		  ",\"size\":9000000000000000000}]}",
		  "is not possible", ERR_CORRUPT },
		{ "{" V2 ",\"config\":{\"digest\":" DIGEST_A ",\"size\":99000000},\"layers\":[]}",
		  "config: a size", ERR_CORRUPT },
		{ "{" V2 "," CONFIG ",\"layers\":[{\"digest\":" DIGEST_A
		  ",\"size\":1,\"mediaType\":\"text/plain\"}]}",
		  "unsupported media type 'text/plain'", ERR_INVALID },
		{ "{" V2 ",\"mediaType\":\"" DOCKER ".list.v2+json\"," CONFIG ",\"layers\":[]}",
		  "the contents are not of type", ERR_CORRUPT },
		{ "{" V2 ",\"mediaType\":\"a/b\"," CONFIG ",\"layers\":[]}",
		  "unsupported media type 'a/b'", ERR_INVALID },
		{ "{" V2 ",\"manifests\":[{\"digest\":" DIGEST_A
		  ",\"size\":1,\"platform\":{\"os\":\"\\u001b[2J\"}}]}",
		  "no name of a platform", ERR_CORRUPT },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_manifest struct manifest m = MANIFEST_INIT;

		if (parse(cases[i].text, &m, &e) >= 0)
			fail_msg("'%s' was accepted", cases[i].text);
		if (!strstr(e.msg, cases[i].message) || e.kind != cases[i].kind)
			fail_msg("'%s': '%s' (%s)", cases[i].text, e.msg, err_kind_name(e.kind));
		err_clear(&e);
	}
}

static void counts_are_limited_before_anything_is_allocated(void **state)
{
	auto_str struct str text = STR_INIT(MANIFEST_MAX);
	auto_manifest struct manifest m = MANIFEST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	str_add(&text, "{" V2 "," CONFIG ",\"layers\":[{}");
	for (unsigned i = 0; i < MANIFEST_LAYERS_MAX; i++)
		str_add(&text, ",{}");
	str_add(&text, "]}");
	assert_fails(manifest_parse(text.buf, text.len, &m, &e), "more than 127 layers");
	str_clear(&text);
	str_add(&text, "{" V2 ",\"manifests\":[1");
	for (unsigned i = 0; i < MANIFEST_ENTRIES_MAX; i++)
		str_add(&text, ",1");
	str_add(&text, "]}");
	assert_fails(manifest_parse(text.buf, text.len, &m, &e), "more than 4096 manifests");
	assert_fails(manifest_parse(text.buf, MANIFEST_MAX + 1, &m, &e), "larger than");
}

#define ENTRY(os, arch, variant)                                         \
	"{\"digest\":" DIGEST_A ",\"size\":1,\"platform\":{\"os\":\"" os \
	"\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}}"

static void the_best_platform_of_an_index_is_chosen(void **state)
{
	static const char text[] =
		"{" V2 ",\"manifests\":[" ENTRY("windows", "amd64", "") "," ENTRY(
			"linux", "arm",
			"v5") "," ENTRY("linux", "arm",
					"v7") "," ENTRY("linux", "amd64",
							"v3") "," ENTRY("linux", "amd64",
									"") "," ENTRY("unknown",
										      "unknown",
										      "") "]}";
	static const struct {
		const char *want;
		int at; /* -1: none */
	} cases[] = {
		{ "linux/amd64", 4 },  { "linux/amd64/v3", 3 }, { "linux/amd64/v2", 4 },
		{ "linux/arm/v7", 2 }, { "linux/arm/v6", 1 },	{ "windows/amd64", 0 },
		{ "linux/s390x", -1 },
	};
	auto_manifest struct manifest m = MANIFEST_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(parse(text, &m, &e));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform want = PLATFORM_INIT;
		size_t at = 99;

		assert_ok(platform_parse(cases[i].want, &want, &e));
		if (cases[i].at < 0) {
			assert_fails(manifest_choose(&m, &want, &at, &e),
				     "no matching manifest for linux/s390x in the manifest list "
				     "entries");
			continue;
		}
		assert_ok(manifest_choose(&m, &want, &at, &e));
		assert_int_equal(at, cases[i].at);
	}
}

static void the_only_entry_of_an_index_need_not_name_its_platform(void **state)
{
	auto_manifest struct manifest m = MANIFEST_INIT;
	struct platform host;
	struct err e = ERR_INIT;
	size_t at = 9;

	(void)state;
	platform_host(&host);
	assert_ok(parse("{" V2 ",\"manifests\":[" LAYER "]}", &m, &e));
	assert_ok(manifest_choose(&m, &host, &at, &e));
	assert_int_equal(at, 0);
	assert_ok(parse("{" V2 ",\"manifests\":[" LAYER "," LAYER "]}", &m, &e));
	assert_fails(manifest_choose(&m, &host, &at, &e), "no matching manifest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_of_both_formats_are_read),
		cmocka_unit_test(what_a_manifest_says_arrives),
		cmocka_unit_test(bad_documents_are_refused_with_a_reason),
		cmocka_unit_test(counts_are_limited_before_anything_is_allocated),
		cmocka_unit_test(the_best_platform_of_an_index_is_chosen),
		cmocka_unit_test(the_only_entry_of_an_index_need_not_name_its_platform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
