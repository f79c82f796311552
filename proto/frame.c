/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

static const struct {
	const char *name;
	uint32_t min, max; /* payload */
} types[] = {
	[FRAME_HELLO] = { "HELLO", 0, FRAME_PAYLOAD_MAX },
	[FRAME_REQUEST] = { "REQUEST", 0, FRAME_PAYLOAD_MAX },
	[FRAME_REPLY] = { "REPLY", 0, FRAME_PAYLOAD_MAX },
	[FRAME_EVENT] = { "EVENT", 0, FRAME_PAYLOAD_MAX },
	[FRAME_DATA] = { "DATA", 1, FRAME_PAYLOAD_MAX },
	[FRAME_EOF] = { "EOF", 0, 0 },
	[FRAME_WINDOW] = { "WINDOW", 4, 4 },
};
_Static_assert(ARRAY_LEN(types) == FRAME_TYPE_END, "types[] does not match enum frame_type");

void frame_put_u32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
	p[2] = (unsigned char)(v >> 16);
	p[3] = (unsigned char)(v >> 24);
}

uint32_t frame_get_u32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void frame_encode(const struct frame *f, unsigned char ret[FRAME_HEADER_SIZE])
{
	frame_put_u32(ret, f->length);
	ret[4] = (unsigned char)f->type;
	ret[5] = f->flags;
	ret[6] = 0;
	ret[7] = 0;
	frame_put_u32(ret + 8, f->stream);
}

int frame_decode(const unsigned char p[FRAME_HEADER_SIZE], struct frame *ret, struct err *e)
{
	struct frame f = { .length = frame_get_u32(p),
			   .flags = p[5],
			   .stream = frame_get_u32(p + 8) };

	if (p[4] < FRAME_HELLO || p[4] >= FRAME_TYPE_END)
		return err_set(e, ERR_CORRUPT, "frame of unknown type %u", p[4]);
	f.type = (enum frame_type)p[4];
	if (p[6] || p[7])
		return err_set(e, ERR_CORRUPT, "%s frame with a reserved field",
			       types[f.type].name);
	if (f.flags & ~FRAME_MORE || (f.flags && !frame_is_message(f.type)))
		return err_set(e, ERR_CORRUPT, "%s frame with unknown flags 0x%x",
			       types[f.type].name, f.flags);
	if (f.length < types[f.type].min || f.length > types[f.type].max)
		return err_set(e, ERR_CORRUPT, "%s frame of %u bytes", types[f.type].name,
			       f.length);
	if ((f.flags & FRAME_MORE) && f.length == 0)
		return err_set(e, ERR_CORRUPT, "empty %s frame that is to be continued",
			       types[f.type].name);
	if (frame_is_message(f.type) != (f.stream == 0))
		return err_set(e, ERR_CORRUPT, "%s frame on stream %u", types[f.type].name,
			       f.stream);
	*ret = f;
	return 0;
}
