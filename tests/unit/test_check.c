/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include "base/digest.h"
#include "engine/check.h"
#include "engine/gc.h"

#define LAYER "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define STRAY "9999999999999999999999999999999999999999999999999999999999999999"

static void collect(void *ctx, const char *line)
{
	strv_add(ctx, line);
}

static int run_check(struct fixture *f, bool repair, bool deep, struct strv *lines)
{
	struct check c = { .repair = repair, .deep = deep, .report = collect, .ctx = lines };
	struct err e = ERR_INIT;
	int r;

	strv_clear(lines);
	r = check_run(f->store, &c, &e);
	if (r < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void assert_one(const struct strv *lines, const char *want)
{
	if (lines->n != 1 || !strstr(lines->v[0], want))
		fail_msg("%zu lines, '%s' lacks '%s'", lines->n, lines->n ? lines->v[0] : "", want);
}

static void put(struct fixture *f, const char *path, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(f->paths.root_fd, path, text, strlen(text), 0600, &e));
}

/* An image of one layer, with all its files; its config's digest is right. */
static void add_image(struct fixture *f, char config[DIGEST_TEXT_SIZE])
{
	struct err e = ERR_INIT;
	char path[PATH_NAME_SIZE], blob[DIGEST_TEXT_SIZE];
	auto_free char *image = NULL, *layer = NULL;

	assert_ok(digest_of("{ }", 3, config, &e));
	assert_ok(digest_of("blob", 4, blob, &e));
	put(f, path_blob(config, path), "{ }");
	put(f, path_blob(blob, path), "blob");
	put(f, path_layer(LAYER, path), "erofs");
	image = xasprintf(
		"INSERT INTO images VALUES ('%s', '%s', 't', 'linux', 'amd64', '', 1, 1, 5,"
		" '" CHAIN_A "')",
		config, config);
	layer = xasprintf("INSERT INTO image_layers VALUES ('%s', 0, '" LAYER "', '%s', 4, 't')",
			  config, blob);
	fixture_sql(f, "INSERT INTO layers VALUES ('" LAYER "', 1, 5, 10, 1)");
	fixture_sql(f, "INSERT INTO chain_layers VALUES ('" CHAIN_A "', 0, '" LAYER "')");
	fixture_sql(f, image);
	fixture_sql(f, layer);
}

static void a_healthy_store_has_no_problems_also_while_containers_run(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv lines = STRV_INIT;
	char created[ID_TEXT_SIZE], running[ID_TEXT_SIZE], config[DIGEST_TEXT_SIZE];
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 1 };
	pid_t monitor;

	assert_int_equal(run_check(f, false, true, &lines), 0);
	add_image(f, config);
	fixture_create(f, "one", false, created);
	fixture_create(f, "two", true, running);
	fixture_begin_start(f, running);
	monitor = fixture_play(f, running, PLAY_BOTH);
	fixture_write_state(f, running, &vm);
	assert_int_equal(run_check(f, false, true, &lines), 0);
	assert_int_equal(lines.n, 0);
	assert_int_equal(run_check(f, true, true, &lines), 0);
	assert_int_equal(lines.n, 0);
	assert_int_equal(fixture_state(f, running), ST_STARTING);
	/* A dead monitor is what every command deals with, and no problem either. */
	fixture_kill(monitor);
	assert_int_equal(run_check(f, false, false, &lines), 0);
	assert_int_equal(fixture_state(f, running), ST_NONE);
}

static void missing_and_damaged_files_are_told_and_never_repaired(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_strv struct strv lines = STRV_INIT;
	char config[DIGEST_TEXT_SIZE], id[ID_TEXT_SIZE], path[PATH_NAME_SIZE];

	add_image(f, config);
	fixture_create(f, "one", false, id);
	put(f, path_blob(config, path), "{x}");
	assert_int_equal(run_check(f, true, false, &lines), 0);
	assert_true(run_check(f, true, true, &lines) > 0);
	assert_non_null(strstr(lines.v[0], "is damaged: its digest is sha256:"));
	put(f, path, "{ }");
	put(f, path_layer(LAYER, path), "longer than before");
	assert_int_equal(run_check(f, true, false, &lines), 1);
	assert_one(&lines, "has 18 bytes instead of 5");
	assert_ok(file_remove(f->paths.root_fd, path, &e));
	assert_int_equal(run_check(f, true, false, &lines), 1);
	assert_one(&lines, "is missing");
	put(f, path, "erofs");
	assert_ok(file_remove(f->paths.root_fd, path_container(id, DISK_FILE, path), &e));
	assert_int_equal(run_check(f, true, false, &lines), 1);
	assert_one(&lines, "upper.img is missing");
	put(f, path, "short");
	assert_int_equal(run_check(f, true, false, &lines), 1);
	assert_one(&lines, "upper.img is cut to 5 bytes");
	put(f, path_container(id, SPEC_FILE, path), "{}");
	assert_int_equal(run_check(f, true, false, &lines), 2);
	assert_ok(dir_remove_tree(f->paths.root_fd, path_container(id, NULL, path), &e));
	assert_int_equal(run_check(f, true, false, &lines), 1);
	/* The row is there still. */
	assert_int_equal(fixture_state(f, id), ST_CREATED);
}

static void files_that_belong_to_nothing_are_told_and_removed_by_repair(void **state)
{
	static const char *const strays[] = {
		"blobs/sha256/" STRAY,
		"blobs/sha256/.tmp-1234",
		"layers/" STRAY ".1.erofs",
		"layers/" STRAY ".9.erofs",
		"layers/x",
		"chains/" STRAY ".1.erofs",
		"containers/" STRAY "/upper.img",
	};
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_strv struct strv lines = STRV_INIT;
	char config[DIGEST_TEXT_SIZE], id[ID_TEXT_SIZE];

	add_image(f, config);
	fixture_create(f, "one", false, id);
	/* What a power cut left, every command collects once; and what is in tmp/, always. */
	put(f, strays[0], "x");
	assert_int_equal(run_check(f, false, false, &lines), 0);
	assert_false(file_exists(f->paths.root_fd, strays[0]));
	put(f, "tmp/anything", "x");
	assert_int_equal(run_check(f, false, false, &lines), 0);
	assert_false(file_exists(f->paths.root_fd, "tmp/anything"));
	for (size_t i = 0; i < ARRAY_LEN(strays); i++) {
		if (str_has_prefix(strays[i], "containers"))
			assert_ok(dir_make(f->paths.root_fd, "containers/" STRAY, 0700, &e));
		put(f, strays[i], "x");
		assert_int_equal(run_check(f, false, false, &lines), 1);
		assert_one(&lines, "belongs to nothing");
		assert_true(file_exists(f->paths.root_fd, strays[i]));
		assert_int_equal(run_check(f, true, false, &lines), 0);
		assert_one(&lines, "repaired: ");
		assert_false(file_exists(f->paths.root_fd, strays[i]));
		assert_int_equal(run_check(f, false, true, &lines), 0);
	}
}

static void what_somebody_is_about_to_name_is_no_garbage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_strv struct strv lines = STRV_INIT;
	struct gc_result result;
	struct store *other;

	assert_ok(store_open(&f->paths, &other, &e));
	assert_int_equal(store_collector_lock(other, LOCK_SHARED, true, &e), 1);
	put(f, "tmp/download", "x");
	assert_int_equal(run_check(f, true, false, &lines), 0);
	assert_int_equal(gc_run(f->store, false, &result, &e), 0);
	assert_true(file_exists(f->paths.root_fd, "tmp/download"));
	store_close(other);
	assert_int_equal(gc_run(f->store, false, &result, &e), 1);
	assert_false(file_exists(f->paths.root_fd, "tmp/download"));
	assert_int_equal(result.files, 3); /* and two marks that there may be something */
}

static void the_collector_keeps_what_images_and_containers_need(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct gc_result result;
	char config[DIGEST_TEXT_SIZE], id[ID_TEXT_SIZE], path[PATH_NAME_SIZE];

	add_image(f, config);
	fixture_create(f, "one", false, id);
	assert_int_equal(gc_run(f->store, true, &result, &e), 1);
	assert_int_equal(result.files, 0);
	/* The image goes by force; the container still runs on its layers, the blobs go. */
	fixture_sql(f, "DELETE FROM images");
	assert_int_equal(gc_run(f->store, true, &result, &e), 1);
	assert_int_equal(result.files, 3);
	assert_true(result.bytes > 0);
	assert_true(file_exists(f->paths.root_fd, path_layer(LAYER, path)));
	assert_ok(container_remove(f->store, id, 0, &e));
	assert_int_equal(gc_run(f->store, true, &result, &e), 1);
	assert_int_equal(result.files, 2);
	assert_false(file_exists(f->paths.root_fd, path_layer(LAYER, path)));
	assert_false(file_exists(f->paths.root_fd, path_chain(CHAIN_A, path)));
}

static void run_folders_without_a_container_are_removed_with_what_lives_there(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv lines = STRV_INIT;
	pid_t both = fixture_play(f, STRAY, PLAY_BOTH);

	assert_int_equal(run_check(f, false, false, &lines), 1);
	assert_one(&lines, "999999999999' belongs to no container");
	assert_int_equal(waitpid(both, NULL, WNOHANG), 0);
	assert_int_equal(run_check(f, true, false, &lines), 0);
	assert_true(fixture_was_killed(both));
	assert_false(fixture_exists(f, "run", STRAY));
	assert_int_equal(run_check(f, false, false, &lines), 0);
}

static void a_vm_of_a_container_that_does_not_run_is_found_and_ended(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv lines = STRV_INIT;
	char id[ID_TEXT_SIZE];
	pid_t vmm;

	fixture_create(f, "one", false, id);
	vmm = fixture_play(f, id, PLAY_VMM);
	assert_int_equal(run_check(f, false, false, &lines), 1);
	assert_one(&lines, "does not run, but its VM does");
	assert_int_equal(run_check(f, true, false, &lines), 0);
	assert_true(fixture_was_killed(vmm));
	assert_int_equal(run_check(f, false, false, &lines), 0);
}

static void an_intent_that_nobody_can_undo_is_told(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_strv struct strv lines = STRV_INIT;

	assert_ok(intent_add(f->store, "tap.create", STRAY, NULL, NULL, &e));
	assert_int_equal(run_check(f, false, false, &lines), 1);
	assert_one(&lines, "'tap.create' of 999999999999 was begun");
}

static void a_root_that_does_not_exist_is_healthy(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_strv struct strv lines = STRV_INIT;

	fixture_close_store(f);
	assert_ok(dir_remove_tree(AT_FDCWD, f->root, &e));
	assert_ok(paths_open(f->root, f->run, false, &f->paths, &e));
	assert_ok(store_open(&f->paths, &f->store, &e));
	assert_int_equal(run_check(f, true, true, &lines), 0);
	assert_false(file_exists(AT_FDCWD, f->root));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(a_healthy_store_has_no_problems_also_while_containers_run),
		TEST(missing_and_damaged_files_are_told_and_never_repaired),
		TEST(files_that_belong_to_nothing_are_told_and_removed_by_repair),
		TEST(what_somebody_is_about_to_name_is_no_garbage),
		TEST(the_collector_keeps_what_images_and_containers_need),
		TEST(run_folders_without_a_container_are_removed_with_what_lives_there),
		TEST(a_vm_of_a_container_that_does_not_run_is_found_and_ended),
		TEST(an_intent_that_nobody_can_undo_is_told),
		TEST(a_root_that_does_not_exist_is_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
