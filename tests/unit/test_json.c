/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/json.h"
#include "base/mem.h"

struct inner {
	char *digest;
	int64_t size;
};

struct doc {
	char *name;
	bool on;
	struct strv args;
	struct strv labels;
	struct strv ports;
	struct inner one;
	struct json_list many;
};

static const struct json_field inner_fields[] = {
	JSON_STR("digest", true, struct inner, digest),
	JSON_INT("size", false, struct inner, size),
	JSON_END,
};

static const struct json_field doc_fields[] = {
	JSON_STR("name", true, struct doc, name),
	JSON_BOOL("on", false, struct doc, on),
	JSON_STRV("args", false, struct doc, args),
	JSON_MAP("labels", false, struct doc, labels),
	JSON_KEYS("ports", false, struct doc, ports),
	JSON_OBJ("one", false, struct doc, one, inner_fields),
	JSON_LIST("many", false, struct doc, many, struct inner, inner_fields),
	JSON_END,
};

static void doc_release(struct doc *d)
{
	struct inner *in = d->many.v;

	for (size_t i = 0; i < d->many.n; i++)
		free(in[i].digest);
	free(d->many.v);
	free(d->one.digest);
	free(d->name);
	strv_release(&d->args);
	strv_release(&d->labels);
	strv_release(&d->ports);
	memset(d, 0, sizeof(*d));
}

static void a_document_is_read_through_its_table(void **state)
{
	static const char text[] = "{\"name\":\"n\",\"on\":true,\"args\":[\"a\",\"b\"],\"x\":{},"
				   "\"labels\":{\"k\":\"v=w\"},\"ports\":{\"80/tcp\":{}},"
				   "\"one\":{\"digest\":\"d\",\"size\":5},"
				   "\"many\":[{\"digest\":\"1\"},{\"digest\":\"2\",\"size\":-7}]}";
	struct doc d = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(json_read_text(text, strlen(text), doc_fields, &d, &e));
	assert_string_equal(d.name, "n");
	assert_true(d.on);
	assert_int_equal(d.args.n, 2);
	assert_string_equal(d.labels.v[0], "k=v=w");
	assert_string_equal(d.ports.v[0], "80/tcp");
	assert_int_equal(d.one.size, 5);
	assert_int_equal(d.many.n, 2);
	assert_int_equal(((struct inner *)d.many.v)[1].size, -7);
	doc_release(&d);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "field 'name' is missing" },
		{ "{\"name\":null}", "field 'name' is missing" },
		{ "{\"name\":1}", "field 'name' is not a string" },
		{ "{\"name\":\"n\",\"on\":1}", "field 'on' is not true or false" },
		{ "{\"name\":\"n\",\"args\":\"x\"}", "field 'args' is not a list" },
		{ "{\"name\":\"n\",\"args\":[\"x\",2]}", "field 'args[1]' is not a string" },
		{ "{\"name\":\"n\",\"labels\":{\"k\":1}}", "field 'labels.k' is not a string" },
		{ "{\"name\":\"n\",\"one\":[]}", "one: is not an object" },
		{ "{\"name\":\"n\",\"one\":{}}", "one: field 'digest' is missing" },
		{ "{\"name\":\"n\",\"many\":[{\"digest\":\"a\"},{\"digest\":3}]}",
		  "many[1]: field 'digest' is not a string" },
		{ "[]", "is not an object" },
		{ "", "invalid JSON" },
		{ "{\"name\":\"n\"", "invalid JSON" },
		{ "{\"name\":\"a\\u0000b\"}", "invalid JSON" },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "invalid JSON" },
		{ "{\"name\":\"\xff\"}", "invalid JSON" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct doc d = { 0 };

		assert_fails(
			json_read_text(cases[i].text, strlen(cases[i].text), doc_fields, &d, &e),
			cases[i].message);
		doc_release(&d);
	}
}

static void endless_nesting_is_refused(void **state)
{
	static char text[200000];
	struct json *j = NULL;
	struct err e = ERR_INIT;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_fails(json_parse(text, sizeof(text), &j, &e), "invalid JSON");
}

static void a_compact_document_is_written(void **state)
{
	auto_str struct str out = STR_INIT(1000);
	auto_strv struct strv list = STRV_INIT;
	struct json_writer w;

	(void)state;
	strv_add(&list, "a=1");
	strv_add(&list, "b");
	jw_init(&w, &out, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "s", "x");
	jw_str(&w, "none", NULL);
	jw_int(&w, "i", -3);
	jw_bool(&w, "t", true);
	jw_strv(&w, "l", &list);
	jw_map(&w, "m", &list);
	jw_begin_array(&w, "e");
	jw_end(&w);
	jw_end(&w);
	assert_string_equal(out.buf,
			    "{\"s\":\"x\",\"none\":null,\"i\":-3,\"t\":true,\"l\":[\"a=1\",\"b\"],"
			    "\"m\":{\"a\":\"1\",\"b\":\"\"},\"e\":[]}");
}

static void an_indented_document_looks_like_gos(void **state)
{
	auto_str struct str out = STR_INIT(1000);
	struct json_writer w;

	(void)state;
	jw_init(&w, &out, 4);
	jw_begin_array(&w, NULL);
	jw_begin_object(&w, NULL);
	jw_str(&w, "Id", "1");
	jw_begin_object(&w, "Empty");
	jw_end(&w);
	jw_begin_array(&w, "List");
	jw_int(&w, NULL, 1);
	jw_int(&w, NULL, 2);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	assert_string_equal(out.buf,
			    "[\n    {\n        \"Id\": \"1\",\n        \"Empty\": {},\n"
			    "        \"List\": [\n            1,\n            2\n        ]\n"
			    "    }\n]");
}

static void text_that_is_json_already_is_indented_as_the_rest(void **state)
{
	static const struct {
		const char *raw, *indented;
	} cases[] = {
		{ "null", "{\n  \"k\": null\n}" },
		{ "-1.5e3", "{\n  \"k\": -1.5e3\n}" },
		{ "{}", "{\n  \"k\": {}\n}" },
		{ " [ ] ", "{\n  \"k\": []\n}" },
		{ "\"a\\\"{,:}\\\\\"", "{\n  \"k\": \"a\\\"{,:}\\\\\"\n}" },
		{ "{\"a\":[1,{\"b\":[]}],\"c\":true}", "{\n  \"k\": {\n    \"a\": [\n      1,\n    "
						       "  {\n        \"b\": []\n      }\n    ],\n"
						       "    \"c\": true\n  }\n}" },
		{ "{\n \"a\" : 1 ,\t\"b\":[ 2 ]\n}",
		  "{\n  \"k\": {\n    \"a\": 1,\n    \"b\": [\n      2\n    ]\n  }\n}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(1000);
		struct json_writer w;

		jw_init(&w, &out, 2);
		jw_begin_object(&w, NULL);
		jw_raw(&w, "k", cases[i].raw);
		jw_end(&w);
		assert_string_equal(out.buf, cases[i].indented);
		str_clear(&out);
		jw_init(&w, &out, 0);
		jw_raw(&w, NULL, cases[i].raw);
		assert_string_equal(out.buf, cases[i].raw);
	}
}

static void strings_are_quoted_and_bad_bytes_replaced(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\n\t\r\b\f", "\"\\n\\t\\r\\b\\f\"" },
		{ "\x01\x7f", "\"\\u0001\x7f\"" },
		{ "\xc3\xa4", "\"\xc3\xa4\"" },
		{ "a\xff\xc3z", "\"a\357\277\275\357\277\275z\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str out = STR_INIT(1000);

		json_quote(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(out.buf, cases[i].want);
	}
}

static void values_can_be_walked_by_hand(void **state)
{
	static const char text[] = "{\"b\":[1,\"x\",true],\"a\":{\"k\":null}}";
	auto_json struct json *j = NULL;
	const struct json *v;
	const char *key;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(json_parse(text, strlen(text), &j, &e));
	assert_int_equal(json_len(j), 2);
	assert_true(json_entry(j, 0, &key, &v));
	assert_string_equal(key, "b");
	assert_int_equal(json_int(json_at(v, 0), 0), 1);
	assert_string_equal(json_str(json_at(v, 1)), "x");
	assert_true(json_bool(json_at(v, 2)));
	assert_null(json_at(v, 3));
	assert_false(json_entry(j, 2, &key, &v));
	key = NULL;
	assert_true(json_next(j, &key, &v));
	assert_string_equal(key, "b");
	assert_true(json_next(j, &key, &v));
	assert_string_equal(key, "a");
	assert_false(json_next(j, &key, &v));
	key = NULL;
	assert_false(json_next(NULL, &key, &v));
	assert_null(json_get(json_get(j, "nope"), "deeper"));
	assert_int_equal(json_len(NULL), 0);
	assert_null(json_str(NULL));
	{
		auto_str struct str out = STR_INIT(1000);

		json_dump(j, &out);
		assert_string_equal(out.buf, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read_through_its_table),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(endless_nesting_is_refused),
		cmocka_unit_test(a_compact_document_is_written),
		cmocka_unit_test(an_indented_document_looks_like_gos),
		cmocka_unit_test(text_that_is_json_already_is_indented_as_the_rest),
		cmocka_unit_test(strings_are_quoted_and_bad_bytes_replaced),
		cmocka_unit_test(values_can_be_walked_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
