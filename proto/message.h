/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages: a JSON object and, beside it, byte strings that need not be UTF-8 ("blobs":
 * arguments, environment, paths). The JSON names a blob by its index, a list of blobs as
 * [first index, count].
 *
 *	payload = u32 json length | json | { u32 length | bytes }*
 *
 * Writing a request:
 *
 *	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
 *
 *	message_out_request(&m, "process.start", id);
 *	jw_bool(&m.json, "tty", true);			(members are written with the JSON writer)
 *	message_out_list(&m, "args", &args);
 *	if (conn_send_message(conn, &m, e) < 0) ...	(closes the object)
 *
 * Reading: conn.h hands a `struct message` to the callback, valid during the call. Its members are
 * read with json_read(m->json, table, ...) or json_get, blobs with message_text and message_list.
 */
#ifndef KVBOX_PROTO_MESSAGE_H
#define KVBOX_PROTO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "base/strv.h"
#include "proto/frame.h"

#define MESSAGE_MAX	  (4u * 1024 * 1024)
#define MESSAGE_JSON_MAX  (256u * 1024)
#define MESSAGE_BLOBS_MAX (64u * 1024)

/* The protocol's version, and the oldest one that this program still speaks. */
#define PROTO_VERSION 1
#define PROTO_OLDEST  1

struct message_blob {
	const char *p; /* not terminated */
	size_t n;
};

struct message {
	enum frame_type type; /* FRAME_HELLO, FRAME_REQUEST, FRAME_REPLY or FRAME_EVENT */
	struct json *json;    /* always an object */
	struct message_blob *blobs;
	size_t nblobs;
};

/* Takes a payload apart. The blobs point into `p`, which must outlive the message. */
int message_parse(enum frame_type type, const void *p, size_t n, struct message *ret,
		  struct err *e) MUST_CHECK;
void message_release(struct message *m);
#define auto_message __attribute__((cleanup(message_release)))

/*
 * Members every message of a kind has: "op" of a request, "event" of an event ("" when it is
 * missing), "id" of a request or reply (0 when it is missing; ids begin at 1).
 */
const char *message_op(const struct message *m);
const char *message_event(const struct message *m);
int64_t message_id(const struct message *m);

/*
 * Of a reply: 0 when it tells success, -1 with the peer's error otherwise (control characters in
 * its text are replaced, it may come from a guest).
 */
int message_reply_error(const struct message *m, struct err *e) MUST_CHECK;

/*
 * Member `key`, the index of a blob, as text of at most `max` bytes without zero bytes. When the
 * member is missing the result is NULL. The caller frees.
 */
int message_text(const struct message *m, const char *key, size_t max, char **ret,
		 struct err *e) MUST_CHECK;
/*
 * Member `key`, a list [first, count], appended to `ret`: at most `max` texts. Missing: nothing is
 * appended.
 */
int message_list(const struct message *m, const char *key, size_t max, struct strv *ret,
		 struct err *e) MUST_CHECK;

/* What the other side said of itself in its HELLO. */
struct hello {
	char role[16];
	int64_t version;   /* the version to speak: the lower of both */
	char kernel[64];   /* agent only; "" otherwise */
	int64_t start_us;  /* agent only: guest's CLOCK_BOOTTIME when its /init started */
	int64_t uptime_us; /* agent only: the same when it said HELLO */
};

/* Reads a HELLO; ERR_INVALID when the role is not `role` (NULL: any) or no version is common. */
int message_hello(const struct message *m, const char *role, struct hello *ret,
		  struct err *e) MUST_CHECK;

/* A message being written. `json` stands inside the open top-level object. */
struct message_out {
	enum frame_type type;
	struct json_writer json;
	struct str text;  /* of the JSON */
	struct str blobs; /* encoded */
	size_t nblobs;
};

#define MESSAGE_OUT_INIT \
	{                \
		0        \
	}
void message_out_release(struct message_out *m);
#define auto_message_out __attribute__((cleanup(message_out_release)))

/* Each begins a message; what `m` held before is dropped. */
void message_out_hello(struct message_out *m, const char *role);
void message_out_request(struct message_out *m, const char *op, int64_t id);
void message_out_reply(struct message_out *m, int64_t id);
/* A complete reply that tells an error. */
void message_out_error(struct message_out *m, int64_t id, const struct err *error);
void message_out_event(struct message_out *m, const char *event);

/* Member `key`: one blob, or a list of them. */
void message_out_blob(struct message_out *m, const char *key, const void *p, size_t n);
void message_out_text(struct message_out *m, const char *key, const char *text);
void message_out_list(struct message_out *m, const char *key, const struct strv *list);

/*
 * Closes the object and appends the payload to `ret`; ERR_INVALID when it passes a limit.
 * conn_send_message does this.
 */
int message_out_encode(struct message_out *m, struct str *ret, struct err *e) MUST_CHECK;

#endif
