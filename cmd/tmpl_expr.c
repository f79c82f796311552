/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens into a tree: pipelines, commands, operands. */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

/* ---- names ---- */

/* Adds ".a" or "$x" to the names of a node. */
static void add_name(struct tmpl_parser *p, struct tmpl_node *n, struct tmpl_text word)
{
	const char **names = tmpl_alloc(&p->t->arena, n->n_names + 1, sizeof(*names));

	if (word.n && word.p[0] == '.')
		word = (struct tmpl_text){ word.p + 1, word.n - 1 };
	if (n->n_names)
		memcpy(names, n->names, n->n_names * sizeof(*names));
	names[n->n_names] = tmpl_copy(&p->t->arena, word.p, word.n);
	n->names = names;
	n->n_names++;
}

static struct tmpl_node *use_variable(struct tmpl_parser *p, const struct tmpl_token *t)
{
	for (size_t i = 0; i < p->n_vars; i++) {
		if (tmpl_text_is(t->text, p->vars[i])) {
			struct tmpl_node *n = tmpl_node_new(p, NODE_VARIABLE, t->pos);

			add_name(p, n, t->text);
			return n;
		}
	}
	return tmpl_parse_error(p, "undefined variable \"%.*s\"", (int)t->text.n, t->text.p);
}

/* ---- operands ---- */

static struct tmpl_node *parse_identifier(struct tmpl_parser *p, const struct tmpl_token *t)
{
	struct tmpl_node *n = tmpl_node_new(p, NODE_IDENTIFIER, t->pos);

	n->text = t->text;
	if (!tmpl_func_find(t->text))
		return tmpl_parse_error(p, "function \"%.*s\" not defined", (int)t->text.n,
					t->text.p);
	return n;
}

static struct tmpl_node *parse_paren(struct tmpl_parser *p)
{
	struct tmpl_node *n;

	if (p->parens >= TMPL_DEPTH_MAX)
		return tmpl_parse_error(p, "max expression depth exceeded");
	p->parens++;
	n = tmpl_parse_pipeline(p, "parenthesized pipeline", TOK_CLOSE);
	p->parens--;
	return n;
}

static struct tmpl_node *parse_constant(struct tmpl_parser *p, const struct tmpl_token *t)
{
	struct tmpl_node *n = tmpl_node_new(p, NODE_STRING, t->pos);
	struct tmpl_text text;

	n->text = t->text;
	switch ((int)t->kind) {
	case TOK_BOOL:
		n->kind = NODE_BOOL;
		n->value = tmpl_of_bool(tmpl_text_is(t->text, "true"));
		return n;
	case TOK_CHARACTER:
	case TOK_NUMBER:
		n->kind = NODE_NUMBER;
		return tmpl_number(p, t, n) < 0 ? NULL : n;
	default:
		if (!tmpl_unquote(&p->t->arena, t->text, &text))
			return tmpl_parse_error(p, "invalid syntax");
		n->value = tmpl_of_str(text.p, text.n);
		return n;
	}
}

/* NULL without an error: the next token is none. */
static struct tmpl_node *parse_term(struct tmpl_parser *p)
{
	const struct tmpl_token *t = tmpl_peek_word(p);
	struct tmpl_node *n;

	switch ((int)t->kind) {
	case TOK_IDENTIFIER:
		tmpl_next(p);
		return parse_identifier(p, t);
	case TOK_DOT:
	case TOK_NIL:
		tmpl_next(p);
		return tmpl_node_new(p, t->kind == TOK_DOT ? NODE_DOT : NODE_NIL, t->pos);
	case TOK_VARIABLE:
		tmpl_next(p);
		return use_variable(p, t);
	case TOK_FIELD:
		tmpl_next(p);
		n = tmpl_node_new(p, NODE_FIELD, t->pos);
		add_name(p, n, t->text);
		return n;
	case TOK_BOOL:
	case TOK_CHARACTER:
	case TOK_NUMBER:
	case TOK_STRING:
	case TOK_RAW_STRING:
		tmpl_next(p);
		return parse_constant(p, t);
	case TOK_OPEN:
		tmpl_next(p);
		return parse_paren(p);
	default:
		return NULL;
	}
}

static struct tmpl_node *fields_of_constant(struct tmpl_parser *p, const struct tmpl_node *n)
{
	auto_str struct str shown = STR_INIT(200), quoted = STR_INIT(300);

	tmpl_node_text(n, &shown);
	tmpl_quote(shown.buf, shown.len, &quoted);
	while (tmpl_peek(p)->kind == TOK_FIELD)
		tmpl_next(p);
	return tmpl_parse_error(p, "unexpected . after term %s", quoted.buf);
}

/* A term with the fields that follow it: .a.b, $x.a, (...).a */
static struct tmpl_node *parse_operand(struct tmpl_parser *p)
{
	struct tmpl_node *n = parse_term(p), *chain;

	if (!n || tmpl_peek(p)->kind != TOK_FIELD)
		return n;
	if (n->kind == NODE_FIELD || n->kind == NODE_VARIABLE) {
		n->pos = tmpl_peek(p)->pos;
	} else if (n->kind == NODE_PIPE || n->kind == NODE_IDENTIFIER) {
		chain = tmpl_node_new(p, NODE_CHAIN, tmpl_peek(p)->pos);
		tmpl_append(&p->t->arena, chain, n);
		n = chain;
	} else {
		return fields_of_constant(p, n);
	}
	while (tmpl_peek(p)->kind == TOK_FIELD)
		add_name(p, n, tmpl_next(p)->text);
	return n;
}

/* ---- commands and pipelines ---- */

static struct tmpl_node *parse_command(struct tmpl_parser *p)
{
	struct tmpl_node *command = tmpl_node_new(p, NODE_COMMAND, tmpl_peek_word(p)->pos);

	for (;;) {
		struct tmpl_node *operand = parse_operand(p);
		const struct tmpl_token *t;

		if (err_is_set(p->e))
			return NULL;
		if (operand)
			tmpl_append(&p->t->arena, command, operand);
		t = tmpl_peek(p);
		if (t->kind == TOK_SPACE) {
			tmpl_next(p);
			continue;
		}
		if (t->kind == TOK_PIPE)
			tmpl_next(p);
		else if (t->kind != TOK_RIGHT && t->kind != TOK_CLOSE)
			return tmpl_unexpected(p, tmpl_next(p), "operand");
		break;
	}
	if (!command->n_kids)
		return tmpl_parse_error(p, "empty command");
	return command;
}

/* "$x :=", "$x =" or "$k, $v :=" at the start; anything else is left alone. */
static bool parse_declaration(struct tmpl_parser *p, struct tmpl_node *pipe, const char *context)
{
	while (tmpl_peek_word(p)->kind == TOK_VARIABLE) {
		size_t before = p->at;
		const struct tmpl_token *name = tmpl_next(p), *t = tmpl_peek_word(p);

		if (t->kind == TOK_ASSIGN || t->kind == TOK_DECLARE) {
			tmpl_next(p);
			pipe->assigns = t->kind == TOK_ASSIGN;
			add_name(p, pipe, name->text);
			tmpl_push_var(p, pipe->names[pipe->n_names - 1]);
			return true;
		}
		if (t->kind != TOK_CHAR || !tmpl_text_is(t->text, ",")) {
			p->at = before;
			return true;
		}
		tmpl_next(p);
		add_name(p, pipe, name->text);
		tmpl_push_var(p, pipe->names[pipe->n_names - 1]);
		if (strcmp(context, "range") != 0 || pipe->n_names >= 2) {
			tmpl_parse_error(p, "too many declarations in %s", context);
			return false;
		}
		t = tmpl_peek_word(p);
		if (t->kind != TOK_VARIABLE && t->kind != TOK_RIGHT && t->kind != TOK_CLOSE) {
			tmpl_parse_error(p, "range can only initialize variables");
			return false;
		}
	}
	return true;
}

static bool starts_operand(enum tmpl_tok kind)
{
	switch ((int)kind) {
	case TOK_BOOL:
	case TOK_CHARACTER:
	case TOK_DOT:
	case TOK_FIELD:
	case TOK_IDENTIFIER:
	case TOK_NUMBER:
	case TOK_NIL:
	case TOK_RAW_STRING:
	case TOK_STRING:
	case TOK_VARIABLE:
	case TOK_OPEN:
		return true;
	default:
		return false;
	}
}

/* Behind the first "|" only what takes an argument makes sense. */
static struct tmpl_node *check_pipeline(struct tmpl_parser *p, struct tmpl_node *pipe,
					const char *context)
{
	if (!pipe->n_kids)
		return tmpl_parse_error(p, "missing value for %s", context);
	for (size_t i = 1; i < pipe->n_kids; i++) {
		switch ((int)pipe->kids[i]->kids[0]->kind) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			return tmpl_parse_error(p, "non executable command in pipeline stage %zu",
						i + 1);
		default:
			break;
		}
	}
	return pipe;
}

struct tmpl_node *tmpl_parse_pipeline(struct tmpl_parser *p, const char *context, enum tmpl_tok end)
{
	struct tmpl_node *pipe = tmpl_node_new(p, NODE_PIPE, tmpl_peek_word(p)->pos);

	if (!parse_declaration(p, pipe, context))
		return NULL;
	for (;;) {
		const struct tmpl_token *t = tmpl_peek_word(p);
		struct tmpl_node *command;

		if (t->kind == end) {
			tmpl_next(p);
			return check_pipeline(p, pipe, context);
		}
		if (!starts_operand(t->kind))
			return tmpl_unexpected(p, tmpl_next(p), context);
		command = parse_command(p);
		if (!command)
			return NULL;
		tmpl_append(&p->t->arena, pipe, command);
	}
}
