/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: one value in one of printf's verbs, and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

/* Go's strconv.Quote. */
void tmpl_quote(const char *p, size_t n, struct str *out)
{
	static const char named[] = "\a\b\f\n\r\t\v\\\"";
	static const char letter[] = "abfnrtv\\\"";
	size_t len;

	str_addc(out, '"');
	for (size_t i = 0; i < n; i += len) {
		unsigned char c = (unsigned char)p[i];
		const char *at = c ? strchr(named, c) : NULL;

		for (len = 1; len < 4 && i + len < n && !utf8_is_valid(p + i, len); len++)
			;
		if (at)
			str_addf(out, "\\%c", letter[at - named]);
		else if (!utf8_is_valid(p + i, len))
			len = 1;
		if (at)
			continue;
		if (len == 2 && c == 0xc2 && (unsigned char)p[i + 1] <= 0xa0)
			str_addf(out, "\\u%04x", (unsigned char)p[i + 1]);
		else if (c < 0x20 || c == 0x7f || (len == 1 && c >= 0x80))
			str_addf(out, "\\x%02x", c);
		else
			str_addn(out, p + i, len);
	}
	str_addc(out, '"');
}

/* ---- leaves ---- */

static size_t width_of(const char *p, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += ((unsigned char)p[i] & 0xc0) != 0x80;
	return w;
}

static void blanks(struct str *out, size_t n)
{
	for (; n && !out->over; n--)
		str_addc(out, ' ');
}

static void padded(const struct tmpl_format *f, const char *p, size_t n, struct str *out)
{
	size_t have = width_of(p, n), want = f->has_width ? (size_t)f->width : 0;
	size_t fill = want > have ? want - have : 0;

	if (!f->minus)
		blanks(out, fill);
	str_addn(out, p, n);
	if (f->minus)
		blanks(out, fill);
}

/* A number with its sign: zeros go between the two. */
static void padded_number(const struct tmpl_format *f, const char *text, struct str *out)
{
	size_t n = strlen(text), sign = *text == '-' || *text == '+' || *text == ' ';

	if (!f->zero || f->minus || !f->has_width) {
		padded(f, text, n, out);
		return;
	}
	str_addn(out, text, sign);
	for (size_t i = n; i < (size_t)f->width && !out->over; i++)
		str_addc(out, '0');
	str_add(out, text + sign);
}

static void bad_verb(const struct tmpl_value *v, const struct tmpl_format *f,
		     const struct tmpl_opts *o, struct str *out)
{
	str_addf(out, "%%!%c(", f->verb);
	if (v->kind != TV_NULL && v->kind != TV_NONE)
		str_addf(out, "%s=", tmpl_type_name(v, o));
	tmpl_print(v, o, out);
	str_addc(out, ')');
}

static void add_sign(const struct tmpl_format *f, bool minus, struct str *out)
{
	if (minus)
		str_addc(out, '-');
	else if (f->plus || f->space)
		str_addc(out, f->plus ? '+' : ' ');
}

static void add_binary(uint64_t u, struct str *out)
{
	int bit = 63;

	while (bit > 0 && !(u >> bit & 1))
		bit--;
	for (; bit >= 0; bit--)
		str_addc(out, u >> bit & 1 ? '1' : '0');
}

static void print_rune(int64_t i, const struct tmpl_format *f, struct str *out)
{
	char text[5] = { 0 };
	uint32_t c = i < 0 || i > 0x10ffff ? 0xfffd : (uint32_t)i;
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	auto_str struct str quoted = STR_INIT(16);

	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t k = n; k-- > 1; c >>= 6)
		text[k] = (char)(0x80 | (c & 0x3f));
	text[0] = (char)(lead[n] | c);
	if (f->verb == 'q') {
		tmpl_quote(text, n, &quoted);
		quoted.buf[0] = quoted.buf[quoted.len - 1] = '\'';
		padded(f, i == '"' ? "'\"'" : quoted.buf, i == '"' ? 3 : quoted.len, out);
	} else {
		padded(f, text, n, out);
	}
}

static void print_int(const struct tmpl_value *v, const struct tmpl_format *f,
		      const struct tmpl_opts *o, struct str *out)
{
	auto_str struct str text = STR_INIT(256), digits = STR_INIT(128);
	uint64_t u = v->i < 0 ? -(uint64_t)v->i : (uint64_t)v->i;

	switch (f->verb) {
	case 'v':
	case 'd':
		str_addf(&digits, "%llu", (unsigned long long)u);
		break;
	case 'b':
		add_binary(u, &digits);
		break;
	case 'o':
	case 'O':
		str_addf(&digits, "%s%llo",
			 f->verb == 'O' ? "0o"
			 : f->sharp	? "0"
					: "",
			 (unsigned long long)u);
		break;
	case 'x':
		str_addf(&digits, "%s%llx", f->sharp ? "0x" : "", (unsigned long long)u);
		break;
	case 'X':
		str_addf(&digits, "%s%llX", f->sharp ? "0X" : "", (unsigned long long)u);
		break;
	case 'U':
		str_addf(&digits, "U+%04llX", (unsigned long long)u);
		break;
	case 'c':
	case 'q':
		print_rune(v->i, f, out);
		return;
	default:
		bad_verb(v, f, o, out);
		return;
	}
	add_sign(f, v->i < 0, &text);
	for (size_t n = digits.len; f->has_precision && n < (size_t)f->precision && n < 100; n++)
		str_addc(&text, '0');
	str_add(&text, digits.buf);
	padded_number(f, text.buf, out);
}

/* Shortest digits that read back as the same number, in exponent form. */
static void shortest(double f, char ret[64])
{
	for (int precision = 0; precision < 18; precision++) {
		snprintf(ret, 64, "%.*e", precision, f);
		if (strtod(ret, NULL) == f)
			return;
	}
}

/* The digits of an exponent form as a plain number. */
static void expand(const char *digits, int exponent, struct str *out)
{
	const char *p = digits;
	int shown = 0;

	if (*p == '-')
		str_addc(out, *p++);
	if (exponent < 0)
		str_add(out, "0.");
	for (int i = exponent; i < -1; i++)
		str_addc(out, '0');
	for (; *p && *p != 'e'; p++) {
		if (*p == '.')
			continue;
		if (shown == exponent + 1 && exponent >= 0)
			str_addc(out, '.');
		str_addc(out, *p);
		shown++;
	}
	for (; shown <= exponent; shown++)
		str_addc(out, '0');
}

/* JSON's exponents have no zero in front. */
static void add_exponent_form(const char *digits, bool json, struct str *out)
{
	size_t at = strcspn(digits, "e") + 2;

	str_addn(out, digits, at);
	str_add(out, digits + at + (json && digits[at] == '0'));
}

void tmpl_print_float(double f, char verb, int precision, struct str *out)
{
	char digits[64], fmt[] = "%.*e";
	bool json = verb == 'j';
	int exponent;

	if (isnan(f) || isinf(f)) {
		str_add(out, isnan(f) ? "NaN" : f < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (precision >= 0) {
		fmt[3] = verb == 'v' ? 'g' : verb;
		/* snprintf's forms are Go's for these verbs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		str_addf(out, fmt, precision, f);
#pragma GCC diagnostic pop
		return;
	}
	shortest(f, digits);
	exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent < (json ? -6 : -4) || exponent >= (json ? 21 : 6))
		add_exponent_form(digits, json, out);
	else
		expand(digits, exponent, out);
}

static void print_float(const struct tmpl_value *v, const struct tmpl_format *f,
			const struct tmpl_opts *o, struct str *out)
{
	auto_str struct str text = STR_INIT(1024), number = STR_INIT(1024);
	bool exact = f->verb == 'v' || f->verb == 'g' || f->verb == 'G';
	int precision = f->has_precision ? f->precision : exact ? -1 : 6;

	if (!exact && !strchr("eEfF", f->verb)) {
		bad_verb(v, f, o, out);
		return;
	}
	tmpl_print_float(fabs(v->f), f->verb, precision > 300 ? 300 : precision, &number);
	add_sign(f, signbit(v->f), &text);
	str_add(&text, number.buf);
	padded_number(f, text.buf, out);
}

static void print_hex(struct tmpl_text s, const struct tmpl_format *f, struct str *out)
{
	auto_str struct str text = STR_INIT(TMPL_STRING_MAX);

	if (f->sharp && s.n)
		str_add(&text, f->verb == 'x' ? "0x" : "0X");
	for (size_t i = 0; i < s.n; i++) {
		if (f->space && i)
			str_addc(&text, ' ');
		str_addf(&text, f->verb == 'x' ? "%02x" : "%02X", (unsigned char)s.p[i]);
	}
	padded(f, text.buf, text.len, out);
}

static void print_text(const struct tmpl_value *v, const struct tmpl_format *f,
		       const struct tmpl_opts *o, struct str *out)
{
	auto_str struct str quoted = STR_INIT(TMPL_STRING_MAX);
	struct tmpl_text s = v->s;
	size_t cut = 0, seen = 0;

	if (!strchr("vsqxX", f->verb)) {
		bad_verb(v, f, o, out);
		return;
	}
	if (f->verb == 'x' || f->verb == 'X') {
		if (f->has_precision && (size_t)f->precision < s.n)
			s.n = (size_t)f->precision;
		print_hex(s, f, out);
		return;
	}
	for (; f->has_precision && cut < s.n; cut++) {
		seen += ((unsigned char)s.p[cut] & 0xc0) != 0x80;
		if (seen > (size_t)f->precision)
			break;
	}
	if (f->has_precision)
		s.n = cut;
	if (f->verb == 'q' || (f->verb == 'v' && f->sharp)) {
		if (f->verb == 'q' && f->sharp && !memchr(s.p, '`', s.n))
			str_addf(&quoted, "`%.*s`", (int)s.n, s.p);
		else
			tmpl_quote(s.p, s.n, &quoted);
		s = (struct tmpl_text){ quoted.buf, quoted.len };
	}
	padded(f, s.p, s.n, out);
}

/* ---- containers ---- */

static void print_at(const struct tmpl_value *v, const struct tmpl_format *f,
		     const struct tmpl_opts *o, int depth, struct str *out);

static void print_list(const struct tmpl_value *v, const struct tmpl_format *f,
		       const struct tmpl_opts *o, int depth, struct str *out)
{
	str_addc(out, '[');
	for (size_t i = 0; i < v->n; i++) {
		struct tmpl_value item = tmpl_item(v, i, o);

		if (i)
			str_addc(out, ' ');
		print_at(&item, f, o, depth + 1, out);
	}
	str_addc(out, ']');
}

static void print_map(const struct tmpl_value *v, const struct tmpl_format *f,
		      const struct tmpl_opts *o, int depth, struct str *out)
{
	size_t n;
	auto_free struct tmpl_entry *entries = tmpl_entries(v, o, &n);
	bool is_struct = v->kind == TV_STRUCT;

	str_add(out, is_struct ? "{" : "map[");
	for (size_t i = 0; i < n; i++) {
		struct tmpl_value key = tmpl_of_str(entries[i].key, strlen(entries[i].key));

		if (i)
			str_addc(out, ' ');
		if (is_struct && f->plus)
			str_add(out, entries[i].key);
		else if (!is_struct)
			print_at(&key, f, o, depth + 1, out);
		if (!is_struct || f->plus)
			str_addc(out, ':');
		print_at(&entries[i].value, f, o, depth + 1, out);
	}
	str_addc(out, is_struct ? '}' : ']');
}

static void print_bool(const struct tmpl_value *v, const struct tmpl_format *f,
		       const struct tmpl_opts *o, struct str *out)
{
	const char *word = v->b ? "true" : "false";

	if (f->verb == 't' || f->verb == 'v')
		padded(f, word, strlen(word), out);
	else
		bad_verb(v, f, o, out);
}

static void print_at(const struct tmpl_value *v, const struct tmpl_format *f,
		     const struct tmpl_opts *o, int depth, struct str *out)
{
	if (depth > TMPL_PRINT_DEPTH_MAX) {
		str_add(out, "...");
		return;
	}
	switch (v->kind) {
	case TV_BOOL:
		print_bool(v, f, o, out);
		break;
	case TV_INT:
		print_int(v, f, o, out);
		break;
	case TV_FLOAT:
		print_float(v, f, o, out);
		break;
	case TV_STR:
		print_text(v, f, o, out);
		break;
	case TV_MAP:
	case TV_STRUCT:
		print_map(v, f, o, depth, out);
		break;
	case TV_LIST:
	case TV_WORDS:
		print_list(v, f, o, depth, out);
		break;
	case TV_NONE:
	case TV_MISSING:
	case TV_NULL:
		if (depth > 0)
			str_add(out, "<nil>");
		else if (f->verb == 'v')
			padded(f, "<nil>", 5, out);
		else
			str_addf(out, "%%!%c(<nil>)", f->verb);
		break;
	}
}

void tmpl_print_as(const struct tmpl_value *v, const struct tmpl_format *f,
		   const struct tmpl_opts *o, struct str *out)
{
	print_at(v, f, o, 0, out);
}

void tmpl_print(const struct tmpl_value *v, const struct tmpl_opts *o, struct str *out)
{
	static const struct tmpl_format plain = { .verb = 'v' };

	print_at(v, &plain, o, 0, out);
}
