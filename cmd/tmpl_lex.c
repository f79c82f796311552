/* SPDX-License-Identifier: Apache-2.0 */
/* Text into tokens. The whole text is cut at once; the parser then walks an array. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

#define BLANKS	      " \t\r\n"
#define LEFT	      "{{"
#define RIGHT	      "}}"
#define COMMENT_OPEN  "/*"
#define COMMENT_CLOSE "*/"
#define END_OF_TEXT   (-1)

struct lexer {
	struct tmpl_arena *arena;
	const char *text;
	size_t len, pos, start;
	size_t counted; /* newlines before it are in `line` */
	unsigned line;
	int parens;
	struct tmpl_token *v;
	size_t n, cap;
};

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Every character beyond ASCII counts as a letter. */
static bool is_word(int c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool starts_with(const struct lexer *l, size_t at, const char *what)
{
	size_t n = strlen(what);

	return at + n <= l->len && memcmp(l->text + at, what, n) == 0;
}

static int peek_at(const struct lexer *l, size_t at)
{
	return at < l->len ? (unsigned char)l->text[at] : END_OF_TEXT;
}

static int peek_char(const struct lexer *l)
{
	return peek_at(l, l->pos);
}

static void put(struct lexer *l, enum tmpl_tok kind, struct tmpl_text text)
{
	for (; l->counted < l->start; l->counted++)
		l->line += l->text[l->counted] == '\n';
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct tmpl_token){ kind, l->line, l->start, text };
}

/* A token of what lies between start and pos. */
static bool emit(struct lexer *l, enum tmpl_tok kind)
{
	put(l, kind, (struct tmpl_text){ l->text + l->start, l->pos - l->start });
	l->start = l->pos;
	return true;
}

static void PRINTF_LIKE(2, 3) fail(struct lexer *l, const char *fmt, ...)
{
	auto_str struct str msg = STR_INIT(256);
	va_list ap;

	va_start(ap, fmt);
	str_addv(&msg, fmt, ap);
	va_end(ap);
	put(l, TOK_ERROR, (struct tmpl_text){ tmpl_copy(l->arena, msg.buf, msg.len), msg.len });
}

/* Go's %#U of the character at `at`. */
static void show_char(const struct lexer *l, size_t at, char ret[32])
{
	int c = peek_at(l, at);

	if (c > 0x20 && c < 0x7f)
		snprintf(ret, 32, "U+%04X '%c'", (unsigned)c, c);
	else
		snprintf(ret, 32, "U+%04X", c < 0 ? 0u : (unsigned)c);
}

static bool fail_char(struct lexer *l, const char *what, size_t at)
{
	char text[32];

	show_char(l, at, text);
	fail(l, "%s %s", what, text);
	return false;
}

static bool at_right(const struct lexer *l, bool *ret_trims)
{
	*ret_trims = is_blank(peek_char(l)) && peek_at(l, l->pos + 1) == '-' &&
		     starts_with(l, l->pos + 2, RIGHT);
	return *ret_trims || starts_with(l, l->pos, RIGHT);
}

static void skip_blanks(struct lexer *l)
{
	while (is_blank(peek_char(l)))
		l->pos++;
}

/* Ends an action or a comment at the closing braces. */
static void pass_right(struct lexer *l, bool trims)
{
	if (trims)
		l->pos += 2;
	l->pos += strlen(RIGHT);
}

/* "{{- " takes the blanks before it along. */
static bool has_left_trim(const struct lexer *l, size_t at)
{
	return peek_at(l, at) == '-' && is_blank(peek_at(l, at + 1));
}

static bool lex_comment(struct lexer *l)
{
	const char *end;
	bool trims;

	l->start = l->pos;
	l->pos += strlen(COMMENT_OPEN);
	end = memmem(l->text + l->pos, l->len - l->pos, COMMENT_CLOSE, strlen(COMMENT_CLOSE));
	if (!end) {
		fail(l, "unclosed comment");
		return false;
	}
	l->pos = (size_t)(end - l->text) + strlen(COMMENT_CLOSE);
	if (!at_right(l, &trims)) {
		fail(l, "comment ends before closing delimiter");
		return false;
	}
	pass_right(l, trims);
	if (trims)
		skip_blanks(l);
	l->start = l->pos;
	return true;
}

static bool at_terminator(const struct lexer *l)
{
	int c = peek_char(l);

	return c == END_OF_TEXT || is_blank(c) || strchr(".,|:)(", c) ||
	       starts_with(l, l->pos, RIGHT);
}

static bool lex_name(struct lexer *l, enum tmpl_tok kind)
{
	while (is_word(peek_char(l)))
		l->pos++;
	if (!at_terminator(l))
		return fail_char(l, "bad character", l->pos);
	return emit(l, kind);
}

static enum tmpl_tok keyword(struct tmpl_text word)
{
	static const struct {
		const char *word;
		enum tmpl_tok kind;
	} words[] = {
		{ "block", TOK_BLOCK },
		{ "break", TOK_BREAK },
		{ "continue", TOK_CONTINUE },
		{ "define", TOK_DEFINE },
		{ "else", TOK_ELSE },
		{ "end", TOK_END },
		{ "if", TOK_IF },
		{ "nil", TOK_NIL },
		{ "range", TOK_RANGE },
		{ "template", TOK_TEMPLATE },
		{ "with", TOK_WITH },
		{ "true", TOK_BOOL },
		{ "false", TOK_BOOL },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (tmpl_text_is(word, words[i].word))
			return words[i].kind;
	}
	return TOK_IDENTIFIER;
}

static bool lex_identifier(struct lexer *l)
{
	if (!lex_name(l, TOK_IDENTIFIER))
		return false;
	l->v[l->n - 1].kind = keyword(l->v[l->n - 1].text);
	return true;
}

static bool lex_quoted(struct lexer *l, int quote, enum tmpl_tok kind, const char *problem)
{
	for (;;) {
		int c = peek_char(l);

		if (c == END_OF_TEXT || (c == '\n' && quote != '`')) {
			fail(l, "%s", problem);
			return false;
		}
		l->pos++;
		if (c == quote)
			return emit(l, kind);
		if (c == '\\' && quote != '`' && peek_char(l) != '\n' &&
		    peek_char(l) != END_OF_TEXT)
			l->pos++;
	}
}

static bool accept_one(struct lexer *l, const char *set)
{
	int c = peek_char(l);

	if (c <= 0 || !strchr(set, c))
		return false;
	l->pos++;
	return true;
}

/* What may be a number; whether it is one the parser finds out. */
static bool lex_number(struct lexer *l)
{
	const char *digits = "0123456789_";
	auto_str struct str shown = STR_INIT(128);

	accept_one(l, "+-");
	if (accept_one(l, "0")) {
		if (accept_one(l, "xX"))
			digits = "0123456789abcdefABCDEF_";
		else if (accept_one(l, "oO"))
			digits = "01234567_";
		else if (accept_one(l, "bB"))
			digits = "01_";
	}
	while (accept_one(l, digits))
		;
	if (accept_one(l, "."))
		while (accept_one(l, digits))
			;
	if (accept_one(l, strchr(digits, 'a') ? "pP" : strchr(digits, '9') ? "eE" : "")) {
		accept_one(l, "+-");
		while (accept_one(l, "0123456789_"))
			;
	}
	accept_one(l, "i");
	if (!is_word(peek_char(l)) && peek_char(l) != '+' && peek_char(l) != '-')
		return emit(l, TOK_NUMBER);
	l->pos++;
	tmpl_quote(l->text + l->start, l->pos - l->start, &shown);
	fail(l, "bad number syntax: %s", shown.buf);
	return false;
}

/* Blanks, but not the one that belongs to " -}}". */
static bool lex_blanks(struct lexer *l)
{
	bool trims;

	while (is_blank(peek_char(l)) && !(at_right(l, &trims) && trims))
		l->pos++;
	return emit(l, TOK_SPACE);
}

static bool lex_mark(struct lexer *l, int c)
{
	switch (c) {
	case '=':
		return emit(l, TOK_ASSIGN);
	case '|':
		return emit(l, TOK_PIPE);
	case '(':
		l->parens++;
		return emit(l, TOK_OPEN);
	case ')':
		if (--l->parens >= 0)
			return emit(l, TOK_CLOSE);
		fail(l, "unexpected right paren");
		return false;
	case ':':
		if (accept_one(l, "="))
			return emit(l, TOK_DECLARE);
		fail(l, "expected :=");
		return false;
	default:
		if (c >= 0x20 && c < 0x7f)
			return emit(l, TOK_CHAR);
		return fail_char(l, "unrecognized character in action:", l->pos - 1);
	}
}

static bool lex_word(struct lexer *l, int c)
{
	switch (c) {
	case '"':
		return lex_quoted(l, c, TOK_STRING, "unterminated quoted string");
	case '`':
		return lex_quoted(l, c, TOK_RAW_STRING, "unterminated raw quoted string");
	case '\'':
		return lex_quoted(l, c, TOK_CHARACTER, "unterminated character constant");
	case '$':
		return lex_name(l, TOK_VARIABLE);
	default:
		break;
	}
	if (c == '.' && !(peek_char(l) >= '0' && peek_char(l) <= '9')) {
		if (at_terminator(l))
			return emit(l, TOK_DOT);
		return lex_name(l, TOK_FIELD);
	}
	if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
		l->pos--;
		return lex_number(l);
	}
	return is_word(c) ? lex_identifier(l) : lex_mark(l, c);
}

/* From behind "{{" to behind "}}". */
static bool lex_action(struct lexer *l)
{
	bool trims, more = true;

	l->parens = 0;
	while (more) {
		int c = peek_char(l);

		if (at_right(l, &trims))
			break;
		if (c == END_OF_TEXT) {
			fail(l, "unclosed action");
			return false;
		}
		if (is_blank(c)) {
			more = lex_blanks(l);
			continue;
		}
		l->pos++;
		more = lex_word(l, c);
	}
	if (!more)
		return false;
	if (l->parens) {
		fail(l, "unclosed left paren");
		return false;
	}
	if (trims)
		l->start = l->pos + 2;
	pass_right(l, trims);
	emit(l, TOK_RIGHT);
	if (trims) {
		skip_blanks(l);
		l->start = l->pos;
	}
	return true;
}

/* Plain text up to the next "{{"; false at the end. */
static bool lex_text(struct lexer *l)
{
	const char *left = memmem(l->text + l->pos, l->len - l->pos, LEFT, strlen(LEFT));
	size_t end = left ? (size_t)(left - l->text) : l->len;

	l->pos = end;
	if (left && has_left_trim(l, end + strlen(LEFT)))
		while (l->pos > l->start && is_blank((unsigned char)l->text[l->pos - 1]))
			l->pos--;
	if (l->pos > l->start)
		emit(l, TOK_TEXT);
	l->pos = l->start = end;
	return left;
}

struct tmpl_token *tmpl_lex(struct tmpl_arena *a, const char *text, size_t *ret_n)
{
	struct lexer l = { .arena = a, .text = text, .len = strlen(text), .line = 1 };
	bool more = true;

	while (more && lex_text(&l)) {
		size_t skip = has_left_trim(&l, l.pos + strlen(LEFT)) ? 2 : 0;

		if (starts_with(&l, l.pos + strlen(LEFT) + skip, COMMENT_OPEN)) {
			l.pos += strlen(LEFT) + skip;
			more = lex_comment(&l);
			continue;
		}
		l.pos += strlen(LEFT);
		emit(&l, TOK_LEFT);
		l.start = l.pos += skip;
		more = lex_action(&l);
	}
	if (more)
		put(&l, TOK_EOF, (struct tmpl_text){ "EOF", 3 });
	*ret_n = l.n;
	return l.v;
}

void tmpl_token_text(const struct tmpl_token *t, struct str *out)
{
	size_t n = t->text.n;

	if (t->kind == TOK_EOF || t->kind == TOK_ERROR) {
		str_addn(out, t->text.p, n);
		return;
	}
	if (t->kind > TOK_KEYWORD) {
		str_addf(out, "<%.*s>", (int)n, t->text.p);
		return;
	}
	/* Ten characters, not bytes. */
	for (size_t i = 0, seen = 0; i < n; i++) {
		seen += ((unsigned char)t->text.p[i] & 0xc0) != 0x80;
		if (seen == 11)
			n = i;
	}
	tmpl_quote(t->text.p, n, out);
	if (t->text.n > 10)
		str_add(out, "...");
}
