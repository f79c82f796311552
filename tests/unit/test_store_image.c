/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_image.h"

static void an_image_is_found_again_with_its_names_and_settings(void **state)
{
	struct fixture *f = *state;
	auto_free char *id = fixture_digest('a');
	auto_image_layers struct image_layers layers = IMAGE_LAYERS_INIT;
	auto_image struct image i;
	struct err e = ERR_INIT;

	image_init(&i);
	fixture_make_image(f, 'a', 100, "12");
	fixture_tag(f, "docker.io/library/x:latest", 'a');
	fixture_tag(f, "localhost:5000/y:1", 'a');
	assert_ok(store_image_set_digest(f->store, "docker.io/library/x", id, id, &e));
	assert_ok(store_image_load(f->store, id, &i, &e));
	assert_int_equal(i.tags.n, 0);
	assert_ok(image_load_names(f->store, &i, &e));
	assert_string_equal(i.id, id);
	assert_int_equal(i.created, 100000000000);
	assert_int_equal(i.size, 2000);
	assert_int_equal(i.tags.n, 2);
	assert_string_equal(i.tags.v[0], "x:latest");
	assert_string_equal(i.tags.v[1], "localhost:5000/y:1");
	assert_int_equal(i.digests.n, 1);
	assert_true(str_has_prefix(i.digests.v[0], "x@sha256:aaa"));
	assert_string_equal(i.config.cmd.v[0], "x");
	assert_int_equal(i.config.layers.n, 2);
	assert_ok(store_image_layers(f->store, id, &layers, &e));
	assert_int_equal(layers.n, 2);
	assert_int_equal(layers.v[1].size, 8192);
}

static void adding_an_image_twice_changes_nothing_but_how_it_is_packed(void **state)
{
	struct fixture *f = *state;

	fixture_make_image(f, 'a', 100, "12");
	fixture_make_image(f, 'a', 100, "12");
	fixture_make_image(f, 'b', 100, "12");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 2);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM layers"), 2);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM image_layers"), 4);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM chain_layers"), 2);
}

static void a_tag_moves_to_the_image_it_was_given_last(void **state)
{
	struct fixture *f = *state;
	auto_free char *b = fixture_digest('b');
	auto_free char *id = NULL;
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	fixture_make_image(f, 'b', 1, "1");
	fixture_tag(f, "r/x:1", 'a');
	fixture_tag(f, "r/x:1", 'b');
	assert_int_equal(store_image_by_tag(f->store, "r/x:1", &id, &e), 1);
	assert_string_equal(id, b);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM tags"), 1);
}

static void a_tag_of_an_image_that_is_not_there_is_refused(void **state)
{
	struct fixture *f = *state;
	auto_free char *id = fixture_digest('a');
	struct err e = ERR_INIT;

	assert_int_equal(store_image_set_tag(f->store, "r/x:1", id, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
}

static void a_prefix_finds_one_image_or_none_and_is_refused_for_several(void **state)
{
	struct fixture *f = *state;
	auto_free char *id = NULL;
	auto_free char *none = NULL;
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	fixture_make_image(f, 'b', 1, "1");
	assert_int_equal(store_image_by_prefix(f->store, "aa", &id, &e), 1);
	assert_true(str_has_prefix(id, "sha256:aaaa"));
	assert_int_equal(store_image_by_prefix(f->store, "ab", &none, &e), 0);
	assert_null(none);
	assert_fails(store_image_by_prefix(f->store, "", &none, &e), "ambiguous");
}

static void the_list_is_newest_first_and_complete(void **state)
{
	struct fixture *f = *state;
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	auto_free char *b = fixture_digest('b');
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 300, "1");
	fixture_make_image(f, 'b', 100, "12");
	fixture_make_image(f, 'c', 200, "1");
	fixture_tag(f, "docker.io/library/x:1", 'b');
	fixture_tag(f, "docker.io/library/x:2", 'b');
	fixture_tag(f, "docker.io/library/y:1", 'c');
	assert_ok(store_image_set_digest(f->store, "docker.io/library/x", b, b, &e));
	assert_ok(store_image_rows(f->store, &rows, &e));
	assert_int_equal(rows.n, 3);
	assert_true(str_has_prefix(rows.v[0].id, "sha256:aaa"));
	assert_true(str_has_prefix(rows.v[1].id, "sha256:ccc"));
	assert_true(str_has_prefix(rows.v[2].id, "sha256:bbb"));
	assert_int_equal(rows.v[0].tags.n, 0);
	assert_string_equal(rows.v[1].tags.v[0], "y:1");
	assert_string_equal(rows.v[2].tags.v[1], "x:2");
	assert_int_equal(rows.v[2].digests.n, 1);
	assert_int_equal(rows.v[2].size, 2000);
	assert_string_equal(rows.v[2].arch, "amd64");
}

static void an_empty_store_has_no_images(void **state)
{
	struct fixture *f = *state;
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	struct err e = ERR_INIT;

	assert_ok(store_image_rows(f->store, &rows, &e));
	assert_int_equal(rows.n, 0);
}

static void deleting_tells_the_layers_that_nobody_else_has(void **state)
{
	struct fixture *f = *state;
	auto_free char *a = fixture_digest('a');
	auto_strv struct strv layers = STRV_INIT;
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "123");
	fixture_make_image(f, 'b', 1, "1");
	fixture_tag(f, "r/x:1", 'a');
	assert_ok(store_image_delete(f->store, a, &layers, &e));
	assert_int_equal(layers.n, 2);
	assert_true(str_has_prefix(layers.v[0], "sha256:333"));
	assert_true(str_has_prefix(layers.v[1], "sha256:222"));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 1);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM tags"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM image_docs"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_image_up, fixture_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_image_is_found_again_with_its_names_and_settings),
		T(adding_an_image_twice_changes_nothing_but_how_it_is_packed),
		T(a_tag_moves_to_the_image_it_was_given_last),
		T(a_tag_of_an_image_that_is_not_there_is_refused),
		T(a_prefix_finds_one_image_or_none_and_is_refused_for_several),
		T(the_list_is_newest_first_and_complete),
		T(an_empty_store_has_no_images),
		T(deleting_tells_the_layers_that_nobody_else_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
