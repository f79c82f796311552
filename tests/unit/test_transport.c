/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "registry/transport.h"

/* ---- a server that answers each connection with the same bytes and keeps what it was asked ----
 */

struct server {
	pid_t pid;
	char url[64];
	int heard; /* read end of a pipe with the requests' heads */
};

static void serve(int listener, int heard, const char *answer, size_t n)
{
	char buf[4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t got = read(fd, buf, sizeof(buf));

		if (got > 0 && write(heard, buf, (size_t)got) != got)
			_exit(1);
		if (write(fd, answer, n) != (ssize_t)n)
			_exit(1);
		close(fd);
	}
}

static void server_up(struct server *s, const char *answer, size_t n)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);
	struct err e = ERR_INIT;
	int pair[2];

	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_ok(fd_pipe(pair, &e));
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/x?secret=1", ntohs(a.sin_port));
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		serve(listener, pair[1], answer, n);
	close(listener);
	close(pair[1]);
	s->heard = pair[0];
}

static void server_down(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	close(s->heard);
}

static int get(const char *url, struct str *body, struct http_response *ret, struct err *e)
{
	auto_transport struct transport *t = NULL;
	struct http_request r = { .url = url };

	http_response_init(ret);
	if (transport_new(-1, &t, e) < 0)
		return -1;
	return transport_call(t, &r, body, ret, e);
}

/* ---- tests ---- */

static void loopback_hosts_are_told_from_others(void **state)
{
	static const struct {
		const char *authority;
		bool loopback;
	} cases[] = {
		{ "localhost", true },
		{ "localhost:5000", true },
		{ "LOCALHOST/x", true },
		{ "127.0.0.1", true },
		{ "127.1.2.3:80/v2/", true },
		{ "[::1]:5000", true },
		{ "[::1]", true },
		{ "localhost.example", false },
		{ "127.0.0.1.example", false },
		{ "127.evil.example:80", false },
		{ "127.1", false },
		{ "[::2]:5000", false },
		{ "example.org", false },
		{ "localhost@example.org", false },
		{ "1127.0.0.1", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (transport_is_loopback(cases[i].authority) != cases[i].loopback)
			fail_msg("'%s'", cases[i].authority);
}

static void a_query_is_encoded_byte_by_byte(void **state)
{
	auto_str struct str out = STR_INIT(100);

	(void)state;
	transport_add_encoded(&out, "a-Z0._~ &=+:/\xc3\xa9");
	assert_string_equal(out.buf, "a-Z0._~%20%26%3D%2B%3A%2F%C3%A9");
}

static void only_https_and_this_machine_are_talked_to(void **state)
{
	static const char *const urls[] = { "http://example.org/x?secret", "ftp://localhost/",
					    "file:///etc/passwd", "localhost/x" };
	auto_str struct str body = STR_INIT(100);
	struct http_response r;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		assert_int_equal(get(urls[i], &body, &r, &e), -1);
		assert_int_equal(e.kind, ERR_DENIED);
		assert_null(strstr(e.msg, "secret"));
		err_clear(&e);
	}
}

static void a_response_arrives_with_its_headers(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\n"
				     "Docker-Content-Digest: sha256:x\r\n"
				     "Content-Range: bytes 5-9/10\r\n"
				     "WWW-Authenticate: Basic realm=r\r\n"
				     "WWW-Authenticate: Bearer realm=s\r\n"
				     "Content-Length: 5\r\n\r\nhello";
	auto_str struct str body = STR_INIT(100);
	auto_response struct http_response r;
	struct server s;
	struct err e = ERR_INIT;

	(void)state;
	server_up(&s, answer, sizeof(answer) - 1);
	assert_ok(get(s.url, &body, &r, &e));
	assert_int_equal(r.status, 200);
	assert_string_equal(r.content_type, "a/b");
	assert_string_equal(r.digest, "sha256:x");
	assert_int_equal(r.from, 5);
	assert_int_equal(r.challenges.n, 2);
	assert_string_equal(body.buf, "hello");
	server_down(&s);
}

static void the_body_of_a_refusal_is_kept_apart_and_limited(void **state)
{
	char answer[200000];
	auto_str struct str body = STR_INIT(10);
	auto_response struct http_response r;
	struct server s;
	struct err e = ERR_INIT;
	int n;

	(void)state;
	memset(answer, 'x', sizeof(answer));
	n = snprintf(answer, 100, "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n");
	answer[n] = 'y';
	server_up(&s, answer, sizeof(answer));
	assert_ok(get(s.url, &body, &r, &e));
	assert_int_equal(r.status, 404);
	assert_int_equal(body.len, 0);
	assert_int_equal(r.body.buf[0], 'y');
	assert_in_range(r.body.len, 1000, 70000);
	server_down(&s);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
	auto_str struct str body = STR_INIT(10);
	auto_response struct http_response r;
	struct server s;
	struct err e = ERR_INIT;

	(void)state;
	server_up(&s, answer, sizeof(answer) - 1);
	assert_int_equal(get(s.url, &body, &r, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.msg, "larger than 10 bytes"));
	server_down(&s);
}

struct taker {
	char got[16];
	size_t n;
	int fail;
};

static int take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct taker *t = ctx;

	if (t->fail)
		return err_set(e, ERR_CORRUPT, "not to my taste");
	memcpy(t->got + t->n, p, n);
	t->n += n;
	return 0;
}

static int run(struct transport *t, struct transfer *tr, enum http_trouble *trouble, struct err *e)
{
	for (int i = 0; i < 1000 && !transfer_is_done(tr); i++)
		if (transport_wait(t, NULL, 0, 10, e) < 0)
			return -1;
	return transfer_result(tr, trouble, e);
}

static void trouble_is_told_without_the_query(void **state)
{
	static const struct {
		const char *answer;
		enum http_trouble trouble;
		const char *message;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", HTTP_TROUBLE_BROKEN,
		  "unexpected EOF" },
		{ "", HTTP_TROUBLE_BROKEN, "unexpected EOF" },
		{ "SSH-2.0-x\r\n", HTTP_TROUBLE_OTHER, "HTTP/0.9" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_transport struct transport *t = NULL;
		auto_transfer struct transfer *tr = NULL;
		struct taker taker = { .fail = 0 };
		enum http_trouble trouble;
		struct http_request r;
		struct server s;

		server_up(&s, cases[i].answer, strlen(cases[i].answer));
		r = (struct http_request){ .url = s.url, .data = take, .ctx = &taker };
		assert_ok(transport_new(-1, &t, &e));
		assert_ok(transfer_start(t, &r, &tr, &e));
		assert_int_equal(run(t, tr, &trouble, &e), -1);
		assert_int_equal(trouble, cases[i].trouble);
		assert_int_equal(e.kind, ERR_UNAVAILABLE);
		assert_non_null(strstr(e.msg, cases[i].message));
		assert_null(strstr(e.msg, "secret"));
		err_clear(&e);
		server_down(&s);
	}
}

static void data_goes_to_the_taker(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	auto_transport struct transport *t = NULL;
	auto_transfer struct transfer *tr = NULL;
	struct taker taker = { .fail = 0 };
	struct server s;
	struct err e = ERR_INIT;

	(void)state;
	server_up(&s, answer, sizeof(answer) - 1);
	assert_ok(transport_new(-1, &t, &e));
	{
		struct http_request r = { .url = s.url, .data = take, .ctx = &taker };

		assert_ok(transfer_start(t, &r, &tr, &e));
	}
	assert_ok(run(t, tr, NULL, &e));
	assert_memory_equal(taker.got, "hello", 5);
	assert_int_equal(taker.n, 5);
	server_down(&s);
}

static void the_takers_error_ends_the_transfer(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	auto_transport struct transport *t = NULL;
	auto_transfer struct transfer *tr = NULL;
	struct taker taker = { .fail = 1 };
	enum http_trouble trouble;
	struct server s;
	struct err e = ERR_INIT;

	(void)state;
	server_up(&s, answer, sizeof(answer) - 1);
	assert_ok(transport_new(-1, &t, &e));
	{
		struct http_request r = { .url = s.url, .data = take, .ctx = &taker };

		assert_ok(transfer_start(t, &r, &tr, &e));
	}
	assert_int_equal(run(t, tr, &trouble, &e), -1);
	assert_string_equal(e.msg, "not to my taste");
	assert_int_equal(trouble, HTTP_TROUBLE_OTHER);
	server_down(&s);
}

static void a_request_carries_what_it_is_given(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static const char *const accept[] = { "a/b", "c/d", NULL };
	auto_transport struct transport *t = NULL;
	auto_str struct str body = STR_INIT(10);
	auto_response struct http_response response;
	char heard[4096] = "";
	struct server s;
	struct err e = ERR_INIT;

	(void)state;
	http_response_init(&response);
	server_up(&s, answer, sizeof(answer) - 1);
	assert_ok(transport_new(-1, &t, &e));
	{
		struct http_request r = {
			.url = s.url, .accept = accept, .bearer = "T", .from = 7
		};

		assert_ok(transport_call(t, &r, &body, &response, &e));
	}
	assert_true(read(s.heard, heard, sizeof(heard) - 1) > 0);
	assert_non_null(strstr(heard, "GET /x?secret=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(heard, "Accept: a/b\r\nAccept: c/d\r\n"));
	assert_non_null(strstr(heard, "Authorization: Bearer T\r\n"));
	assert_non_null(strstr(heard, "Range: bytes=7-\r\n"));
	assert_non_null(strstr(heard, "User-Agent: kvbox\r\n"));
	server_down(&s);
}

static void a_wait_ends_when_the_caller_wants_to_stop(void **state)
{
	auto_transport struct transport *t = NULL;
	auto_transfer struct transfer *tr = NULL;
	struct taker taker = { .fail = 0 };
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	struct server s;
	struct err e = ERR_INIT;
	int stop[2];

	(void)state;
	assert_ok(fd_pipe(stop, &e));
	server_up(&s, answer, sizeof(answer) - 1);
	assert_ok(transport_new(stop[0], &t, &e));
	{
		struct http_request r = { .url = s.url, .data = take, .ctx = &taker };

		assert_ok(transfer_start(t, &r, &tr, &e));
	}
	assert_int_equal(write(stop[1], "x", 1), 1);
	assert_int_equal(transport_wait(t, NULL, 0, 5000, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	server_down(&s);
	close(stop[0]);
	close(stop[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_hosts_are_told_from_others),
		cmocka_unit_test(a_query_is_encoded_byte_by_byte),
		cmocka_unit_test(only_https_and_this_machine_are_talked_to),
		cmocka_unit_test(a_response_arrives_with_its_headers),
		cmocka_unit_test(the_body_of_a_refusal_is_kept_apart_and_limited),
		cmocka_unit_test(a_body_beyond_the_limit_is_refused),
		cmocka_unit_test(trouble_is_told_without_the_query),
		cmocka_unit_test(data_goes_to_the_taker),
		cmocka_unit_test(the_takers_error_ends_the_transfer),
		cmocka_unit_test(a_request_carries_what_it_is_given),
		cmocka_unit_test(a_wait_ends_when_the_caller_wants_to_stop),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
