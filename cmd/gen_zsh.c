/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for completions/_kvbox.in: specifications of _arguments. */
#include <string.h>

#include "cmd/gen.h"

/* What offers each kind of value. */
static const char *action_of(const char *word)
{
	static const char *const actions[][2] = {
		{ "file", "_files" },
		{ "dir", "_directories" },
		{ "image", "_kvbox_images" },
		{ "signal", "_kvbox_signals" },
		{ "container", "_kvbox_containers -a" },
		{ "running", "_kvbox_containers" },
		{ "stopped",
		  "_kvbox_containers -a --filter status=created --filter status=exited" },
		{ "", " " },
	};

	for (size_t i = 0;; i++) {
		if (!*actions[i][0] || strcmp(actions[i][0], word) == 0)
			return actions[i][1];
	}
}

/* Text inside "[...]" or between colons. */
static void add_text(struct str *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (strchr("[]:\\", *c))
			str_addc(out, '\\');
		str_addc(out, *c);
	}
}

static void add_value(struct str *out, const struct opt *o)
{
	if (!gen_takes_value(o))
		return;
	str_addc(out, ':');
	add_text(out, o->metavar);
	str_addf(out, ":%s", action_of(gen_value_word(o)));
}

/* "(-d --detach)"{-d,--detach}"[text]:message:action"; what may be given often has "*" in front. */
static void add_option(struct str *out, const struct opt *o)
{
	const char *equals = gen_takes_value(o) ? "=" : "";
	const char *plus = gen_takes_value(o) ? "+" : "";
	auto_str struct str text = STR_INIT(GEN_LIMIT);

	str_addc(&text, '[');
	add_text(&text, o->help);
	str_addc(&text, ']');
	add_value(&text, o);
	str_add(out, " \\\n\t\t\t");
	if (o->kind == OPT_KIND_LIST)
		str_add(out, "'*'");
	else if (o->letter)
		str_addf(out, "'(-%c --%s)'", o->letter, o->name);
	if (o->letter)
		str_addf(out, "{-%c%s,--%s%s}", o->letter, plus, o->name, equals);
	else
		str_addf(out, "--%s%s", o->name, equals);
	gen_add_quoted(out, text.buf, false);
}

static void add_options(struct str *out, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, false);

	for (; o; o = gen_next_option(opts, o, false))
		add_option(out, o);
	str_add(out, " \\\n\t\t\t'(- *)--help[Tell how it is used]'");
}

static void add_operands(struct str *out, const struct verb *verb)
{
	const char *action = action_of(gen_operand_word(verb));
	int places = gen_operand_places(verb);

	if (places == OPT_MANY)
		str_addf(out, " \\\n\t\t\t'*:operand:%s'", action);
	for (int i = 1; i <= places; i++)
		str_addf(out, " \\\n\t\t\t'%d:operand:%s'", i, action);
	if (verb->stop_at_operand)
		str_add(out, " \\\n\t\t\t'*:argument:_files'");
}

static void add_verb(struct str *out, const struct verb *verb)
{
	str_add(out, "\t(");
	gen_add_names(out, verb, "|", false);
	str_addf(out, ")\n\t\t_arguments -s -S%s", verb->stop_at_operand ? " -A '-*'" : "");
	add_options(out, verb->opts);
	add_operands(out, verb);
	str_add(out, "\n\t\t;;\n");
}

static void add_command(struct str *out, const char *name, const char *summary)
{
	auto_str struct str text = STR_INIT(GEN_LIMIT);

	str_addf(&text, "%s:", name);
	add_text(&text, summary);
	str_add(out, "\t\t\t");
	gen_add_quoted(out, text.buf, false);
	str_addc(out, '\n');
}

/* `family` may be NULL. */
static void add_commands(struct str *out, const char *family)
{
	str_addf(out, "\t(%s)\n\t\tcommands=(\n", family ? family : "''");
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (str_eq(entry->family, family))
			add_command(out, entry->name, entry->verb->summary);
	}
	for (const struct verb_family *f = verb_families; !family && f->name; f++)
		add_command(out, f->name, f->summary);
	if (!family)
		add_command(out, "help", "Tell how a command is used");
	str_add(out, "\t\t)\n\t\t;;\n");
}

void gen_zsh(struct str *out, const struct opt *global)
{
	str_addf(out, "_kvbox_container_names() {\n\t_kvbox_ask ps \"$@\" %s\n}\n\n",
		 gen_pipe_of(&verb_ps));
	str_addf(out, "_kvbox_image_names() {\n\t_kvbox_ask images %s\n}\n\n",
		 gen_pipe_of(&verb_images));
	str_add(out, "_kvbox_commands_of() {\n\tcommands=()\n\tcase $1 in\n");
	add_commands(out, NULL);
	for (const struct verb_family *f = verb_families; f->name; f++)
		add_commands(out, f->name);
	str_add(out, "\tesac\n}\n\n_kvbox_arguments_of() {\n\tcase $1 in\n");
	str_add(out, "\t('')\n\t\t_arguments -C -s -S -A '-*'");
	add_options(out, global);
	str_add(out, " \\\n\t\t\t'1:command:->command' '*::argument:->argument'\n"
		     "\t\tlocal result=$?\n"
		     "\t\t# What it did to $words has to outlive this function.\n"
		     "\t\tcompstate[restore]=''\n\t\treturn result\n\t\t;;\n");
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1))
		add_verb(out, entry->verb);
	str_add(out, "\tesac\n}\n");
}
