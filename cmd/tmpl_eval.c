/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines, commands, fields and calls: from a node to a value. */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

/* What a command is called with: its words (the first is itself), and what the pipeline hands on. */
struct words {
	struct tmpl_node *const *v;
	size_t n;
	struct tmpl_value final;
};

static const struct words no_words = { NULL, 0, { .kind = TV_MISSING } };

static int eval_arg(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n,
		    enum tmpl_param type, struct tmpl_value *ret);

static bool has_args(const struct words *w)
{
	return w->n > 1 || w->final.kind != TV_MISSING;
}

static int refuse_args(struct tmpl_exec *x, const struct tmpl_node *n, const struct words *w)
{
	auto_str struct str shown = STR_INIT(300);

	if (!has_args(w))
		return 0;
	tmpl_node_text(n, &shown);
	return tmpl_exec_error(x, "can't give argument to non-function %s", shown.buf);
}

/* ---- arguments ---- */

static bool are_words(const struct tmpl_value *v)
{
	if (v->kind != TV_LIST)
		return v->kind == TV_WORDS;
	for (size_t i = 0; i < v->n; i++) {
		if (!json_str(json_at(v->json, v->first + i)))
			return false;
	}
	return true;
}

static const char *param_name(enum tmpl_param type)
{
	static const char *const names[] = { [PARAM_END] = "",
					     [PARAM_ANY] = "interface {}",
					     [PARAM_STRING] = "string",
					     [PARAM_INT] = "int",
					     [PARAM_WORDS] = "[]string" };

	return names[type];
}

static int check_type(struct tmpl_exec *x, enum tmpl_param type, struct tmpl_value *v)
{
	bool fits = (type == PARAM_STRING && v->kind == TV_STR) ||
		    (type == PARAM_INT && v->kind == TV_INT) ||
		    (type == PARAM_WORDS && are_words(v)) || type == PARAM_ANY;

	if (fits)
		return 0;
	if (v->kind == TV_NULL && v->boxed)
		return tmpl_exec_error(x, "wrong type for value; expected %s; got interface {}",
				       param_name(type));
	if ((v->kind == TV_NONE || v->kind == TV_NULL) && type == PARAM_WORDS) {
		*v = (struct tmpl_value){ .kind = TV_LIST };
		return 0;
	}
	if (v->kind == TV_NONE || v->kind == TV_NULL)
		return tmpl_exec_error(x, "invalid value; expected %s", param_name(type));
	return tmpl_exec_error(x, "wrong type for value; expected %s; got %s", param_name(type),
			       tmpl_type_name(v, x->opts));
}

static int overflows(struct tmpl_exec *x, const struct tmpl_node *n)
{
	return tmpl_exec_error(x, "%.*s overflows int", (int)n->text.n, n->text.p);
}

/* A constant as argument. */
static int constant_arg(struct tmpl_exec *x, const struct tmpl_node *n, enum tmpl_param type,
			struct tmpl_value *ret)
{
	auto_str struct str shown = STR_INIT(300);

	*ret = n->value;
	if (type == PARAM_ANY && n->too_large)
		return overflows(x, n);
	if (type == PARAM_ANY || (type == PARAM_STRING && n->kind == NODE_STRING))
		return 0;
	if (type == PARAM_INT && n->kind == NODE_NUMBER && n->is_int) {
		*ret = tmpl_of_int(n->i);
		return 0;
	}
	tmpl_node_text(n, &shown);
	if (type == PARAM_WORDS)
		return tmpl_exec_error(x, "can't handle %s for arg of type []string", shown.buf);
	return tmpl_exec_error(x, "expected %s; found %s", type == PARAM_INT ? "integer" : "string",
			       shown.buf);
}

/* ---- calls ---- */

static size_t fixed_params(const struct tmpl_func *f)
{
	size_t n = 0;

	while (n < ARRAY_LEN(f->fixed) && f->fixed[n] != PARAM_END)
		n++;
	return n;
}

static int check_count(struct tmpl_exec *x, const struct tmpl_func *f, const struct words *w)
{
	size_t given = w->n ? w->n - 1 : 0, want = fixed_params(f);
	size_t all = given + (w->final.kind != TV_MISSING);

	if (f->many && all < want)
		return tmpl_exec_error(x, "wrong number of args for %s: want at least %zu got %zu",
				       f->name, want, given);
	if (!f->many && all != want)
		return tmpl_exec_error(x, "wrong number of args for %s: want %zu got %zu", f->name,
				       want, all);
	return 0;
}

/* and, or: arguments are evaluated until one decides. */
static int call_lazy(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_func *f,
		     const struct words *w, struct tmpl_value *ret)
{
	bool stop_at = f->name[0] == 'o';

	for (size_t i = 1; i < w->n; i++) {
		if (eval_arg(x, dot, w->v[i], PARAM_ANY, ret) < 0)
			return -1;
		if (tmpl_truth(ret) == stop_at)
			return 0;
	}
	if (w->final.kind != TV_MISSING)
		*ret = w->final;
	return 0;
}

static int eval_args(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_func *f,
		     const struct words *w, struct tmpl_value *args)
{
	size_t fixed = fixed_params(f), n = 0;

	for (size_t i = 1; i < w->n; i++, n++) {
		if (eval_arg(x, dot, w->v[i], n < fixed ? f->fixed[n] : PARAM_ANY, &args[n]) < 0)
			return -1;
	}
	if (w->final.kind == TV_MISSING)
		return 0;
	args[n] = w->final;
	return check_type(x, n < fixed ? f->fixed[n] : PARAM_ANY, &args[n]);
}

/* `whole` is what an error is said to be at. */
static int call_function(struct tmpl_exec *x, const struct tmpl_value *dot,
			 const struct tmpl_node *n, const struct tmpl_node *whole,
			 const struct words *w, struct tmpl_value *ret)
{
	const struct tmpl_func *f = tmpl_func_find(n->text);
	auto_free struct tmpl_value *args = NULL;
	struct tmpl_args list;
	struct err why = ERR_INIT;

	x->at = n;
	if (check_count(x, f, w) < 0)
		return -1;
	if (!f->call)
		return call_lazy(x, dot, f, w, ret);
	args = xcalloc(w->n + 1, sizeof(*args));
	if (eval_args(x, dot, f, w, args) < 0)
		return -1;
	list = (struct tmpl_args){ args, (w->n ? w->n - 1 : 0) + (w->final.kind != TV_MISSING) };
	if (x->opts->header && f->of_docker) {
		*ret = args[0];
		return 0;
	}
	if (f->call(x, &list, ret, &why) == 0)
		return 0;
	x->at = whole;
	return tmpl_exec_error(x, "error calling %s: %s", f->name, why.msg);
}

/* ---- fields ---- */

/* Docker's heading for a method: the last word of its argument, "com.example.my-key" as "my key". */
static struct tmpl_value method_heading(struct tmpl_exec *x, const struct tmpl_value *arg)
{
	auto_str struct str text = STR_INIT(TMPL_STRING_MAX);
	size_t from = arg->s.n;

	while (from && arg->s.p[from - 1] != '.')
		from--;
	for (; from < arg->s.n; from++)
		str_addc(&text,
			 arg->s.p[from] == '-' || arg->s.p[from] == '_' ? ' ' : arg->s.p[from]);
	return tmpl_made(x, &text);
}

static int call_method(struct tmpl_exec *x, const struct tmpl_value *dot, const char *name,
		       const struct json *table, const struct words *w, struct tmpl_value *ret)
{
	const struct tmpl_func as_func = { .name = name, .fixed = { PARAM_STRING } };
	const struct json *answer;
	struct tmpl_value arg;

	if (check_count(x, &as_func, w) < 0 || eval_args(x, dot, &as_func, w, &arg) < 0)
		return -1;
	if (x->opts->header) {
		*ret = method_heading(x, &arg);
		return 0;
	}
	/* A part of a text has no end of its own. */
	answer = json_get(table, tmpl_copy(&x->arena, arg.s.p, arg.s.n));
	*ret = answer ? tmpl_of_json(answer, NULL, x->opts) : tmpl_of_str("", 0);
	return 0;
}

static const struct json *find_method(const struct tmpl_value *v, const char *name)
{
	auto_str struct str key = STR_INIT(TMPL_TEXT_MAX);

	str_addf(&key, "%s()", name);
	return json_get(v->json, key.buf);
}

static int struct_field(struct tmpl_exec *x, const struct tmpl_value *v, const char *name,
			const struct words *w, struct tmpl_value *ret)
{
	const struct json *j = json_get(v->json, name);
	const char *key = name;

	for (const struct tmpl_alias *a = x->opts->aliases; !j && a && a->name; a++) {
		if (strcmp(a->name, name) != 0)
			continue;
		key = a->field;
		j = json_get(v->json, key);
	}
	if (j)
		*ret = tmpl_of_json(j, key, x->opts);
	else if (tmpl_of_empty(name, x->opts, ret))
		;
	else if (x->opts->type_name)
		return tmpl_exec_error(x, "can't evaluate field %s in type %s", name,
				       x->opts->type_name);
	else
		return tmpl_exec_error(x, "map has no entry for key \"%s\"", name);
	if (has_args(w))
		return tmpl_exec_error(x, "%s has arguments but cannot be invoked as function",
				       name);
	return 0;
}

static int map_field(struct tmpl_exec *x, const struct tmpl_value *v, const char *name,
		     const struct words *w, struct tmpl_value *ret)
{
	const struct json *j = json_get(v->json, name);

	if (has_args(w))
		return tmpl_exec_error(x, "%s is not a method but has arguments", name);
	if (!j && x->opts->missing_is_error)
		return tmpl_exec_error(x, "map has no entry for key \"%s\"", name);
	*ret = tmpl_of_json(j, NULL, x->opts);
	if (ret->kind == TV_NULL && v->elem == TMPL_ELEM_LIST)
		ret->kind = TV_LIST;
	return 0;
}

static int eval_field(struct tmpl_exec *x, const struct tmpl_value *dot, const char *name,
		      const struct words *w, const struct tmpl_value *v, struct tmpl_value *ret)
{
	const struct json *method;

	if (v->kind == TV_NONE) {
		if (x->opts->missing_is_error)
			return tmpl_exec_error(x, "nil data; no entry for key \"%s\"", name);
		*ret = *v;
		return 0;
	}
	if (v->kind == TV_NULL || (v->kind == TV_LIST && !v->json))
		return tmpl_exec_error(x, "nil pointer evaluating interface {}.%s", name);
	if (v->kind != TV_MAP && v->kind != TV_STRUCT)
		return tmpl_exec_error(x, "can't evaluate field %s in type %s", name,
				       v->boxed ? "interface {}" : tmpl_type_name(v, x->opts));
	method = find_method(v, name);
	if (method)
		return call_method(x, dot, name, method, w, ret);
	if (v->kind == TV_MAP)
		return map_field(x, v, name, w, ret);
	return struct_field(x, v, name, w, ret);
}

/* Fields from `first` on, starting at a value; arguments belong to the last one. */
static int eval_chain(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n,
		      size_t first, const struct words *w, struct tmpl_value *io)
{
	for (size_t i = first; i < n->n_names; i++) {
		struct tmpl_value from = *io;

		if (eval_field(x, dot, n->names[i], i + 1 == n->n_names ? w : &no_words, &from,
			       io) < 0)
			return -1;
	}
	return 0;
}

static int eval_variable(struct tmpl_exec *x, const struct tmpl_value *dot,
			 const struct tmpl_node *n, const struct words *w, struct tmpl_value *ret)
{
	x->at = n;
	for (size_t i = x->n_vars; i-- > x->first_var;) {
		if (strcmp(x->vars[i].name, n->names[0]) != 0)
			continue;
		*ret = x->vars[i].value;
		if (n->n_names == 1)
			return refuse_args(x, n, w);
		return eval_chain(x, dot, n, 1, w, ret);
	}
	return tmpl_exec_error(x, "undefined variable: %s", n->names[0]);
}

/* ---- operands, commands, pipelines ---- */

/* What has to be evaluated; constants, "." and nil are the callers'. */
static int eval_node(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n,
		     const struct tmpl_node *whole, const struct words *w, struct tmpl_value *ret)
{
	switch ((int)n->kind) {
	case NODE_FIELD:
		x->at = n;
		*ret = *dot;
		return eval_chain(x, dot, n, 0, w, ret);
	case NODE_VARIABLE:
		return eval_variable(x, dot, n, w, ret);
	case NODE_CHAIN:
		x->at = n;
		if (eval_arg(x, dot, n->kids[0], PARAM_ANY, ret) < 0)
			return -1;
		if (ret->kind == TV_NULL)
			ret->kind = TV_NONE;
		return eval_chain(x, dot, n, 0, w, ret);
	case NODE_IDENTIFIER:
		return call_function(x, dot, n, whole, w, ret);
	default:
		if (refuse_args(x, n, w) < 0)
			return -1;
		return tmpl_eval_pipeline(x, dot, n, ret);
	}
}

static int eval_arg(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n,
		    enum tmpl_param type, struct tmpl_value *ret)
{
	x->at = n;
	switch ((int)n->kind) {
	case NODE_BOOL:
	case NODE_NUMBER:
	case NODE_STRING:
		return constant_arg(x, n, type, ret);
	case NODE_NIL:
		if (type == PARAM_STRING || type == PARAM_INT)
			return tmpl_exec_error(x, "cannot assign nil to %s", param_name(type));
		*ret = (struct tmpl_value){ .kind = TV_NULL };
		break;
	case NODE_DOT:
		*ret = *dot;
		break;
	default:
		if (eval_node(x, dot, n, n, &no_words, ret) < 0)
			return -1;
	}
	return check_type(x, type, ret);
}

static int eval_command(struct tmpl_exec *x, const struct tmpl_value *dot,
			const struct tmpl_node *command, struct tmpl_value *io)
{
	const struct tmpl_node *n = command->kids[0];
	const struct words w = { command->kids, command->n_kids, *io };

	switch ((int)n->kind) {
	case NODE_BOOL:
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_DOT:
		x->at = n;
		*io = n->kind == NODE_DOT ? *dot : n->value;
		if (refuse_args(x, n, &w) < 0)
			return -1;
		return n->too_large ? overflows(x, n) : 0;
	case NODE_NIL:
		x->at = n;
		if (refuse_args(x, n, &w) < 0)
			return -1;
		return tmpl_exec_error(x, "nil is not a command");
	default:
		return eval_node(x, dot, n, command, &w, io);
	}
}

static int assign_one(struct tmpl_exec *x, const char *name, struct tmpl_value v)
{
	for (size_t i = x->n_vars; i-- > x->first_var;) {
		if (strcmp(x->vars[i].name, name) == 0) {
			x->vars[i].value = v;
			return 0;
		}
	}
	return tmpl_exec_error(x, "undefined variable: %s", name);
}

static int assign(struct tmpl_exec *x, const struct tmpl_node *pipe, struct tmpl_value v)
{
	for (size_t i = 0; i < pipe->n_names; i++) {
		if (!pipe->assigns)
			tmpl_exec_push(x, pipe->names[i], v);
		else if (assign_one(x, pipe->names[i], v) < 0)
			return -1;
	}
	return 0;
}

int tmpl_eval_pipeline(struct tmpl_exec *x, const struct tmpl_value *dot,
		       const struct tmpl_node *pipe, struct tmpl_value *ret)
{
	struct tmpl_value v = { .kind = TV_MISSING };

	x->at = pipe;
	for (size_t i = 0; i < pipe->n_kids; i++) {
		if (tmpl_step(x) < 0 || eval_command(x, dot, pipe->kids[i], &v) < 0)
			return -1;
		v.boxed = false;
		if (v.kind == TV_NULL && !v.typed)
			v.kind = TV_NONE;
	}
	*ret = v;
	return assign(x, pipe, v);
}
