/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams are kept sorted by id; callbacks may open and close streams, so a stream is looked up
 * again after each of them and never held across one.
 */
#include "proto/conn.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/*
 * Credit is given back when this much has gathered: few WINDOW frames, and the sender never runs
 * dry.
 */
#define WINDOW_BATCH (CONN_WINDOW / 4)
/* Written bytes are cut off the output's front when there are this many. */
#define OUTPUT_SLACK (64u * 1024)

struct stream {
	uint32_t id;
	uint32_t credit;   /* what the peer allows us to send */
	uint32_t window;   /* what we allow the peer to send */
	uint32_t consumed; /* disposed of and not given back yet */
	void *owner;
	bool eof_sent;
	bool eof_seen;
	bool waiting; /* conn_credit gave 0 */
};

struct conn {
	const struct conn_ops *ops;
	void *ctx;

	struct stream *streams;
	size_t nstreams, cap;

	struct str out; /* [out_start, len) waits to be written */
	size_t out_start;
	bool squeezed; /* somebody waits only because too much output does */
	uint32_t last_woken;

	unsigned char header[FRAME_HEADER_SIZE];
	size_t nheader;
	struct frame frame;	 /* being received, once the header is complete */
	uint32_t left;		 /* of its payload */
	struct str in;		 /* payload of the unfinished message */
	enum frame_type in_type; /* of the unfinished message, 0 for none */
	bool hello_seen;
};

struct conn *conn_new(const struct conn_ops *ops, void *ctx)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->ops = ops;
	c->ctx = ctx;
	str_init(&c->out, STR_HUGE);
	str_init(&c->in, MESSAGE_MAX);
	return c;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	free(c->streams);
	str_release(&c->out);
	str_release(&c->in);
	free(c);
}

void conn_reset(struct conn *c)
{
	const struct conn_ops *ops = c->ops;
	void *ctx = c->ctx;

	free(c->streams);
	str_release(&c->out);
	str_release(&c->in);
	*c = (struct conn){ .ops = ops, .ctx = ctx };
	str_init(&c->out, STR_HUGE);
	str_init(&c->in, MESSAGE_MAX);
}

/* ---- streams --------------------------------------------------------------------------------- */

/* Index of the first stream whose id is not below `id`. */
static size_t stream_index(const struct conn *c, uint32_t id)
{
	size_t low = 0, high = c->nstreams;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->streams[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct stream *stream_find(const struct conn *c, uint32_t id)
{
	size_t i = stream_index(c, id);

	return i < c->nstreams && c->streams[i].id == id ? &c->streams[i] : NULL;
}

int conn_open_stream(struct conn *c, uint32_t stream, void *owner, struct err *e)
{
	size_t at = stream_index(c, stream);

	if (stream == 0)
		return err_set(e, ERR_INVALID, "0 is not a stream");
	if (at < c->nstreams && c->streams[at].id == stream)
		return err_set(e, ERR_CONFLICT, "stream %u is open already", stream);
	if (c->nstreams == CONN_STREAMS_MAX)
		return err_set(e, ERR_INVALID, "too many streams");
	if (c->nstreams == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 8;
		c->streams = xreallocarray(c->streams, c->cap, sizeof(*c->streams));
	}
	memmove(c->streams + at + 1, c->streams + at, (c->nstreams - at) * sizeof(*c->streams));
	c->streams[at] = (struct stream){
		.id = stream, .credit = CONN_WINDOW, .window = CONN_WINDOW, .owner = owner
	};
	c->nstreams++;
	return 0;
}

void conn_close_stream(struct conn *c, uint32_t stream)
{
	size_t at = stream_index(c, stream);

	if (at == c->nstreams || c->streams[at].id != stream)
		return;
	c->nstreams--;
	memmove(c->streams + at, c->streams + at + 1, (c->nstreams - at) * sizeof(*c->streams));
}

/* ---- output ---------------------------------------------------------------------------------- */

static size_t output_waiting(const struct conn *c)
{
	return c->out.len - c->out_start;
}

void conn_output(const struct conn *c, const void **p, size_t *n)
{
	*p = c->out.buf + c->out_start;
	*n = output_waiting(c);
}

/* What the output and the peer allow together, without noting that somebody waits. */
static size_t credit_now(const struct conn *c, const struct stream *s)
{
	size_t waiting = output_waiting(c), room = 0;

	if (s->eof_sent)
		return 0;
	if (waiting < CONN_OUTPUT_SOFT)
		room = CONN_OUTPUT_SOFT - waiting;
	return s->credit < room ? s->credit : room;
}

/*
 * The next stream after `after`, in a circle, that waits and may send now; nstreams when there is
 * none.
 */
static size_t next_to_wake(const struct conn *c, uint32_t after)
{
	size_t first = after == UINT32_MAX ? 0 : stream_index(c, after + 1);

	for (size_t n = 0; n < c->nstreams; n++) {
		size_t i = (first + n) % c->nstreams;

		if (c->streams[i].waiting && credit_now(c, &c->streams[i]))
			return i;
	}
	return c->nstreams;
}

/*
 * Tells those who wait that they may send again, until the output is full again. Each time it
 * begins after the one who came last, so that nobody is left out for ever.
 */
static void wake_streams(struct conn *c)
{
	size_t i;

	while ((i = next_to_wake(c, c->last_woken)) < c->nstreams) {
		c->last_woken = c->streams[i].id;
		c->streams[i].waiting = false;
		if (c->ops->window)
			c->ops->window(c->ctx, c->streams[i].id, c->streams[i].owner);
	}
	for (i = 0; i < c->nstreams; i++) {
		if (c->streams[i].waiting && c->streams[i].credit)
			c->squeezed = true;
	}
}

void conn_output_done(struct conn *c, size_t n)
{
	assert(n <= output_waiting(c));
	c->out_start += n;
	if (c->out_start == c->out.len) {
		str_clear(&c->out);
		c->out_start = 0;
	} else if (c->out_start >= OUTPUT_SLACK && c->out_start >= c->out.len / 2) {
		str_consume(&c->out, c->out_start);
		c->out_start = 0;
	}
	if (c->squeezed && output_waiting(c) <= CONN_OUTPUT_SOFT / 2) {
		c->squeezed = false;
		wake_streams(c);
	}
}

static void put_frame(struct conn *c, enum frame_type type, unsigned int flags, uint32_t stream,
		      const void *p, size_t n)
{
	struct frame f = { (uint32_t)n, type, (uint8_t)flags, stream };
	unsigned char header[FRAME_HEADER_SIZE];

	assert(n <= FRAME_PAYLOAD_MAX);
	frame_encode(&f, header);
	str_addn(&c->out, header, sizeof(header));
	str_addn(&c->out, p, n);
}

void conn_send_raw(struct conn *c, const void *p, size_t n)
{
	assert(c->out.len == 0);
	str_addn(&c->out, p, n);
}

int conn_send_message(struct conn *c, struct message_out *m, struct err *e)
{
	auto_str struct str payload = STR_INIT(MESSAGE_MAX);
	size_t at = 0;

	if (message_out_encode(m, &payload, e) < 0)
		return -1;
	if (output_waiting(c) > CONN_OUTPUT_HARD)
		return err_set(e, ERR_UNAVAILABLE, "peer does not read");
	for (; payload.len - at > FRAME_PAYLOAD_MAX; at += FRAME_PAYLOAD_MAX)
		put_frame(c, m->type, FRAME_MORE, 0, payload.buf + at, FRAME_PAYLOAD_MAX);
	put_frame(c, m->type, 0, 0, payload.buf + at, payload.len - at);
	return 0;
}

size_t conn_credit(struct conn *c, uint32_t stream)
{
	struct stream *s = stream_find(c, stream);
	size_t n;

	if (!s || s->eof_sent)
		return 0;
	/* While others wait for the output to drain, nobody overtakes them. */
	n = c->squeezed ? 0 : credit_now(c, s);
	if (n == 0) {
		s->waiting = true;
		if (s->credit)
			c->squeezed = true;
	}
	return n;
}

void conn_send_data(struct conn *c, uint32_t stream, const void *p, size_t n)
{
	struct stream *s = stream_find(c, stream);
	const char *at = p;

	assert(s && !s->eof_sent && n <= s->credit);
	s->credit -= (uint32_t)n;
	while (n) {
		size_t part = n < FRAME_PAYLOAD_MAX ? n : FRAME_PAYLOAD_MAX;

		put_frame(c, FRAME_DATA, 0, stream, at, part);
		at += part;
		n -= part;
	}
}

void conn_send_eof(struct conn *c, uint32_t stream)
{
	struct stream *s = stream_find(c, stream);

	if (!s || s->eof_sent)
		return;
	s->eof_sent = true;
	put_frame(c, FRAME_EOF, 0, stream, NULL, 0);
}

void conn_consumed(struct conn *c, uint32_t stream, size_t n)
{
	struct stream *s = stream_find(c, stream);
	unsigned char grant[4];

	if (!s)
		return;
	assert(n <= CONN_WINDOW - s->window - s->consumed);
	s->consumed += (uint32_t)n;
	if (s->eof_seen || s->consumed < WINDOW_BATCH)
		return;
	frame_put_u32(grant, s->consumed);
	put_frame(c, FRAME_WINDOW, 0, stream, grant, sizeof(grant));
	s->window += s->consumed;
	s->consumed = 0;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* A complete header: is this frame allowed now? */
static int begin_frame(struct conn *c, struct err *e)
{
	struct stream *s;

	if (frame_decode(c->header, &c->frame, e) < 0)
		return -1;
	c->left = c->frame.length;
	if (!c->hello_seen && c->frame.type != FRAME_HELLO)
		return err_set(e, ERR_CORRUPT, "peer did not begin with a HELLO");
	if (frame_is_message(c->frame.type)) {
		if (c->frame.type == FRAME_HELLO && c->hello_seen)
			return err_set(e, ERR_CORRUPT, "second HELLO");
		if (c->in_type && c->in_type != c->frame.type)
			return err_set(e, ERR_CORRUPT, "message within an unfinished message");
		if (c->frame.length > MESSAGE_MAX - c->in.len)
			return err_set(e, ERR_CORRUPT, "message is longer than %u bytes",
				       MESSAGE_MAX);
		c->in_type = c->frame.type;
		return 0;
	}
	s = stream_find(c, c->frame.stream);
	if (!s || c->frame.type == FRAME_WINDOW)
		return 0;
	if (s->eof_seen)
		return err_set(e, ERR_CORRUPT, "stream %u goes on after its end", s->id);
	if (c->frame.type == FRAME_DATA) {
		if (c->frame.length > s->window)
			return err_set(e, ERR_CORRUPT, "more data than allowed on stream %u",
				       s->id);
		s->window -= c->frame.length;
	}
	return 0;
}

static int end_message(struct conn *c, struct err *e)
{
	auto_message struct message m = { 0 };
	int r;

	if (c->frame.flags & FRAME_MORE)
		return 0;
	c->hello_seen = true;
	c->in_type = 0;
	r = message_parse(c->frame.type, c->in.buf, c->in.len, &m, e);
	if (r == 0)
		r = c->ops->message(c->ctx, &m, e);
	/* What a big message took is not kept for the rest of the connection's life. */
	if (c->in.cap > FRAME_PAYLOAD_MAX)
		str_release(&c->in);
	else
		str_clear(&c->in);
	return r;
}

static int end_window(struct conn *c, const unsigned char payload[4], struct err *e)
{
	struct stream *s = stream_find(c, c->frame.stream);
	uint32_t grant = frame_get_u32(payload);

	if (!s)
		return 0;
	if (grant == 0 || grant > CONN_WINDOW - s->credit)
		return err_set(e, ERR_CORRUPT, "impossible credit on stream %u", s->id);
	s->credit += grant;
	if (s->waiting && !c->squeezed && credit_now(c, s)) {
		s->waiting = false;
		if (c->ops->window)
			c->ops->window(c->ctx, s->id, s->owner);
	} else if (s->waiting) {
		c->squeezed = true;
	}
	return 0;
}

static int end_frame(struct conn *c, struct err *e)
{
	struct stream *s;

	c->nheader = 0;
	if (frame_is_message(c->frame.type))
		return end_message(c, e);
	if (c->frame.type == FRAME_EOF) {
		s = stream_find(c, c->frame.stream);
		if (!s)
			return 0;
		s->eof_seen = true;
		return c->ops->eof(c->ctx, s->id, s->owner, e);
	}
	return 0;
}

/* Part of a payload; the caller has checked that it belongs to this frame. */
static int take_payload(struct conn *c, const unsigned char *p, size_t n, struct err *e)
{
	struct stream *s;

	if (frame_is_message(c->frame.type)) {
		str_addn(&c->in, p, n);
		return 0;
	}
	if (c->frame.type == FRAME_WINDOW) {
		/* Four bytes, gathered where the header no longer needs the room. */
		memcpy(c->header + 4 - c->left, p, n);
		if (n == c->left)
			return end_window(c, c->header, e);
		return 0;
	}
	s = stream_find(c, c->frame.stream);
	if (!s)
		return 0;
	return c->ops->data(c->ctx, s->id, s->owner, p, n, e);
}

int conn_feed(struct conn *c, const void *p, size_t n, struct err *e)
{
	const unsigned char *at = p;
	size_t part;

	while (n) {
		if (c->nheader < FRAME_HEADER_SIZE) {
			part = FRAME_HEADER_SIZE - c->nheader;
			part = n < part ? n : part;
			memcpy(c->header + c->nheader, at, part);
			c->nheader += part;
			if (c->nheader == FRAME_HEADER_SIZE && begin_frame(c, e) < 0)
				return -1;
		} else {
			part = n < c->left ? n : c->left;
			if (take_payload(c, at, part, e) < 0)
				return -1;
			c->left -= (uint32_t)part;
		}
		at += part;
		n -= part;
		if (c->nheader == FRAME_HEADER_SIZE && c->left == 0 && end_frame(c, e) < 0)
			return -1;
	}
	return 0;
}
