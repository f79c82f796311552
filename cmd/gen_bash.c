/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for completions/kvbox.bash.in, which says what the names in them mean. */
#include <string.h>

#include "base/mem.h"
#include "cmd/gen.h"

#define LINE_WIDTH 90

/* Lists are broken into lines: people read the file, too. */
struct list {
	struct str *out;
	size_t column;
};

static struct list list_begin(struct str *out, const char *name)
{
	str_addf(out, "\t\t%s=(", name);
	return (struct list){ out, LINE_WIDTH };
}

static void list_add(struct list *l, const char *word)
{
	size_t n = strlen(word) + 1;

	if (l->column + n > LINE_WIDTH) {
		str_add(l->out, "\n\t\t\t");
		l->column = 0;
	} else {
		str_addc(l->out, ' ');
	}
	str_add(l->out, word);
	l->column += n;
}

static void list_end(struct list *l)
{
	str_add(l->out, "\n\t\t)\n");
}

static void add_option(struct list *l, const struct opt *o)
{
	const char *mark = o->hidden ? "~" : "";
	const char *equals = gen_takes_value(o) ? "=" : "";
	const char *value = gen_takes_value(o) ? gen_value_word(o) : "";
	auto_str struct str word = STR_INIT(GEN_LIMIT);

	if (o->letter) {
		str_addf(&word, "%s-%c%s%s", mark, o->letter, equals, value);
		list_add(l, word.buf);
		str_clear(&word);
	}
	str_addf(&word, "%s--%s%s%s", mark, o->name, equals, value);
	list_add(l, word.buf);
}

static void add_options(struct str *out, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, true);
	struct list l;

	l = list_begin(out, "options");
	for (; o; o = gen_next_option(opts, o, true))
		add_option(&l, o);
	list_add(&l, "--help");
	list_end(&l);
}

/* `family` may be NULL. */
static void add_commands(struct str *out, const char *family)
{
	struct list l = list_begin(out, "commands");

	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (str_eq(entry->family, family))
			list_add(&l, entry->name);
	}
	for (const struct verb_family *f = verb_families; !family && f->name; f++)
		list_add(&l, f->name);
	if (!family)
		list_add(&l, "help");
	list_end(&l);
}

static void add_verb(struct str *out, const struct verb *verb)
{
	int places = gen_operand_places(verb);

	str_addc(out, '\t');
	gen_add_names(out, verb, " | ", false);
	str_add(out, ")\n");
	add_options(out, verb->opts);
	if (places)
		str_addf(out, "\t\toperands=%s places=%d\n", gen_operand_word(verb), places);
	if (verb->stop_at_operand)
		str_add(out, "\t\tstops=yes\n");
	str_add(out, "\t\t;;\n");
}

void gen_bash(struct str *out, const struct opt *global)
{
	str_addf(out, "_kvbox_containers() {\n\t_kvbox_ask ps \"$@\" %s\n}\n\n",
		 gen_pipe_of(&verb_ps));
	str_addf(out, "_kvbox_images() {\n\t_kvbox_ask images %s\n}\n\n",
		 gen_pipe_of(&verb_images));
	str_add(out, "_kvbox_tables() {\n\tcase $1 in\n\t'')\n");
	add_options(out, global);
	add_commands(out, NULL);
	str_add(out, "\t\tstops=yes\n\t\t;;\n");
	for (const struct verb_family *f = verb_families; f->name; f++) {
		str_addf(out, "\t%s)\n", f->name);
		add_commands(out, f->name);
		str_add(out, "\t\toptions=(--help)\n\t\t;;\n");
	}
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1))
		add_verb(out, entry->verb);
	str_add(out, "\tesac\n}\n");
}
