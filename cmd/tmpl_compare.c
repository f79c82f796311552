/* SPDX-License-Identifier: Apache-2.0 */
/* eq ne lt le gt ge: only values of one basic type compare; nil equals nil. */
#include <string.h>

#include "cmd/tmpl_priv.h"

static bool is_basic(const struct tmpl_value *v)
{
	return v->kind == TV_BOOL || v->kind == TV_INT || v->kind == TV_FLOAT || v->kind == TV_STR;
}

static bool is_nothing(const struct tmpl_value *v)
{
	return v->kind == TV_NONE || v->kind == TV_NULL;
}

static bool is_list(const struct tmpl_value *v)
{
	return v->kind == TV_LIST || v->kind == TV_WORDS;
}

static bool is_nil(const struct tmpl_value *v)
{
	return is_nothing(v) || ((v->kind == TV_MAP || v->kind == TV_LIST) && !v->json);
}

static int compare_text(struct tmpl_text a, struct tmpl_text b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int incompatible(struct tmpl_exec *x, const struct tmpl_value *a, const struct tmpl_value *b,
			struct err *why)
{
	return err_set(why, ERR_INVALID, "incompatible types for comparison: %s and %s",
		       tmpl_type_name(a, x->opts), tmpl_type_name(b, x->opts));
}

static bool same_basic(const struct tmpl_value *a, const struct tmpl_value *b)
{
	switch ((int)a->kind) {
	case TV_BOOL:
		return a->b == b->b;
	case TV_INT:
		return a->i == b->i;
	case TV_FLOAT:
		return a->f == b->f;
	default:
		return compare_text(a->s, b->s) == 0;
	}
}

static int equal(struct tmpl_exec *x, const struct tmpl_value *a, const struct tmpl_value *b,
		 bool *ret, struct err *why)
{
	auto_str struct str shown = STR_INIT(200);

	if (is_basic(a) || is_basic(b)) {
		*ret = a->kind == b->kind && same_basic(a, b);
		if (a->kind == b->kind || is_nothing(a) || is_nothing(b))
			return 0;
		return incompatible(x, a, b, why);
	}
	if (a->kind != b->kind && !(is_list(a) && is_list(b)) && !is_nothing(a) && !is_nothing(b)) {
		tmpl_print(a, x->opts, &shown);
		str_addf(&shown, ": %s, %s: ", tmpl_type_name(a, x->opts),
			 tmpl_type_name(b, x->opts));
		tmpl_print(b, x->opts, &shown);
		return err_set(why, ERR_INVALID, "non-comparable types %s", shown.buf);
	}
	if (is_nil(a) || is_nil(b)) {
		*ret = is_nil(a) && is_nil(b);
		return 0;
	}
	tmpl_print(b, x->opts, &shown);
	return err_set(why, ERR_INVALID, "non-comparable type %s: %s", shown.buf,
		       tmpl_type_name(b, x->opts));
}

static int less(struct tmpl_exec *x, const struct tmpl_value *a, const struct tmpl_value *b,
		bool *ret, struct err *why)
{
	if (!is_basic(a) || !is_basic(b))
		return err_set(why, ERR_INVALID, "invalid type for comparison");
	if (a->kind != b->kind)
		return incompatible(x, a, b, why);
	switch ((int)a->kind) {
	case TV_BOOL:
		return err_set(why, ERR_INVALID, "invalid type for comparison");
	case TV_INT:
		*ret = a->i < b->i;
		return 0;
	case TV_FLOAT:
		*ret = a->f < b->f;
		return 0;
	default:
		*ret = compare_text(a->s, b->s) < 0;
		return 0;
	}
}

int tmpl_do_eq(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	bool same = false;

	if (a->n < 2)
		return err_set(why, ERR_INVALID, "missing argument for comparison");
	for (size_t i = 1; !same && i < a->n; i++) {
		if (equal(x, &a->v[0], &a->v[i], &same, why) < 0)
			return -1;
	}
	*ret = tmpl_of_bool(same);
	return 0;
}

int tmpl_do_ne(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	bool same;

	if (equal(x, &a->v[0], &a->v[1], &same, why) < 0)
		return -1;
	*ret = tmpl_of_bool(!same);
	return 0;
}

int tmpl_do_lt(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	bool is;

	if (less(x, &a->v[0], &a->v[1], &is, why) < 0)
		return -1;
	*ret = tmpl_of_bool(is);
	return 0;
}

int tmpl_do_le(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	bool is;

	if (less(x, &a->v[0], &a->v[1], &is, why) < 0 ||
	    (!is && equal(x, &a->v[0], &a->v[1], &is, why) < 0))
		return -1;
	*ret = tmpl_of_bool(is);
	return 0;
}

int tmpl_do_gt(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	if (tmpl_do_le(x, a, ret, why) < 0)
		return -1;
	ret->b = !ret->b;
	return 0;
}

int tmpl_do_ge(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	if (tmpl_do_lt(x, a, ret, why) < 0)
		return -1;
	ret->b = !ret->b;
	return 0;
}
