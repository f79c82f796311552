/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "cmd/help.h"

struct args {
	bool force, quiet, secret;
	const char *signal;
	struct opt_int time;
};

static const struct opt opts[] = {
	OPT_STR('s', "signal", struct args, signal, "string", "Signal to send", COMP_SIGNAL,
		.value = "KILL"),
	OPT_INT(0, "time", struct args, time, "int",
		"A text that is so long that it has to be broken where the next word would pass "
		"the edge of it",
		COMP_NONE, .value = "10"),
	OPT_BOOL('f', "force", struct args, force, "Do it", .value = "true"),
	OPT_BOOL(0, "secret", struct args, secret, "Not shown", .hidden = true), OPT_END
};

static const struct verb verb = {
	.name = "poke",
	.operands = "THING [THING...]",
	.summary = "Poke things",
	.opts = opts,
	.argsize = sizeof(struct args),
};

static void options_are_sorted_aligned_wrapped_and_show_their_defaults(void **state)
{
	auto_str struct str out = STR_INIT(4096);

	(void)state;
	help_options(&out, opts, 60);
	assert_string_equal(out.buf, "  -f, --force           Do it (default true)\n"
				     "  -s, --signal string   Signal to send (default \"KILL\")\n"
				     "      --time int        A text that is so long that\n"
				     "                        it has to be broken where the\n"
				     "                        next word would pass the edge\n"
				     "                        of it (default 10)\n");
}

static void on_a_narrow_terminal_texts_begin_on_a_line_of_their_own(void **state)
{
	auto_str struct str out = STR_INIT(4096);

	(void)state;
	help_options(&out, opts, 44);
	assert_non_null(strstr(out.buf, "--force           \n                Do it"));
}

static void the_usage_tells_of_options_and_operands_only_where_there_are_any(void **state)
{
	static const struct verb bare = { .name = "bare" };
	auto_str struct str out = STR_INIT(4096);

	(void)state;
	help_usage(&out, "kvbox poke", &verb);
	str_addc(&out, '|');
	help_usage(&out, "kvbox bare", &bare);
	assert_string_equal(out.buf, "kvbox poke [OPTIONS] THING [THING...]|kvbox bare");
}

static void a_verb_of_several_names_lists_them(void **state)
{
	auto_str struct str out = STR_INIT(16384);

	(void)state;
	help_verb(&out, "kvbox", "kvbox ps", &verb_ps, 80);
	assert_non_null(
		strstr(out.buf,
		       "Usage:  kvbox ps [OPTIONS]\n\nList containers\n\nAliases:\n"
		       "  kvbox container ls, kvbox container list, kvbox container ps, kvbox ps\n"
		       "\nOptions:\n  -a, --all "));
	str_clear(&out);
	help_verb(&out, "kvbox", "kvbox version", &verb_version, 80);
	assert_null(strstr(out.buf, "Aliases"));
	str_clear(&out);
	help_verb(&out, "kvbox", "kvbox tag", &verb_tag, 80);
	assert_null(strstr(out.buf, "Options"));
}

static void every_verb_is_in_the_program_s_help_once(void **state)
{
	auto_str struct str out = STR_INIT(16384);

	(void)state;
	help_program(&out, "kvbox", opts, 80);
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		char line[100];
		const char *at;

		if (entry->family)
			continue;
		snprintf(line, sizeof(line), "\n  %s ", entry->name);
		at = strstr(out.buf, line);
		assert_non_null(at);
		assert_null(strstr(at + 1, line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_sorted_aligned_wrapped_and_show_their_defaults),
		cmocka_unit_test(on_a_narrow_terminal_texts_begin_on_a_line_of_their_own),
		cmocka_unit_test(the_usage_tells_of_options_and_operands_only_where_there_are_any),
		cmocka_unit_test(a_verb_of_several_names_lists_them),
		cmocka_unit_test(every_verb_is_in_the_program_s_help_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
