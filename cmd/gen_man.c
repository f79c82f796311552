/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual pages in mdoc(7). A page has a date because the format wants one; it is not the day on which it was
 * written, so that only a change of the tables changes a page.
 */
#include <ctype.h>
#include <string.h>

#include "cmd/gen.h"

#define PAGE_DATE  "November 22, 2026"
#define TEXT_WIDTH 78

/* One word of a text line. A backslash begins an escape of roff. */
static void add_word(struct str *out, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '\\')
			str_add(out, "\\e");
		else
			str_addc(out, word[i]);
	}
}

/* Lines of text; none begins with what roff takes for a request. */
static void add_text(struct str *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > TEXT_WIDTH) {
			str_addc(out, '\n');
			column = 0;
		}
		if (column)
			str_addc(out, ' ');
		else if (*text == '.' || *text == '\'')
			str_add(out, "\\&");
		add_word(out, text, n);
		column += n + (column != 0);
		text += n + (text[n] == ' ');
	}
}

static void add_sentence(struct str *out, const char *text)
{
	add_text(out, text);
	str_add(out, ".\n");
}

static void add_option(struct str *out, const struct opt *o)
{
	str_add(out, ".It ");
	if (o->letter)
		str_addf(out, "Fl %c , ", o->letter);
	str_addf(out, "Fl -%s", o->name);
	if (o->metavar)
		str_addf(out, " Ar %s", o->metavar);
	str_addc(out, '\n');
	add_sentence(out, o->help);
	if (o->value)
		str_addf(out, "The default is\n.Ql %s .\n", o->value);
}

static void add_options(struct str *out, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, false);

	str_add(out, ".Bl -tag -width Ds\n");
	for (; o; o = gen_next_option(opts, o, false))
		add_option(out, o);
	str_add(out, ".El\n");
}

static void add_lower(struct str *out, const char *text)
{
	str_addc(out, (char)tolower((unsigned char)*text));
	add_word(out, text + 1, strlen(text + 1));
}

void gen_man_name(struct str *out, const struct verb *verb)
{
	const struct verb_entry *entry = gen_name_of(verb);

	str_add(out, "kvbox-");
	if (entry->family)
		str_addf(out, "%s-", entry->family);
	str_add(out, entry->name);
}

static void add_head(struct str *out, const struct verb *verb)
{
	size_t at = out->len;

	str_add(out, ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		     ".\\\" Written by `make gen` out of the option tables; edits here are lost.\n"
		     ".Dd " PAGE_DATE "\n.Dt ");
	at = out->len;
	gen_man_name(out, verb);
	for (; at < out->len; at++)
		out->buf[at] = (char)toupper((unsigned char)out->buf[at]);
	str_add(out, " 1\n.Os\n.Sh NAME\n.Nm ");
	gen_man_name(out, verb);
	str_add(out, "\n.Nd ");
	add_lower(out, verb->summary);
	str_addc(out, '\n');
}

/* "IMAGE [COMMAND] [ARG...]": what is in brackets as a whole becomes an .Op. */
static void add_operands(struct str *out, const char *operands)
{
	for (const char *at = operands; at && *at;) {
		size_t n = *at == '[' ? strcspn(at, "]") : strcspn(at, " ");
		bool whole = *at == '[' && at[n] == ']' && (!at[n + 1] || at[n + 1] == ' ');

		if (*at == '[' && !whole)
			n = strcspn(at, " ");
		str_add(out, whole ? ".Op Ar " : ".Ar ");
		add_word(out, whole ? at + 1 : at, whole ? n - 1 : n);
		str_addc(out, '\n');
		at += n + whole;
		at += strspn(at, " ");
	}
}

static void add_synopsis(struct str *out, const struct verb *verb)
{
	const struct verb_entry *entry = gen_name_of(verb);

	str_add(out, ".Sh SYNOPSIS\n.Nm kvbox ");
	gen_add_name(out, entry);
	str_addc(out, '\n');
	if (gen_next_option(verb->opts, NULL, false))
		str_add(out, ".Op Ar OPTIONS\n");
	add_operands(out, verb->operands);
}

static void add_description(struct str *out, const struct verb *verb)
{
	int others = 0;

	str_add(out, ".Sh DESCRIPTION\n");
	add_sentence(out, verb->summary);
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (entry->verb != verb || entry == gen_name_of(verb))
			continue;
		str_add(out, others++ ? " ,\n.Nm kvbox " : "It is also called\n.Nm kvbox ");
		gen_add_name(out, entry);
	}
	str_add(out, others ? " .\n" : "");
}

static void add_codes(struct str *out, const struct verb *verb)
{
	bool runs = verb->stop_at_operand && verb != &verb_create;
	int fail = verb->fail_code ? verb->fail_code : 1;

	str_add(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	if (runs)
		str_add(out,
			".It Em n\n"
			"That of the command; 128 and the number of the signal if one ended it.\n"
			".It 126\nThe command cannot be executed.\n"
			".It 127\nThere is no such command.\n");
	else
		str_add(out, ".It 0\nAll went well.\n");
	str_add(out, ".It 1\n");
	str_add(out, fail == 1
			     ? "Something could not be done, or the number of operands is wrong.\n"
			     : "The number of operands is wrong.\n");
	str_add(out, ".It 125\n");
	str_add(out,
		fail == 1 ? "An option is wrong.\n"
			  : "An option is wrong, or the container could not be made or started.\n");
	str_add(out, ".El\n");
}

void gen_man_verb(struct str *out, const struct verb *verb)
{
	add_head(out, verb);
	add_synopsis(out, verb);
	add_description(out, verb);
	if (gen_next_option(verb->opts, NULL, false)) {
		str_add(out, ".Sh OPTIONS\n");
		if (verb->stop_at_operand)
			str_add(out, "They end at the first operand.\n");
		add_options(out, verb->opts);
	}
	add_codes(out, verb);
	str_add(out, ".Sh SEE ALSO\n.Xr kvbox 1\n");
}

static void add_verb_item(struct str *out, const struct verb_entry *entry)
{
	str_add(out, ".It Xr ");
	gen_man_name(out, entry->verb);
	str_add(out, " 1\n");
	add_sentence(out, entry->verb->summary);
}

/* A verb of a family, at the first of the names that it has there. */
static void add_member(struct str *out, const struct verb_entry *first)
{
	int names = 0;

	for (const struct verb_entry *entry = verb_entries; entry != first; entry++) {
		if (entry->verb == first->verb && str_eq(entry->family, first->family))
			return;
	}
	for (const struct verb_entry *entry = first; entry->name; entry++) {
		if (entry->verb == first->verb && str_eq(entry->family, first->family))
			str_addf(out, "%s %s", names++ ? " ," : ".It Cm", entry->name);
	}
	str_addc(out, '\n');
	add_sentence(out, first->verb->summary);
	str_add(out, "See\n.Xr ");
	gen_man_name(out, first->verb);
	str_add(out, " 1 .\n");
}

void gen_man_program(struct str *out, const struct opt *global)
{
	str_add(out, ".Sh OPTIONS\nThese stand before the command.\n");
	add_options(out, global);
	str_add(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (!entry->family && gen_name_of(entry->verb) == entry)
			add_verb_item(out, entry);
	}
	str_add(out, ".El\n");
	for (const struct verb_family *f = verb_families; f->name; f++) {
		str_addf(out, ".Ss kvbox %s\n", f->name);
		add_sentence(out, f->summary);
		str_add(out, ".Bl -tag -width Ds\n");
		for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
			if (str_eq(entry->family, f->name))
				add_member(out, entry);
		}
		str_add(out, ".El\n");
	}
}
