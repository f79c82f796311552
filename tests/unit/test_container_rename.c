/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include <string.h>

static char *config_name(struct fixture *f, const char *id)
{
	auto_spec struct container_spec s = { .id = NULL };
	auto_close int dir = -1;
	struct err e = ERR_INIT;
	char path[PATH_NAME_SIZE];

	assert_ok(fd_open_dir(f->paths.root_fd, path_container(id, NULL, path), &dir, &e));
	assert_ok(spec_read_file(dir, &s, &e));
	return take_ptr(&s.name);
}

static void row_definition_and_file_get_the_new_name(void **state)
{
	struct fixture *f = *state;
	auto_container struct container c = CONTAINER_INIT;
	auto_spec struct container_spec s = { .id = NULL };
	auto_str struct str events = STR_INIT(65536);
	auto_free char *name = NULL;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "old", false, id);
	assert_ok(container_rename(f->store, id, "/new", &e));
	assert_ok(container_find(f->store, "new", &c, &e));
	assert_string_equal(c.id, id);
	assert_ok(container_spec_load(f->store, id, &s, &e));
	assert_string_equal(s.name, "new");
	name = config_name(f, id);
	assert_string_equal(name, "new");
	assert_fails(container_find(f->store, "old", &c, &e), "No such container: old");
	assert_ok(file_read(f->paths.root_fd, "events.log", &events, &e));
	assert_non_null(strstr(events.buf, "\"action\":\"rename\""));
	assert_non_null(strstr(events.buf, "\"oldName\":\"/old\""));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void names_that_cannot_be_are_refused_in_dockers_words(void **state)
{
	static const struct {
		const char *name, *words;
		enum err_kind kind;
	} cases[] = {
		{ "", "Neither old nor new names may be empty", ERR_INVALID },
		{ "/", "Neither old nor new names may be empty", ERR_INVALID },
		{ "mine", "Renaming a container with the same name as its current name",
		  ERR_INVALID },
		{ "theirs", "Conflict. The container name \"/theirs\" is already in use",
		  ERR_CONFLICT },
		{ "a b", "Invalid container name (a b)", ERR_INVALID },
	};
	struct fixture *f = *state;
	char mine[ID_TEXT_SIZE], theirs[ID_TEXT_SIZE];
	auto_free char *name = NULL;

	fixture_create(f, "mine", false, mine);
	fixture_create(f, "theirs", false, theirs);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(container_rename(f->store, mine, cases[i].name, &e), -1);
		assert_int_equal(e.kind, cases[i].kind);
		assert_non_null(strstr(e.msg, cases[i].words));
	}
	name = config_name(f, mine);
	assert_string_equal(name, "mine");
}

static void a_container_that_went_away_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "web", false, id);
	assert_ok(container_remove(f->store, id, 0, &e));
	assert_int_equal(container_rename(f->store, id, "new", &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_false(fixture_exists(f, "run", id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(row_definition_and_file_get_the_new_name),
		TEST(names_that_cannot_be_are_refused_in_dockers_words),
		TEST(a_container_that_went_away_is_not_found),
	};

	return cmocka_run_group_tests_name("container_rename", tests, NULL, NULL);
}
