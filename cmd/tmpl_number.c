/* SPDX-License-Identifier: Apache-2.0 */
/* Constants: what strings, characters and numbers mean. Go's syntax. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

#define MAX_RUNE 0x10ffff

/* ---- strings ---- */

static void add_rune(struct str *out, uint32_t c)
{
	if (c >= 0xd800 && c <= 0xdfff)
		c = 0xfffd;
	if (c < 0x80) {
		str_addc(out, (char)c);
	} else if (c < 0x800) {
		str_addc(out, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		str_addc(out, (char)(0xe0 | c >> 12));
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		str_addc(out, (char)(0xf0 | c >> 18));
		str_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	if (c >= 0x80)
		str_addc(out, (char)(0x80 | (c & 0x3f)));
}

static int digit(char c, unsigned base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;

	return v < (int)base ? v : -1;
}

/* `n` digits from *p on. */
static bool digits(const char **p, const char *end, size_t n, unsigned base, uint32_t *ret)
{
	uint32_t v = 0;

	for (; n; n--, (*p)++) {
		int d = *p < end ? digit(**p, base) : -1;

		if (d < 0)
			return false;
		v = v * base + (uint32_t)d;
	}
	*ret = v;
	return true;
}

static bool numbered_escape(char c, const char **p, const char *end, struct str *out)
{
	uint32_t v;

	switch (c) {
	case 'x':
		if (!digits(p, end, 2, 16, &v))
			return false;
		str_addc(out, (char)v);
		return true;
	case 'u':
	case 'U':
		if (!digits(p, end, c == 'u' ? 4 : 8, 16, &v) || v > MAX_RUNE ||
		    (v >= 0xd800 && v <= 0xdfff))
			return false;
		add_rune(out, v);
		return true;
	default:
		(*p)--;
		if (!digits(p, end, 3, 8, &v) || v > 255)
			return false;
		str_addc(out, (char)v);
		return true;
	}
}

/* Behind a backslash. */
static bool escape(const char **p, const char *end, char quote, struct str *out)
{
	static const char names[] = "abfnrtv\\";
	static const char values[] = "\a\b\f\n\r\t\v\\";
	const char *at;
	char c;

	if (*p >= end)
		return false;
	c = *(*p)++;
	if (c == quote) {
		str_addc(out, c);
		return true;
	}
	at = c ? strchr(names, c) : NULL;
	if (at) {
		str_addc(out, values[at - names]);
		return true;
	}
	return numbered_escape(c, p, end, out);
}

bool tmpl_unquote(struct tmpl_arena *a, struct tmpl_text quoted, struct tmpl_text *ret)
{
	auto_str struct str out = STR_INIT(TMPL_TEXT_MAX);
	char quote = quoted.p[0];
	const char *p = quoted.p + 1, *end = quoted.p + quoted.n - 1;

	while (p < end) {
		char c = *p++;

		if (c == '\\' && quote != '`') {
			if (!escape(&p, end, quote, &out))
				return false;
		} else if (c != '\r' || quote != '`') {
			/* Go takes carriage returns out of raw strings. */
			str_addc(&out, c);
		}
	}
	*ret = (struct tmpl_text){ tmpl_copy(a, out.buf, out.len), out.len };
	return true;
}

/* ---- numbers ---- */

/* The one character of a text, or -1. */
static int64_t one_rune(struct tmpl_text t)
{
	unsigned char c = t.n ? (unsigned char)t.p[0] : 0;
	int64_t v = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (t.n == 1)
		return c < 0x80 ? c : 0xfffd;
	if (t.n != len || !utf8_is_valid(t.p, t.n))
		return -1;
	for (size_t i = 1; i < len; i++)
		v = v << 6 | ((unsigned char)t.p[i] & 0x3f);
	return v;
}

static int character(struct tmpl_parser *p, const struct tmpl_token *t, struct tmpl_node *ret)
{
	struct tmpl_text text = { "", 0 };
	int64_t v = -1;

	if (tmpl_unquote(&p->t->arena, t->text, &text))
		v = t->text.n > 2 && t->text.p[1] == '\\' && text.n == 1 ? (unsigned char)*text.p
									 : one_rune(text);
	if (v < 0) {
		tmpl_parse_error(p, "malformed character constant: %.*s", (int)t->text.n,
				 t->text.p);
		return -1;
	}
	ret->value = tmpl_of_int(v);
	ret->i = v;
	ret->is_int = true;
	return 0;
}

/* Underscores stand between digits or behind the base's mark. */
static bool take_underscores(char *text)
{
	char *to = text, before = '0';

	if (!strchr(text, '_'))
		return true;
	for (const char *p = text; *p; p++) {
		if (*p == '_' &&
		    (!isxdigit((unsigned char)p[1]) || !(isalnum((unsigned char)before))))
			return false;
		before = *p;
		if (*p != '_')
			*to++ = *p;
	}
	*to = '\0';
	return true;
}

/* Digits in the base that their mark names. Sets *ret_over when they are too many for 64 bits. */
static bool parse_magnitude(const char *s, uint64_t *ret, bool *ret_over)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && s[1]) {
		char mark = (char)tolower((unsigned char)s[1]);

		base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		s += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		int d = digit(*s, base);

		if (d < 0)
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			*ret_over = true;
	}
	*ret = v;
	return true;
}

static bool set_int(struct tmpl_node *ret, const char *text)
{
	bool minus = *text == '-', over = false;
	uint64_t v = 0;

	if (!parse_magnitude(text + (*text == '-' || *text == '+'), &v, &over) || over ||
	    v > (uint64_t)INT64_MAX + minus)
		return false;
	ret->i = minus ? (int64_t)-v : (int64_t)v;
	ret->is_int = true;
	ret->value = tmpl_of_int(ret->i);
	return true;
}

static bool set_float(struct tmpl_node *ret, const char *text)
{
	char *end;
	double f;

	errno = 0;
	f = strtod(text, &end);
	if (*end || end == text || isinf(f))
		return false;
	ret->value = (struct tmpl_value){ .kind = TV_FLOAT, .f = f };
	if (f == floor(f) && fabs(f) < 9e18) {
		ret->is_int = true;
		ret->i = (int64_t)f;
	}
	return true;
}

int tmpl_number(struct tmpl_parser *p, const struct tmpl_token *t, struct tmpl_node *ret)
{
	auto_free char *text = xstrndup(t->text.p, t->text.n);
	const char *digits_at;
	bool ok, over = false;
	uint64_t v;

	if (t->kind == TOK_CHARACTER)
		return character(p, t, ret);
	ok = take_underscores(text) &&
	     (set_int(ret, text) || (strpbrk(text, ".eEpP") && set_float(ret, text)));
	if (ok)
		return 0;
	if (parse_magnitude(text, &v, &over) && !over) {
		ret->too_large = true;
		return 0;
	}
	digits_at = text + (*text == '-' || *text == '+');
	if (*digits_at && !digits_at[strspn(digits_at, "0123456789")])
		tmpl_parse_error(p, "integer overflow: \"%s\"", text);
	else
		tmpl_parse_error(p, "illegal number syntax: \"%.*s\"", (int)t->text.n, t->text.p);
	return -1;
}
