/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/verbs.h"

static void every_verb_is_complete(void **state)
{
	(void)state;
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		const struct verb *v = entry->verb;

		assert_non_null(v->main);
		assert_non_null(v->summary);
		assert_true(v->summary[strlen(v->summary) - 1] != '.');
		assert_int_equal(v->operands != NULL, v->max_operands != 0);
		assert_true(v->max_operands == OPT_MANY || v->max_operands >= v->min_operands);
		assert_true(!entry->family || verb_family_find(entry->family));
		assert_ptr_equal(verb_entry_find(entry->family, entry->name), entry);
	}
}

static void options_of_a_verb_have_names_of_their_own_and_fit_its_arguments(void **state)
{
	(void)state;
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		const struct verb *v = entry->verb;

		for (const struct opt *o = v->opts; o && o->name; o++) {
			assert_true(o->offset < v->argsize);
			if (!o->hidden &&
			    (!o->help || !*o->help || o->help[strlen(o->help) - 1] == '.'))
				fail_msg("help of %s --%s", v->name, o->name);
			assert_int_equal(o->metavar == NULL, o->kind == OPT_KIND_BOOL);
			for (const struct opt *p = v->opts; p != o; p++) {
				assert_string_not_equal(o->name, p->name);
				assert_true(!o->letter || o->letter != p->letter);
			}
		}
	}
}

static void values_at_the_start_are_valid(void **state)
{
	(void)state;
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		auto_free void *args = xcalloc(1, entry->verb->argsize + 1);
		struct opt_result result;
		struct err e = ERR_INIT;
		char *none[] = { NULL };

		assert_ok(opt_parse(entry->verb, 0, none, args, &result, &e));
		free(result.operands.v);
		opt_release(entry->verb, args);
	}
}

static void what_is_no_name_is_not_found(void **state)
{
	(void)state;
	assert_null(verb_entry_find(NULL, "ls"));
	assert_null(verb_entry_find("container", "images"));
	assert_null(verb_entry_find(NULL, ""));
	assert_null(verb_family_find("run"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_is_complete),
		cmocka_unit_test(options_of_a_verb_have_names_of_their_own_and_fit_its_arguments),
		cmocka_unit_test(values_at_the_start_are_valid),
		cmocka_unit_test(what_is_no_name_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
