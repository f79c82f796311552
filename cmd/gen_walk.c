/* SPDX-License-Identifier: Apache-2.0 */
/* What all generators need: in which order tables are walked, and what their fields are called. */
#include <string.h>

#include "base/mem.h"
#include "cmd/gen.h"

static const char *const comp_word[] = {
	[COMP_NONE] = "",	[COMP_FILE] = "file",
	[COMP_DIR] = "dir",	[COMP_CONTAINER] = "container",
	[COMP_IMAGE] = "image", [COMP_SIGNAL] = "signal",
};

/* Verbs that can do nothing with containers in other states. */
static const struct {
	const char *verb;
	const char *word;
} wanted_state[] = {
	{ "attach", "running" }, { "exec", "running" },	 { "kill", "running" },
	{ "pause", "running" },	 { "port", "running" },	 { "start", "stopped" },
	{ "stop", "running" },	 { "stats", "running" }, { "top", "running" },
};

const struct verb_entry *gen_name_of(const struct verb *verb)
{
	const struct verb_entry *found = NULL;

	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (entry->verb == verb && (!found || (found->family && !entry->family)))
			found = entry;
	}
	return found;
}

const struct verb_entry *gen_first_names(const struct verb_entry *entry)
{
	while (entry->name && gen_name_of(entry->verb) != entry)
		entry++;
	return entry->name ? entry : NULL;
}

void gen_add_name(struct str *out, const struct verb_entry *entry)
{
	if (entry->family)
		str_addf(out, "%s ", entry->family);
	str_add(out, entry->name);
}

const struct opt *gen_next_option(const struct opt *opts, const struct opt *after, bool hidden)
{
	const struct opt *best = NULL;

	for (const struct opt *o = opts; o && o->name; o++) {
		if ((o->hidden && !hidden) || (after && strcmp(o->name, after->name) <= 0))
			continue;
		if (!best || strcmp(o->name, best->name) < 0)
			best = o;
	}
	return best;
}

bool gen_takes_value(const struct opt *opt)
{
	return opt->kind != OPT_KIND_BOOL;
}

bool gen_has_option(const struct verb *verb, const char *name)
{
	for (const struct opt *o = verb->opts; o && o->name; o++) {
		if (strcmp(o->name, name) == 0)
			return true;
	}
	return false;
}

static const char *word_of(enum opt_comp comp)
{
	return comp < ARRAY_LEN(comp_word) && comp_word[comp] ? comp_word[comp] : "";
}

const char *gen_value_word(const struct opt *opt)
{
	return word_of(opt->comp);
}

const char *gen_operand_word(const struct verb *verb)
{
	for (size_t i = 0; verb->comp == COMP_CONTAINER && i < ARRAY_LEN(wanted_state); i++) {
		if (strcmp(wanted_state[i].verb, verb->name) == 0)
			return wanted_state[i].word;
	}
	return word_of(verb->comp);
}

int gen_operand_places(const struct verb *verb)
{
	if (verb->comp == COMP_NONE)
		return 0;
	return verb->stop_at_operand ? 1 : verb->max_operands;
}

const char *gen_pipe_of(const struct verb *verb)
{
	if (verb == &verb_ps)
		return gen_has_option(verb, "format") ? "--format '{{.Names}}'"
						      : "| sed -n '1!s/.* //p'";
	return gen_has_option(verb, "format")
		       ? "--format '{{.Repository}}:{{.Tag}}' | sed '/<none>/d'"
		       : "| sed -nE '1!{/<none>/d; s/^([^ ]+) +([^ ]+).*/\\1:\\2/p;}'";
}

void gen_add_quoted(struct str *out, const char *text, bool fish)
{
	str_addc(out, '\'');
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			str_add(out, fish ? "\\'" : "'\\''");
		else if (*c == '\\' && fish)
			str_add(out, "\\\\");
		else
			str_addc(out, *c);
	}
	str_addc(out, '\'');
}

void gen_add_names(struct str *out, const struct verb *verb, const char *between, bool fish)
{
	bool first = true;

	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		auto_str struct str name = STR_INIT(GEN_LIMIT);

		if (entry->verb != verb)
			continue;
		gen_add_name(&name, entry);
		if (!first)
			str_add(out, between);
		first = false;
		gen_add_quoted(out, name.buf, fish);
	}
}
