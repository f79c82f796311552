/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/qmp.h"

struct ends {
	struct qmp q;
	int peer;
};

static void connect_ends(struct ends *s)
{
	struct err e = ERR_INIT;
	int pair[2];

	assert_ok(fd_socketpair(pair, &e));
	assert_ok(fd_set_nonblock(pair[0], true, &e));
	qmp_init(&s->q, pair[0]);
	s->peer = pair[1];
}

static void close_ends(struct ends *s)
{
	qmp_release(&s->q);
	fd_close(s->peer);
}

static void say(struct ends *s, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(fd_write_full(s->peer, text, strlen(text), &e));
}

static void messages_come_whole_however_they_are_cut(void **state)
{
	static const char text[] = "{\"QMP\":{}}\r\n\r\n{\"return\":{},\"id\":1}\n"
				   "{\"event\":\"STOP\",\"data\":{\"a\":\"}{\\\"\"}}\r\n";
	struct ends s;
	enum qmp_kind seen[3] = { QMP_KIND_COUNT, QMP_KIND_COUNT, QMP_KIND_COUNT };
	struct err e = ERR_INIT;
	size_t n = 0;

	(void)state;
	connect_ends(&s);
	for (size_t i = 0; i < strlen(text); i++) {
		char one[2] = { text[i], '\0' };
		int got;

		say(&s, one);
		assert_int_equal(qmp_fill(&s.q, &e), 1);
		do {
			auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;

			got = qmp_next(&s.q, &m, &e);
			assert_true(got >= 0);
			if (got) {
				assert_true(n < 3);
				seen[n++] = m.kind;
			}
		} while (got);
	}
	assert_int_equal(n, 3);
	assert_int_equal(seen[0], QMP_GREETING);
	assert_int_equal(seen[1], QMP_REPLY);
	assert_int_equal(seen[2], QMP_EVENT);
	assert_int_equal(qmp_fill(&s.q, &e), 0);
	close_ends(&s);
}

static void commands_are_lines_with_numbers(void **state)
{
	struct ends s;
	struct err e = ERR_INIT;
	char buf[256];
	int64_t id;
	ssize_t n;

	(void)state;
	connect_ends(&s);
	assert_ok(qmp_send(&s.q, "qmp_capabilities", NULL, &id, &e));
	assert_int_equal(id, 1);
	assert_ok(qmp_send(&s.q, "balloon", "{\"value\":1}", &id, &e));
	assert_int_equal(id, 2);
	n = read(s.peer, buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf,
			    "{\"execute\":\"qmp_capabilities\",\"id\":1}\n"
			    "{\"execute\":\"balloon\",\"id\":2,\"arguments\":{\"value\":1}}\n");
	close_ends(&s);
}

static void a_descriptor_comes_with_its_command(void **state)
{
	int fds[8], end[2];
	size_t nfds = ARRAY_LEN(fds);
	struct ends s;
	struct err e = ERR_INIT;
	char buf[256], byte = 'x';
	int64_t id;
	ssize_t n;

	(void)state;
	connect_ends(&s);
	assert_ok(fd_socketpair(end, &e));
	assert_ok(qmp_send_fd(&s.q, "add-fd", "{\"fdset-id\":2}", end[0], &id, &e));
	assert_int_equal(id, 1);
	n = sock_recv_fds(s.peer, buf, sizeof(buf) - 1, fds, &nfds, &e);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf,
			    "{\"execute\":\"add-fd\",\"id\":1,\"arguments\":{\"fdset-id\":2}}\n");
	assert_int_equal(nfds, 1);
	/* It is that one, and the sender has kept its own. */
	assert_ok(fd_write_full(fds[0], &byte, 1, &e));
	assert_int_equal(read(end[1], buf, sizeof(buf)), 1);
	assert_ok(fd_write_full(end[0], &byte, 1, &e));
	fd_close(fds[0]);
	fd_close(end[0]);
	fd_close(end[1]);
	close_ends(&s);
}

static void a_peer_that_does_not_read_is_an_error_and_no_wait(void **state)
{
	struct ends s;
	struct err e = ERR_INIT;
	int64_t id;
	int i, r = 0;

	(void)state;
	connect_ends(&s);
	for (i = 0; i < 1000000 && r == 0; i++)
		r = qmp_send(&s.q, "query-status", NULL, &id, &e);
	assert_int_equal(r, -1);
	assert_true(i > 100);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	assert_int_equal(qmp_send_fd(&s.q, "getfd", NULL, s.peer, &id, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	close_ends(&s);
}

static void the_end_is_told_after_what_came_before_it(void **state)
{
	struct ends s;
	struct err e = ERR_INIT;
	int64_t id;

	(void)state;
	connect_ends(&s);
	say(&s, "{\"event\":\"SHUTDOWN\"}\n{\"half");
	/* Unread commands turn the end into a reset. */
	assert_ok(qmp_send(&s.q, "quit", NULL, &id, &e));
	fd_close(s.peer);
	s.peer = -1;
	assert_int_equal(qmp_fill(&s.q, &e), 1);
	{
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;

		assert_int_equal(qmp_next(&s.q, &m, &e), 1);
		assert_string_equal(m.name, "SHUTDOWN");
		qmp_message_release(&m);
		assert_int_equal(qmp_next(&s.q, &m, &e), 0);
	}
	assert_int_equal(qmp_fill(&s.q, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	assert_int_equal(qmp_send(&s.q, "quit", NULL, &id, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	close_ends(&s);
}

static void a_line_without_end_is_given_up(void **state)
{
	struct ends s;
	struct err e = ERR_INIT;
	char block[4096];
	int r = 1;

	(void)state;
	connect_ends(&s);
	memset(block, 'x', sizeof(block));
	for (size_t sent = 0; r == 1; sent += sizeof(block)) {
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;

		assert_true(sent <= QMP_LINE_MAX + 2 * sizeof(block));
		assert_ok(fd_write_full(s.peer, block, sizeof(block), &e));
		r = qmp_fill(&s.q, &e);
		if (r == 1)
			assert_int_equal(qmp_next(&s.q, &m, &e), 0);
	}
	assert_int_equal(r, -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	close_ends(&s);
}

static void what_is_not_the_protocol_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"x",
		"[]",
		"7",
		"\"QMP\"",
		"{}",
		"{\"id\":1}",
		"{\"event\":7}",
		"{\"event\":null}",
		"{\"error\":{}}",
		"{\"error\":\"x\"}",
		"{\"error\":{\"desc\":[]}}",
		"{\"return\":{}",
		"{\"a\":1}}",
		"{\"event\":\"A\",\"event\":\"B\"}",
		"{\"event\":\"a\\u0000b\"}",
		"{\"event\":\"\xff\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
		struct err e = ERR_INIT;

		if (qmp_parse(lines[i], strlen(lines[i]), &m, &e) != -1)
			fail_msg("'%s' was taken", lines[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_null(m.document);
	}
}

static void nesting_is_limited(void **state)
{
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
	auto_str struct str line = STR_INIT(QMP_LINE_MAX);
	struct err e = ERR_INIT;

	(void)state;
	str_add(&line, "{\"return\":");
	for (int i = 0; i < 5000; i++)
		str_addc(&line, '[');
	assert_fails(qmp_parse(line.buf, line.len, &m, &e), "nested too deeply");
	str_clear(&line);
	/* Brackets in strings are no nesting. */
	str_add(&line, "{\"return\":\"\\\"");
	for (int i = 0; i < 5000; i++)
		str_addc(&line, '[');
	str_add(&line, "\"}");
	assert_ok(qmp_parse(line.buf, line.len, &m, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_whole_however_they_are_cut),
		cmocka_unit_test(commands_are_lines_with_numbers),
		cmocka_unit_test(a_descriptor_comes_with_its_command),
		cmocka_unit_test(a_peer_that_does_not_read_is_an_error_and_no_wait),
		cmocka_unit_test(the_end_is_told_after_what_came_before_it),
		cmocka_unit_test(a_line_without_end_is_given_up),
		cmocka_unit_test(what_is_not_the_protocol_is_refused),
		cmocka_unit_test(nesting_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
