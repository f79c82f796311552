/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/erofs_write.h"
#include "tests/unit/fixture_tree.h"
#include "tests/unit/image_listing.h"

static void set_symlink(struct tree *t, uint32_t inode, size_t n)
{
	auto_free char *target = xcalloc(1, n + 1);
	struct err e = ERR_INIT;
	uint32_t text;

	memset(target, 'l', n);
	assert_ok(tree_text_add(t, target, n, &text, &e));
	t->inodes[inode].target = text;
	t->inodes[inode].size = n;
}

static void read_super(int fd, struct erofs_super *ret)
{
	uint8_t block[EROFS_BLOCK];
	struct err e = ERR_INIT;
	uint32_t checksum;

	assert_int_equal(fd_pread_full(fd, block, sizeof(block), 0, &e), sizeof(block));
	memcpy(ret, block + EROFS_SUPER_OFFSET, sizeof(*ret));
	checksum = ret->checksum;
	memset(block + EROFS_SUPER_OFFSET + 4, 0, 4);
	assert_int_equal(checksum, erofs_crc32c(~0u, block + EROFS_SUPER_OFFSET, 3072));
	assert_int_equal(ret->magic, EROFS_MAGIC);
}

static void the_checksum_is_crc32c(void **state)
{
	(void)state;
	/* RFC 3720's test vector, without its final inversion. */
	assert_int_equal(erofs_crc32c(~0u, "123456789", 9), ~0xe3069283u);
}

static void device_numbers_are_split_as_the_kernel_does(void **state)
{
	(void)state;
	assert_int_equal(erofs_rdev(1, 3), 0x103);
	assert_int_equal(erofs_rdev(259, 70000), 0x11110370);
	assert_int_equal(erofs_rdev(0xfff, 0xfffff), 0xffffffffu);
}

static void an_empty_tree_takes_one_block(void **state)
{
	auto_erofs_writer struct erofs_writer *w = NULL;
	const struct erofs_options options = { .uuid = { 1, 2, 3 } };
	auto_close int fd = -1;
	struct erofs_super super;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;

	(void)state;
	tree_init(&t);
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	assert_int_equal(info.size, EROFS_BLOCK);
	assert_int_equal(info.inodes, 1);
	read_super(fd, &super);
	assert_int_equal(super.blocks, 1);
	assert_int_equal(super.inodes, 1);
	assert_int_equal(super.feature_incompat, 0);
	assert_memory_equal(super.uuid, options.uuid, 16);
}

/* Files of all sizes around the limits of buffers, in one image. */
static void data_is_where_the_inodes_say(void **state)
{
	static const size_t sizes[] = { 1,	4095,	4096,	4097, 65535,  65536,  65537,
					262143, 262144, 262145, 100,  500000, 131072, 3 };
	const struct erofs_options options = { .ndevices = 0 };
	auto_erofs_writer struct erofs_writer *w = NULL;
	auto_free char *data = xcalloc(1, 500000), *back = xcalloc(1, 500000);
	uint32_t inodes[ARRAY_LEN(sizes)];
	auto_close int fd = -1;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;

	(void)state;
	tree_init(&t);
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char name[2] = { (char)('a' + i), 0 };

		inodes[i] = add(&t, TREE_ROOT, name, S_IFREG | 0644);
		t.inodes[inodes[i]].size = sizes[i];
		t.inodes[inodes[i]].block = erofs_writer_block(w);
		memset(data, name[0], sizes[i]);
		/* In two pieces, with a hole of zeros in the middle of the larger ones. */
		assert_ok(erofs_writer_data(w, data, sizes[i] / 3, &e));
		if (sizes[i] > 400000)
			assert_ok(erofs_writer_skip(w, 300000, &e));
		assert_ok(erofs_writer_data(
			w, data, sizes[i] - sizes[i] / 3 - (sizes[i] > 400000 ? 300000 : 0), &e));
		assert_ok(erofs_writer_align(w, &e));
	}
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		off_t at = (off_t)t.inodes[inodes[i]].block * EROFS_BLOCK;

		memset(data, (int)('a' + i), sizes[i]);
		if (sizes[i] > 400000)
			memset(data + sizes[i] / 3, 0, 300000);
		assert_int_equal(fd_pread_full(fd, back, sizes[i], at, &e), sizes[i]);
		assert_memory_equal(back, data, sizes[i]);
	}
}

static void a_hole_takes_no_space_and_the_size_is_limited(void **state)
{
	auto_erofs_writer struct erofs_writer *w = NULL;
	auto_close int fd = -1;
	struct stat st;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	assert_ok(erofs_writer_data(w, "x", 1, &e));
	assert_ok(erofs_writer_skip(w, (uint64_t)1 << 39, &e));
	assert_ok(erofs_writer_data(w, "y", 1, &e));
	assert_fails(erofs_writer_skip(w, (uint64_t)1 << 39, &e), "files take more than 1024 GiB");
	assert_fails(erofs_writer_skip(w, UINT64_MAX, &e), "files take more than 1024 GiB");
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_blocks < 10000);
}

/* Whatever the sizes, what is behind an inode stays within one block. */
static void links_and_folders_of_every_size_are_readable(void **state)
{
	const struct erofs_options options = { .ndevices = 0 };
	auto_str struct str got = STR_INIT(STR_HUGE), want = STR_INIT(STR_HUGE);
	auto_erofs_writer struct erofs_writer *w = NULL;
	auto_free char *xattrs = xcalloc(1, 8192);
	auto_close int fd = -1;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;

	(void)state;
	tree_init(&t);
	str_add(&want, "/ d755 0:0\n");
	for (size_t i = 0; i < 256; i++) {
		auto_free char *name = xasprintf("%03zu", i);
		size_t n = 16 * i + 1, attr = i % 7 * 1000;
		struct erofs_xattr head = { .name_len = 1,
					    .index = EROFS_XATTR_USER,
					    .value_size = (uint16_t)(attr - (attr > 0 ? 5 : 0)) };
		uint32_t inode = add(&t, TREE_ROOT, name, S_IFLNK | 0777);

		set_symlink(&t, inode, n < 4096 ? n : 4095);
		memset(xattrs, 'v', 8192);
		memcpy(xattrs, &head, sizeof(head));
		assert_ok(tree_set_xattrs(&t, inode, xattrs, attr, &e));
		str_addf(&want, "/%s l777 0:0 -> ", name);
		for (size_t k = 0; k < n && k < 4095; k++)
			str_addc(&want, 'l');
		if (attr > 0)
			str_addf(&want, " user.v=");
		for (size_t k = 0; k + 5 < attr; k++)
			str_addc(&want, 'v');
		str_addc(&want, '\n');
	}
	for (size_t i = 0; i < 200; i++) {
		auto_free char *name = xasprintf("d%03zu", i);
		uint32_t folder = add(&t, TREE_ROOT, name, S_IFDIR | 0700);

		str_addf(&want, "/%s d700 0:0\n", name);
		for (size_t k = 0; k < i; k++) {
			auto_free char *sub = xasprintf("%03zu%.*s", k, (int)i,
							"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
							"xxxxxxxxxxxxxxxxxxxxxxxxxx"
							"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
							"xxxxxxxxxxxxxxxxxxxxxxxxxx"
							"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
							"xxxxxxxxxxxxxxxxxxxxxxxxxx");

			add(&t, folder, sub, S_IFIFO | 0600);
			str_addf(&want, "/%s/%s p600 0:0\n", name, sub);
		}
	}
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	image_listing(fd, &got);
	assert_string_equal(got.buf, want.buf);
}

static void names_are_in_the_order_of_their_bytes_with_the_dots_among_them(void **state)
{
	static const char *const names[] = { "a", "-",	  ".a",	  "..a", ".-", "...",
					     "!", "\x7f", "\xff", "A",	 "aa", "a!" };
	const struct erofs_options options = { .ndevices = 0 };
	auto_erofs_writer struct erofs_writer *w = NULL;
	struct erofs_super super;
	struct erofs_inode root;
	const struct erofs_dirent *d;
	uint8_t block[EROFS_BLOCK];
	auto_close int fd = -1;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	size_t n, at;

	(void)state;
	tree_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		add(&t, TREE_ROOT, names[i], S_IFREG);
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	read_super(fd, &super);
	assert_int_equal(fd_pread_full(fd, block, sizeof(block), 0, &e), sizeof(block));
	at = super.root_nid * 32u;
	memcpy(&root, block + at, sizeof(root));
	d = (const void *)(block + at + sizeof(root));
	n = d[0].name_offset / sizeof(*d);
	assert_int_equal(n, ARRAY_LEN(names) + 2);
	for (size_t i = 0, dots = 0; i < n; i++) {
		const char *name = (const char *)d + d[i].name_offset;
		size_t len = (i + 1 < n ? d[i + 1].name_offset : root.size) - d[i].name_offset;
		const char *prev = i > 0 ? (const char *)d + d[i - 1].name_offset : NULL;
		char text[2][8] = { "", "" };

		memcpy(text[0], name, len);
		dots += !strcmp(text[0], ".") + !strcmp(text[0], "..");
		if (prev) {
			memcpy(text[1], prev, (size_t)(name - prev));
			assert_true(strcmp(text[1], text[0]) < 0);
		}
		assert_int_equal(dots, i < 2 ? 0 : i == 2 ? 1 : i < 5 ? dots : 2);
	}
}

static void the_device_table_says_where_each_begins(void **state)
{
	static const struct erofs_device_entry devices[] = { { "one", 10 },
							     { "two", 5 },
							     { "three", 7 } };
	const struct erofs_options options = { .devices = devices, .ndevices = 3 };
	auto_str struct str got = STR_INIT(STR_HUGE);
	auto_erofs_writer struct erofs_writer *w = NULL;
	struct erofs_device table[3];
	struct erofs_super super;
	auto_close int fd = -1;
	struct erofs_info info;
	auto_tree struct tree t;
	struct err e = ERR_INIT;
	uint32_t inode;

	(void)state;
	tree_init(&t);
	inode = add(&t, TREE_ROOT, "f", S_IFREG | 0644);
	t.inodes[inode].size = 123456789;
	t.inodes[inode].device = 2;
	t.inodes[inode].block = 3;
	add(&t, TREE_ROOT, "empty", S_IFREG | 0644);
	assert_ok(fd_memfd("image", &fd, &e));
	w = erofs_writer_new(fd);
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	assert_int_equal(info.size, EROFS_BLOCK);
	read_super(fd, &super);
	assert_int_equal(super.feature_incompat, 0xc);
	assert_int_equal(super.extra_devices, 3);
	assert_int_equal(fd_pread_full(fd, table, sizeof(table), super.device_slot * 128, &e),
			 sizeof(table));
	assert_string_equal((const char *)table[2].tag, "three");
	assert_int_equal(table[0].mapped_block, 1);
	assert_int_equal(table[1].mapped_block, 11);
	assert_int_equal(table[2].mapped_block, 16);
	assert_int_equal(table[2].blocks, 7);
	image_listing(fd, &got);
	assert_string_equal(got.buf,
			    "/ d755 0:0\n/empty f644 0:0 ''\n/f f644 0:0 @2:3+123456789\n");
}

static void a_full_disk_is_reported(void **state)
{
	auto_erofs_writer struct erofs_writer *w = NULL;
	auto_free char *data = xcalloc(1, 1 << 20);
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_open(AT_FDCWD, "/dev/full", O_RDWR, 0, &fd, &e));
	w = erofs_writer_new(fd);
	assert_fails(erofs_writer_data(w, data, 1 << 20, &e), "No space left");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_crc32c),
		cmocka_unit_test(device_numbers_are_split_as_the_kernel_does),
		cmocka_unit_test(an_empty_tree_takes_one_block),
		cmocka_unit_test(data_is_where_the_inodes_say),
		cmocka_unit_test(a_hole_takes_no_space_and_the_size_is_limited),
		cmocka_unit_test(links_and_folders_of_every_size_are_readable),
		cmocka_unit_test(names_are_in_the_order_of_their_bytes_with_the_dots_among_them),
		cmocka_unit_test(the_device_table_says_where_each_begins),
		cmocka_unit_test(a_full_disk_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
