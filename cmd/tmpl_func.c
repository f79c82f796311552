/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates: the table, and Go's own except comparison and escaping. */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

/* ---- index and slice ---- */

/* A position up to `n`, which is still allowed here. */
static int position(struct tmpl_exec *x, const struct tmpl_value *v, size_t n, size_t *ret,
		    struct err *why)
{
	if (v->kind == TV_NULL || v->kind == TV_NONE)
		return err_set(why, ERR_INVALID, "cannot index slice/array with nil");
	if (v->kind != TV_INT)
		return err_set(why, ERR_INVALID, "cannot index slice/array with type %s",
			       tmpl_type_name(v, x->opts));
	if (v->i < 0 || (uint64_t)v->i > n)
		return err_set(why, ERR_INVALID, "index out of range: %lld", (long long)v->i);
	*ret = (size_t)v->i;
	return 0;
}

static int index_list(struct tmpl_exec *x, const struct tmpl_value *v, const struct tmpl_value *key,
		      struct tmpl_value *ret, struct err *why)
{
	bool is_text = v->kind == TV_STR;
	size_t at = 0, n = is_text ? v->s.n : v->n;

	if (position(x, key, n, &at, why) < 0)
		return -1;
	if (at == n)
		return err_set(why, ERR_INVALID, "reflect: %s index out of range",
			       is_text ? "string" : "slice");
	if (is_text)
		*ret = tmpl_of_int((unsigned char)v->s.p[at]);
	else
		*ret = tmpl_item(v, at, x->opts);
	return 0;
}

/* What a map has for a key that is not there. */
static struct tmpl_value zero_element(const struct tmpl_value *map)
{
	if (map->typed && map->elem == TMPL_ELEM_STRING)
		return tmpl_of_str("", 0);
	if (map->typed && map->elem == TMPL_ELEM_LIST)
		return (struct tmpl_value){ .kind = TV_LIST };
	return (struct tmpl_value){ .kind = TV_NULL };
}

static int index_map(struct tmpl_exec *x, const struct tmpl_value *v, const struct tmpl_value *key,
		     struct tmpl_value *ret, struct err *why)
{
	const struct json *j;

	if (key->kind == TV_NULL || key->kind == TV_NONE)
		return err_set(why, ERR_INVALID, "value is nil; should be of type string");
	if (key->kind != TV_STR)
		return err_set(why, ERR_INVALID, "value has type %s; should be string",
			       tmpl_type_name(key, x->opts));
	/* A part of a text has no end of its own. */
	j = json_get(v->json, tmpl_copy(&x->arena, key->s.p, key->s.n));
	*ret = j ? tmpl_of_json(j, NULL, x->opts) : zero_element(v);
	if (ret->kind == TV_NULL && v->elem == TMPL_ELEM_LIST)
		*ret = zero_element(v);
	return 0;
}

static int do_index(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		    struct err *why)
{
	struct tmpl_value v = a->v[0];

	if (v.kind == TV_NULL || v.kind == TV_NONE || (v.kind == TV_LIST && !v.json && a->n > 1))
		return err_set(why, ERR_INVALID, "index of untyped nil");
	for (size_t i = 1; i < a->n; i++) {
		struct tmpl_value next;
		int r;

		if (v.kind == TV_MAP || v.kind == TV_STRUCT)
			r = index_map(x, &v, &a->v[i], &next, why);
		else if (v.kind == TV_LIST || v.kind == TV_WORDS || v.kind == TV_STR)
			r = index_list(x, &v, &a->v[i], &next, why);
		else if (v.kind == TV_NULL)
			r = err_set(why, ERR_INVALID, "index of nil pointer");
		else
			r = err_set(why, ERR_INVALID, "can't index item of type %s",
				    tmpl_type_name(&v, x->opts));
		if (r < 0)
			return -1;
		v = next;
	}
	*ret = v;
	return 0;
}

static int do_slice(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		    struct err *why)
{
	const struct tmpl_value *v = &a->v[0];
	size_t n = v->kind == TV_STR ? v->s.n : v->n, at[3] = { 0, n, n };

	if (v->kind == TV_NULL || v->kind == TV_NONE)
		return err_set(why, ERR_INVALID, "slice of untyped nil");
	if (a->n > 4)
		return err_set(why, ERR_INVALID, "too many slice indexes: %zu", a->n - 1);
	if (v->kind == TV_STR && a->n == 4)
		return err_set(why, ERR_INVALID, "cannot 3-index slice a string");
	if (v->kind != TV_STR && v->kind != TV_LIST && v->kind != TV_WORDS)
		return err_set(why, ERR_INVALID, "can't slice item of type %s",
			       tmpl_type_name(v, x->opts));
	for (size_t i = 1; i < a->n; i++) {
		if (position(x, &a->v[i], n, &at[i - 1], why) < 0)
			return -1;
	}
	if (at[0] > at[1])
		return err_set(why, ERR_INVALID, "invalid slice index: %zu > %zu", at[0], at[1]);
	if (at[1] > at[2])
		return err_set(why, ERR_INVALID, "invalid slice index: %zu > %zu", at[1], at[2]);
	*ret = *v;
	if (v->kind == TV_STR) {
		*ret = tmpl_of_str(v->s.p + at[0], at[1] - at[0]);
	} else {
		ret->first = v->first + at[0];
		ret->n = at[1] - at[0];
	}
	return 0;
}

static int do_len(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	const struct tmpl_value *v = &a->v[0];

	switch ((int)v->kind) {
	case TV_STR:
		*ret = tmpl_of_int((int64_t)v->s.n);
		return 0;
	case TV_MAP:
		*ret = tmpl_of_int((int64_t)json_len(v->json));
		return 0;
	case TV_LIST:
	case TV_WORDS:
		*ret = tmpl_of_int((int64_t)v->n);
		return 0;
	case TV_NULL:
	case TV_NONE:
		if (v->boxed)
			return err_set(why, ERR_INVALID, "len of nil pointer");
		return err_set(why, ERR_INVALID,
			       "reflect: call of reflect.Value.Type on zero Value");
	default:
		return err_set(why, ERR_INVALID, "len of type %s", tmpl_type_name(v, x->opts));
	}
}

static int do_not(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	(void)x;
	(void)why;
	*ret = tmpl_of_bool(!tmpl_truth(&a->v[0]));
	return 0;
}

/* ---- printing ---- */

typedef void printer(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out);

static int print_with(struct tmpl_exec *x, const struct tmpl_args *a, printer *print,
		      struct tmpl_value *ret, struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);

	print(a, x->opts, &out);
	if (out.over)
		return err_set(why, ERR_INVALID, "the text is too long");
	*ret = tmpl_made(x, &out);
	return 0;
}

static int do_print(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		    struct err *why)
{
	return print_with(x, a, tmpl_sprint, ret, why);
}

static int do_println(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		      struct err *why)
{
	return print_with(x, a, tmpl_sprintln, ret, why);
}

static int do_printf(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		     struct err *why)
{
	return print_with(x, a, tmpl_sprintf, ret, why);
}

/* ---- the table ---- */

const struct tmpl_func *tmpl_func_find(struct tmpl_text name)
{
	static const struct tmpl_func funcs[] = {
		{ "and", { PARAM_ANY }, true, NULL, false },
		{ "or", { PARAM_ANY }, true, NULL, false },
		{ "not", { PARAM_ANY }, false, do_not, false },
		{ "eq", { PARAM_ANY }, true, tmpl_do_eq, false },
		{ "ne", { PARAM_ANY, PARAM_ANY }, false, tmpl_do_ne, false },
		{ "lt", { PARAM_ANY, PARAM_ANY }, false, tmpl_do_lt, false },
		{ "le", { PARAM_ANY, PARAM_ANY }, false, tmpl_do_le, false },
		{ "gt", { PARAM_ANY, PARAM_ANY }, false, tmpl_do_gt, false },
		{ "ge", { PARAM_ANY, PARAM_ANY }, false, tmpl_do_ge, false },
		{ "index", { PARAM_ANY }, true, do_index, false },
		{ "slice", { PARAM_ANY }, true, do_slice, false },
		{ "len", { PARAM_ANY }, false, do_len, false },
		{ "print", { PARAM_END }, true, do_print, false },
		{ "println", { PARAM_END }, true, do_println, false },
		{ "printf", { PARAM_STRING }, true, do_printf, false },
		{ "html", { PARAM_END }, true, tmpl_do_html, false },
		{ "js", { PARAM_END }, true, tmpl_do_js, false },
		{ "urlquery", { PARAM_END }, true, tmpl_do_urlquery, false },
		{ "json", { PARAM_ANY }, false, tmpl_do_json, true },
		{ "split", { PARAM_STRING, PARAM_STRING }, false, tmpl_do_split, true },
		{ "join", { PARAM_WORDS, PARAM_STRING }, false, tmpl_do_join, true },
		{ "title", { PARAM_STRING }, false, tmpl_do_title, true },
		{ "lower", { PARAM_STRING }, false, tmpl_do_lower, true },
		{ "upper", { PARAM_STRING }, false, tmpl_do_upper, true },
		{ "pad", { PARAM_STRING, PARAM_INT, PARAM_INT }, false, tmpl_do_pad, true },
		{ "truncate", { PARAM_STRING, PARAM_INT }, false, tmpl_do_truncate, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(funcs); i++) {
		if (tmpl_text_is(name, funcs[i].name))
			return &funcs[i];
	}
	return NULL;
}
