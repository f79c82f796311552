/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen: prints what is written out of the verb and option tables. scripts/gen (`make gen`) calls it.
 *
 *	gen bash|zsh|fish	tables of the completion
 *	gen man			the verbs and options of kvbox.1
 *	gen pages		names of the verbs' pages
 *	gen page NAME		one of them
 *	gen list		all options, one a line
 *
 * A program of its own, and no hidden verb, because nobody who has kvbox installed needs it: its objects
 * are linked into build/<mode>/gen only.
 */
/* The program's own options are known to main.c only, as all else about how the program is called. It is
 * compiled in here with another name for its main. That renames a member of struct verb as well, so it
 * comes before the headers. */
#define main kvbox_main
int main(int argc, char **argv);
#include "cmd/main.c" /* NOLINT(bugprone-suspicious-include): see above */
#undef main

#include "cmd/gen.h"

static const struct {
	const char *name;
	void (*write)(struct str *out, const struct opt *global);
} texts[] = {
	{ "bash", gen_bash },	    { "fish", gen_fish }, { "list", gen_list },
	{ "man", gen_man_program }, { "zsh", gen_zsh },
};

/* All names, or the page that is called `name`. True when there was any. */
static bool add_pages(struct str *out, const char *name)
{
	size_t before = out->len;

	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1)) {
		auto_str struct str page = STR_INIT(GEN_LIMIT);

		gen_man_name(&page, entry->verb);
		if (!name)
			str_addf(out, "%s\n", page.buf);
		else if (strcmp(page.buf, name) == 0)
			gen_man_verb(out, entry->verb);
	}
	return out->len > before;
}

static bool add(struct str *out, int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(texts); i++) {
		if (strcmp(argv[1], texts[i].name) == 0) {
			texts[i].write(out, global_opts);
			return true;
		}
	}
	if (argc == 2 && strcmp(argv[1], "pages") == 0)
		return add_pages(out, NULL);
	return argc == 3 && strcmp(argv[1], "page") == 0 && add_pages(out, argv[2]);
}

int main(int argc, char **argv)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	if (!add(&out, argc, argv)) {
		fprintf(stderr, "usage: gen bash|zsh|fish|man|pages|page NAME|list\n");
		return 2;
	}
	if (out.over) {
		fprintf(stderr, "gen: more than %u bytes\n", GEN_LIMIT);
		return 1;
	}
	fputs(out.buf, stdout);
	return fflush(stdout) == EOF;
}
