/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile peer of a connection. The first byte says how the rest is cut when it is fed, and what
 * the callbacks do with it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proto/conn.h"

struct peer {
	struct conn *conn;
	unsigned int mode;
	size_t kept;
};

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct peer *peer = ctx;
	struct err ignored = ERR_INIT;

	(void)e;
	/* A request for a stream, as the agent would open it. */
	if (m->type == FRAME_REQUEST) {
		int64_t id = message_id(m) & 0xff;

		if (conn_open_stream(peer->conn, (uint32_t)id, peer, &ignored) < 0)
			conn_close_stream(peer->conn, (uint32_t)id);
	}
	return 0;
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	struct peer *peer = ctx;

	(void)owner;
	(void)e;
	for (size_t i = 0; i < n; i++)
		peer->kept += ((const unsigned char *)p)[i];
	if (peer->mode & 1)
		conn_consumed(peer->conn, stream, n);
	if (peer->mode & 2)
		conn_send_data(peer->conn, stream, p, n < conn_credit(peer->conn, stream) ? n : 0);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	struct peer *peer = ctx;

	(void)owner;
	(void)e;
	if (peer->mode & 4)
		conn_close_stream(peer->conn, stream);
	else
		conn_send_eof(peer->conn, stream);
	return 0;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	struct peer *peer = ctx;

	(void)owner;
	if (conn_credit(peer->conn, stream) == 0)
		abort();
	conn_send_data(peer->conn, stream, "w", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conn_ops ops = { on_message, on_data, on_eof, on_window };
	struct peer peer = { .mode = size ? data[0] : 0 };
	size_t step = peer.mode >> 3 ? peer.mode >> 3 : size;
	struct err e = ERR_INIT;

	peer.conn = conn_new(&ops, &peer);
	for (size_t at = 1; at < size; at += step) {
		size_t n = size - at < step ? size - at : step, out;
		const void *p;
		char *copy = xmemdup(data + at, n);
		int r = conn_feed(peer.conn, copy, n, &e);

		free(copy);
		if (r < 0)
			break;
		conn_output(peer.conn, &p, &out);
		conn_output_done(peer.conn, out / 2);
	}
	conn_free(peer.conn);
	return 0;
}
