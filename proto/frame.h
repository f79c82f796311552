/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header in front of every frame, on the agent's channel and on control.sock
 * (docs/protocol.md):
 *
 *	u32 length | u8 type | u8 flags | u16 zero | u32 stream	(little-endian, 12 bytes), payload
 *
 * Only proto/ needs this file; everything else works with proto/conn.h.
 */
#ifndef KVBOX_PROTO_FRAME_H
#define KVBOX_PROTO_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FRAME_HEADER_SIZE 12
#define FRAME_PAYLOAD_MAX (64u * 1024)

enum frame_type {
	FRAME_HELLO = 1, /* first message of either side */
	FRAME_REQUEST = 2,
	FRAME_REPLY = 3,
	FRAME_EVENT = 4,
	FRAME_DATA = 5, /* bytes of a stream, within the credit */
	FRAME_EOF =
		6, /* this side sends no more on the stream; from its reader: it reads no more */
	FRAME_WINDOW = 7, /* u32: bytes of credit given back */
	FRAME_TYPE_END,
};

/* More of the same message follows in the next frame of this type (control messages only). */
#define FRAME_MORE (1u << 0)

struct frame {
	uint32_t length; /* of the payload */
	enum frame_type type;
	uint8_t flags;
	uint32_t stream; /* 0 for control messages, else a stream */
};

static inline bool frame_is_message(enum frame_type type)
{
	return type >= FRAME_HELLO && type <= FRAME_EVENT;
}

void frame_encode(const struct frame *f, unsigned char ret[FRAME_HEADER_SIZE]);

/*
 * Checks everything a header alone can show: known type, known flags, zero field, length within the
 * type's limits, stream 0 exactly for control messages. ERR_CORRUPT says which is wrong.
 */
int frame_decode(const unsigned char p[FRAME_HEADER_SIZE], struct frame *ret,
		 struct err *e) MUST_CHECK;

/* Little-endian numbers in payloads. */
void frame_put_u32(unsigned char *p, uint32_t v);
uint32_t frame_get_u32(const unsigned char *p);

#endif
