/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by client.c (connection and requests) and client_streams.c (copying). */
#ifndef KVBOX_ENGINE_CLIENT_PRIV_H
#define KVBOX_ENGINE_CLIENT_PRIV_H

#include <poll.h>

#include "base/json.h"
#include "base/random.h"
#include "base/spawn.h"
#include "engine/client.h"
#include "proto/conn.h"

#define CLIENT_READ_SIZE (128u * 1024)

/* How bytes get into a descriptor of the command without ever waiting in write(). */
enum sink_mode {
	SINK_PLAIN,   /* write(): a file, or a descriptor that does not block */
	SINK_SOCKET,  /* send() with MSG_DONTWAIT */
	SINK_CAREFUL, /* a blocking pipe or terminal: after poll(), as much as it surely takes */
};

/* An output stream on its way to a descriptor. */
struct sink {
	uint32_t stream; /* 0: not connected */
	int fd;		 /* -1: dropped */
	int own_fd;	 /* fd opened anew without blocking, or -1 */
	enum sink_mode mode;
	struct str held; /* what fd did not take yet; the credit bounds it */
};

struct source {
	uint32_t stream;
	bool ended; /* EOF was sent, or the other side reads no more */
};

/* What client_offer_finish was told. */
struct finish_offer {
	int (*finish)(void *ctx, const char *id, struct err *e); /* NULL: no offer */
	void *ctx;
	char id[ID_TEXT_SIZE];
	bool due; /* the monitor has asked for it */
};

struct client {
	int fd;
	struct conn *conn;
	struct proc monitor; /* of the starting command */
	struct client_hooks hooks;
	struct finish_offer offer;
	bool greeted;
	int64_t deadline; /* of the HELLO (clock_monotonic), 0: none */
	bool gone;	  /* the monitor has closed the connection */
	char lost[200];	  /* why it has not sent all of the output, "" as a rule */
	int64_t last_id;
	int64_t exec; /* number of our process, 0: process 1 */
	uint32_t last_stream;

	/* The request that is waited for, and its answer. */
	int64_t want;
	bool answered;
	struct err answer; /* set: the monitor refuses */
	struct client_attached attached;
	int64_t code; /* of wait */
	bool keeping; /* the answer's document is wanted */
	struct json *document;

	bool copying; /* sinks have their descriptors */
	struct source in;
	struct sink out, err;
	bool ended;
	struct client_result result;
	char *trace;
	char buf[CLIENT_READ_SIZE];
};

/*
 * One round: writes what is queued, waits for the connection, the caller's event_fd and `more` (of `n`
 * entries, revents filled in), reads the connection once and calls the hook.
 */
int client_step(struct client *c, struct pollfd *more, size_t n, struct err *e) MUST_CHECK;
int client_gone(const struct client *c, struct err *e);
/* Begins a request; its members follow. */
void client_begin(struct client *c, struct message_out *out, const char *op);
void client_name_size(struct message_out *out, const struct client_size *size);
/* Queues it; its answer is to be waited for with client_answer. */
int client_request(struct client *c, struct message_out *out, struct err *e) MUST_CHECK;
int client_answer(struct client *c, struct err *e) MUST_CHECK;
int client_ask(struct client *c, struct message_out *out, struct err *e) MUST_CHECK; /* both */
/* Writes what the socket takes now. */
void client_push(struct client *c);
/* A message without an answer that is waited for. */
void client_tell(struct client *c, const char *op);
/* Waits until all that is queued is written. */
int client_flush(struct client *c, struct err *e) MUST_CHECK;

/* client_orders.c: the member that makes the offer of client_offer_finish, and what was offered. */
void client_name_offer(const struct client *c, struct message_out *out);
void client_finish_due(struct client *c);

/* client_streams.c: bytes for a sink. */
int client_take_output(struct client *c, struct sink *s, const void *p, size_t n,
		       struct err *e) MUST_CHECK;

#endif
