/* SPDX-License-Identifier: Apache-2.0 */
/* Values of templates: what a JSON value is to Go. */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

struct tmpl_value tmpl_of_str(const char *p, size_t n)
{
	return (struct tmpl_value){ .kind = TV_STR, .s = { p, n } };
}

struct tmpl_value tmpl_of_int(int64_t i)
{
	return (struct tmpl_value){ .kind = TV_INT, .i = i };
}

struct tmpl_value tmpl_of_bool(bool b)
{
	return (struct tmpl_value){ .kind = TV_BOOL, .b = b };
}

static const struct tmpl_map *map_of(const struct tmpl_opts *o, const char *field)
{
	for (const struct tmpl_map *m = o->maps; field && m && m->field; m++) {
		if (strcmp(m->field, field) == 0)
			return m;
	}
	return NULL;
}

static const struct tmpl_empty *empty_of(const struct tmpl_opts *o, const char *field)
{
	for (const struct tmpl_empty *z = o->empties; field && z && z->field; z++) {
		if (strcmp(z->field, field) == 0)
			return z;
	}
	return NULL;
}

static struct tmpl_value nil_map(const struct tmpl_opts *o, const char *field)
{
	const struct tmpl_map *m = map_of(o, field);

	return (struct tmpl_value){ .kind = TV_MAP,
				    .typed = true,
				    .elem = m ? m->elem : TMPL_ELEM_ANY };
}

bool tmpl_of_empty(const char *field, const struct tmpl_opts *o, struct tmpl_value *ret)
{
	const struct tmpl_empty *z = empty_of(o, field);

	if (!z)
		return false;
	switch (z->zero) {
	case TMPL_ZERO_POINTER:
		*ret = (struct tmpl_value){ .kind = TV_NULL, .typed = true };
		break;
	case TMPL_ZERO_MAP:
		*ret = nil_map(o, field);
		break;
	case TMPL_ZERO_LIST:
		*ret = (struct tmpl_value){ .kind = TV_LIST };
		break;
	case TMPL_ZERO_STRING:
		*ret = tmpl_of_str("", 0);
		break;
	case TMPL_ZERO_INT:
		*ret = tmpl_of_int(0);
		break;
	case TMPL_ZERO_BOOL:
		*ret = tmpl_of_bool(false);
		break;
	}
	return true;
}

/* null, true, false and numbers: told apart by their text, since json.h has no kinds. */
static struct tmpl_value scalar(const struct json *j)
{
	auto_str struct str text = STR_INIT(400);

	json_dump(j, &text);
	if (strcmp(text.buf, "null") == 0)
		return (struct tmpl_value){ .kind = TV_NULL };
	if (*text.buf == 't' || *text.buf == 'f')
		return tmpl_of_bool(*text.buf == 't');
	if (strpbrk(text.buf, ".eE"))
		return (struct tmpl_value){ .kind = TV_FLOAT, .f = strtod(text.buf, NULL) };
	return tmpl_of_int(json_int(j, 0));
}

static struct tmpl_value of_container(const struct json *j, const char *field,
				      const struct tmpl_opts *o)
{
	const struct tmpl_map *m = o->typed ? map_of(o, field) : NULL;
	struct tmpl_value v = { .kind = TV_LIST, .json = j, .n = json_len(j) };

	if (json_is_array(j))
		return v;
	v.kind = o->typed && !m ? TV_STRUCT : TV_MAP;
	v.typed = m;
	v.elem = m ? m->elem : TMPL_ELEM_ANY;
	return v;
}

struct tmpl_value tmpl_of_json(const struct json *j, const char *field, const struct tmpl_opts *o)
{
	const char *text = json_str(j);
	struct tmpl_value v;

	if (!j)
		return (struct tmpl_value){ .kind = TV_NONE };
	if (text)
		v = tmpl_of_str(text, strlen(text));
	else if (json_is_object(j) || json_is_array(j))
		v = of_container(j, field, o);
	else
		v = scalar(j);
	v.boxed = !o->typed;
	if (v.kind != TV_NULL || !o->typed || !field || tmpl_of_empty(field, o, &v))
		return v;
	if (map_of(o, field))
		return nil_map(o, field);
	v.kind = TV_LIST;
	return v;
}

struct tmpl_value tmpl_item(const struct tmpl_value *list, size_t i, const struct tmpl_opts *o)
{
	if (list->kind == TV_WORDS)
		return tmpl_of_str(list->words[list->first + i].p, list->words[list->first + i].n);
	return tmpl_of_json(json_at(list->json, list->first + i), NULL, o);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct tmpl_entry *)a)->key, ((const struct tmpl_entry *)b)->key);
}

struct tmpl_entry *tmpl_entries(const struct tmpl_value *v, const struct tmpl_opts *o,
				size_t *ret_n)
{
	struct tmpl_entry *list = xcalloc(json_len(v->json), sizeof(*list));
	const struct json *value;
	const char *key;
	size_t n = 0;

	for (key = NULL; json_next(v->json, &key, &value);) {
		if (str_has_suffix(key, "()"))
			continue;
		list[n].key = key;
		list[n].value = tmpl_of_json(value, v->kind == TV_STRUCT ? key : NULL, o);
		if (list[n].value.kind == TV_NULL && v->elem == TMPL_ELEM_LIST)
			list[n].value.kind = TV_LIST;
		n++;
	}
	if (v->kind == TV_MAP && n)
		qsort(list, n, sizeof(*list), by_key);
	*ret_n = n;
	return list;
}

bool tmpl_truth(const struct tmpl_value *v)
{
	switch (v->kind) {
	case TV_BOOL:
		return v->b;
	case TV_INT:
		return v->i != 0;
	case TV_FLOAT:
		return v->f != 0;
	case TV_STR:
		return v->s.n > 0;
	case TV_MAP:
		return json_len(v->json) > 0;
	case TV_STRUCT:
		return true;
	case TV_LIST:
	case TV_WORDS:
		return v->n > 0;
	case TV_NONE:
	case TV_MISSING:
	case TV_NULL:
		break;
	}
	return false;
}

const char *tmpl_type_name(const struct tmpl_value *v, const struct tmpl_opts *o)
{
	switch (v->kind) {
	case TV_BOOL:
		return "bool";
	case TV_INT:
		return "int";
	case TV_FLOAT:
		return "float64";
	case TV_STR:
		return "string";
	case TV_MAP:
		return v->typed && v->elem == TMPL_ELEM_STRING ? "map[string]string"
							       : "map[string]interface {}";
	case TV_STRUCT:
		return o->type_name ? o->type_name : "struct";
	case TV_LIST:
		return o->typed && v->n && json_str(json_at(v->json, 0)) ? "[]string"
									 : "[]interface {}";
	case TV_WORDS:
		return "[]string";
	case TV_NONE:
	case TV_MISSING:
	case TV_NULL:
		break;
	}
	return "<nil>";
}
