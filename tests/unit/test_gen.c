/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <ctype.h>

#include "base/mem.h"
#include "cmd/gen.h"

struct args {
	bool force, old;
	const char *signal, *text;
	struct strv files;
};

static const struct opt opts[] = {
	OPT_STR('s', "signal", struct args, signal, "string", "It's a [signal]: any", COMP_SIGNAL,
		.value = "KILL"),
	OPT_BOOL('f', "force", struct args, force, "Do it"),
	OPT_LIST(0, "file", struct args, files, "file", ".profile or a\\b", COMP_FILE),
	OPT_STR(0, "text", struct args, text, "string", "Anything", COMP_NONE),
	OPT_BOOL(0, "old", struct args, old, "As --force", .hidden = true),
	OPT_END,
};

static const struct verb verb = {
	.name = "poke",
	.operands = "THING[:TAG] [REST] [ARG...]",
	.summary = "Poke things",
	.opts = opts,
	.argsize = sizeof(struct args),
};

typedef void generator(struct str *out, const struct opt *global);

static generator *const generators[] = { gen_bash, gen_zsh, gen_fish, gen_list, gen_man_program };

static void the_same_tables_give_the_same_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(generators); i++) {
		auto_str struct str a = STR_INIT(GEN_LIMIT);
		auto_str struct str b = STR_INIT(GEN_LIMIT);

		generators[i](&a, opts);
		generators[i](&b, opts);
		assert_false(a.over);
		assert_string_equal(a.buf, b.buf);
	}
}

static void every_name_of_every_verb_and_every_option_is_in_each_completion(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_str struct str out = STR_INIT(GEN_LIMIT);

		generators[i](&out, opts);
		for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
			auto_str struct str name = STR_INIT(100);

			gen_add_name(&name, entry);
			assert_non_null(strstr(out.buf, name.buf));
			for (const struct opt *o = entry->verb->opts; o && o->name; o++)
				assert_true(o->hidden || strstr(out.buf, o->name));
		}
	}
}

static void bash_marks_values_their_kinds_and_what_is_hidden(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_bash(&out, opts);
	assert_non_null(strstr(out.buf, "\t\t\t--file=file -f --force ~--old -s=signal "
					"--signal=signal --text= --help\n"));
	assert_non_null(strstr(out.buf, "\t'run' | 'container run')\n"));
	assert_non_null(strstr(out.buf, "operands=image places=1\n\t\tstops=yes\n"));
}

static void zsh_gets_its_own_signs_of_texts_escaped(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_zsh(&out, opts);
	assert_non_null(strstr(out.buf,
			       "'(-s --signal)'{-s+,--signal=}'[It'\\''s a \\[signal\\]\\: "
			       "any]:string:_kvbox_signals'"));
	assert_non_null(strstr(out.buf, "'*'--file='[.profile or a\\\\b]:file:_files'"));
	assert_non_null(strstr(out.buf, "'(-f --force)'{-f,--force}'[Do it]'"));
	assert_null(strstr(out.buf, "--old"));
}

static void fish_gets_its_own_signs_of_texts_escaped(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_fish(&out, opts);
	assert_non_null(strstr(out.buf, " -s s -l signal -x -a '(__kvbox_signals)' -d 'It\\'s a"));
	assert_non_null(strstr(out.buf, " -l file -r -F -d '.profile or a\\\\b'\n"));
	assert_null(strstr(out.buf, "-l old"));
	assert_non_null(strstr(out.buf, "set -g __kvbox_valued --file -s --signal --text\n"));
}

static void the_list_has_hidden_options_and_verbs_without_options(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_list(&out, opts);
	assert_non_null(strstr(out.buf, "(program)\t--old\t-\tbool\n"));
	assert_non_null(strstr(out.buf, "(program)\t--signal\t-s\tvalue\n"));
	assert_non_null(strstr(out.buf, "\ntag\t-\t-\t-\n"));
	assert_non_null(strstr(out.buf, "\nps\t--all\t-a\tbool\n"));
	assert_null(strstr(out.buf, "container ls"));
}

static void a_page_tells_of_defaults_and_begins_no_line_as_a_request(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_man_program(&out, opts);
	assert_non_null(strstr(out.buf, ".It Fl s , Fl -signal Ar string\nIt's a [signal]: any.\n"
					"The default is\n.Ql KILL .\n"));
	assert_non_null(strstr(out.buf, "\n\\&.profile or a\\eb.\n"));
	assert_null(strstr(out.buf, "--old"));
}

static void what_is_in_brackets_as_a_whole_is_optional(void **state)
{
	auto_str struct str out = STR_INIT(GEN_LIMIT);

	(void)state;
	gen_man_verb(&out, &verb_run);
	assert_non_null(strstr(out.buf, ".Dt KVBOX-RUN 1\n"));
	assert_non_null(strstr(out.buf, ".Nm kvbox run\n.Op Ar OPTIONS\n.Ar IMAGE\n"
					".Op Ar COMMAND\n.Op Ar ARG...\n"));
	assert_non_null(strstr(out.buf, "It is also called\n.Nm kvbox container run .\n"));
}

static void each_verb_has_one_page_by_the_name_it_goes_by(void **state)
{
	size_t pages = 0;

	(void)state;
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1)) {
		auto_str struct str name = STR_INIT(100);

		pages++;
		assert_ptr_equal(gen_name_of(entry->verb), entry);
		gen_man_name(&name, entry->verb);
		for (const char *c = name.buf; *c; c++)
			assert_true(islower((unsigned char)*c) || *c == '-');
	}
	assert_true(pages > 10);
	assert_string_equal(gen_name_of(&verb_ps)->name, "ps");
	assert_null(gen_name_of(&verb_ps)->family);
	assert_string_equal(gen_name_of(&verb_container_inspect)->family, "container");
	assert_null(gen_name_of(&verb));
}

static void every_kind_of_value_has_a_word(void **state)
{
	(void)state;
	for (int comp = COMP_NONE + 1; comp < COMP_COUNT; comp++) {
		const struct opt o = { .name = "x", .comp = (enum opt_comp)comp };

		assert_string_not_equal(gen_value_word(&o), "");
	}
	assert_string_equal(gen_operand_word(&verb_exec), "running");
	assert_string_equal(gen_operand_word(&verb_start), "stopped");
	assert_string_equal(gen_operand_word(&verb_rm), "container");
	assert_int_equal(gen_operand_places(&verb_run), 1);
	assert_int_equal(gen_operand_places(&verb_rm), OPT_MANY);
	assert_int_equal(gen_operand_places(&verb_ps), 0);
}

static void a_verb_with_a_format_is_asked_by_it(void **state)
{
	(void)state;
	assert_true((strstr(gen_pipe_of(&verb_ps), "{{.Names}}") != NULL) ==
		    gen_has_option(&verb_ps, "format"));
	assert_true((strstr(gen_pipe_of(&verb_images), "{{.Tag}}") != NULL) ==
		    gen_has_option(&verb_images, "format"));
	assert_true(gen_has_option(&verb, "old"));
	assert_false(gen_has_option(&verb, "ol"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_tables_give_the_same_text),
		cmocka_unit_test(every_name_of_every_verb_and_every_option_is_in_each_completion),
		cmocka_unit_test(bash_marks_values_their_kinds_and_what_is_hidden),
		cmocka_unit_test(zsh_gets_its_own_signs_of_texts_escaped),
		cmocka_unit_test(fish_gets_its_own_signs_of_texts_escaped),
		cmocka_unit_test(the_list_has_hidden_options_and_verbs_without_options),
		cmocka_unit_test(a_page_tells_of_defaults_and_begins_no_line_as_a_request),
		cmocka_unit_test(what_is_in_brackets_as_a_whole_is_optional),
		cmocka_unit_test(each_verb_has_one_page_by_the_name_it_goes_by),
		cmocka_unit_test(every_kind_of_value_has_a_word),
		cmocka_unit_test(a_verb_with_a_format_is_asked_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
