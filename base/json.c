/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"

/* struct json is the library's value under our name; nothing else ever looks inside. */
static const json_t *lib(const struct json *j)
{
	return (const json_t *)j;
}

static const struct json *own(const json_t *j)
{
	return (const struct json *)j;
}

int json_parse(const char *text, size_t n, struct json **ret, struct err *e)
{
	json_error_t why;
	/* Embedded NUL is refused by default; nesting is limited by the library (2048). */
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!j)
		return err_set(e, ERR_INVALID, "invalid JSON at line %d: %s", why.line, why.text);
	*ret = (struct json *)j;
	return 0;
}

void json_free(struct json *j)
{
	json_decref((json_t *)j);
}

void json_free_ptr(struct json **j)
{
	json_free(*j);
}

/* ---- tables ---- */

static int wrong(struct err *e, const struct json_field *f, const char *want)
{
	return err_set(e, ERR_INVALID, "field '%s' is not %s", f->name, want);
}

static int read_strv(const json_t *j, const struct json_field *f, struct strv *ret, struct err *e)
{
	struct strv list = STRV_INIT;
	const json_t *item;
	size_t i;

	if (!json_is_array(j))
		return wrong(e, f, "a list");
	json_array_foreach (j, i, item) {
		if (!json_is_string(item)) {
			strv_release(&list);
			return err_set(e, ERR_INVALID, "field '%s[%zu]' is not a string", f->name,
				       i);
		}
		strv_add(&list, json_string_value(item));
	}
	strv_release(ret);
	*ret = list;
	return 0;
}

static int read_map(const json_t *j, const struct json_field *f, struct strv *ret, struct err *e)
{
	struct strv list = STRV_INIT;
	bool keys = f->kind == JSON_KIND_KEYS;

	if (!json_is_object(j))
		return wrong(e, f, "an object");
	for (void *it = json_object_iter((json_t *)(uintptr_t)j); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)j, it)) {
		const char *key = json_object_iter_key(it);
		const json_t *value = json_object_iter_value(it);

		if (keys) {
			strv_add(&list, key);
		} else if (json_is_string(value)) {
			strv_addf(&list, "%s=%s", key, json_string_value(value));
		} else {
			strv_release(&list);
			return err_set(e, ERR_INVALID, "field '%s.%.64s' is not a string", f->name,
				       key);
		}
	}
	strv_release(ret);
	*ret = list;
	return 0;
}

static int read_list(const json_t *j, const struct json_field *f, struct json_list *ret,
		     struct err *e)
{
	size_t n = json_array_size(j);

	if (!json_is_array(j))
		return wrong(e, f, "a list");
	/* The caller frees what was read also after an error in the middle. */
	ret->v = xcalloc(n, f->size);
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		if (json_read(own(json_array_get(j, i)), f->sub, (char *)ret->v + i * f->size, e) <
		    0)
			return err_wrap(e, "%s[%zu]", f->name, i);
	return 0;
}

static int read_str(const json_t *j, const struct json_field *f, char **ret, struct err *e)
{
	if (!json_is_string(j))
		return wrong(e, f, "a string");
	free(*ret);
	*ret = xstrdup(json_string_value(j));
	return 0;
}

static int read_field(const json_t *j, const struct json_field *f, void *at, struct err *e)
{
	switch (f->kind) {
	case JSON_KIND_STR:
		return read_str(j, f, at, e);
	case JSON_KIND_INT:
		if (!json_is_integer(j))
			return wrong(e, f, "an integer");
		*(int64_t *)at = json_integer_value(j);
		return 0;
	case JSON_KIND_BOOL:
		if (!json_is_boolean(j))
			return wrong(e, f, "true or false");
		*(bool *)at = json_is_true(j);
		return 0;
	case JSON_KIND_STRV:
		return read_strv(j, f, at, e);
	case JSON_KIND_MAP:
	case JSON_KIND_KEYS:
		return read_map(j, f, at, e);
	case JSON_KIND_OBJ:
		return json_read(own(j), f->sub, at, e) < 0 ? err_wrap(e, "%s", f->name) : 0;
	case JSON_KIND_LIST:
		return read_list(j, f, at, e);
	case JSON_KIND_ANY:
		*(const struct json **)at = own(j);
		return 0;
	case JSON_KIND_END:
		break;
	}
	return wrong(e, f, "known");
}

int json_read(const struct json *j, const struct json_field *fields, void *target, struct err *e)
{
	if (!json_is_object(lib(j)))
		return err_set(e, ERR_INVALID, "is not an object");
	for (const struct json_field *f = fields; f->kind != JSON_KIND_END; f++) {
		const json_t *value = json_object_get(lib(j), f->name);

		if (!value || json_is_null(value)) {
			if (f->required)
				return err_set(e, ERR_INVALID, "field '%s' is missing", f->name);
			continue;
		}
		if (read_field(value, f, (char *)target + f->offset, e) < 0)
			return -1;
	}
	return 0;
}

int json_read_text(const char *text, size_t n, const struct json_field *fields, void *target,
		   struct err *e)
{
	auto_json struct json *j = NULL;

	for (const struct json_field *f = fields; f->kind != JSON_KIND_END; f++)
		assert(f->kind != JSON_KIND_ANY);
	if (json_parse(text, n, &j, e) < 0)
		return -1;
	return json_read(j, fields, target, e);
}

/* ---- by hand ---- */

const struct json *json_get(const struct json *j, const char *key)
{
	return own(json_object_get(lib(j), key));
}

const struct json *json_at(const struct json *j, size_t i)
{
	return own(json_array_get(lib(j), i));
}

size_t json_len(const struct json *j)
{
	if (json_is_object(lib(j)))
		return json_object_size(lib(j));
	return json_array_size(lib(j));
}

const char *json_str(const struct json *j)
{
	return json_string_value(lib(j));
}

int64_t json_int(const struct json *j, int64_t otherwise)
{
	return json_is_integer(lib(j)) ? json_integer_value(lib(j)) : otherwise;
}

bool json_bool(const struct json *j)
{
	return json_is_true(lib(j));
}

/* The library has macros of these two names. */
#undef json_is_object
#undef json_is_array
bool json_is_object(const struct json *j)
{
	return j && json_typeof(lib(j)) == JSON_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && json_typeof(lib(j)) == JSON_ARRAY;
}

bool json_entry(const struct json *j, size_t i, const char **key, const struct json **value)
{
	json_t *object = (json_t *)(uintptr_t)j;
	void *it = json_is_object(j) ? json_object_iter(object) : NULL;

	for (; it && i > 0; i--)
		it = json_object_iter_next(object, it);
	if (!it)
		return false;
	*key = json_object_iter_key(it);
	*value = own(json_object_iter_value(it));
	return true;
}

bool json_next(const struct json *j, const char **key, const struct json **value)
{
	json_t *object = (json_t *)(uintptr_t)j;
	void *it = NULL;

	if (json_is_object(j))
		it = *key ? json_object_iter_next(object, json_object_key_to_iter(*key))
			  : json_object_iter(object);
	if (!it)
		return false;
	*key = json_object_iter_key(it);
	*value = own(json_object_iter_value(it));
	return true;
}

static int dump_part(const char *p, size_t n, void *out)
{
	str_addn(out, p, n);
	return 0;
}

void json_dump(const struct json *j, struct str *out)
{
	json_dump_callback(lib(j), dump_part, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* ---- writer ---- */

void jw_init(struct json_writer *w, struct str *out, int indent)
{
	*w = (struct json_writer){ .out = out, .indent = indent };
}

static void newline(struct json_writer *w)
{
	str_addc(w->out, '\n');
	for (int i = 0; i < w->depth * w->indent; i++)
		str_addc(w->out, ' ');
}

/* What stands before a value: comma, line break, key. */
static void before_value(struct json_writer *w, const char *key)
{
	if (w->depth == 0) {
		assert(!key);
		return;
	}
	assert(w->is_object[w->depth - 1] == (key != NULL));
	if (w->has_entry[w->depth - 1])
		str_addc(w->out, ',');
	w->has_entry[w->depth - 1] = true;
	if (w->indent)
		newline(w);
	if (!key)
		return;
	json_quote(w->out, key, strlen(key));
	str_add(w->out, w->indent ? ": " : ":");
}

static void begin(struct json_writer *w, const char *key, bool object)
{
	before_value(w, key);
	assert((size_t)w->depth < ARRAY_LEN(w->is_object));
	w->is_object[w->depth] = object;
	w->has_entry[w->depth] = false;
	w->depth++;
	str_addc(w->out, object ? '{' : '[');
}

void jw_begin_object(struct json_writer *w, const char *key)
{
	begin(w, key, true);
}

void jw_begin_array(struct json_writer *w, const char *key)
{
	begin(w, key, false);
}

void jw_end(struct json_writer *w)
{
	assert(w->depth > 0);
	w->depth--;
	if (w->has_entry[w->depth] && w->indent)
		newline(w);
	str_addc(w->out, w->is_object[w->depth] ? '}' : ']');
}

void jw_strn(struct json_writer *w, const char *key, const char *value, size_t n)
{
	before_value(w, key);
	json_quote(w->out, value, n);
}

void jw_str(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		jw_strn(w, key, value, strlen(value));
	else
		jw_null(w, key);
}

void jw_int(struct json_writer *w, const char *key, int64_t value)
{
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char text[24], *at = text + sizeof(text);

	before_value(w, key);
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	str_addn(w->out, at, (size_t)(text + sizeof(text) - at));
}

void jw_bool(struct json_writer *w, const char *key, bool value)
{
	jw_raw(w, key, value ? "true" : "false");
}

void jw_null(struct json_writer *w, const char *key)
{
	jw_raw(w, key, "null");
}

/* The end of the string that starts at `p`, behind its last quote. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		p += *p == '\\' && p[1];
	return *p ? p + 1 : p;
}

/* JSON text with the writer's line breaks in place of its own. */
static void add_indented(struct json_writer *w, const char *p)
{
	static const char blanks[] = " \t\r\n";
	int depth = w->depth;

	for (p += strspn(p, blanks); *p;) {
		const char *end = *p == '"' ? skip_string(p) : p + 1;
		const char *next = end + strspn(end, blanks);
		bool opens = *p == '{' || *p == '[', ends = *next == '}' || *next == ']';

		w->depth += opens;
		str_addn(w->out, p, (size_t)(end - p));
		if (*p == ':')
			str_addc(w->out, ' ');
		w->depth -= ends;
		if (opens ? !ends : ends || *p == ',')
			newline(w);
		p = next;
	}
	w->depth = depth;
}

void jw_raw(struct json_writer *w, const char *key, const char *text)
{
	before_value(w, key);
	if (w->indent)
		add_indented(w, text);
	else
		str_add(w->out, text);
}

void jw_strv(struct json_writer *w, const char *key, const struct strv *list)
{
	jw_begin_array(w, key);
	for (size_t i = 0; i < list->n; i++)
		jw_str(w, NULL, list->v[i]);
	jw_end(w);
}

void jw_map(struct json_writer *w, const char *key, const struct strv *map)
{
	jw_begin_object(w, key);
	for (size_t i = 0; i < map->n; i++) {
		const char *eq = strchr(map->v[i], '=');
		auto_free char *name = xstrndup(map->v[i],
						eq ? (size_t)(eq - map->v[i]) : SIZE_MAX);

		jw_str(w, name, eq ? eq + 1 : "");
	}
	jw_end(w);
}

/* How many bytes from `p` form one valid UTF-8 character, 0 when none. */
static size_t utf8_char(const char *p, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (utf8_is_valid(p, len))
			return len;
	return 0;
}

static void quote_special(struct str *out, unsigned char c)
{
	static const char named[] = "\b\t\n\f\r\"\\";
	static const char letter[] = "btnfr\"\\";
	const char *at = c ? strchr(named, c) : NULL;

	if (at)
		str_addf(out, "\\%c", letter[at - named]);
	else
		str_addf(out, "\\u%04x", c);
}

void json_quote(struct str *out, const char *p, size_t n)
{
	size_t run = 0; /* bytes before p[i] that go out as they are */

	str_addc(out, '"');
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)p[i];
		size_t len = 1;

		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
			run++;
			i++;
			continue;
		}
		if (c >= 0x80)
			len = utf8_char(p + i, n - i);
		if (c >= 0x80 && len) {
			run += len;
			i += len;
			continue;
		}
		str_addn(out, p + i - run, run);
		run = 0;
		if (c >= 0x80)
			str_add(out, "\357\277\275");
		else
			quote_special(out, c);
		i++;
	}
	str_addn(out, p + n - run, run);
	str_addc(out, '"');
}
