/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_image.h"

#include "engine/image_filter.h"

#define SECOND INT64_C(1000000000)

/* a: x:1, x:2 and localhost:5000/y:1 (second 100); b: a digest of z alone (200); c: no name (300). */
static int up(void **state)
{
	auto_free char *b = fixture_digest('b');
	auto_free char *digest = fixture_digest('d');
	struct err e = ERR_INIT;
	struct fixture *f;

	fixture_image_up(state);
	f = *state;
	fixture_make_image(f, 'a', 100, "1");
	fixture_make_image(f, 'b', 200, "2");
	fixture_make_image(f, 'c', 300, "3");
	fixture_tag(f, "docker.io/library/x:1", 'a');
	fixture_tag(f, "docker.io/library/x:2", 'a');
	fixture_tag(f, "localhost:5000/y:1", 'a');
	assert_ok(store_image_set_digest(f->store, "docker.io/me/z", digest, b, &e));
	fixture_sql(f,
		    "UPDATE image_docs SET doc = replace(doc, '\"config\":{',"
		    " '\"config\":{\"Labels\":{\"tier\":\"back\"},') WHERE image LIKE 'sha256:b%'");
	return 0;
}

/* The digits of the images that fit, with the number of their names. */
static void expect(struct fixture *f, const struct image_filter *filter, const char *want)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	auto_str struct str got = STR_INIT(100);
	struct err e = ERR_INIT;

	assert_ok(image_list_filtered(f->store, filter, &rows, &e));
	for (size_t i = 0; i < rows.n; i++)
		str_addf(&got, "%c%zu", rows.v[i].id[7], rows.v[i].tags.n + rows.v[i].digests.n);
	assert_string_equal(got.buf, want);
}

static void patterns_choose_names_and_images(void **state)
{
	static const struct {
		const char *pattern, *want;
	} cases[] = {
		{ "x", "a2" },
		{ "x:2", "a1" },
		{ "x:*", "a2" },
		{ "*", "a2" }, /* a star stops at a slash */
		{ "*/*", "b1a1" },
		{ "localhost:5000/y", "a1" },
		{ "localhost:5000/y:1", "a1" },
		{ "docker.io/library/x", "a2" },
		{ "docker.io/library/x:1", "a1" },
		{ "me/z", "b1" },
		{ "z", "" },
		{ "[x", "" },
		{ "UPPER", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_image_filter struct image_filter filter = { .dangling = DANGLING_ANY };

		strv_add(&filter.references, cases[i].pattern);
		expect(f, &filter, cases[i].want);
	}
}

static void what_dangles_has_no_tag(void **state)
{
	struct image_filter filter = { .dangling = DANGLING_ANY };
	struct fixture *f = *state;

	expect(f, &filter, "c0b1a3");
	filter.dangling = DANGLING_ONLY;
	expect(f, &filter, "c0b1");
	filter.dangling = DANGLING_NOT;
	expect(f, &filter, "b1a3");
}

static void times_and_labels_choose_images(void **state)
{
	auto_image_filter struct image_filter before = { .dangling = DANGLING_ANY };
	auto_image_filter struct image_filter since = { .dangling = DANGLING_ANY };
	auto_image_filter struct image_filter label = { .dangling = DANGLING_ANY };
	struct image_filter until = { .until_ns = 200 * SECOND };
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	expect(f, &until, "a3");
	strv_add(&before.before, "bbbb");
	expect(f, &before, "a3");
	strv_add(&since.since, "x:1");
	expect(f, &since, "c0b1");
	strv_add(&label.labels, "tier=back");
	expect(f, &label, "b1");
	strv_add(&label.labels, "nosuch");
	expect(f, &label, "");
	strv_add(&before.before, "nosuch");
	assert_fails(image_list_filtered(f->store, &before, &rows, &e),
		     "No such image: nosuch:latest");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(patterns_choose_names_and_images),
		TEST(what_dangles_has_no_tag),
		TEST(times_and_labels_choose_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
