/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/message.h"

static void a_request_comes_back_with_its_members_and_byte_strings(void **state)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	auto_message struct message m = { 0 };
	auto_str struct str wire = STR_INIT(MESSAGE_MAX);
	auto_strv struct strv args = STRV_INIT, back = STRV_INIT;
	auto_free char *cwd = NULL, *none = NULL;
	struct err e = ERR_INIT;

	(void)state;
	strv_add(&args, "sh");
	strv_add(&args, "");
	strv_add(&args, "not \xff UTF-8");
	message_out_request(&out, "process.start", 42);
	message_out_text(&out, "cwd", "/tmp/\x80");
	jw_bool(&out.json, "tty", true);
	message_out_list(&out, "args", &args);
	assert_int_equal(message_out_encode(&out, &wire, &e), 0);

	assert_int_equal(message_parse(FRAME_REQUEST, wire.buf, wire.len, &m, &e), 0);
	assert_string_equal(message_op(&m), "process.start");
	assert_string_equal(message_event(&m), "");
	assert_int_equal(message_id(&m), 42);
	assert_true(json_bool(json_get(m.json, "tty")));
	assert_int_equal(m.nblobs, 4);
	assert_int_equal(message_text(&m, "cwd", 6, &cwd, &e), 0);
	assert_string_equal(cwd, "/tmp/\x80");
	assert_int_equal(message_text(&m, "user", 6, &none, &e), 0);
	assert_null(none);
	assert_int_equal(message_list(&m, "args", 3, &back, &e), 0);
	assert_int_equal(back.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(back.v[i], args.v[i]);
}

static void an_error_travels_with_kind_and_text_but_without_control_characters(void **state)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	auto_message struct message m = { 0 };
	auto_str struct str wire = STR_INIT(MESSAGE_MAX);
	struct err e = ERR_INIT, told = ERR_INIT;

	(void)state;
	err_set(&told, ERR_NO_COMMAND, "exec: \"a\033[2J\302\2331m\303\244\": not found");
	message_out_error(&out, 7, &told);
	assert_int_equal(message_out_encode(&out, &wire, &e), 0);
	assert_int_equal(message_parse(FRAME_REPLY, wire.buf, wire.len, &m, &e), 0);
	assert_int_equal(message_id(&m), 7);
	assert_int_equal(message_reply_error(&m, &e), -1);
	assert_int_equal(e.kind, ERR_NO_COMMAND);
	assert_string_equal(e.msg, "exec: \"a?[2J??1m\303\244\": not found");
}

/* A payload made of a JSON text and raw bytes behind it. */
static int parse(const char *json, const void *tail, size_t ntail, struct message *m, struct err *e)
{
	static char wire[4096];
	size_t n = strlen(json);

	frame_put_u32((unsigned char *)wire, (uint32_t)n);
	memcpy(wire + 4, json, n);
	memcpy(wire + 4 + n, tail, ntail);
	return message_parse(FRAME_REQUEST, wire, 4 + n + ntail, m, e);
}

static void damaged_payloads_are_refused(void **state)
{
	static const struct {
		const char *json;
		const char *tail;
		size_t ntail;
		const char *want;
	} cases[] = {
		{ "[]", "", 0, "not a JSON object" },
		{ "{\"a\":1", "", 0, "bad message" },
		{ "", "", 0, "bad message" },
		{ "{}", "\1\0\0", 3, "ends within a length" },
		{ "{}", "\2\0\0\0x", 5, "ends within a byte string" },
		{ "{}", "\1\0\0\0x\377\377\377\377", 9, "ends within a byte string" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = { 0 };
		struct err e = ERR_INIT;

		assert_int_equal(parse(cases[i].json, cases[i].tail, cases[i].ntail, &m, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.msg, cases[i].want))
			fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].want, e.msg);
		assert_null(m.json);
	}
}

static void lengths_that_lie_are_refused(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		const char *want;
	} cases[] = {
		{ "", 0, "message of 0 bytes" },
		{ "\0\0\0", 3, "message of 3 bytes" },
		{ "\3\0\0\0{}", 6, "shorter than its JSON" },
		{ "\377\377\377\377{}", 6, "shorter than its JSON" },
	};
	auto_free char *big = xcalloc(1, MESSAGE_JSON_MAX + 5);
	struct message m = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(message_parse(FRAME_EVENT, cases[i].p, cases[i].n, &m, &e), -1);
		assert_non_null(strstr(e.msg, cases[i].want));
		err_clear(&e);
	}
	memset(big, ' ', MESSAGE_JSON_MAX + 5);
	frame_put_u32((unsigned char *)big, MESSAGE_JSON_MAX + 1);
	assert_int_equal(message_parse(FRAME_EVENT, big, MESSAGE_JSON_MAX + 5, &m, &e), -1);
	assert_non_null(strstr(e.msg, "bytes of JSON"));
}

static void references_to_byte_strings_that_are_not_there_are_refused(void **state)
{
	static const char tail[] = "\1\0\0\0a\2\0\0\0b\0";
	static const struct {
		const char *json;
		const char *want; /* NULL: accepted */
	} cases[] = {
		{ "{\"l\":[0,1]}", NULL },
		{ "{\"l\":[2,0]}", NULL },
		{ "{\"l\":null}", "not a list" },
		{ "{\"l\":[0,3]}", "not a list" },
		{ "{\"l\":[3,0]}", "not a list" },
		{ "{\"l\":[-1,1]}", "not a list" },
		{ "{\"l\":[0,-1]}", "not a list" },
		{ "{\"l\":[0]}", "not a list" },
		{ "{\"l\":[0,1,2]}", "not a list" },
		{ "{\"l\":0}", "not a list" },
		{ "{\"l\":[9223372036854775807,9223372036854775807]}", "not a list" },
		{ "{\"l\":[0,2]}", "zero byte" },
		{ "{\"t\":0}", NULL },
		{ "{\"t\":1}", "zero byte" },
		{ "{\"t\":2}", "not there" },
		{ "{\"t\":-1}", "not there" },
		{ "{\"t\":\"0\"}", "not there" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_message struct message m = { 0 };
		auto_strv struct strv list = STRV_INIT;
		auto_free char *text = NULL;
		struct err e = ERR_INIT;
		int r;

		assert_int_equal(parse(cases[i].json, tail, sizeof(tail) - 1, &m, &e), 0);
		r = message_list(&m, "l", 8, &list, &e);
		if (r == 0)
			r = message_text(&m, "t", 8, &text, &e);
		assert_int_equal(r, cases[i].want ? -1 : 0);
		if (cases[i].want && !strstr(e.msg, cases[i].want))
			fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].want, e.msg);
	}
}

static void limits_of_the_reader_are_kept(void **state)
{
	static const char tail[] = "\3\0\0\0abc\1\0\0\0d";
	auto_message struct message m = { 0 };
	auto_strv struct strv list = STRV_INIT;
	char *text = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(parse("{\"l\":[0,2],\"t\":0}", tail, sizeof(tail) - 1, &m, &e), 0);
	assert_int_equal(message_text(&m, "t", 2, &text, &e), -1);
	assert_string_equal(e.msg, "'t' is longer than 2 bytes");
	err_clear(&e);
	assert_int_equal(message_list(&m, "l", 1, &list, &e), -1);
	assert_string_equal(e.msg, "'l' has more than 1 entries");
}

static void a_message_that_is_too_long_is_an_error_of_the_writer(void **state)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	auto_str struct str wire = STR_INIT(STR_HUGE);
	auto_free char *big = xcalloc(1, MESSAGE_MAX);
	struct err e = ERR_INIT;

	(void)state;
	message_out_event(&out, "x");
	message_out_blob(&out, "b", big, MESSAGE_MAX - 64);
	assert_int_equal(message_out_encode(&out, &wire, &e), 0);
	str_clear(&wire);
	message_out_event(&out, "x");
	message_out_blob(&out, "b", big, MESSAGE_MAX);
	assert_int_equal(message_out_encode(&out, &wire, &e), -1);
	err_clear(&e);
	memset(big, 'a', MESSAGE_JSON_MAX);
	message_out_event(&out, big);
	assert_int_equal(message_out_encode(&out, &wire, &e), -1);
	assert_string_equal(e.msg, "message is too long");
}

static void a_hello_is_taken_when_a_version_is_common(void **state)
{
	static const struct {
		const char *json;
		const char *want; /* NULL: accepted */
	} cases[] = {
		{ "{\"role\":\"agent\",\"version\":1,\"oldest\":1}", NULL },
		{ "{\"role\":\"agent\",\"version\":9,\"oldest\":1,\"new\":{}}", NULL },
		{ "{\"role\":\"client\",\"version\":1,\"oldest\":1}",
		  "peer is 'client' and not 'agent'" },
		{ "{\"role\":\"agent\",\"version\":3,\"oldest\":2}",
		  "peer speaks versions 2 to 3" },
		{ "{\"role\":\"agent\",\"version\":0,\"oldest\":0}",
		  "peer speaks versions 0 to 0" },
		{ "{\"role\":\"agent\",\"version\":1,\"oldest\":2}", "peer speaks" },
		{ "{\"version\":1,\"oldest\":1}", "role" },
		{ "{\"role\":\"agent\",\"version\":\"1\",\"oldest\":1}", "version" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_message struct message m = { 0 };
		struct err e = ERR_INIT;
		struct hello h = { .version = -5 };
		int r;

		assert_int_equal(parse(cases[i].json, "", 0, &m, &e), 0);
		m.type = FRAME_HELLO;
		r = message_hello(&m, "agent", &h, &e);
		assert_int_equal(r, cases[i].want ? -1 : 0);
		assert_int_equal(h.version, cases[i].want ? -5 : 1);
		if (cases[i].want && !strstr(e.msg, cases[i].want))
			fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].want, e.msg);
	}
}

static void what_a_guest_says_of_itself_is_cut_and_cleaned(void **state)
{
	auto_message struct message m = { 0 };
	struct err e = ERR_INIT;
	struct hello h;

	(void)state;
	assert_int_equal(parse("{\"role\":\"agent\",\"version\":1,\"oldest\":1,\"uptime_us\":12,"
			       "\"start_us\":10,\"kernel\":\"6.\\u001b1 22222222222222222222222222"
			       "2222222222222222222222222222222222222222222222222222222222222\"}",
			       "", 0, &m, &e),
			 0);
	m.type = FRAME_HELLO;
	assert_int_equal(message_hello(&m, NULL, &h, &e), 0);
	assert_int_equal(strlen(h.kernel), sizeof(h.kernel) - 1);
	assert_memory_equal(h.kernel, "6.?1?2", 6);
	assert_int_equal(h.start_us, 10);
	assert_int_equal(h.uptime_us, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_back_with_its_members_and_byte_strings),
		cmocka_unit_test(
			an_error_travels_with_kind_and_text_but_without_control_characters),
		cmocka_unit_test(damaged_payloads_are_refused),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(references_to_byte_strings_that_are_not_there_are_refused),
		cmocka_unit_test(limits_of_the_reader_are_kept),
		cmocka_unit_test(a_message_that_is_too_long_is_an_error_of_the_writer),
		cmocka_unit_test(a_hello_is_taken_when_a_version_is_common),
		cmocka_unit_test(what_a_guest_says_of_itself_is_cut_and_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
