/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_image.h"

#include "registry/reference.h"

static void an_image_is_found_by_every_name_it_has(void **state)
{
	static const char *const names[] = {
		"x",
		"x:latest",
		"docker.io/library/x",
		"library/x:latest",
		"aaaaaaaaaaaa",
		"aa",
		"sha256:aaaa",
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct fixture *f = *state;
	auto_free char *id = fixture_digest('a');
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	fixture_make_image(f, 'b', 1, "1");
	fixture_tag(f, "docker.io/library/x:latest", 'a');
	assert_ok(store_image_set_digest(f->store, "docker.io/library/x", id, id, &e));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_image struct image found;

		image_init(&found);
		assert_ok(image_find(f->store, names[i], &found, &e));
		assert_string_equal(found.id, id);
	}
}

static void a_name_goes_before_an_id_that_begins_alike(void **state)
{
	struct fixture *f = *state;
	auto_free char *b = fixture_digest('b');
	auto_image struct image found;
	struct err e = ERR_INIT;

	image_init(&found);
	fixture_make_image(f, 'a', 1, "1");
	fixture_make_image(f, 'b', 1, "1");
	fixture_tag(f, "docker.io/library/aaa:latest", 'b');
	assert_ok(image_find(f->store, "aaa", &found, &e));
	assert_string_equal(found.id, b);
}

static void what_is_not_there_is_reported_in_dockers_words(void **state)
{
	static const struct {
		const char *text, *message;
		enum err_kind kind;
	} cases[] = {
		{ "nope", "No such image: nope:latest", ERR_NOT_FOUND },
		{ "localhost:5/a/b:c", "No such image: localhost:5/a/b:c", ERR_NOT_FOUND },
		{ "fff", "No such image: fff:latest", ERR_NOT_FOUND },
		{ "Bad", "must be lowercase", ERR_INVALID },
		{ "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		  "No such image: sha256:fff", ERR_NOT_FOUND },
	};
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_image struct image found;

		image_init(&found);
		assert_int_equal(image_find(f->store, cases[i].text, &found, &e), -1);
		assert_int_equal(e.kind, cases[i].kind);
		assert_non_null(strstr(e.msg, cases[i].message));
		err_clear(&e);
	}
}

static void a_tag_names_an_image_once_more(void **state)
{
	struct fixture *f = *state;
	auto_image struct image found;
	struct err e = ERR_INIT;

	image_init(&found);
	fixture_make_image(f, 'a', 1, "1");
	assert_ok(image_tag(f->store, "aaaa", "new/name", &e));
	assert_ok(image_find(f->store, "new/name:latest", &found, &e));
	assert_fails(image_tag(f->store, "nope", "x", &e), "No such image");
	assert_fails(image_tag(f->store, "aaaa", "X", &e), "must be lowercase");
}

/* ---- removing ---- */

static void collect_line(void *ctx, const struct image_progress *p)
{
	struct str *out = ctx;

	str_addf(out, "%.20s\n", p->status);
}

static int removed(struct fixture *f, const char *text, bool force, struct str *lines,
		   struct err *e)
{
	struct image_listener l = { collect_line, lines, -1 };

	str_clear(lines);
	return image_remove(f->store, text, force, &l, e);
}

static void an_image_goes_with_its_last_name(void **state)
{
	struct fixture *f = *state;
	auto_str struct str lines = STR_INIT(4096);
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "12");
	fixture_make_image(f, 'b', 1, "1");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	fixture_tag(f, "docker.io/library/x:2", 'a');
	assert_ok(removed(f, "x:1", false, &lines, &e));
	assert_string_equal(lines.buf, "Untagged: x:1\n");
	assert_ok(removed(f, "x:2", false, &lines, &e));
	assert_string_equal(lines.buf, "Untagged: x:2\nDeleted: sha256:aaaa\n"
				       "Deleted: sha256:2222\n");
	assert_fails(removed(f, "x:2", true, &lines, &e), "No such image: x:2");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 1);
}

static void the_digests_of_a_repository_go_with_its_last_tag(void **state)
{
	struct fixture *f = *state;
	auto_free char *id = fixture_digest('a');
	auto_str struct str lines = STR_INIT(4096);
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	fixture_tag(f, "docker.io/library/y:1", 'a');
	assert_ok(store_image_set_digest(f->store, "docker.io/library/x", id, id, &e));
	assert_ok(removed(f, "x:1", false, &lines, &e));
	assert_string_equal(lines.buf, "Untagged: x:1\nUntagged: x@sha256:a\n");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 1);
}

static void an_id_takes_all_names_of_one_repository_and_more_only_by_force(void **state)
{
	struct fixture *f = *state;
	auto_free char *id = fixture_digest('a');
	auto_str struct str lines = STR_INIT(4096);
	struct err e = ERR_INIT;

	fixture_make_image(f, 'a', 1, "1");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	assert_ok(store_image_set_digest(f->store, "docker.io/library/x", id, id, &e));
	assert_ok(removed(f, "aaaa", false, &lines, &e));
	assert_string_equal(lines.buf, "Untagged: x:1\nUntagged: x@sha256:a\n"
				       "Deleted: sha256:aaaa\nDeleted: sha256:1111\n");
	fixture_make_image(f, 'a', 1, "1");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	fixture_tag(f, "docker.io/library/y:1", 'a');
	assert_fails(removed(f, "aaaa", false, &lines, &e),
		     "conflict: unable to delete aaaaaaaaaaaa (must be forced) - image is "
		     "referenced in multiple repositories");
	assert_ok(removed(f, "aaaa", true, &lines, &e));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 0);
}

static void use_container(struct fixture *f, char id[ID_TEXT_SIZE])
{
	auto_free char *image = fixture_digest('1');
	auto_spec struct container_spec spec;
	struct err e = ERR_INIT;

	fixture_make_image(f, '1', 1, "2");
	fixture_tag(f, "docker.io/library/busybox:latest", '1');
	fixture_spec(&spec, "user");
	fixture_set(&spec.image_id, image);
	assert_ok(container_create(f->store, &spec, NULL, &e));
	memcpy(id, spec.id, ID_TEXT_SIZE);
}

static void an_image_that_a_stopped_container_uses_goes_only_by_force(void **state)
{
	struct fixture *f = *state;
	auto_str struct str lines = STR_INIT(4096);
	char id[ID_TEXT_SIZE];
	struct err e = ERR_INIT;

	use_container(f, id);
	assert_fails(removed(f, "busybox", false, &lines, &e),
		     "conflict: unable to remove repository reference \"busybox\" (must force) - "
		     "container ");
	assert_fails(removed(f, "1111", false, &lines, &e),
		     "conflict: unable to delete 111111111111 (must be forced) - image is being "
		     "used by stopped container ");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM tags"), 1);
	assert_ok(removed(f, "busybox", true, &lines, &e));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 0);
	/* What the container stands on is still there. */
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM chains WHERE id = '" CHAIN_A "'"),
			 1);
}

static void an_image_that_runs_stays_and_only_loses_its_name(void **state)
{
	struct fixture *f = *state;
	auto_str struct str lines = STR_INIT(4096);
	char id[ID_TEXT_SIZE];
	struct err e = ERR_INIT;
	pid_t monitor;

	use_container(f, id);
	fixture_begin_start(f, id);
	monitor = fixture_play(f, id, PLAY_MONITOR);
	assert_fails(removed(f, "1111", true, &lines, &e),
		     "conflict: unable to delete 111111111111 (cannot be forced) - image is being "
		     "used by running container ");
	assert_ok(removed(f, "busybox", true, &lines, &e));
	assert_string_equal(lines.buf, "Untagged: busybox:la\n");
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 1);
	fixture_kill(monitor);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_image_up, fixture_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_image_is_found_by_every_name_it_has),
		T(a_name_goes_before_an_id_that_begins_alike),
		T(what_is_not_there_is_reported_in_dockers_words),
		T(a_tag_names_an_image_once_more),
		T(an_image_goes_with_its_last_name),
		T(the_digests_of_a_repository_go_with_its_last_tag),
		T(an_id_takes_all_names_of_one_repository_and_more_only_by_force),
		T(an_image_that_a_stopped_container_uses_goes_only_by_force),
		T(an_image_that_runs_stays_and_only_loses_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
