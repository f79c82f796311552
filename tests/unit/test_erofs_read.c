/* SPDX-License-Identifier: Apache-2.0 */
/* Damage of every kind is tried in test_chain.c; here the reader reads what it should. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/erofs.h"
#include "engine/erofs_read.h"
#include "engine/erofs_write.h"
#include "tests/unit/fixture_tree.h"

#define FILES 700

/* A folder of several blocks, "d", with FILES names, two further entries, and a long link. */
static void make_image(int *ret_fd, struct erofs_image *ret)
{
	const struct erofs_options options = { .ndevices = 0 };
	auto_erofs_writer struct erofs_writer *w = NULL;
	uint32_t folder, link, file, text;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	char target[4001];

	tree_init(&t);
	folder = add(&t, TREE_ROOT, "d", S_IFDIR | 0750);
	for (int i = 0; i < FILES; i++) {
		auto_free char *name = xasprintf("%04d-name", i * 2);

		add(&t, folder, name, S_IFIFO | 0600);
	}
	memset(target, 't', 4000);
	link = add(&t, TREE_ROOT, "link", S_IFLNK | 0777);
	assert_ok(tree_text_add(&t, target, 4000, &text, &e));
	t.inodes[link].target = text;
	t.inodes[link].size = 4000;
	file = add(&t, TREE_ROOT, "file", S_IFREG | 0644);
	assert_ok(fd_memfd("image", ret_fd, &e));
	w = erofs_writer_new(*ret_fd);
	t.inodes[file] = (struct tree_inode){ .mode = S_IFREG | 0640,
					      .uid = 70000,
					      .gid = 5,
					      .size = 4,
					      .mtime = -5,
					      .mtime_nsec = 7,
					      .nlink = 1,
					      .block = erofs_writer_block(w) };
	assert_ok(erofs_writer_data(w, "data", 4, &e));
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	assert_ok(erofs_image_open(*ret_fd, ret, &e));
	assert_int_equal(ret->inodes, FILES + 4);
}

static void find(const struct erofs_image *img, const struct erofs_node *folder, const char *name,
		 struct erofs_node *ret)
{
	struct err e = ERR_INIT;
	uint32_t nid = 0;

	assert_int_equal(erofs_dir_find(img, folder, name, strlen(name), &nid, &e), 1);
	assert_ok(erofs_image_node(img, nid, ret, &e));
}

static void attributes_are_read_back(void **state)
{
	auto_erofs_image struct erofs_image img = EROFS_IMAGE_INIT;
	auto_close int fd = -1;
	struct erofs_node root, node;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&fd, &img);
	assert_ok(erofs_image_node(&img, img.root, &root, &e));
	find(&img, &root, "file", &node);
	assert_int_equal(node.mode, S_IFREG | 0640);
	assert_int_equal(node.uid, 70000);
	assert_int_equal(node.gid, 5);
	assert_int_equal(node.size, 4);
	assert_int_equal(node.mtime, -5);
	assert_int_equal(node.mtime_nsec, 7);
	assert_int_equal(node.data, 1);
	find(&img, &root, "link", &node);
	assert_int_equal(node.size, 4000);
	assert_int_equal(erofs_image_target(&img, &node)[3999], 't');
}

static void a_large_folder_is_walked_in_order_and_searched(void **state)
{
	auto_erofs_image struct erofs_image img = EROFS_IMAGE_INIT;
	auto_close int fd = -1;
	struct erofs_node root, folder, node;
	struct erofs_dir_entry it;
	struct erofs_dir dir;
	struct err e = ERR_INIT;
	uint32_t nid;
	int n = 0;

	(void)state;
	make_image(&fd, &img);
	assert_ok(erofs_image_node(&img, img.root, &root, &e));
	find(&img, &root, "d", &folder);
	assert_true(folder.size > 3 * EROFS_BLOCK);
	erofs_dir_init(&dir, &img, &folder, img.root);
	for (; erofs_dir_next(&dir, &it, &e) == 1; n++) {
		auto_free char *name = xasprintf("%04d-name", n * 2);

		assert_int_equal(it.len, strlen(name));
		assert_memory_equal(it.name, name, it.len);
		assert_int_equal(it.type, EROFS_TYPE_FIFO);
		find(&img, &folder, name, &node);
		assert_int_equal(node.nid, it.nid);
		name[3]++;
		assert_int_equal(erofs_dir_find(&img, &folder, name, strlen(name), &nid, &e), 0);
	}
	assert_int_equal(n, FILES);
	assert_int_equal(erofs_dir_find(&img, &folder, "", 0, &nid, &e), 0);
	assert_int_equal(erofs_dir_find(&img, &folder, "zzz", 3, &nid, &e), 0);
}

static void a_folder_under_the_wrong_parent_is_damaged(void **state)
{
	auto_erofs_image struct erofs_image img = EROFS_IMAGE_INIT;
	auto_close int fd = -1;
	struct erofs_node root, folder;
	struct erofs_dir_entry it;
	struct erofs_dir dir;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&fd, &img);
	assert_ok(erofs_image_node(&img, img.root, &root, &e));
	find(&img, &root, "d", &folder);
	erofs_dir_init(&dir, &img, &folder, folder.nid);
	assert_fails(erofs_dir_next(&dir, &it, &e), ". or .. lead elsewhere");
}

static void an_inode_outside_the_image_is_damaged(void **state)
{
	auto_erofs_image struct erofs_image img = EROFS_IMAGE_INIT;
	auto_close int fd = -1;
	struct erofs_node node;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&fd, &img);
	assert_fails(erofs_image_node(&img, (uint32_t)(img.map_end >> 5), &node, &e),
		     "outside the image");
	assert_fails(erofs_image_node(&img, UINT32_MAX, &node, &e), "outside the image");
	assert_fails(erofs_image_node(&img, 0, &node, &e), "an inode");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_read_back),
		cmocka_unit_test(a_large_folder_is_walked_in_order_and_searched),
		cmocka_unit_test(a_folder_under_the_wrong_parent_is_damaged),
		cmocka_unit_test(an_inode_outside_the_image_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
