/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/conn.h"

/* One end: a connection and what its callbacks saw. */
struct end {
	struct conn *conn;
	int messages, eofs, windows;
	char op[32];
	size_t blob;	 /* length of the last message's first blob */
	size_t received; /* bytes of all streams */
	uint32_t woken;	 /* one bit per stream */
	size_t refill;	 /* the window callback sends this much, as far as it may */
	int consume;	 /* the data callback gives credit back at once */
	char *tail;	 /* what came last, at most 15 bytes */
	char tail_buf[16];
	int owner_ok;
};

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct end *end = ctx;

	(void)e;
	end->messages++;
	if (m->type == FRAME_REQUEST)
		strncat(end->op, message_op(m), sizeof(end->op) - 1 - strlen(end->op));
	end->blob = m->nblobs ? m->blobs[0].n : 0;
	return 0;
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	struct end *end = ctx;

	(void)e;
	assert_true(n > 0);
	end->received += n;
	end->owner_ok = owner == &end->owner_ok;
	memset(end->tail_buf, 0, sizeof(end->tail_buf));
	memcpy(end->tail_buf, (const char *)p + (n > 15 ? n - 15 : 0), n > 15 ? 15 : n);
	if (end->consume)
		conn_consumed(end->conn, stream, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	struct end *end = ctx;

	(void)stream;
	(void)owner;
	(void)e;
	end->eofs++;
	return 0;
}

static size_t send_zeros(struct conn *c, uint32_t stream, size_t most)
{
	static const char zeros[64 * 1024];
	size_t sent = 0, n;

	while (sent < most && (n = conn_credit(c, stream)) > 0) {
		n = n < sizeof(zeros) ? n : sizeof(zeros);
		n = n < most - sent ? n : most - sent;
		conn_send_data(c, stream, zeros, n);
		sent += n;
	}
	return sent;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	struct end *end = ctx;

	(void)owner;
	end->windows++;
	end->woken |= 1u << stream;
	send_zeros(end->conn, stream, end->refill);
}

static const struct conn_ops ops = { on_message, on_data, on_eof, on_window };

static void end_begin(struct end *end, const char *role)
{
	auto_message_out struct message_out hello = MESSAGE_OUT_INIT;
	struct err e = ERR_INIT;

	*end = (struct end){ 0 };
	end->conn = conn_new(&ops, end);
	message_out_hello(&hello, role);
	assert_int_equal(conn_send_message(end->conn, &hello, &e), 0);
}

/* Moves what `from` has to say to `to`, `step` bytes at a time. */
static int pump(struct end *from, struct end *to, size_t step, struct err *e)
{
	for (;;) {
		auto_free char *copy = NULL;
		const void *p;
		size_t n;

		conn_output(from->conn, &p, &n);
		if (n == 0)
			return 0;
		n = n < step ? n : step;
		copy = xmemdup(p, n); /* so that ASan sees reads past the end */
		if (conn_feed(to->conn, copy, n, e) < 0)
			return -1;
		conn_output_done(from->conn, n);
	}
}

static size_t waiting(const struct end *end)
{
	const void *p;
	size_t n;

	conn_output(end->conn, &p, &n);
	return n;
}

static void pair(struct end *a, struct end *b)
{
	struct err e = ERR_INIT;

	end_begin(a, "monitor");
	end_begin(b, "agent");
	assert_int_equal(pump(a, b, SIZE_MAX, &e), 0);
	assert_int_equal(pump(b, a, SIZE_MAX, &e), 0);
}

static void unpair(struct end *a, struct end *b)
{
	conn_free(a->conn);
	conn_free(b->conn);
}

static void open_stream(struct end *end, uint32_t stream)
{
	struct err e = ERR_INIT;

	assert_int_equal(conn_open_stream(end->conn, stream, &end->owner_ok, &e), 0);
}

static int request(struct end *end, const char *op, size_t blob, struct err *e)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	auto_free char *bytes = xcalloc(1, blob);

	message_out_request(&m, op, 1);
	message_out_blob(&m, "b", bytes, blob);
	return conn_send_message(end->conn, &m, e);
}

static void messages_and_data_arrive_in_order_however_the_bytes_are_cut(void **state)
{
	(void)state;
	for (size_t step = 1; step < 80; step++) {
		struct end a, b;
		struct err e = ERR_INIT;

		pair(&a, &b);
		open_stream(&a, 7);
		open_stream(&b, 7);
		assert_int_equal(request(&a, "one", 3, &e), 0);
		conn_send_data(a.conn, 7, "hello, world", 12);
		conn_send_eof(a.conn, 7);
		assert_int_equal(request(&a, "two", 4, &e), 0);
		assert_int_equal(pump(&a, &b, step, &e), 0);
		assert_int_equal(b.messages, 3);
		assert_string_equal(b.op, "onetwo");
		assert_int_equal(b.blob, 4);
		assert_int_equal(b.received, 12);
		assert_int_equal(b.eofs, 1);
		assert_true(b.owner_ok);
		if (step >= 12)
			assert_non_null(strstr("hello, world", b.tail_buf));
		unpair(&a, &b);
	}
}

static void a_long_message_travels_in_several_frames(void **state)
{
	static const size_t sizes[] = { 0, 65400, 65536, 131072, 1u << 20, MESSAGE_MAX - 100 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct end a, b;
		struct err e = ERR_INIT;

		pair(&a, &b);
		assert_int_equal(request(&a, "big", sizes[i], &e), 0);
		assert_int_equal(pump(&a, &b, 50000, &e), 0);
		assert_int_equal(b.messages, 2);
		assert_int_equal(b.blob, sizes[i]);
		unpair(&a, &b);
	}
}

static void a_sender_stops_at_the_credit_and_goes_on_when_it_comes_back(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	open_stream(&a, 1);
	open_stream(&b, 1);
	assert_int_equal(send_zeros(a.conn, 1, SIZE_MAX), CONN_WINDOW);
	assert_int_equal(pump(&a, &b, SIZE_MAX, &e), 0);
	assert_int_equal(b.received, CONN_WINDOW);
	/* little is not given back at once, more in one frame */
	conn_consumed(b.conn, 1, 1000);
	assert_int_equal(waiting(&b), 0);
	conn_consumed(b.conn, 1, CONN_WINDOW / 4);
	assert_int_equal(waiting(&b), FRAME_HEADER_SIZE + 4);
	a.refill = 10;
	assert_int_equal(pump(&b, &a, 5, &e), 0);
	assert_int_equal(a.windows, 1);
	assert_int_equal(conn_credit(a.conn, 1), CONN_WINDOW / 4 + 1000 - 10);
	unpair(&a, &b);
}

static void a_long_transfer_never_queues_more_than_the_limits(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	b.consume = 1;
	a.refill = SIZE_MAX;
	for (uint32_t s = 1; s <= 8; s++) {
		open_stream(&a, s);
		open_stream(&b, s);
		send_zeros(a.conn, s, SIZE_MAX);
	}
	for (int turn = 0; turn < 200; turn++) {
		const void *p;
		size_t n;

		assert_true(waiting(&a) <= CONN_OUTPUT_SOFT + 64 * FRAME_HEADER_SIZE);
		conn_output(a.conn, &p, &n);
		n = n < 100000 ? n : 100000;
		assert_int_equal(conn_feed(b.conn, p, n, &e), 0);
		conn_output_done(a.conn, n);
		assert_int_equal(pump(&b, &a, SIZE_MAX, &e), 0);
	}
	/* it never stalled */
	assert_true(b.received > 200 * 90000);
	unpair(&a, &b);
}

static void every_waiting_stream_gets_its_turn(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	b.consume = 1;
	for (uint32_t s = 1; s <= 6; s++) {
		open_stream(&a, s);
		open_stream(&b, s);
		send_zeros(a.conn, s, SIZE_MAX);
	}
	a.refill = SIZE_MAX;
	a.woken = 0;
	for (int turn = 0; turn < 100; turn++) {
		const void *p;
		size_t n;

		conn_output(a.conn, &p, &n);
		n = n < 40000 ? n : 40000;
		assert_int_equal(conn_feed(b.conn, p, n, &e), 0);
		conn_output_done(a.conn, n);
		assert_int_equal(pump(&b, &a, SIZE_MAX, &e), 0);
	}
	assert_int_equal(a.woken, 0x7e);
	unpair(&a, &b);
}

static void frames_for_a_closed_stream_are_dropped(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	open_stream(&a, 3);
	open_stream(&b, 3);
	conn_send_data(a.conn, 3, "abc", 3);
	conn_send_eof(a.conn, 3);
	conn_close_stream(b.conn, 3);
	conn_close_stream(b.conn, 3);
	assert_int_equal(pump(&a, &b, SIZE_MAX, &e), 0);
	assert_int_equal(b.received, 0);
	assert_int_equal(b.eofs, 0);
	assert_int_equal(conn_credit(b.conn, 3), 0);
	conn_consumed(b.conn, 3, 100);
	conn_send_eof(b.conn, 3);
	assert_int_equal(waiting(&b), 0);
	unpair(&a, &b);
}

static void nothing_may_be_sent_after_the_own_end(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	open_stream(&a, 3);
	open_stream(&b, 3);
	conn_send_eof(a.conn, 3);
	conn_send_eof(a.conn, 3);
	assert_int_equal(conn_credit(a.conn, 3), 0);
	assert_int_equal(waiting(&a), FRAME_HEADER_SIZE);
	/* the other direction is still open */
	conn_send_data(b.conn, 3, "x", 1);
	assert_int_equal(pump(&a, &b, SIZE_MAX, &e), 0);
	assert_int_equal(pump(&b, &a, SIZE_MAX, &e), 0);
	assert_int_equal(a.received, 1);
	assert_int_equal(b.eofs, 1);
	unpair(&a, &b);
}

static void stream_numbers_are_checked(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;

	(void)state;
	pair(&a, &b);
	assert_int_equal(conn_open_stream(a.conn, 0, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	err_clear(&e);
	for (uint32_t s = CONN_STREAMS_MAX; s; s--)
		open_stream(&a, s * 5);
	assert_int_equal(conn_open_stream(a.conn, 5, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	assert_int_equal(conn_open_stream(a.conn, 1, NULL, &e), -1);
	assert_string_equal(e.msg, "too many streams");
	unpair(&a, &b);
}

static void messages_are_refused_when_the_peer_never_reads(void **state)
{
	struct end a, b;
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	pair(&a, &b);
	while (n < 100 && request(&a, "x", 1u << 20, &e) == 0)
		n++;
	assert_int_equal(n, CONN_OUTPUT_HARD >> 20);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	unpair(&a, &b);
}

/* As the agent of a saved VM does: half a message, output that waits and an open stream are gone. */
static void a_connection_that_was_reset_begins_anew(void **state)
{
	auto_message_out struct message_out hello = MESSAGE_OUT_INIT;
	struct end a, b;
	struct err e = ERR_INIT;
	const void *p;
	size_t n;

	(void)state;
	pair(&a, &b);
	assert_int_equal(conn_open_stream(b.conn, 7, NULL, &e), 0);
	assert_int_equal(request(&a, "one", 200000, &e), 0);
	conn_output(a.conn, &p, &n);
	assert_int_equal(conn_feed(b.conn, p, 70000, &e), 0);
	assert_int_equal(request(&b, "lost", 5, &e), 0);
	conn_reset(b.conn);
	assert_int_equal(waiting(&b), 0);
	assert_int_equal(conn_credit(b.conn, 7), 0);

	conn_free(a.conn);
	end_begin(&a, "monitor");
	message_out_hello(&hello, "agent");
	assert_int_equal(conn_send_message(b.conn, &hello, &e), 0);
	assert_int_equal(request(&a, "two", 5, &e), 0);
	assert_int_equal(pump(&b, &a, SIZE_MAX, &e), 0);
	assert_int_equal(pump(&a, &b, SIZE_MAX, &e), 0);
	assert_string_equal(b.op, "two");
	unpair(&a, &b);
}

/* A frame as raw bytes, for what the sending half would never do. */
static void raw(struct str *s, int type, int flags, uint32_t stream, const void *p, size_t n)
{
	struct frame f = { (uint32_t)n, (enum frame_type)type, (uint8_t)flags, stream };
	unsigned char header[FRAME_HEADER_SIZE];

	frame_encode(&f, header);
	str_addn(s, header, sizeof(header));
	str_addn(s, p, n);
}

#define HELLO "\x28\0\0\0{\"role\":\"agent\",\"version\":1,\"oldest\":1 }"

static void violations_end_the_connection(void **state)
{
	static const char zeros[65536];
	static const struct {
		struct {
			int type, flags;
			uint32_t stream;
			const char *p;
			size_t n;
			int times;
		} f[3];
		bool no_hello;
		const char *want;
	} cases[] = {
		{ { { FRAME_REQUEST, 0, 0, "\2\0\0\0{}", 6, 1 } },
		  true,
		  "did not begin with a HELLO" },
		{ { { FRAME_DATA, 0, 9, "x", 1, 1 } }, true, "did not begin with a HELLO" },
		{ { { FRAME_HELLO, 0, 0, "\2\0\0\0{}", 6, 1 } }, false, "second HELLO" },
		{ { { 99, 0, 0, "", 0, 1 } }, false, "unknown type 99" },
		{ { { FRAME_DATA, 0, 9, zeros, 65536, 5 } },
		  false,
		  "more data than allowed on stream 9" },
		{ { { FRAME_DATA, 0, 9, zeros, 65536, 4 }, { FRAME_DATA, 0, 9, "x", 1, 1 } },
		  false,
		  "more data than allowed on stream 9" },
		{ { { FRAME_EOF, 0, 9, "", 0, 2 } }, false, "stream 9 goes on after its end" },
		{ { { FRAME_EOF, 0, 9, "", 0, 1 }, { FRAME_DATA, 0, 9, "x", 1, 1 } },
		  false,
		  "stream 9 goes on after its end" },
		{ { { FRAME_WINDOW, 0, 9, "\1\0\0\0", 4, 1 } },
		  false,
		  "impossible credit on stream 9" },
		{ { { FRAME_WINDOW, 0, 9, "\377\377\377\377", 4, 1 } },
		  false,
		  "impossible credit" },
		{ { { FRAME_REQUEST, FRAME_MORE, 0, "\2\0", 2, 1 },
		    { FRAME_EVENT, 0, 0, "\0", 1, 1 } },
		  false,
		  "message within an unfinished message" },
		{ { { FRAME_REQUEST, FRAME_MORE, 0, zeros, 65536, 65 } },
		  false,
		  "message is longer than" },
		{ { { FRAME_EVENT, 0, 0, "\2\0\0\0[]", 6, 1 } }, false, "not a JSON object" },
		/* and what is none */
		{ { { FRAME_DATA, 0, 9, zeros, 65536, 4 } }, false, NULL },
		{ { { FRAME_DATA, 0, 8, zeros, 65536, 9 },
		    { FRAME_EOF, 0, 8, "", 0, 2 },
		    { FRAME_WINDOW, 0, 8, "\377\377\377\377", 4, 1 } },
		  false,
		  NULL },
		{ { { FRAME_REQUEST, FRAME_MORE, 0, "\2\0\0", 3, 1 },
		    { FRAME_DATA, 0, 9, "x", 1, 1 },
		    { FRAME_REQUEST, 0, 0, "\0{}", 3, 1 } },
		  false,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str wire = STR_INIT(STR_HUGE);
		struct err e = ERR_INIT;
		struct end a;
		int r;

		end_begin(&a, "monitor");
		open_stream(&a, 9);
		if (!cases[i].no_hello)
			raw(&wire, FRAME_HELLO, 0, 0, HELLO, sizeof(HELLO) - 1);
		for (size_t k = 0; k < ARRAY_LEN(cases[i].f); k++) {
			for (int t = 0; t < cases[i].f[k].times; t++)
				raw(&wire, cases[i].f[k].type, cases[i].f[k].flags,
				    cases[i].f[k].stream, cases[i].f[k].p, cases[i].f[k].n);
		}
		r = conn_feed(a.conn, wire.buf, wire.len, &e);
		if (r != (cases[i].want ? -1 : 0))
			fail_msg("case %zu: %d %s", i, r, e.msg);
		if (cases[i].want && (e.kind != ERR_CORRUPT || !strstr(e.msg, cases[i].want)))
			fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].want, e.msg);
		conn_free(a.conn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_data_arrive_in_order_however_the_bytes_are_cut),
		cmocka_unit_test(a_long_message_travels_in_several_frames),
		cmocka_unit_test(a_sender_stops_at_the_credit_and_goes_on_when_it_comes_back),
		cmocka_unit_test(a_long_transfer_never_queues_more_than_the_limits),
		cmocka_unit_test(every_waiting_stream_gets_its_turn),
		cmocka_unit_test(frames_for_a_closed_stream_are_dropped),
		cmocka_unit_test(nothing_may_be_sent_after_the_own_end),
		cmocka_unit_test(stream_numbers_are_checked),
		cmocka_unit_test(messages_are_refused_when_the_peer_never_reads),
		cmocka_unit_test(a_connection_that_was_reset_begins_anew),
		cmocka_unit_test(violations_end_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
