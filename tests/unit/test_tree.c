/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "engine/tree.h"
#include "tests/unit/fixture_tree.h"

static bool has(const struct tree *t, uint32_t folder, const char *name)
{
	return tree_find(t, folder, name, strlen(name)) != 0;
}

static void a_new_tree_is_an_implied_root_folder(void **state)
{
	auto_tree struct tree t;

	(void)state;
	tree_init(&t);
	assert_int_equal(t.inodes[TREE_ROOT].mode, S_IFDIR | 0755);
	assert_int_equal(t.inodes[TREE_ROOT].flags, TREE_IMPLIED);
	assert_int_equal(t.inodes_live, 1);
	assert_int_equal(t.names_live, 0);
}

static void a_name_is_found_in_its_folder_only(void **state)
{
	auto_tree struct tree t;
	uint32_t a, b;

	(void)state;
	tree_init(&t);
	a = add(&t, TREE_ROOT, "a", S_IFDIR);
	b = add(&t, TREE_ROOT, "b", S_IFDIR);
	add(&t, a, "x", S_IFREG);
	assert_true(has(&t, a, "x"));
	assert_false(has(&t, b, "x"));
	assert_false(has(&t, TREE_ROOT, "x"));
	assert_false(has(&t, a, "xx"));
	assert_int_equal(tree_find(&t, a, "xy", 1), tree_find(&t, a, "x", 1));
	assert_int_equal(t.inodes[b].parent, TREE_ROOT);
}

static void many_names_stay_findable_while_the_tables_grow(void **state)
{
	auto_tree struct tree t;
	uint32_t folder;

	(void)state;
	tree_init(&t);
	folder = add(&t, TREE_ROOT, "d", S_IFDIR);
	for (int i = 0; i < 5000; i++) {
		auto_free char *name = xasprintf("name-%d", i);

		add(&t, i % 2 ? folder : TREE_ROOT, name, S_IFREG);
	}
	for (int i = 0; i < 5000; i++) {
		auto_free char *name = xasprintf("name-%d", i);

		assert_true(has(&t, i % 2 ? folder : TREE_ROOT, name));
		assert_false(has(&t, i % 2 ? TREE_ROOT : folder, name));
	}
}

static void a_hard_link_keeps_the_inode_until_its_last_name_goes(void **state)
{
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	uint32_t inode, live;

	(void)state;
	tree_init(&t);
	inode = add(&t, TREE_ROOT, "one", S_IFREG);
	live = t.inodes_live;
	assert_ok(tree_link(&t, TREE_ROOT, "two", 3, inode, &e));
	assert_int_equal(t.inodes[inode].nlink, 2);
	tree_remove(&t, tree_find(&t, TREE_ROOT, "one", 3));
	assert_int_equal(t.inodes[inode].nlink, 1);
	assert_int_equal(t.inodes_live, live);
	tree_remove(&t, tree_find(&t, TREE_ROOT, "two", 3));
	assert_int_equal(t.inodes_live, live - 1);
}

static void removing_a_folder_removes_all_below_and_nothing_else(void **state)
{
	auto_tree struct tree t;
	uint32_t folder, deep;

	(void)state;
	tree_init(&t);
	add(&t, TREE_ROOT, "before", S_IFREG);
	folder = deep = add(&t, TREE_ROOT, "d", S_IFDIR);
	add(&t, TREE_ROOT, "after", S_IFREG);
	/* Deeper than a stack of frames would bear. */
	for (int i = 0; i < 100000; i++) {
		add(&t, deep, "f", S_IFREG);
		deep = add(&t, deep, "d", S_IFDIR);
	}
	assert_true(has(&t, folder, "f"));
	tree_remove(&t, tree_find(&t, TREE_ROOT, "d", 1));
	assert_int_equal(t.names_live, 2);
	assert_int_equal(t.inodes_live, 3);
	assert_true(has(&t, TREE_ROOT, "before"));
	assert_true(has(&t, TREE_ROOT, "after"));
	assert_false(has(&t, TREE_ROOT, "d"));
}

static void what_was_removed_is_used_again(void **state)
{
	auto_tree struct tree t;

	(void)state;
	tree_init(&t);
	for (int i = 0; i < 1000; i++) {
		add(&t, TREE_ROOT, "x", S_IFREG);
		tree_remove(&t, tree_find(&t, TREE_ROOT, "x", 1));
	}
	assert_true(t.ninodes <= 2);
	assert_true(t.nnames <= 2);
}

static void the_text_area_has_a_limit(void **state)
{
	const size_t part = 16 << 20;
	auto_free char *bytes = xcalloc(1, part);
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	uint32_t at;

	(void)state;
	tree_init(&t);
	for (size_t i = 0; i + part <= TREE_TEXT_MAX - part; i += part)
		assert_ok(tree_text_add(&t, bytes, part, &at, &e));
	assert_fails(tree_text_add(&t, bytes, part, &at, &e), "more than 256 MiB");
	assert_fails(tree_set_xattrs(&t, TREE_ROOT, bytes, part, &e), "more than 256 MiB");
	assert_ok(tree_text_add(&t, bytes, 1, &at, &e));
}

static void xattrs_are_kept_with_their_length(void **state)
{
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	tree_init(&t);
	assert_null(tree_xattrs(&t, TREE_ROOT, &n));
	assert_int_equal(n, 0);
	assert_ok(tree_set_xattrs(&t, TREE_ROOT, "a\0b\0", 4, &e));
	assert_memory_equal(tree_xattrs(&t, TREE_ROOT, &n), "a\0b\0", 4);
	assert_int_equal(n, 4);
	assert_ok(tree_set_xattrs(&t, TREE_ROOT, NULL, 0, &e));
	assert_null(tree_xattrs(&t, TREE_ROOT, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_tree_is_an_implied_root_folder),
		cmocka_unit_test(a_name_is_found_in_its_folder_only),
		cmocka_unit_test(many_names_stay_findable_while_the_tables_grow),
		cmocka_unit_test(a_hard_link_keeps_the_inode_until_its_last_name_goes),
		cmocka_unit_test(removing_a_folder_removes_all_below_and_nothing_else),
		cmocka_unit_test(what_was_removed_is_used_again),
		cmocka_unit_test(the_text_area_has_a_limit),
		cmocka_unit_test(xattrs_are_kept_with_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
