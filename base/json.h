/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259): documents are read through tables, written through a begin/end writer. Only json.c
 * knows the library.
 *
 *	static const struct json_field desc_fields[] = {
 *		JSON_STR("digest", true, struct desc, digest),
 *		JSON_INT("size", true, struct desc, size),
 *		JSON_END,
 *	};
 *
 * Reading: unknown keys are ignored; a wrong type is an error that names the field ("config.Env[3]: is
 * not a string"); null counts as absent; an embedded NUL is refused; a field that is absent leaves the
 * target as it was. Strings are copies: the target owns them (release functions free them; reading on
 * top of an earlier value frees that).
 */
#ifndef KVBOX_BASE_JSON_H
#define KVBOX_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"

struct json; /* a parsed value; borrowed ones live as long as their document */

/* Parses a whole text (nesting is limited, duplicate keys are refused). json_free releases. */
int json_parse(const char *text, size_t n, struct json **ret, struct err *e) MUST_CHECK;
void json_free(struct json *j);
void json_free_ptr(struct json **j);
#define auto_json __attribute__((cleanup(json_free_ptr)))

enum json_kind {
	JSON_KIND_END,
	JSON_KIND_STR,	/* char * */
	JSON_KIND_INT,	/* int64_t */
	JSON_KIND_BOOL, /* bool */
	JSON_KIND_STRV, /* struct strv: array of strings */
	JSON_KIND_MAP,	/* struct strv of "key=value": object of strings */
	JSON_KIND_KEYS, /* struct strv: the keys of an object of anything */
	JSON_KIND_OBJ,	/* nested struct, read with `sub` */
	JSON_KIND_LIST, /* struct json_list of structs of `size`, each read with `sub` */
	JSON_KIND_ANY,	/* const struct json *, borrowed from the document */
};

/* An array of structs; `v` is the caller's to free, with what its elements own. */
struct json_list {
	void *v;
	size_t n;
};

struct json_field {
	const char *name;
	enum json_kind kind;
	bool required;
	size_t offset;
	const struct json_field *sub;
	size_t size;
};

/* clang-format off */
/* The type of the member is checked at compile time. */
#define JSON_AT_(type, member, want) \
	(offsetof(type, member) + \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member), want) ? 1 : -1]))
#define JSON_STR(n, req, t, m) { n, JSON_KIND_STR, req, JSON_AT_(t, m, char *), NULL, 0 }
#define JSON_INT(n, req, t, m) { n, JSON_KIND_INT, req, JSON_AT_(t, m, int64_t), NULL, 0 }
#define JSON_BOOL(n, req, t, m) { n, JSON_KIND_BOOL, req, JSON_AT_(t, m, bool), NULL, 0 }
#define JSON_STRV(n, req, t, m) { n, JSON_KIND_STRV, req, JSON_AT_(t, m, struct strv), NULL, 0 }
#define JSON_MAP(n, req, t, m) { n, JSON_KIND_MAP, req, JSON_AT_(t, m, struct strv), NULL, 0 }
#define JSON_KEYS(n, req, t, m) { n, JSON_KIND_KEYS, req, JSON_AT_(t, m, struct strv), NULL, 0 }
#define JSON_OBJ(n, req, t, m, subtable) { n, JSON_KIND_OBJ, req, offsetof(t, m), subtable, 0 }
#define JSON_LIST(n, req, t, m, elem, subtable) \
	{ n, JSON_KIND_LIST, req, JSON_AT_(t, m, struct json_list), subtable, sizeof(elem) }
#define JSON_ANY(n, req, t, m) { n, JSON_KIND_ANY, req, JSON_AT_(t, m, const struct json *), NULL, 0 }
#define JSON_END { NULL, JSON_KIND_END, false, 0, NULL, 0 }
/* clang-format on */

int json_read(const struct json *j, const struct json_field *fields, void *target,
	      struct err *e) MUST_CHECK;
/* json_parse, json_read and json_free in one (no JSON_ANY then). */
int json_read_text(const char *text, size_t n, const struct json_field *fields, void *target,
		   struct err *e) MUST_CHECK;

/* Looking around by hand; each takes NULL and gives NULL, 0 or false when it is not there. */
const struct json *json_get(const struct json *j, const char *key);
const struct json *json_at(const struct json *j, size_t i);
size_t json_len(const struct json *j); /* of an array or object */
const char *json_str(const struct json *j);
int64_t json_int(const struct json *j, int64_t otherwise);
bool json_bool(const struct json *j);
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
/* Key and value of entry `i` of an object, in the order of the text; false past the end. O(i). */
bool json_entry(const struct json *j, size_t i, const char **key, const struct json **value);
/* All entries in that order, each in constant time: start with `*key` NULL and hand the last one back. */
bool json_next(const struct json *j, const char **key, const struct json **value);
/* The value's text, compact, appended. */
void json_dump(const struct json *j, struct str *out);

/*
 * Writer. Bad nesting asserts. `indent` 0 writes compact text, else that many blanks a level, as Go's
 * MarshalIndent (and Docker's inspect, which uses 4). Strings that are not UTF-8 are written with U+FFFD
 * for each bad byte. Inside an object each value takes a key, inside an array key is NULL.
 */
struct json_writer {
	struct str *out;
	int indent;
	int depth;
	bool is_object[32];
	bool has_entry[32];
};

void jw_init(struct json_writer *w, struct str *out, int indent);
void jw_begin_object(struct json_writer *w, const char *key);
void jw_begin_array(struct json_writer *w, const char *key);
void jw_end(struct json_writer *w);
void jw_str(struct json_writer *w, const char *key, const char *value); /* NULL writes null */
void jw_strn(struct json_writer *w, const char *key, const char *value, size_t n);
void jw_int(struct json_writer *w, const char *key, int64_t value);
void jw_bool(struct json_writer *w, const char *key, bool value);
void jw_null(struct json_writer *w, const char *key);
void jw_strv(struct json_writer *w, const char *key, const struct strv *list);
/* An object out of "key=value" strings. */
void jw_map(struct json_writer *w, const char *key, const struct strv *map);
/* Text that is JSON already; indented as the rest. */
void jw_raw(struct json_writer *w, const char *key, const char *text);

/* Appends `n` bytes as a quoted JSON string. */
void json_quote(struct str *out, const char *p, size_t n);

#endif
