/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for completions/kvbox.fish.in: `complete` calls, each with the commands that it belongs to. */
#include <string.h>

#include "cmd/gen.h"

/* What offers each kind of value. */
static const char *arguments_of(const char *word)
{
	static const char *const arguments[][2] = {
		{ "file", " -F" },
		{ "dir", " -a '(__fish_complete_directories)'" },
		{ "image", " -a '(__kvbox_images)'" },
		{ "signal", " -a '(__kvbox_signals)'" },
		{ "container", " -a '(__kvbox_containers -a)'" },
		{ "running", " -a '(__kvbox_containers)'" },
		{ "stopped",
		  " -a '(__kvbox_containers -a --filter status=created --filter status=exited)'" },
		{ "", "" },
	};

	for (size_t i = 0;; i++) {
		if (!*arguments[i][0] || strcmp(arguments[i][0], word) == 0)
			return arguments[i][1];
	}
}

static void begin(struct str *out, const char *condition)
{
	str_add(out, "complete -c kvbox -n ");
	gen_add_quoted(out, condition, true);
}

static void add_options(struct str *out, const char *condition, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, false);

	for (; o; o = gen_next_option(opts, o, false)) {
		begin(out, condition);
		if (o->letter)
			str_addf(out, " -s %c", o->letter);
		str_addf(out, " -l %s", o->name);
		if (gen_takes_value(o))
			str_add(out, strcmp(gen_value_word(o), "file") == 0 ? " -r" : " -x");
		str_add(out, gen_takes_value(o) ? arguments_of(gen_value_word(o)) : "");
		str_add(out, " -d ");
		gen_add_quoted(out, o->help, true);
		str_addc(out, '\n');
	}
	begin(out, condition);
	str_add(out, " -l help -d 'Tell how it is used'\n");
}

static void add_command(struct str *out, const char *family, const char *name, const char *summary)
{
	auto_str struct str condition = STR_INIT(GEN_LIMIT);

	str_addf(&condition, "__kvbox_wants_command '%s'", family ? family : "");
	begin(out, condition.buf);
	str_addf(out, " -a %s -d ", name);
	gen_add_quoted(out, summary, true);
	str_addc(out, '\n');
}

static void add_commands(struct str *out)
{
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++)
		add_command(out, entry->family, entry->name, entry->verb->summary);
	for (const struct verb_family *f = verb_families; f->name; f++)
		add_command(out, NULL, f->name, f->summary);
	add_command(out, NULL, "help", "Tell how a command is used");
}

static void add_verb(struct str *out, const struct verb *verb)
{
	auto_str struct str names = STR_INIT(GEN_LIMIT);
	auto_str struct str condition = STR_INIT(GEN_LIMIT);
	int places = gen_operand_places(verb);

	gen_add_names(&names, verb, " ", true);
	str_addf(&condition, "__kvbox_wants_option %s", names.buf);
	str_addf(out, "\n# %s\n", verb->name);
	add_options(out, condition.buf, verb->opts);
	if (places) {
		str_clear(&condition);
		str_addf(&condition, "__kvbox_wants_operand %d %s", places, names.buf);
		begin(out, condition.buf);
		str_addf(out, "%s\n", arguments_of(gen_operand_word(verb)));
	}
	if (verb->stop_at_operand) {
		str_clear(&condition);
		str_addf(&condition, "__kvbox_wants_rest %s", names.buf);
		begin(out, condition.buf);
		str_add(out, " -F\n");
	}
}

/* Which options of a command have their value in the next word. */
static void add_valued(struct str *out, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, true);

	str_add(out, "\t\t\tset -g __kvbox_valued");
	for (; o; o = gen_next_option(opts, o, true)) {
		if (!gen_takes_value(o))
			continue;
		if (o->letter)
			str_addf(out, " -%c", o->letter);
		str_addf(out, " --%s", o->name);
	}
	str_addc(out, '\n');
}

static void add_tables(struct str *out, const struct opt *global)
{
	str_add(out, "function __kvbox_tables\n\tset -g __kvbox_stops\n\tswitch $argv[1]\n");
	str_add(out, "\t\tcase ''\n");
	add_valued(out, global);
	str_add(out, "\t\t\tset -g __kvbox_stops yes\n");
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1)) {
		str_add(out, "\t\tcase ");
		gen_add_names(out, entry->verb, " ", true);
		str_addc(out, '\n');
		add_valued(out, entry->verb->opts);
		if (entry->verb->stop_at_operand)
			str_add(out, "\t\t\tset -g __kvbox_stops yes\n");
	}
	str_add(out, "\tend\nend\n\nset -g __kvbox_families");
	for (const struct verb_family *f = verb_families; f->name; f++)
		str_addf(out, " %s", f->name);
	str_addc(out, '\n');
}

void gen_fish(struct str *out, const struct opt *global)
{
	str_addf(out, "function __kvbox_containers\n\t__kvbox_ask ps $argv %s\nend\n\n",
		 gen_pipe_of(&verb_ps));
	str_addf(out, "function __kvbox_images\n\t__kvbox_ask images %s\nend\n\n",
		 gen_pipe_of(&verb_images));
	add_tables(out, global);
	str_add(out, "\ncomplete -c kvbox -f\n\n");
	add_options(out, "__kvbox_wants_option ''", global);
	str_addc(out, '\n');
	add_commands(out);
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1))
		add_verb(out, entry->verb);
}
