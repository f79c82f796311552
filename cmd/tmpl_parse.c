/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens into a tree: actions, and what stands between them. Recursive descent; nesting is limited, so
 * that no template can exhaust the stack. Messages are Go's, down to the line they name, which is that of
 * the furthest token looked at.
 */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

#define NAMED_MAX 1000

static struct tmpl_node *parse_item(struct tmpl_parser *p);

const struct tmpl_token *tmpl_peek(struct tmpl_parser *p)
{
	if (p->at > p->seen)
		p->seen = p->at;
	return &p->tokens[p->at];
}

const struct tmpl_token *tmpl_next(struct tmpl_parser *p)
{
	const struct tmpl_token *t = tmpl_peek(p);

	/* The last token, an error or the end, stays. */
	if (p->at + 1 < p->n_tokens)
		p->at++;
	return t;
}

const struct tmpl_token *tmpl_peek_word(struct tmpl_parser *p)
{
	while (tmpl_peek(p)->kind == TOK_SPACE)
		p->at++;
	return tmpl_peek(p);
}

const struct tmpl_token *tmpl_next_word(struct tmpl_parser *p)
{
	(void)tmpl_peek_word(p);
	return tmpl_next(p);
}

void *tmpl_parse_error(struct tmpl_parser *p, const char *fmt, ...)
{
	auto_str struct str msg = STR_INIT(400);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&msg, fmt, ap);
	va_end(ap);
	(void)err_set(p->e, ERR_INVALID, "template: :%u: %s", p->tokens[p->seen].line,
		      msg.over ? "the template is wrong" : msg.buf);
	return NULL;
}

void *tmpl_unexpected(struct tmpl_parser *p, const struct tmpl_token *t, const char *context)
{
	auto_str struct str shown = STR_INIT(300);

	tmpl_token_text(t, &shown);
	if (t->kind != TOK_ERROR)
		return tmpl_parse_error(p, "unexpected %s in %s", shown.buf, context);
	if (!p->action_line || p->action_line == t->line)
		return tmpl_parse_error(p, "%s", shown.buf);
	return tmpl_parse_error(p, "%s%s started at :%u", shown.buf,
				str_has_suffix(shown.buf, " action") ? "" : " in action",
				p->action_line);
}

struct tmpl_node *tmpl_node_new(struct tmpl_parser *p, enum tmpl_node_kind kind, size_t pos)
{
	struct tmpl_node *n = tmpl_alloc(&p->t->arena, 1, sizeof(*n));

	n->kind = kind;
	n->pos = pos;
	return n;
}

void tmpl_push_var(struct tmpl_parser *p, const char *name)
{
	if (p->n_vars == p->cap_vars) {
		p->cap_vars = p->cap_vars ? p->cap_vars * 2 : 8;
		p->vars = xreallocarray(p->vars, p->cap_vars, sizeof(*p->vars));
	}
	p->vars[p->n_vars++] = name;
}

/* ---- lists ---- */

static bool is_list_end(const struct tmpl_node *n)
{
	return n->kind == NODE_END || n->kind == NODE_ELSE;
}

/* Items up to {{end}} or {{else}}, which is given back through `ret_end`. */
static struct tmpl_node *parse_list(struct tmpl_parser *p, struct tmpl_node **ret_end)
{
	struct tmpl_node *list = tmpl_node_new(p, NODE_LIST, tmpl_peek_word(p)->pos);
	struct tmpl_node *item = NULL;

	if (p->depth >= TMPL_DEPTH_MAX)
		return tmpl_parse_error(p, "nested too deeply");
	p->depth++;
	while (tmpl_peek_word(p)->kind != TOK_EOF) {
		item = parse_item(p);
		if (!item || is_list_end(item))
			break;
		tmpl_append(&p->t->arena, list, item);
		item = NULL;
	}
	p->depth--;
	if (err_is_set(p->e))
		return NULL;
	if (!item)
		return tmpl_parse_error(p, "unexpected EOF");
	*ret_end = item;
	return list;
}

static bool expect_right(struct tmpl_parser *p, const char *context, size_t *ret_pos)
{
	const struct tmpl_token *t = tmpl_next_word(p);

	*ret_pos = t->pos;
	if (t->kind != TOK_RIGHT)
		tmpl_unexpected(p, t, context);
	return t->kind == TOK_RIGHT;
}

/* ---- if, with, range ---- */

static struct tmpl_node *parse_control(struct tmpl_parser *p, enum tmpl_node_kind kind);

/* What follows {{else}}; `chained` is the keyword that may stand behind it: {{else if ...}}. */
static bool parse_else(struct tmpl_parser *p, struct tmpl_node *n, struct tmpl_node *end)
{
	enum tmpl_tok chained = n->kind == NODE_IF     ? TOK_IF
				: n->kind == NODE_WITH ? TOK_WITH
						       : TOK_EOF;
	struct tmpl_node *inner;

	if (tmpl_peek(p)->kind != chained) {
		n->otherwise = parse_list(p, &end);
		if (n->otherwise && end->kind != NODE_END)
			tmpl_parse_error(p, "expected end; found {{else}}");
		return !err_is_set(p->e);
	}
	tmpl_next(p);
	if (p->depth >= TMPL_DEPTH_MAX) {
		tmpl_parse_error(p, "nested too deeply");
		return false;
	}
	p->depth++;
	n->otherwise = tmpl_node_new(p, NODE_LIST, end->pos);
	inner = parse_control(p, n->kind);
	p->depth--;
	if (inner)
		tmpl_append(&p->t->arena, n->otherwise, inner);
	return inner;
}

static struct tmpl_node *parse_control(struct tmpl_parser *p, enum tmpl_node_kind kind)
{
	static const char *const names[] = {
		[NODE_IF] = "if", [NODE_WITH] = "with", [NODE_RANGE] = "range"
	};
	struct tmpl_node *n = tmpl_node_new(p, kind, 0), *end = NULL;
	size_t vars = p->n_vars;

	n->pipe = tmpl_parse_pipeline(p, names[kind], TOK_RIGHT);
	if (!n->pipe)
		return NULL;
	n->pos = n->pipe->pos;
	p->ranges += kind == NODE_RANGE;
	n->body = parse_list(p, &end);
	p->ranges -= kind == NODE_RANGE;
	if (!n->body || !end || (end->kind == NODE_ELSE && !parse_else(p, n, end)))
		return NULL;
	p->n_vars = vars;
	return n;
}

/* ---- templates ---- */

static const char *parse_name(struct tmpl_parser *p, const struct tmpl_token *t,
			      const char *context)
{
	struct tmpl_text name;

	if (t->kind != TOK_STRING && t->kind != TOK_RAW_STRING)
		return tmpl_unexpected(p, t, context);
	if (!tmpl_unquote(&p->t->arena, t->text, &name))
		return tmpl_parse_error(p, "invalid syntax");
	return name.p;
}

static bool is_empty(const struct tmpl_node *list)
{
	for (size_t i = 0; i < list->n_kids; i++) {
		const struct tmpl_node *n = list->kids[i];

		if (n->kind != NODE_TEXT || strspn(n->text.p, " \t\r\n\v\f") < n->text.n)
			return false;
	}
	return true;
}

/* A later definition replaces an empty one; an empty one changes nothing. */
static bool add_named(struct tmpl_parser *p, const char *name, struct tmpl_node *root)
{
	struct tmpl *t = p->t;

	for (size_t i = 0; i < t->n_named; i++) {
		if (strcmp(t->named[i].name, name) != 0)
			continue;
		if (!t->named[i].root || is_empty(t->named[i].root))
			t->named[i].root = root;
		else if (root && !is_empty(root))
			tmpl_parse_error(p, "template: multiple definition of template \"%.100s\"",
					 name);
		return !err_is_set(p->e);
	}
	if (t->n_named == NAMED_MAX) {
		tmpl_parse_error(p, "too many templates are defined");
		return false;
	}
	if (t->n_named == t->cap_named) {
		t->cap_named = t->cap_named ? t->cap_named * 2 : 4;
		t->named = xreallocarray(t->named, t->cap_named, sizeof(*t->named));
	}
	t->named[t->n_named++] = (struct tmpl_named){ name, root };
	return true;
}

/* The body of {{define}} and {{block}}: it sees no variable of its surroundings. */
static bool parse_body(struct tmpl_parser *p, const char *name, const char *context)
{
	static const char *dollar[] = { "$" };
	const char **vars = p->vars;
	size_t n_vars = p->n_vars, cap_vars = p->cap_vars;
	unsigned ranges = p->ranges;
	struct tmpl_node *end = NULL, *root;

	p->vars = xmemdup(dollar, sizeof(dollar));
	p->n_vars = p->cap_vars = 1;
	p->ranges = 0;
	root = parse_list(p, &end);
	free(p->vars);
	p->vars = vars;
	p->n_vars = n_vars;
	p->cap_vars = cap_vars;
	p->ranges = ranges;
	if (!root || !end)
		return false;
	if (end->kind != NODE_END) {
		tmpl_parse_error(p, "unexpected {{else}} in %s", context);
		return false;
	}
	return add_named(p, name, root);
}

static bool parse_define(struct tmpl_parser *p)
{
	static const char context[] = "define clause";
	const char *name = parse_name(p, tmpl_next_word(p), context);
	size_t pos;

	return name && expect_right(p, context, &pos) && parse_body(p, name, context);
}

static struct tmpl_node *parse_template(struct tmpl_parser *p, bool block)
{
	const char *context = block ? "block clause" : "template clause";
	const struct tmpl_token *t = tmpl_next_word(p);
	struct tmpl_node *n = tmpl_node_new(p, NODE_TEMPLATE, t->pos);
	const char *name = parse_name(p, t, context);

	if (!name)
		return NULL;
	n->names = tmpl_alloc(&p->t->arena, 1, sizeof(*n->names));
	n->names[0] = name;
	n->n_names = 1;
	if (!block && tmpl_peek_word(p)->kind == TOK_RIGHT) {
		tmpl_next(p);
		return n;
	}
	n->pipe = tmpl_parse_pipeline(p, context, TOK_RIGHT);
	if (!n->pipe || (block && !parse_body(p, name, context)))
		return NULL;
	return n;
}

/* ---- actions ---- */

static struct tmpl_node *parse_jump(struct tmpl_parser *p, const struct tmpl_token *t)
{
	bool out = t->kind == TOK_BREAK;
	const char *context = out ? "{{break}}" : "{{continue}}";
	size_t ignored;

	if (!expect_right(p, context, &ignored))
		return NULL;
	if (!p->ranges)
		return tmpl_parse_error(p, "%s outside {{range}}", context);
	return tmpl_node_new(p, out ? NODE_BREAK : NODE_CONTINUE, t->pos);
}

static struct tmpl_node *parse_else_mark(struct tmpl_parser *p)
{
	const struct tmpl_token *t = tmpl_peek_word(p);
	size_t pos = t->pos;

	/* {{else if}} and {{else with}}: the statement it belongs to reads on. */
	if (t->kind != TOK_IF && t->kind != TOK_WITH && !expect_right(p, "else", &pos))
		return NULL;
	return tmpl_node_new(p, NODE_ELSE, pos);
}

static struct tmpl_node *parse_end(struct tmpl_parser *p)
{
	size_t pos;

	return expect_right(p, "end", &pos) ? tmpl_node_new(p, NODE_END, pos) : NULL;
}

static struct tmpl_node *parse_command(struct tmpl_parser *p)
{
	struct tmpl_node *n = tmpl_node_new(p, NODE_ACTION, tmpl_peek_word(p)->pos);

	n->pipe = tmpl_parse_pipeline(p, "command", TOK_RIGHT);
	return n->pipe ? n : NULL;
}

static struct tmpl_node *parse_action(struct tmpl_parser *p)
{
	const struct tmpl_token *t = tmpl_peek_word(p);

	switch ((int)t->kind) {
	case TOK_BLOCK:
	case TOK_TEMPLATE:
		tmpl_next(p);
		return parse_template(p, t->kind == TOK_BLOCK);
	case TOK_BREAK:
	case TOK_CONTINUE:
		tmpl_next(p);
		return parse_jump(p, t);
	case TOK_ELSE:
		tmpl_next(p);
		return parse_else_mark(p);
	case TOK_END:
		tmpl_next(p);
		return parse_end(p);
	case TOK_IF:
		tmpl_next(p);
		return parse_control(p, NODE_IF);
	case TOK_RANGE:
		tmpl_next(p);
		return parse_control(p, NODE_RANGE);
	case TOK_WITH:
		tmpl_next(p);
		return parse_control(p, NODE_WITH);
	default:
		return parse_command(p);
	}
}

static struct tmpl_node *parse_item(struct tmpl_parser *p)
{
	const struct tmpl_token *t = tmpl_next_word(p);
	struct tmpl_node *n;

	if (t->kind == TOK_TEXT) {
		n = tmpl_node_new(p, NODE_TEXT, t->pos);
		n->text = t->text;
		return n;
	}
	if (t->kind != TOK_LEFT)
		return tmpl_unexpected(p, t, "input");
	p->action_line = t->line;
	n = parse_action(p);
	p->action_line = 0;
	return n;
}

/* Only at the top a {{define}} may stand. */
static bool at_define(struct tmpl_parser *p)
{
	size_t at = p->at;

	if (tmpl_peek(p)->kind != TOK_LEFT)
		return false;
	tmpl_next(p);
	if (tmpl_next_word(p)->kind == TOK_DEFINE)
		return true;
	p->at = at;
	return false;
}

static bool parse_all(struct tmpl_parser *p)
{
	struct tmpl_node *root = tmpl_node_new(p, NODE_LIST, 0), *item;

	while (tmpl_peek(p)->kind != TOK_EOF) {
		if (at_define(p)) {
			if (!parse_define(p))
				return false;
			continue;
		}
		item = parse_item(p);
		if (!item)
			return false;
		if (is_list_end(item)) {
			tmpl_parse_error(p, "unexpected %s",
					 item->kind == NODE_END ? "{{end}}" : "{{else}}");
			return false;
		}
		tmpl_append(&p->t->arena, root, item);
	}
	return add_named(p, "", root);
}

int tmpl_parse(const char *text, struct tmpl **ret, struct err *e)
{
	auto_tmpl struct tmpl *t = xcalloc(1, sizeof(*t));
	struct tmpl_parser p = { .t = t, .e = e };
	auto_free struct tmpl_token *tokens = NULL;
	bool ok;

	if (strlen(text) > TMPL_TEXT_MAX)
		return err_set(e, ERR_INVALID, "template: the text is too long");
	t->text = tmpl_copy(&t->arena, text, strlen(text));
	tokens = p.tokens = tmpl_lex(&t->arena, t->text, &p.n_tokens);
	tmpl_push_var(&p, "$");
	/* The text itself is the first of the named ones, whatever it defines. */
	ok = add_named(&p, "", NULL) && parse_all(&p);
	free(p.vars);
	if (!ok)
		return -1;
	*ret = take_ptr(&t);
	return 0;
}
