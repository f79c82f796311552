/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <string.h>

#include "base/mem.h"

/* ---- reading --------------------------------------------------------------------------------- */

static int split_blobs(const char *p, size_t n, struct message *m, struct err *e)
{
	size_t cap = 0;

	while (n) {
		uint32_t length;

		if (m->nblobs == MESSAGE_BLOBS_MAX)
			return err_set(e, ERR_CORRUPT, "message with too many byte strings");
		if (n < 4)
			return err_set(e, ERR_CORRUPT, "message ends within a length");
		length = frame_get_u32((const unsigned char *)p);
		if (length > n - 4)
			return err_set(e, ERR_CORRUPT, "message ends within a byte string");
		if (m->nblobs == cap) {
			cap = cap ? cap * 2 : 16;
			m->blobs = xreallocarray(m->blobs, cap, sizeof(*m->blobs));
		}
		m->blobs[m->nblobs++] = (struct message_blob){ p + 4, length };
		p += 4 + length;
		n -= 4 + length;
	}
	return 0;
}

int message_parse(enum frame_type type, const void *p, size_t n, struct message *ret, struct err *e)
{
	auto_message struct message m = { .type = type };
	const char *text = p;
	uint32_t length;

	if (n < 4)
		return err_set(e, ERR_CORRUPT, "message of %zu bytes", n);
	length = frame_get_u32(p);
	if (length > n - 4)
		return err_set(e, ERR_CORRUPT, "message is shorter than its JSON");
	if (length > MESSAGE_JSON_MAX)
		return err_set(e, ERR_CORRUPT, "message with %u bytes of JSON", length);
	if (json_parse(text + 4, length, &m.json, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "bad message");
	}
	if (!json_is_object(m.json))
		return err_set(e, ERR_CORRUPT, "message is not a JSON object");
	if (split_blobs(text + 4 + length, n - 4 - length, &m, e) < 0)
		return -1;
	*ret = m;
	m = (struct message){ 0 };
	return 0;
}

void message_release(struct message *m)
{
	json_free(m->json);
	free(m->blobs);
	*m = (struct message){ 0 };
}

static const char *member(const struct message *m, const char *key)
{
	const char *s = json_str(json_get(m->json, key));

	return s ? s : "";
}

const char *message_op(const struct message *m)
{
	return member(m, "op");
}

const char *message_event(const struct message *m)
{
	return member(m, "event");
}

int64_t message_id(const struct message *m)
{
	return json_int(json_get(m->json, "id"), 0);
}

int message_reply_error(const struct message *m, struct err *e)
{
	const struct json *error = json_get(m->json, "error");
	const char *kind = json_str(json_get(error, "kind"));
	const char *text = json_str(json_get(error, "message"));

	if (!error)
		return 0;
	err_set(e, err_kind_parse(kind ? kind : ""), "%s", text && *text ? text : "unknown error");
	for (unsigned char *c = (unsigned char *)e->msg; *c; c++) {
		/* Control characters, those of 8 bits (U+0080 to U+009F) too. */
		bool c1 = *c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

		if (c1)
			*c++ = '?';
		if (c1 || *c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return -1;
}

static int blob_text(const struct message *m, const char *key, int64_t index, size_t max,
		     char **ret, struct err *e)
{
	const struct message_blob *b;

	if (index < 0 || (uint64_t)index >= m->nblobs)
		return err_set(e, ERR_INVALID, "'%s' names a byte string that is not there", key);
	b = &m->blobs[index];
	if (b->n > max)
		return err_set(e, ERR_INVALID, "'%s' is longer than %zu bytes", key, max);
	if (memchr(b->p, 0, b->n))
		return err_set(e, ERR_INVALID, "'%s' holds a zero byte", key);
	*ret = xstrndup(b->p, b->n);
	return 0;
}

int message_text(const struct message *m, const char *key, size_t max, char **ret, struct err *e)
{
	const struct json *j = json_get(m->json, key);

	if (!j) {
		*ret = NULL;
		return 0;
	}
	return blob_text(m, key, json_int(j, -1), max, ret, e);
}

int message_list(const struct message *m, const char *key, size_t max, struct strv *ret,
		 struct err *e)
{
	const struct json *j = json_get(m->json, key);
	int64_t first = json_int(json_at(j, 0), -1), count = json_int(json_at(j, 1), -1);

	if (!j)
		return 0;
	if (json_len(j) != 2 || first < 0 || count < 0 || (uint64_t)first > m->nblobs ||
	    (uint64_t)count > m->nblobs - (uint64_t)first)
		return err_set(e, ERR_INVALID, "'%s' is not a list of byte strings", key);
	if ((uint64_t)count > max)
		return err_set(e, ERR_INVALID, "'%s' has more than %zu entries", key, max);
	for (int64_t i = first; i < first + count; i++) {
		char *text;

		if (blob_text(m, key, i, MESSAGE_MAX, &text, e) < 0)
			return -1;
		strv_add_take(ret, text);
	}
	return 0;
}

struct hello_wire {
	char *role, *kernel;
	int64_t version, oldest, start_us, uptime_us;
};

static const struct json_field hello_fields[] = {
	JSON_STR("role", true, struct hello_wire, role),
	JSON_INT("version", true, struct hello_wire, version),
	JSON_INT("oldest", true, struct hello_wire, oldest),
	JSON_STR("kernel", false, struct hello_wire, kernel),
	JSON_INT("start_us", false, struct hello_wire, start_us),
	JSON_INT("uptime_us", false, struct hello_wire, uptime_us),
	JSON_END,
};

/* Printable ASCII only: the text is shown to users and comes from a guest. */
static void copy_clean(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && *from && n < size - 1; from++)
		to[n++] = *from > ' ' && *from < 0x7f ? *from : '?';
	to[n] = '\0';
}

static int hello_check(const struct hello_wire *w, const char *role, struct hello *ret,
		       struct err *e)
{
	struct hello h = { .version = w->version < PROTO_VERSION ? w->version : PROTO_VERSION,
			   .start_us = w->start_us,
			   .uptime_us = w->uptime_us };

	copy_clean(h.role, sizeof(h.role), w->role);
	copy_clean(h.kernel, sizeof(h.kernel), w->kernel);
	if (role && strcmp(h.role, role) != 0)
		return err_set(e, ERR_INVALID, "peer is '%s' and not '%s'", h.role, role);
	if (w->oldest > w->version || h.version < PROTO_OLDEST || h.version < w->oldest)
		return err_set(
			e, ERR_INVALID,
			"peer speaks versions %lld to %lld of the protocol, this program %d to %d",
			(long long)w->oldest, (long long)w->version, PROTO_OLDEST, PROTO_VERSION);
	*ret = h;
	return 0;
}

int message_hello(const struct message *m, const char *role, struct hello *ret, struct err *e)
{
	struct hello_wire w = { 0 };
	int r;

	if (m->type != FRAME_HELLO)
		return err_set(e, ERR_INVALID, "message is not a HELLO");
	r = json_read(m->json, hello_fields, &w, e);
	if (r == 0)
		r = hello_check(&w, role, ret, e);
	free(w.role);
	free(w.kernel);
	return r;
}

/* ---- writing --------------------------------------------------------------------------------- */

void message_out_release(struct message_out *m)
{
	str_release(&m->text);
	str_release(&m->blobs);
	*m = (struct message_out)MESSAGE_OUT_INIT;
}

static void begin(struct message_out *m, enum frame_type type)
{
	message_out_release(m);
	m->type = type;
	str_init(&m->text, MESSAGE_JSON_MAX);
	str_init(&m->blobs, MESSAGE_MAX);
	jw_init(&m->json, &m->text, 0);
	jw_begin_object(&m->json, NULL);
}

void message_out_hello(struct message_out *m, const char *role)
{
	begin(m, FRAME_HELLO);
	jw_str(&m->json, "role", role);
	jw_int(&m->json, "version", PROTO_VERSION);
	jw_int(&m->json, "oldest", PROTO_OLDEST);
}

void message_out_request(struct message_out *m, const char *op, int64_t id)
{
	begin(m, FRAME_REQUEST);
	jw_str(&m->json, "op", op);
	jw_int(&m->json, "id", id);
}

void message_out_reply(struct message_out *m, int64_t id)
{
	begin(m, FRAME_REPLY);
	jw_int(&m->json, "id", id);
}

void message_out_error(struct message_out *m, int64_t id, const struct err *error)
{
	message_out_reply(m, id);
	jw_begin_object(&m->json, "error");
	jw_str(&m->json, "kind", err_kind_name(error->kind));
	jw_str(&m->json, "message", error->msg);
	jw_end(&m->json);
}

void message_out_event(struct message_out *m, const char *event)
{
	begin(m, FRAME_EVENT);
	jw_str(&m->json, "event", event);
}

static void add_blob(struct message_out *m, const void *p, size_t n)
{
	unsigned char length[4];

	/* Longer ones do not fit below the limit of `blobs` anyway, which then reports it. */
	frame_put_u32(length, n > MESSAGE_MAX ? MESSAGE_MAX : (uint32_t)n);
	str_addn(&m->blobs, length, sizeof(length));
	str_addn(&m->blobs, p, n);
	m->nblobs++;
}

void message_out_blob(struct message_out *m, const char *key, const void *p, size_t n)
{
	jw_int(&m->json, key, (int64_t)m->nblobs);
	add_blob(m, p, n);
}

void message_out_text(struct message_out *m, const char *key, const char *text)
{
	message_out_blob(m, key, text, strlen(text));
}

void message_out_list(struct message_out *m, const char *key, const struct strv *list)
{
	jw_begin_array(&m->json, key);
	jw_int(&m->json, NULL, (int64_t)m->nblobs);
	jw_int(&m->json, NULL, (int64_t)list->n);
	jw_end(&m->json);
	for (size_t i = 0; i < list->n; i++)
		add_blob(m, list->v[i], strlen(list->v[i]));
}

int message_out_encode(struct message_out *m, struct str *ret, struct err *e)
{
	unsigned char length[4];

	jw_end(&m->json);
	if (m->text.over || m->blobs.over || m->nblobs > MESSAGE_BLOBS_MAX ||
	    m->text.len + m->blobs.len + sizeof(length) > MESSAGE_MAX)
		return err_set(e, ERR_INVALID, "message is too long");
	frame_put_u32(length, (uint32_t)m->text.len);
	str_addn(ret, length, sizeof(length));
	str_addn(ret, m->text.buf, m->text.len);
	str_addn(ret, m->blobs.buf, m->blobs.len);
	if (ret->over)
		return err_set(e, ERR_INVALID, "message is too long");
	return 0;
}
