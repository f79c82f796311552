/* SPDX-License-Identifier: Apache-2.0 */
/* What lexer, parser and executor of templates share: memory, and nodes as text. */
#include "cmd/tmpl.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

/* ---- memory ---- */

struct tmpl_block {
	struct tmpl_block *next;
	_Alignas(max_align_t) char bytes[];
};

void *tmpl_alloc(struct tmpl_arena *a, size_t n, size_t size)
{
	struct tmpl_block *b;

	assert(size == 0 || n < SIZE_MAX / 2 / size);
	b = xcalloc(1, sizeof(*b) + n * size);
	b->next = a->first;
	a->first = b;
	a->total += sizeof(*b) + n * size;
	return b->bytes;
}

char *tmpl_copy(struct tmpl_arena *a, const char *p, size_t n)
{
	char *copy = tmpl_alloc(a, n + 1, 1);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

void tmpl_arena_release(struct tmpl_arena *a)
{
	while (a->first) {
		struct tmpl_block *b = a->first;

		a->first = b->next;
		free(b);
	}
}

bool tmpl_text_is(struct tmpl_text t, const char *word)
{
	return strlen(word) == t.n && memcmp(t.p, word, t.n) == 0;
}

void tmpl_append(struct tmpl_arena *a, struct tmpl_node *list, struct tmpl_node *kid)
{
	if (list->n_kids == list->cap_kids) {
		size_t cap = list->cap_kids ? list->cap_kids * 2 : 2;
		struct tmpl_node **kids = tmpl_alloc(a, cap, sizeof(struct tmpl_node *));

		if (list->n_kids)
			memcpy(kids, list->kids, list->n_kids * sizeof(*kids));
		list->kids = kids;
		list->cap_kids = cap;
	}
	list->kids[list->n_kids++] = kid;
}

void tmpl_free(struct tmpl *t)
{
	if (!t)
		return;
	tmpl_arena_release(&t->arena);
	free(t->named);
	free(t);
}

void tmpl_free_ptr(struct tmpl **t)
{
	tmpl_free(*t);
}

/* ---- nodes as text ---- */

static void names_text(const struct tmpl_node *n, bool dot_first, struct str *out)
{
	for (size_t i = 0; i < n->n_names; i++) {
		if (i || dot_first)
			str_addc(out, '.');
		str_add(out, n->names[i]);
	}
}

static void operand_text(const struct tmpl_node *n, struct str *out)
{
	bool paren = n->kind == NODE_PIPE;

	if (paren)
		str_addc(out, '(');
	tmpl_node_text(n, out);
	if (paren)
		str_addc(out, ')');
}

static void pipe_text(const struct tmpl_node *n, struct str *out)
{
	for (size_t i = 0; i < n->n_names; i++) {
		str_add(out, i ? ", " : "");
		str_add(out, n->names[i]);
	}
	if (n->n_names)
		str_add(out, n->assigns ? " = " : " := ");
	for (size_t i = 0; i < n->n_kids; i++) {
		str_add(out, i ? " | " : "");
		tmpl_node_text(n->kids[i], out);
	}
}

static void template_text(const struct tmpl_node *n, struct str *out)
{
	str_add(out, "{{template ");
	tmpl_quote(n->names[0], strlen(n->names[0]), out);
	if (n->pipe) {
		str_addc(out, ' ');
		pipe_text(n->pipe, out);
	}
	str_add(out, "}}");
}

void tmpl_node_text(const struct tmpl_node *n, struct str *out)
{
	switch ((int)n->kind) {
	case NODE_ACTION:
		str_add(out, "{{");
		pipe_text(n->pipe, out);
		str_add(out, "}}");
		break;
	case NODE_TEMPLATE:
		template_text(n, out);
		break;
	case NODE_PIPE:
		pipe_text(n, out);
		break;
	case NODE_COMMAND:
		for (size_t i = 0; i < n->n_kids; i++) {
			str_add(out, i ? " " : "");
			operand_text(n->kids[i], out);
		}
		break;
	case NODE_FIELD:
	case NODE_VARIABLE:
		names_text(n, n->kind == NODE_FIELD, out);
		break;
	case NODE_CHAIN:
		operand_text(n->kids[0], out);
		names_text(n, true, out);
		break;
	case NODE_DOT:
		str_addc(out, '.');
		break;
	case NODE_NIL:
		str_add(out, "nil");
		break;
	default:
		str_addn(out, n->text.p, n->text.n);
	}
}
