/* SPDX-License-Identifier: Apache-2.0 */
/* print, println and printf of Go's fmt over values; the function json. */
#include <string.h>

#include "base/mem.h"
#include "cmd/tmpl_priv.h"

#define NUMBER_MAX 1000000 /* width and precision, as in Go */
#define FLAGS	   "+-# 0"

void tmpl_sprint(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out)
{
	for (size_t i = 0; i < a->n; i++) {
		if (i && a->v[i].kind != TV_STR && a->v[i - 1].kind != TV_STR)
			str_addc(out, ' ');
		tmpl_print(&a->v[i], o, out);
	}
}

void tmpl_sprintln(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out)
{
	for (size_t i = 0; i < a->n; i++) {
		if (i)
			str_addc(out, ' ');
		tmpl_print(&a->v[i], o, out);
	}
	str_addc(out, '\n');
}

/* ---- printf ---- */

struct walker {
	const char *p, *end;
	const struct tmpl_args *a;
	size_t next; /* argument; 0 is the format */
	const struct tmpl_opts *o;
	struct str *out;
};

static void read_flags(struct walker *w, struct tmpl_format *f)
{
	for (; w->p < w->end && *w->p && strchr(FLAGS, *w->p); w->p++) {
		f->plus |= *w->p == '+';
		f->minus |= *w->p == '-';
		f->sharp |= *w->p == '#';
		f->space |= *w->p == ' ';
		f->zero |= *w->p == '0';
	}
}

/* Digits or "*". `what` names it in Go's complaint. */
static bool read_number(struct walker *w, int *ret, const char *what)
{
	int64_t v = 0;
	bool any = false;

	if (w->p < w->end && *w->p == '*') {
		const struct tmpl_value *arg = w->next < w->a->n ? &w->a->v[w->next] : NULL;

		w->p++;
		w->next += arg != NULL;
		if (!arg || arg->kind != TV_INT || arg->i > NUMBER_MAX || arg->i < -NUMBER_MAX) {
			str_addf(w->out, "%%!(BAD%s)", what);
			return false;
		}
		*ret = (int)arg->i;
		return true;
	}
	for (; w->p < w->end && *w->p >= '0' && *w->p <= '9'; w->p++) {
		any = true;
		if (v <= NUMBER_MAX)
			v = v * 10 + (*w->p - '0');
	}
	if (v > NUMBER_MAX) {
		str_addf(w->out, "%%!(BAD%s)", what);
		return false;
	}
	*ret = (int)v;
	return any;
}

static void read_sizes(struct walker *w, struct tmpl_format *f)
{
	f->has_width = read_number(w, &f->width, "WIDTH");
	if (f->has_width && f->width < 0) {
		f->minus = true;
		f->width = -f->width;
	}
	if (w->p < w->end && *w->p == '.') {
		w->p++;
		f->precision = 0;
		f->has_precision = true;
		(void)read_number(w, &f->precision, "PREC");
		if (f->precision < 0)
			f->has_precision = false;
	}
}

/* One directive behind its "%". */
static void directive(struct walker *w)
{
	struct tmpl_format f = { .verb = 'v' };

	read_flags(w, &f);
	read_sizes(w, &f);
	if (w->p == w->end) {
		str_add(w->out, "%!(NOVERB)");
		return;
	}
	f.verb = *w->p++;
	if (f.verb == '%') {
		str_addc(w->out, '%');
	} else if (w->next >= w->a->n) {
		str_addf(w->out, "%%!%c(MISSING)", f.verb);
	} else if (f.verb == 'T') {
		str_add(w->out, tmpl_type_name(&w->a->v[w->next++], w->o));
	} else {
		tmpl_print_as(&w->a->v[w->next++], &f, w->o, w->out);
	}
}

/* Arguments that no directive used. */
static void extra(const struct walker *w)
{
	str_add(w->out, "%!(EXTRA ");
	for (size_t i = w->next; i < w->a->n; i++) {
		const struct tmpl_value *v = &w->a->v[i];

		if (i > w->next)
			str_add(w->out, ", ");
		if (v->kind != TV_NULL && v->kind != TV_NONE)
			str_addf(w->out, "%s=", tmpl_type_name(v, w->o));
		tmpl_print(v, w->o, w->out);
	}
	str_addc(w->out, ')');
}

void tmpl_sprintf(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out)
{
	struct tmpl_text fmt = a->v[0].s;
	struct walker w = { fmt.p, fmt.p + fmt.n, a, 1, o, out };

	while (w.p < w.end && !out->over) {
		const char *at = memchr(w.p, '%', (size_t)(w.end - w.p));
		const char *stop = at ? at : w.end;

		str_addn(out, w.p, (size_t)(stop - w.p));
		w.p = at ? at + 1 : w.end;
		if (at)
			directive(&w);
	}
	if (w.next < a->n)
		extra(&w);
}

/* ---- json ---- */

static void write_list(const struct tmpl_value *v, const struct tmpl_opts *o, int depth,
		       struct str *out)
{
	str_addc(out, '[');
	for (size_t i = 0; i < v->n; i++) {
		struct tmpl_value item = tmpl_item(v, i, o);

		if (i)
			str_addc(out, ',');
		tmpl_write_json(&item, o, depth + 1, out);
	}
	str_addc(out, ']');
}

static void write_map(const struct tmpl_value *v, const struct tmpl_opts *o, int depth,
		      struct str *out)
{
	size_t n;
	auto_free struct tmpl_entry *entries = tmpl_entries(v, o, &n);

	str_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			str_addc(out, ',');
		json_quote(out, entries[i].key, strlen(entries[i].key));
		str_addc(out, ':');
		tmpl_write_json(&entries[i].value, o, depth + 1, out);
	}
	str_addc(out, '}');
}

void tmpl_write_json(const struct tmpl_value *v, const struct tmpl_opts *o, int depth,
		     struct str *out)
{
	bool nil = (v->kind == TV_MAP || v->kind == TV_LIST) && !v->json;

	if (nil || depth > TMPL_PRINT_DEPTH_MAX) {
		str_add(out, "null");
		return;
	}
	switch (v->kind) {
	case TV_STR:
		json_quote(out, v->s.p, v->s.n);
		break;
	case TV_MAP:
	case TV_STRUCT:
		write_map(v, o, depth, out);
		break;
	case TV_LIST:
	case TV_WORDS:
		write_list(v, o, depth, out);
		break;
	case TV_FLOAT:
		tmpl_print_float(v->f, 'j', -1, out);
		break;
	case TV_BOOL:
	case TV_INT:
		tmpl_print(v, o, out);
		break;
	case TV_NONE:
	case TV_MISSING:
	case TV_NULL:
		str_add(out, "null");
		break;
	}
}
