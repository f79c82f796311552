/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a template's tree. What a template may use up is counted: steps, memory, output, nesting, so that
 * `{{range 1000000000}}` and templates that call themselves end with an error.
 */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

#define NESTING_MAX 1000
#define SHOWN_MAX   200

/* How a list of items ended; -1: error. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

static int walk(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n);

/* ---- errors and limits ---- */

static void place(const struct tmpl_exec *x, struct str *out)
{
	auto_str struct str shown = STR_INIT(TMPL_TEXT_MAX);
	size_t line = 1, column = x->at->pos;

	for (size_t i = 0; i < x->at->pos; i++) {
		if (x->t->text[i] != '\n')
			continue;
		line++;
		column = x->at->pos - i - 1;
	}
	tmpl_node_text(x->at, &shown);
	if (shown.len > SHOWN_MAX) {
		str_truncate(&shown, SHOWN_MAX);
		str_add(&shown, "...");
	}
	str_addf(out, ":%zu:%zu: executing ", line, column);
	tmpl_quote(x->name, strlen(x->name), out);
	str_addf(out, " at <%s>: ", shown.buf);
}

int tmpl_exec_error(struct tmpl_exec *x, const char *fmt, ...)
{
	auto_str struct str where = STR_INIT(TMPL_TEXT_MAX * 4), why = STR_INIT(TMPL_TEXT_MAX * 4);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&why, fmt, ap);
	va_end(ap);
	if (x->at)
		place(x, &where);
	return err_set(x->e, ERR_INVALID, "template: %s%s", where.buf, why.buf);
}

int tmpl_step(struct tmpl_exec *x)
{
	if (++x->steps > TMPL_STEPS_MAX)
		return tmpl_exec_error(x, "the template takes too many steps");
	if (x->arena.total > TMPL_MEMORY_MAX)
		return tmpl_exec_error(x, "the template takes too much memory");
	if (x->out->over)
		return tmpl_exec_error(x, "the output is too long");
	return 0;
}

void tmpl_exec_push(struct tmpl_exec *x, const char *name, struct tmpl_value v)
{
	if (x->n_vars == x->cap_vars) {
		x->cap_vars = x->cap_vars ? x->cap_vars * 2 : 8;
		x->vars = xreallocarray(x->vars, x->cap_vars, sizeof(*x->vars));
	}
	x->vars[x->n_vars++] = (struct tmpl_var){ name, v };
}

struct tmpl_value tmpl_made(struct tmpl_exec *x, struct str *text)
{
	return tmpl_of_str(tmpl_copy(&x->arena, text->buf, text->len), text->len);
}

/* ---- statements ---- */

static int walk_list(struct tmpl_exec *x, const struct tmpl_value *dot,
		     const struct tmpl_node *list)
{
	int flow = FLOW_ON;

	for (size_t i = 0; flow == FLOW_ON && i < list->n_kids; i++)
		flow = walk(x, dot, list->kids[i]);
	return flow;
}

static int walk_if(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
	size_t vars = x->n_vars;
	struct tmpl_value v;
	int flow = FLOW_ON;

	if (tmpl_eval_pipeline(x, dot, n->pipe, &v) < 0)
		return -1;
	if (tmpl_truth(&v))
		flow = walk(x, n->kind == NODE_WITH ? &v : dot, n->body);
	else if (n->otherwise)
		flow = walk(x, dot, n->otherwise);
	x->n_vars = vars;
	return flow;
}

static void assign(struct tmpl_exec *x, const char *name, struct tmpl_value v)
{
	for (size_t i = x->n_vars; i-- > x->first_var;) {
		if (strcmp(x->vars[i].name, name) == 0) {
			x->vars[i].value = v;
			return;
		}
	}
}

/* Sets a range's variables and walks its body once. */
static int iterate(struct tmpl_exec *x, const struct tmpl_node *n, struct tmpl_value index,
		   struct tmpl_value item)
{
	const struct tmpl_node *pipe = n->pipe;
	size_t vars = x->n_vars;
	int flow;

	if (tmpl_step(x) < 0)
		return -1;
	if (pipe->assigns && pipe->n_names) {
		assign(x, pipe->names[0], pipe->n_names > 1 ? index : item);
		if (pipe->n_names > 1)
			assign(x, pipe->names[1], item);
	} else if (pipe->n_names) {
		x->vars[vars - 1].value = item;
		if (pipe->n_names > 1)
			x->vars[vars - 2].value = index;
	}
	flow = walk(x, &item, n->body);
	x->n_vars = vars;
	return flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

static int range_map(struct tmpl_exec *x, const struct tmpl_node *n, const struct tmpl_value *v,
		     bool *ret_ran)
{
	size_t count;
	auto_free struct tmpl_entry *entries = tmpl_entries(v, x->opts, &count);
	int flow = FLOW_ON;

	*ret_ran = count > 0;
	for (size_t i = 0; flow == FLOW_ON && i < count; i++)
		flow = iterate(x, n, tmpl_of_str(entries[i].key, strlen(entries[i].key)),
			       entries[i].value);
	return flow;
}

static int range_list(struct tmpl_exec *x, const struct tmpl_node *n, const struct tmpl_value *v,
		      bool *ret_ran)
{
	int flow = FLOW_ON;

	*ret_ran = v->n > 0;
	for (size_t i = 0; flow == FLOW_ON && i < v->n; i++)
		flow = iterate(x, n, tmpl_of_int((int64_t)i), tmpl_item(v, i, x->opts));
	return flow;
}

static int range_int(struct tmpl_exec *x, const struct tmpl_node *n, const struct tmpl_value *v,
		     bool *ret_ran)
{
	int flow = FLOW_ON;

	if (n->pipe->n_names > 1)
		return tmpl_exec_error(x, "can't use %lld to iterate over more than one variable",
				       (long long)v->i);
	*ret_ran = v->i > 0;
	for (int64_t i = 0; flow == FLOW_ON && i < v->i; i++)
		flow = iterate(x, n, (struct tmpl_value){ .kind = TV_NONE }, tmpl_of_int(i));
	return flow;
}

static int range_over(struct tmpl_exec *x, const struct tmpl_node *n, const struct tmpl_value *v,
		      bool *ret_ran)
{
	auto_str struct str shown = STR_INIT(300);

	switch ((int)v->kind) {
	case TV_MAP:
		return range_map(x, n, v, ret_ran);
	case TV_LIST:
	case TV_WORDS:
		return range_list(x, n, v, ret_ran);
	case TV_INT:
		return range_int(x, n, v, ret_ran);
	case TV_NONE:
	case TV_NULL:
		*ret_ran = false;
		return FLOW_ON;
	default:
		tmpl_print(v, x->opts, &shown);
		return tmpl_exec_error(x, "range can't iterate over %s", shown.buf);
	}
}

static int walk_range(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
	size_t vars = x->n_vars;
	struct tmpl_value v;
	bool ran = true;
	int flow;

	if (tmpl_eval_pipeline(x, dot, n->pipe, &v) < 0)
		return -1;
	flow = range_over(x, n, &v, &ran);
	if (flow == FLOW_BREAK)
		flow = FLOW_ON;
	if (flow == FLOW_ON && !ran && n->otherwise)
		flow = walk(x, dot, n->otherwise);
	x->n_vars = vars;
	return flow;
}

static const struct tmpl_named *find_named(const struct tmpl_exec *x, const char *name)
{
	for (size_t i = 0; i < x->t->n_named; i++) {
		if (strcmp(x->t->named[i].name, name) == 0)
			return &x->t->named[i];
	}
	return NULL;
}

static int walk_template(struct tmpl_exec *x, const struct tmpl_value *dot,
			 const struct tmpl_node *n)
{
	const struct tmpl_named *named = find_named(x, n->names[0]);
	size_t vars = x->n_vars, first = x->first_var;
	const char *name = x->name;
	struct tmpl_value v = { .kind = TV_NONE };
	int flow;

	if (!named)
		return tmpl_exec_error(x, "template \"%.100s\" not defined", n->names[0]);
	if (x->depth == TMPL_DEPTH_MAX)
		return tmpl_exec_error(x, "exceeded maximum template depth (%d)", TMPL_DEPTH_MAX);
	if (n->pipe && tmpl_eval_pipeline(x, dot, n->pipe, &v) < 0)
		return -1;
	x->depth++;
	x->name = named->name;
	x->first_var = x->n_vars;
	tmpl_exec_push(x, "$", v);
	flow = walk(x, &v, named->root);
	x->n_vars = vars;
	x->first_var = first;
	x->name = name;
	x->depth--;
	return flow;
}

static int walk_action(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
	struct tmpl_value v;

	if (tmpl_eval_pipeline(x, dot, n->pipe, &v) < 0)
		return -1;
	if (n->pipe->n_names)
		return FLOW_ON;
	if (v.kind == TV_NONE || (v.kind == TV_NULL && !v.typed))
		str_add(x->out, "<no value>");
	else
		tmpl_print(&v, x->opts, x->out);
	return FLOW_ON;
}

static int walk_kind(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
	switch ((int)n->kind) {
	case NODE_LIST:
		return walk_list(x, dot, n);
	case NODE_TEXT:
		str_addn(x->out, n->text.p, n->text.n);
		return FLOW_ON;
	case NODE_ACTION:
		return walk_action(x, dot, n);
	case NODE_IF:
	case NODE_WITH:
		return walk_if(x, dot, n);
	case NODE_RANGE:
		return walk_range(x, dot, n);
	case NODE_TEMPLATE:
		return walk_template(x, dot, n);
	case NODE_BREAK:
		return FLOW_BREAK;
	case NODE_CONTINUE:
		return FLOW_CONTINUE;
	default:
		return FLOW_ON;
	}
}

static int walk(struct tmpl_exec *x, const struct tmpl_value *dot, const struct tmpl_node *n)
{
	int flow;

	if (n->kind != NODE_LIST)
		x->at = n;
	if (tmpl_step(x) < 0)
		return -1;
	if (x->nesting == NESTING_MAX)
		return tmpl_exec_error(x, "the template is nested too deeply");
	x->nesting++;
	flow = walk_kind(x, dot, n);
	x->nesting--;
	return flow;
}

int tmpl_execute(const struct tmpl *t, const struct json *data, const struct tmpl_opts *opts,
		 struct str *out, struct err *e)
{
	static const struct tmpl_opts none = { .typed = false };
	struct tmpl_exec x = {
		.t = t, .opts = opts ? opts : &none, .name = "", .out = out, .e = e
	};
	struct tmpl_value dot = tmpl_of_json(data, NULL, x.opts);
	int flow;

	dot.boxed = false;
	if (dot.kind == TV_NULL)
		dot.kind = TV_NONE;
	tmpl_exec_push(&x, "$", dot);
	flow = walk(&x, &dot, t->named[0].root);
	if (flow >= 0 && out->over)
		flow = tmpl_exec_error(&x, "the output is too long");
	free(x.vars);
	tmpl_arena_release(&x.arena);
	return flow < 0 ? -1 : 0;
}
