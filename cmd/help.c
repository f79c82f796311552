/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/help.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"

/* A line may be that much longer than the column before its text is broken, and texts narrower than
 * WRAP_NARROW begin on a line of their own: what Docker's client does, so that outputs compare. */
#define WRAP_SLOP   5
#define WRAP_NARROW 24
#define WRAP_INDENT 16
#define TEXT_LIMIT  4096

int help_width(void)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

void help_usage(struct str *out, const char *path, const struct verb *verb)
{
	bool any = false;

	for (const struct opt *o = verb->opts; o && o->name; o++)
		any |= !o->hidden;
	str_add(out, path);
	if (any)
		str_add(out, " [OPTIONS]");
	if (verb->operands)
		str_addf(out, " %s", verb->operands);
}

static void option_label(struct str *out, const struct opt *o)
{
	if (o->letter)
		str_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		str_addf(out, "      --%s", o->name);
	if (o->metavar)
		str_addf(out, " %s", o->metavar);
}

/* Where to break `text` so that the first line has at most `width` characters; its length if nowhere. */
static size_t break_at(const char *text, int width)
{
	size_t n = strlen(text);

	if (n < (size_t)width + WRAP_SLOP)
		return n;
	for (size_t i = (size_t)width; i-- > 1;) {
		if (text[i] == ' ')
			return i;
	}
	return n;
}

static void wrap(struct str *out, int column, int width, const char *text)
{
	int room = width - column;

	if (room < WRAP_NARROW) {
		column = WRAP_INDENT;
		room = width - column;
		str_addf(out, "\n%*s", column, "");
	}
	if (room < WRAP_NARROW) {
		str_add(out, text);
		return;
	}
	for (;;) {
		size_t n = break_at(text, room - WRAP_SLOP);

		str_addn(out, text, n);
		if (!text[n])
			return;
		text += n + 1;
		str_addf(out, "\n%*s", column, "");
	}
}

static void option_text(struct str *out, const struct opt *o)
{
	str_add(out, o->help);
	if (o->value && o->kind == OPT_KIND_STR)
		str_addf(out, " (default \"%s\")", o->value);
	else if (o->value)
		str_addf(out, " (default %s)", o->value);
}

/* The first option whose name comes after `name` (NULL: the very first); NULL at the end. */
static const struct opt *option_after(const struct opt *opts, const char *name)
{
	const struct opt *best = NULL;

	for (const struct opt *o = opts; o && o->name; o++) {
		if (o->hidden || (name && strcmp(o->name, name) <= 0))
			continue;
		if (!best || strcmp(o->name, best->name) < 0)
			best = o;
	}
	return best;
}

void help_options(struct str *out, const struct opt *opts, int width)
{
	auto_str struct str label = STR_INIT(TEXT_LIMIT);
	auto_str struct str text = STR_INIT(TEXT_LIMIT);
	size_t longest = 0;

	for (const struct opt *o = option_after(opts, NULL); o; o = option_after(opts, o->name)) {
		str_clear(&label);
		option_label(&label, o);
		if (label.len > longest)
			longest = label.len;
	}
	for (const struct opt *o = option_after(opts, NULL); o; o = option_after(opts, o->name)) {
		str_clear(&label);
		str_clear(&text);
		option_label(&label, o);
		option_text(&text, o);
		str_addf(out, "%-*s", (int)longest + 3, label.buf);
		wrap(out, (int)longest + 3, width - 1, text.buf);
		str_addc(out, '\n');
	}
}

static void add_name(struct str *out, const char *prog, const struct verb_entry *entry)
{
	str_addf(out, "%s%s", out->len ? ", " : "", prog);
	if (entry->family)
		str_addf(out, " %s", entry->family);
	str_addf(out, " %s", entry->name);
}

/* "kvbox container ls, kvbox container list, kvbox ps"; "" for a verb of one name. */
static void alias_names(struct str *out, const char *prog, const struct verb *verb)
{
	int n = 0;

	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (entry->verb == verb && entry->family && ++n)
			add_name(out, prog, entry);
	}
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (entry->verb == verb && !entry->family && ++n)
			add_name(out, prog, entry);
	}
	if (n < 2)
		str_clear(out);
}

void help_verb(struct str *out, const char *prog, const char *path, const struct verb *verb,
	       int width)
{
	auto_str struct str names = STR_INIT(TEXT_LIMIT);

	str_add(out, "Usage:  ");
	help_usage(out, path, verb);
	str_addf(out, "\n\n%s\n", verb->summary);
	alias_names(&names, prog, verb);
	if (names.len)
		str_addf(out, "\nAliases:\n  %s\n", names.buf);
	if (verb->opts && verb->opts->name) {
		str_add(out, "\nOptions:\n");
		help_options(out, verb->opts, width);
	}
}

static size_t longest_name(void)
{
	size_t longest = 0;

	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (strlen(entry->name) > longest)
			longest = strlen(entry->name);
	}
	for (const struct verb_family *f = verb_families; f->name; f++) {
		if (strlen(f->name) > longest)
			longest = strlen(f->name);
	}
	return longest;
}

static void name_line(struct str *out, const char *name, const char *summary)
{
	str_addf(out, "  %-*s   %s\n", (int)longest_name(), name, summary);
}

/* True when an earlier entry of the family stands for the same verb. */
static bool is_second_name(const struct verb_entry *entry)
{
	for (const struct verb_entry *o = verb_entries; o != entry; o++) {
		if (o->verb == entry->verb && str_eq(o->family, entry->family))
			return true;
	}
	return false;
}

void help_family(struct str *out, const char *prog, const struct verb_family *family)
{
	str_addf(out, "Usage:  %s %s COMMAND\n\n%s\n\nCommands:\n", prog, family->name,
		 family->summary);
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (str_eq(entry->family, family->name) && !is_second_name(entry))
			name_line(out, entry->name, entry->verb->summary);
	}
	str_addf(out, "\nRun '%s %s COMMAND --help' for more information on a command.\n", prog,
		 family->name);
}

void help_program(struct str *out, const char *prog, const struct opt *global, int width)
{
	str_addf(out,
		 "Usage:  %s [OPTIONS] COMMAND\n\nContainers in virtual machines of their own\n",
		 prog);
	for (int common = 1; common >= 0; common--) {
		str_add(out, common ? "\nCommon Commands:\n" : "\nCommands:\n");
		for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
			if (!entry->family && entry->common == common && !is_second_name(entry))
				name_line(out, entry->name, entry->verb->summary);
		}
		if (!common)
			break;
		str_add(out, "\nManagement Commands:\n");
		for (const struct verb_family *f = verb_families; f->name; f++)
			name_line(out, f->name, f->summary);
	}
	str_add(out, "\nGlobal Options:\n");
	help_options(out, global, width);
	str_addf(out, "\nRun '%s COMMAND --help' for more information on a command.\n", prog);
}
