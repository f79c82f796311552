/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/api.h"

static const struct api_call plain = { .method = "PUT", .path = "/a" };

struct ends {
	struct api a;
	int peer;
};

static void connect_ends(struct ends *s)
{
	struct err e = ERR_INIT;
	int pair[2];

	assert_ok(fd_socketpair(pair, &e));
	assert_ok(fd_set_nonblock(pair[0], true, &e));
	api_init(&s->a, pair[0]);
	s->peer = pair[1];
}

static void close_ends(struct ends *s)
{
	api_release(&s->a);
	fd_close(s->peer);
}

static void say(struct ends *s, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(fd_write_full(s->peer, text, strlen(text), &e));
}

static unsigned ask(struct ends *s, const char *path, const char *body)
{
	const struct api_call call = { "PUT", path, body, NULL, 0 };
	struct err e = ERR_INIT;
	unsigned number = 0;

	assert_ok(api_send(&s->a, &call, &number, &e));
	return number;
}

/* What has arrived at the server. */
static const char *heard(struct ends *s)
{
	static char buf[4096];
	ssize_t n = recv(s->peer, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* ---- parsing ------------------------------------------------------------------------------------- */

static void answers_are_parsed_or_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
		unsigned status;
		const char *body; /* or what the error says */
	} cases[] = {
		{ "HTTP/1.1 204 \r\nServer: x\r\nConnection: keep-alive\r\n\r\n", 1, 204, "" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 1, 204, "" },
		{ "HTTP/1.0 200 OK\r\n\r\n", 1, 200, "" },
		{ "HTTP/1.1 200\r\ncontent-LENGTH:\t 2 \r\n\r\n{}", 1, 200, "{}" },
		{ "HTTP/1.1 500 \r\nContent-Length: 5\r\n\r\n[\"a\"]and more", 1, 500, "[\"a\"]" },
		{ "", 0, 0, NULL },
		{ "HTT", 0, 0, NULL },
		{ "HTTP/1.1 204 \r\n", 0, 0, NULL },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 0, 0, NULL },
		{ "SSH-2.0-x\r\n", -1, 0, "not an answer" },
		{ "HTTP/2 200\r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1 20 \r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1 2000\r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1 666 \r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1\r\n\r\n", -1, 0, "unknown status" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -1, 0, "length '-1'" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", -1, 0, "length" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -1, 0,
		  "no possible length" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", -1, 0, "no possible length" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -1, 0,
		  "two lengths" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1, 0, "in pieces" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct api_answer answer;
		struct err e = ERR_INIT;
		size_t used = 0;
		int r = api_parse(cases[i].text, strlen(cases[i].text), &answer, &used, &e);

		if (r != cases[i].result)
			fail_msg("case %zu: %d, %s", i, r, e.msg);
		if (r < 0 && !strstr(e.msg, cases[i].body))
			fail_msg("case %zu: %s", i, e.msg);
		if (r <= 0)
			continue;
		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.length, strlen(cases[i].body));
		assert_memory_equal(answer.body, cases[i].body, answer.length);
	}
}

static void a_head_without_end_is_refused(void **state)
{
	auto_str struct str text = STR_INIT(2 * API_HEAD_MAX);
	struct api_answer answer;
	struct err e = ERR_INIT;
	size_t used;

	(void)state;
	str_add(&text, "HTTP/1.1 200 OK\r\n");
	while (text.len < API_HEAD_MAX - 1)
		str_addc(&text, 'x');
	assert_int_equal(api_parse(text.buf, text.len, &answer, &used, &e), 0);
	str_addc(&text, 'x');
	assert_fails(api_parse(text.buf, text.len, &answer, &used, &e), "too long a head");
}

static void the_chain_of_an_error_is_shown(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{ "[\"The VM could not boot\",\"Cannot open\",\"No such file\"]",
		  "The VM could not boot: Cannot open: No such file" },
		{ "[\"a\\nb\",7,\"c\"]", "a?b: c" },
		{ "", "status 500" },
		{ "[]", "status 500: []" },
		{ "oh\x01no", "status 500: oh?no" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct api_answer answer = { 1, 500, cases[i].body, strlen(cases[i].body) };

		api_error_text(&answer, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
		api_error_text(&answer, text, 4);
		assert_int_equal(strlen(text), 3);
	}
}

/* ---- the connection ------------------------------------------------------------------------------ */

static void one_request_is_on_its_way_at_a_time(void **state)
{
	struct api_answer answer;
	struct err e = ERR_INIT;
	struct ends s;

	(void)state;
	connect_ends(&s);
	assert_int_equal(ask(&s, "/a", NULL), 1);
	assert_int_equal(ask(&s, "/b", "{\"x\":1}"), 2);
	assert_string_equal(heard(&s), "PUT /a HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
	assert_int_equal(api_next(&s.a, &answer, &e), 0);
	say(&s, "HTTP/1.1 204 \r\n\r");
	assert_int_equal(api_fill(&s.a, &e), 1);
	assert_int_equal(api_next(&s.a, &answer, &e), 0);
	say(&s, "\n");
	assert_int_equal(api_fill(&s.a, &e), 1);
	assert_int_equal(api_next(&s.a, &answer, &e), 1);
	assert_int_equal(answer.request, 1);
	assert_string_equal(heard(&s), "PUT /b HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
				       "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n"
				       "{\"x\":1}");
	say(&s, "HTTP/1.1 500 \r\nContent-Length: 5\r\n\r\n[\"a\"]");
	assert_int_equal(api_fill(&s.a, &e), 1);
	assert_int_equal(api_next(&s.a, &answer, &e), 1);
	assert_int_equal(answer.request, 2);
	assert_int_equal(answer.status, 500);
	assert_int_equal(api_fill(&s.a, &e), 0);
	close_ends(&s);
}

static void an_answer_to_nothing_ends_the_connection(void **state)
{
	struct api_answer answer;
	struct err e = ERR_INIT;
	struct ends s;

	(void)state;
	connect_ends(&s);
	say(&s, "HTTP/1.1 204 \r\n\r\n");
	assert_int_equal(api_fill(&s.a, &e), 1);
	assert_fails(api_next(&s.a, &answer, &e), "not asked");
	close_ends(&s);
}

static void what_nobody_answers_is_told_once(void **state)
{
	struct err e = ERR_INIT;
	struct ends s;
	unsigned number;

	(void)state;
	connect_ends(&s);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(ask(&s, "/a", NULL), i);
	fd_close(take_fd(&s.peer));
	assert_fails(api_fill(&s.a, &e), "closed");
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(api_abandon(&s.a), i);
	assert_int_equal(api_abandon(&s.a), 0);
	assert_fails(api_send(&s.a, &plain, &number, &e), "no requests");
	close_ends(&s);
}

static void a_server_that_hangs_fills_the_queue_and_no_more(void **state)
{
	struct err e = ERR_INIT;
	unsigned number;
	struct ends s;

	(void)state;
	connect_ends(&s);
	for (unsigned i = 0; i < API_QUEUE_MAX + 1; i++)
		ask(&s, "/a", NULL);
	assert_fails(api_send(&s.a, &plain, &number, &e), "does not answer");
	close_ends(&s);
}

static void descriptors_travel_with_their_request(void **state)
{
	struct err e = ERR_INIT;
	char buf[512];
	int pipe[2], got[8];
	size_t n = ARRAY_LEN(got);
	unsigned number;
	struct ends s;

	(void)state;
	connect_ends(&s);
	assert_ok(fd_pipe(pipe, &e));
	assert_ok(api_send(&s.a, &(struct api_call){ "PUT", "/net", "{}", &pipe[1], 1 }, &number,
			   &e));
	fd_close(pipe[1]);
	assert_true(sock_recv_fds(s.peer, buf, sizeof(buf), got, &n, &e) > 0);
	assert_int_equal(n, 1);
	assert_int_equal(write(got[0], "x", 1), 1);
	assert_int_equal(read(pipe[0], buf, 1), 1);
	fd_close(got[0]);
	fd_close(pipe[0]);
	close_ends(&s);
}

static void a_request_that_the_server_would_not_take_is_refused(void **state)
{
	auto_free char *body = xcalloc(1, API_SEND_MAX + 2);
	struct err e = ERR_INIT;
	unsigned number;
	struct ends s;

	(void)state;
	connect_ends(&s);
	memset(body, ' ', API_SEND_MAX + 1);
	assert_fails(api_send(&s.a, &(struct api_call){ "PUT", "/a", body, NULL, 0 }, &number, &e),
		     "too long");
	body[API_SEND_MAX] = '\0';
	assert_ok(api_send(&s.a, &(struct api_call){ "PUT", "/a", body, NULL, 0 }, &number, &e));
	assert_int_equal(number, 1);
	close_ends(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_parsed_or_refused),
		cmocka_unit_test(a_head_without_end_is_refused),
		cmocka_unit_test(the_chain_of_an_error_is_shown),
		cmocka_unit_test(one_request_is_on_its_way_at_a_time),
		cmocka_unit_test(an_answer_to_nothing_ends_the_connection),
		cmocka_unit_test(what_nobody_answers_is_told_once),
		cmocka_unit_test(a_server_that_hangs_fills_the_queue_and_no_more),
		cmocka_unit_test(descriptors_travel_with_their_request),
		cmocka_unit_test(a_request_that_the_server_would_not_take_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
