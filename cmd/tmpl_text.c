/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of templates that make texts: Docker's, and Go's for escaping. Letters are ASCII's. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

static int give(struct tmpl_exec *x, struct str *out, struct tmpl_value *ret, struct err *why)
{
	if (out->over)
		return err_set(why, ERR_INVALID, "the text is too long");
	*ret = tmpl_made(x, out);
	return 0;
}

int tmpl_do_json(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		 struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);

	tmpl_write_json(&a->v[0], x->opts, 0, &out);
	return give(x, &out, ret, why);
}

/* ---- lists ---- */

/* How many bytes the character at the start of `s` has. */
static size_t char_length(struct tmpl_text s)
{
	for (size_t n = 1; n <= 4 && n <= s.n; n++) {
		if (utf8_is_valid(s.p, n))
			return n;
	}
	return 1;
}

/* The next part of `rest`, which becomes what is behind the separator. */
static struct tmpl_text next_part(struct tmpl_text *rest, struct tmpl_text sep)
{
	const char *at = sep.n ? memmem(rest->p, rest->n, sep.p, sep.n) : NULL;
	struct tmpl_text part = *rest;

	if (sep.n)
		part.n = at ? (size_t)(at - rest->p) : rest->n;
	else
		part.n = char_length(*rest);
	rest->p += part.n + (at ? sep.n : 0);
	rest->n -= part.n + (at ? sep.n : 0);
	return part;
}

static size_t count_parts(struct tmpl_text text, struct tmpl_text sep)
{
	size_t n = sep.n ? 1 : 0;
	const char *at;

	if (!sep.n) {
		for (; text.n; n++)
			(void)next_part(&text, sep);
		return n;
	}
	while ((at = memmem(text.p, text.n, sep.p, sep.n))) {
		n++;
		text.n -= (size_t)(at - text.p) + sep.n;
		text.p = at + sep.n;
	}
	return n;
}

int tmpl_do_split(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	struct tmpl_text rest = a->v[0].s, sep = a->v[1].s, *words;
	size_t n = count_parts(rest, sep);

	if (n > TMPL_STRING_MAX / sizeof(*words))
		return err_set(why, ERR_INVALID, "the text is too long");
	words = tmpl_alloc(&x->arena, n, sizeof(*words));
	for (size_t i = 0; i < n; i++)
		words[i] = next_part(&rest, sep);
	*ret = (struct tmpl_value){ .kind = TV_WORDS, .words = words, .n = n };
	return 0;
}

int tmpl_do_join(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		 struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);

	for (size_t i = 0; i < a->v[0].n; i++) {
		struct tmpl_value word = tmpl_item(&a->v[0], i, x->opts);

		if (i)
			str_addn(&out, a->v[1].s.p, a->v[1].s.n);
		str_addn(&out, word.s.p, word.s.n);
	}
	return give(x, &out, ret, why);
}

/* ---- letters ---- */

int tmpl_do_lower(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);

	for (size_t i = 0; i < a->v[0].s.n; i++)
		str_addc(&out, (char)tolower((unsigned char)a->v[0].s.p[i]));
	return give(x, &out, ret, why);
}

int tmpl_do_upper(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);

	for (size_t i = 0; i < a->v[0].s.n; i++)
		str_addc(&out, (char)toupper((unsigned char)a->v[0].s.p[i]));
	return give(x, &out, ret, why);
}

/* The first letter of each word, as Go's strings.Title. */
int tmpl_do_title(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		  struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);
	bool inside = false;

	for (size_t i = 0; i < a->v[0].s.n; i++) {
		unsigned char c = (unsigned char)a->v[0].s.p[i];

		str_addc(&out, inside ? (char)c : (char)toupper(c));
		inside = isalnum(c) || c == '_' || c >= 0x80;
	}
	return give(x, &out, ret, why);
}

int tmpl_do_pad(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		struct err *why)
{
	auto_str struct str out = STR_INIT(TMPL_STRING_MAX);
	const struct tmpl_value *text = &a->v[0];

	if (!text->s.n) {
		*ret = *text;
		return 0;
	}
	if (a->v[1].i < 0 || a->v[2].i < 0)
		return err_set(why, ERR_INVALID, "strings: negative Repeat count");
	for (int64_t i = 0; i < a->v[1].i && !out.over; i++)
		str_addc(&out, ' ');
	str_addn(&out, text->s.p, text->s.n);
	for (int64_t i = 0; i < a->v[2].i && !out.over; i++)
		str_addc(&out, ' ');
	return give(x, &out, ret, why);
}

int tmpl_do_truncate(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		     struct err *why)
{
	(void)x;
	if (a->v[1].i < 0)
		return err_set(why, ERR_INVALID, "runtime error: slice bounds out of range [:%lld]",
			       (long long)a->v[1].i);
	*ret = a->v[0];
	if ((uint64_t)a->v[1].i < ret->s.n)
		ret->s.n = (size_t)a->v[1].i;
	return 0;
}

/* ---- escaping ---- */

/* The arguments as print has them. */
static void plain(struct tmpl_exec *x, const struct tmpl_args *a, struct str *out)
{
	static const char none[] = "<no value>";
	auto_free struct tmpl_value *v = xcalloc(a->n, sizeof(*v));
	const struct tmpl_args shown = { v, a->n };

	for (size_t i = 0; i < a->n; i++) {
		bool is_none = a->v[i].kind == TV_NULL || a->v[i].kind == TV_NONE;

		v[i] = is_none ? tmpl_of_str(none, strlen(none)) : a->v[i];
	}
	tmpl_sprint(&shown, x->opts, out);
}

int tmpl_do_html(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		 struct err *why)
{
	static const char special[] = "\"'&<>";
	static const char *const names[] = { "&#34;", "&#39;", "&amp;", "&lt;", "&gt;" };
	auto_str struct str text = STR_INIT(TMPL_STRING_MAX), out = STR_INIT(TMPL_STRING_MAX);

	plain(x, a, &text);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.buf[i];
		const char *at = c ? strchr(special, c) : NULL;

		if (!c)
			str_add(&out, "\357\277\275");
		else if (at)
			str_add(&out, names[at - special]);
		else
			str_addc(&out, c);
	}
	return give(x, &out, ret, why);
}

int tmpl_do_js(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
	       struct err *why)
{
	auto_str struct str text = STR_INIT(TMPL_STRING_MAX), out = STR_INIT(TMPL_STRING_MAX);

	plain(x, a, &text);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.buf[i];

		if (c == '\\' || c == '\'' || c == '"')
			str_addf(&out, "\\%c", c);
		else if (c < 0x20 || strchr("<>&=", c))
			str_addf(&out, "\\u%04X", c);
		else
			str_addc(&out, (char)c);
	}
	return give(x, &out, ret, why);
}

int tmpl_do_urlquery(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		     struct err *why)
{
	auto_str struct str text = STR_INIT(TMPL_STRING_MAX), out = STR_INIT(TMPL_STRING_MAX);

	plain(x, a, &text);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.buf[i];

		if (c == ' ')
			str_addc(&out, '+');
		else if (c < 0x80 && (isalnum(c) || (c && strchr("-_.~", c))))
			str_addc(&out, (char)c);
		else
			str_addf(&out, "%%%02X", c);
	}
	return give(x, &out, ret, why);
}
