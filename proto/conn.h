/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a connection, without any I/O of its own: bytes go in by conn_feed and come out by
 * conn_output, so that the agent (epoll), the monitor (libevent) and the command (poll) share it.
 *
 *	conn = conn_new(&ops, ctx);
 *	conn_send_message(conn, hello, e);
 *	readable:  n = read(fd, buf, sizeof(buf)); conn_feed(conn, buf, n, e)  -> callbacks
 *	writable:  conn_output(conn, &p, &n); n = write(fd, p, n); conn_output_done(conn, n)
 *
 * After every call that may have queued something (conn_feed, conn_send_*, conn_consumed) ask
 * conn_output whether to wait for writability.
 *
 * Everything from the peer is hostile: -1 from conn_feed (ERR_CORRUPT) ends the connection; it is
 * then only good for conn_free. The first message must be a HELLO, and only the first.
 *
 * Streams carry bytes both ways, each way with its own credit (CONN_WINDOW at the start). The side
 * that sends requests chooses the ids, never uses one twice on a connection, and opens the stream
 * before it sends the request that names it; the other side opens it when it handles the request.
 * Frames for a stream that is not open are dropped: they may have been on their way when it was
 * closed.
 *
 * Memory: at most MESSAGE_MAX for an incoming message. Outgoing data stops (conn_credit gives 0)
 * while more than CONN_OUTPUT_SOFT bytes wait; control messages fail with ERR_UNAVAILABLE when
 * CONN_OUTPUT_HARD wait, since then the peer does not read.
 */
#ifndef KVBOX_PROTO_CONN_H
#define KVBOX_PROTO_CONN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/message.h"

#define CONN_WINDOW	 (256u * 1024)
#define CONN_STREAMS_MAX 4096u
#define CONN_OUTPUT_SOFT (512u * 1024)
#define CONN_OUTPUT_HARD (16u * 1024 * 1024)

struct conn;

/*
 * Callbacks; each may call any conn_ function on this connection except conn_feed, conn_output_done
 * and conn_free. -1 (with the error set) ends the connection: conn_feed returns it.
 */
struct conn_ops {
	int (*message)(void *ctx, const struct message *m, struct err *e);
	/*
	 * Bytes of an open stream (`owner` as given to conn_open_stream), never more than the
	 * credit in all. The receiver keeps them if it must and calls conn_consumed, now or later,
	 * once they are disposed of.
	 */
	int (*data)(void *ctx, uint32_t stream, void *owner, const void *p, size_t n,
		    struct err *e);
	/*
	 * The peer sends no more on this stream (or, where it only reads, reads no more). At most
	 * once.
	 */
	int (*eof)(void *ctx, uint32_t stream, void *owner, struct err *e);
	/*
	 * conn_credit was asked, gave 0, and now gives more. May be NULL. Called from conn_feed and
	 * conn_output_done.
	 */
	void (*window)(void *ctx, uint32_t stream, void *owner);
};

struct conn *conn_new(const struct conn_ops *ops, void *ctx);
void conn_free(struct conn *c); /* accepts NULL */

/*
 * Back to the state of conn_new: streams, what was half received and what waits to be sent are dropped.
 * Not from a callback.
 */
void conn_reset(struct conn *c);

/* Takes bytes from the peer, all of them. */
int conn_feed(struct conn *c, const void *p, size_t n, struct err *e) MUST_CHECK;

/*
 * The next bytes for the peer, in order; *n is 0 when there are none. Valid until the next conn_
 * call.
 */
void conn_output(const struct conn *c, const void **p, size_t *n);
/* `n` of them were written. */
void conn_output_done(struct conn *c, size_t n);

/* Bytes that go before everything else (the preamble). */
void conn_send_raw(struct conn *c, const void *p, size_t n);
/* Finishes and queues the message. */
int conn_send_message(struct conn *c, struct message_out *m, struct err *e) MUST_CHECK;

/* ERR_CONFLICT when the stream is open, ERR_INVALID for 0 and beyond CONN_STREAMS_MAX open ones. */
int conn_open_stream(struct conn *c, uint32_t stream, void *owner, struct err *e) MUST_CHECK;
/*
 * Forgets the stream. What was queued is still sent; what still comes is dropped. Unknown ids:
 * nothing.
 */
void conn_close_stream(struct conn *c, uint32_t stream);

/*
 * How many bytes may be sent on the stream now. 0 also when it is not open or conn_send_eof was
 * called.
 */
size_t conn_credit(struct conn *c, uint32_t stream);
/* Queues `n` bytes, not more than conn_credit (asserts). */
void conn_send_data(struct conn *c, uint32_t stream, const void *p, size_t n);
/* No more will be sent. Again, or on a stream that is not open: nothing. */
void conn_send_eof(struct conn *c, uint32_t stream);
/* `n` received bytes were disposed of: their credit goes back to the peer, in batches. */
void conn_consumed(struct conn *c, uint32_t stream, size_t n);

#endif
