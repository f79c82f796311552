/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_image.h"

#include "engine/prune.h"

static void containers_that_run_or_do_not_fit_stay(void **state)
{
	auto_prune_filter struct prune_filter label = { .labels = STRV_INIT };
	auto_prune_filter struct prune_filter other = { .labels = STRV_INIT };
	auto_prune_result struct prune_result first = { STRV_INIT, 0 }, second = { STRV_INIT, 0 },
					      third = { STRV_INIT, 0 };
	struct prune_filter old = { .until_ns = 1 }, all = { .until_ns = 0 };
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char running[ID_TEXT_SIZE], created[ID_TEXT_SIZE];
	pid_t monitor;

	fixture_create(f, "running", false, running);
	fixture_begin_start(f, running);
	monitor = fixture_play(f, running, PLAY_MONITOR);
	assert_ok(container_started(f->store, running, 10, &e));
	fixture_create(f, "created", false, created);
	strv_add(&label.labels, "a");
	assert_ok(prune_containers(f->store, &old, &first, &e));
	assert_ok(prune_containers(f->store, &label, &first, &e));
	assert_int_equal(first.lines.n, 0);
	strv_add(&other.not_labels, "a");
	assert_ok(prune_containers(f->store, &other, &second, &e));
	assert_int_equal(second.lines.n, 1);
	assert_string_equal(second.lines.v[0], created);
	assert_int_equal(second.bytes, 0);
	assert_false(fixture_exists(f, "containers", created));
	assert_ok(prune_containers(f->store, &all, &third, &e));
	assert_int_equal(third.lines.n, 0);
	assert_int_equal(fixture_state(f, running), ST_RUNNING);
	fixture_kill(monitor);
}

static void images_go_with_their_names_and_their_own_layers(void **state)
{
	auto_prune_result struct prune_result dangling = { STRV_INIT, 0 }, all = { STRV_INIT, 0 };
	struct prune_filter any = { .until_ns = 0 };
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	/* b has no name and shares layer 1 with a */
	fixture_make_image(f, 'a', 100, "12");
	fixture_make_image(f, 'b', 200, "13");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	fixture_tag(f, "localhost:5000/y:1", 'a');
	assert_ok(prune_images(f->store, &any, false, &dangling, &e));
	assert_int_equal(dangling.lines.n, 2);
	assert_true(str_has_prefix(dangling.lines.v[0], "deleted: sha256:bbbb"));
	assert_true(str_has_prefix(dangling.lines.v[1], "deleted: sha256:3333"));
	assert_int_equal(dangling.bytes, 1000);
	assert_ok(prune_images(f->store, &any, true, &all, &e));
	assert_int_equal(all.lines.n, 5);
	assert_string_equal(all.lines.v[0], "untagged: x:1");
	assert_string_equal(all.lines.v[1], "untagged: localhost:5000/y:1");
	assert_true(str_has_prefix(all.lines.v[2], "deleted: sha256:aaaa"));
	assert_int_equal(all.bytes, 2000);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 0);
}

static void an_image_that_a_container_was_made_from_stays(void **state)
{
	auto_prune_result struct prune_result result = { STRV_INIT, 0 };
	struct prune_filter any = { .until_ns = 0 };
	struct fixture *f = *state;
	auto_spec struct container_spec s;
	struct err e = ERR_INIT;
	auto_free char *id = fixture_digest('a');

	fixture_make_image(f, 'a', 100, "1");
	fixture_spec(&s, "user");
	fixture_set(&s.image_id, id);
	assert_ok(container_create(f->store, &s, NULL, &e));
	assert_ok(prune_images(f->store, &any, true, &result, &e));
	assert_int_equal(result.lines.n, 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM images"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(containers_that_run_or_do_not_fit_stay, fixture_up,
						fixture_down),
		cmocka_unit_test_setup_teardown(images_go_with_their_names_and_their_own_layers,
						fixture_image_up, fixture_down),
		cmocka_unit_test_setup_teardown(an_image_that_a_container_was_made_from_stays,
						fixture_image_up, fixture_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
