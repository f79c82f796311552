/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/layer.h"
#include "tests/unit/image_listing.h"
#include "tests/unit/tarball.h"

/* The image of a tar, as its listing. */
static int build(const struct str *tar, struct layer_info *info, struct str *ret, struct err *e)
{
	struct tar_feed feed = { tar->buf, tar->len, 1 << 20 };
	auto_close int fd = -1;
	struct stat st;

	str_clear(ret);
	assert_true(fd_memfd("layer", &fd, e) >= 0);
	if (layer_build(tar_feed_read, &feed, fd, info, e) < 0)
		return -1;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal((uint64_t)st.st_size, info->image_size);
	image_listing(fd, ret);
	return 0;
}

static void check(const struct tarball_entry *entries, size_t n, const char *want)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct layer_info info;
	struct err e = ERR_INIT;

	tar_all(&tar, entries, n);
	assert_ok(build(&tar, &info, &got, &e));
	assert_string_equal(got.buf, want);
}

static void every_kind_of_file_comes_through(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "./", .type = '5', .mtime = 5 },
		{ .name = "etc/", .type = '5', .mode = 0750, .uid = 70000, .gid = 8 },
		{ .name = "etc/passwd", .type = '0', .data = "root:x" },
		{ .name = "empty", .type = '0', .mode = 04755 },
		{ .name = "sym", .type = '2', .target = "../../away", .mode = 0777 },
		{ .name = "hard", .type = '1', .target = "etc/passwd" },
		{ .name = "null", .type = '3', .major = 1, .minor = 3, .mode = 0666 },
		{ .name = "disk", .type = '4', .major = 259, .minor = 70000 },
		{ .name = "pipe", .type = '6' },
		{ .name = "-", .type = '0' },
		{ .name = "a/b", .type = '0', .data = "x" },
		{ .name = "a/.wh.c", .type = '0' },
		{ .name = "a/.wh..wh..opq", .type = '0' },
	};

	(void)state;
	check(entries, ARRAY_LEN(entries),
	      "/ d755 0:0\n"
	      "/- f644 0:0 ''\n"
	      "/a d755 0:0 trusted.kvbox.implied=y trusted.overlay.opaque=y\n"
	      "/a/b f644 0:0 'x'\n"
	      "/a/c c0 0:0 0,0\n"
	      "/disk b644 0:0 259,70000\n"
	      "/empty f4755 0:0 ''\n"
	      "/etc d750 70000:8\n"
	      "/etc/passwd f644 0:0 'root:x' links=2\n"
	      "/hard f644 0:0 'root:x' links=2\n"
	      "/null c666 0:0 1,3\n"
	      "/pipe p644 0:0\n"
	      "/sym l777 0:0 -> ../../away\n");
}

static void names_are_bytes_and_are_not_changed(void **state)
{
	static const struct tarball_entry entries[] = {
		/* The same letter composed and decomposed, then bytes that are no UTF-8. */
		{ .name = "x", .type = '0', .pax = { { "path", "\xc3\xa9" } } },
		{ .name = "x", .type = '0', .pax = { { "path", "e\xcc\x81" } } },
		{ .name = "x", .type = '0', .pax = { { "path", "\xff\xfe" } } },
		{ .name = "\xe9", .type = '0' },
		{ .name = "l", .type = '2', .pax = { { "linkpath", "e\xcc\x81/\xc3\xa9" } } },
		{ .name = "m", .type = '2', .pax = { { "linkpath", "\xff" } } },
		/* As Go writes it: nothing is left in the old field. */
		{ .name = "n",
		  .type = '2',
		  .target = "",
		  .pax = { { "linkpath", "\xe4\xb8\xad" } } },
		{ .name = "h", .type = '1', .target = "x", .pax = { { "linkpath", "e\xcc\x81" } } },
	};

	(void)state;
	check(entries, ARRAY_LEN(entries),
	      "/ d755 0:0 trusted.kvbox.implied=y\n"
	      "/e\xcc\x81 f644 0:0 '' links=2\n"
	      "/h f644 0:0 '' links=2\n"
	      "/l l644 0:0 -> e\xcc\x81/\xc3\xa9\n"
	      "/m l644 0:0 -> \xff\n"
	      "/n l644 0:0 -> \xe4\xb8\xad\n"
	      "/\xc3\xa9 f644 0:0 ''\n"
	      "/\xe9 f644 0:0 ''\n"
	      "/\xff\xfe f644 0:0 ''\n");
}

static void xattrs_come_through_but_not_reserved_ones(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "a",
		  .type = '0',
		  .pax = { { "SCHILY.xattr.user.one", "1 = 2" },
			   { "SCHILY.xattr.trusted.t", "" },
			   { "SCHILY.xattr.trusted.overlay.opaque", "y" },
			   { "SCHILY.xattr.trusted.kvbox.link", "b" } } },
		{ .name = "b",
		  .type = '0',
		  .pax = { { "LIBARCHIVE.xattr.user.x", "eQ" },
			   { "SCHILY.xattr.user.x", "y" },
			   { "SCHILY.xattr.system.nfs4_acl", "z" },
			   { "SCHILY.xattr.system.posix_acl_access", "acl" } } },
		{ .name = "c/",
		  .type = '5',
		  .pax = { { "SCHILY.xattr.trusted.kvbox.implied", "y" } } },
	};

	(void)state;
	check(entries, ARRAY_LEN(entries),
	      "/ d755 0:0 trusted.kvbox.implied=y\n"
	      "/a f644 0:0 '' user.one=1 = 2 trusted.t=\n"
	      "/b f644 0:0 '' user.x=y system.posix_acl_access=acl\n"
	      "/c d755 0:0\n");
}

static void a_file_that_is_replaced_has_the_later_data(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "a", .type = '0', .data = "first" },
		{ .name = "b", .type = '1', .target = "a" },
		{ .name = "a", .type = '0', .data = "second" },
	};

	(void)state;
	check(entries, ARRAY_LEN(entries),
	      "/ d755 0:0 trusted.kvbox.implied=y\n"
	      "/a f644 0:0 'second'\n"
	      "/b f644 0:0 'first'\n");
}

static void a_tar_without_entries_is_an_empty_layer(void **state)
{
	(void)state;
	check(NULL, 0, "/ d755 0:0 trusted.kvbox.implied=y\n");
}

static void bad_entries_are_refused_by_name(void **state)
{
	static const struct {
		struct tarball_entry entry;
		const char *want;
	} cases[] = {
		{ { .name = "../x", .type = '0' }, "'../x': leads out of the root folder" },
		{ { .name = "d", .type = '3', .major = 0x1000 }, "'d': device number 4096:0" },
		{ { .name = "x", .type = '0', .pax = { { "uid", "4294967295" } } },
		  "'x': owner 4294967295" },
		{ { .name = "x", .type = '2' }, "'x': a symbolic link of 0 bytes" },
		{ { .name = "x\033[2J", .type = '1', .target = "../.." },
		  "'x?[2J': target of the hard link" },
		{ { .name = "big", .type = '0', .pax = { { "size", "9000000000000000000" } } },
		  "bad tar: truncated" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
		struct layer_info info;
		struct err e = ERR_INIT;

		tar_all(&tar, &cases[i].entry, 1);
		assert_fails(build(&tar, &info, &got, &e), cases[i].want);
	}
}

static void a_sparse_file_of_exabytes_is_refused(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct tarball_entry t = { .name = "x",
				   .type = '0',
				   .pax = { { "GNU.sparse.major", "1" },
					    { "GNU.sparse.minor", "0" },
					    { "GNU.sparse.name", "s" },
					    { "GNU.sparse.realsize", "8000000000000000000" } } };
	char data[513];
	struct layer_info info;
	struct err e = ERR_INIT;

	(void)state;
	/* A map without pieces, which fills a block. */
	snprintf(data, sizeof(data), "0\n%0510d", 0);
	t.data = data;
	tar_all(&tar, &t, 1);
	assert_fails(build(&tar, &info, &got, &e), "'s': files take more than 1024 GiB");
}

static void a_negative_size_is_refused(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	const struct tarball_entry t = { .name = "x", .type = '0' };
	struct layer_info info;
	struct err e = ERR_INIT;
	unsigned int sum = 0;

	(void)state;
	tar_all(&tar, &t, 1);
	memset(tar.buf + 124, 0xff, 12);
	memset(tar.buf + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)tar.buf[i];
	tar_octal(tar.buf + 148, 6, sum);
	tar.buf[154] = '\0';
	assert_fails(build(&tar, &info, &got, &e), "negative");
}

static void a_tar_that_is_cut_is_refused(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	const struct tarball_entry t = {
		.name = "x", .type = '0', .data = "some data", .pax = { { "path", "longer" } }
	};
	struct layer_info info;
	struct err e = ERR_INIT;

	(void)state;
	tar_add(&tar, &t);
	for (size_t n = tar.len - 512 + 8; n > 0; n -= n > 100 ? 100 : n) {
		str_truncate(&tar, n);
		assert_int_equal(build(&tar, &info, &got, &e), -1);
		err_clear(&e);
	}
}

static void what_is_no_tar_is_refused(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct layer_info info;
	struct err e = ERR_INIT;

	(void)state;
	str_add(&tar, "<!DOCTYPE html><html><body>Not found</body></html>");
	assert_fails(build(&tar, &info, &got, &e), "bad tar: truncated");
	while (tar.len < 100000)
		str_add(&tar, "garbage");
	assert_fails(build(&tar, &info, &got, &e), "bad tar: this is no header");
}

static void the_digest_covers_what_is_behind_the_archives_end(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	const struct tarball_entry t = { .name = "x", .type = '0', .data = "data" };
	char want[DIGEST_TEXT_SIZE];
	struct layer_info info;
	struct err e = ERR_INIT;

	(void)state;
	tar_all(&tar, &t, 1);
	for (int i = 0; i < 300000; i++)
		str_addc(&tar, (char)i);
	assert_ok(digest_of(tar.buf, tar.len, want, &e));
	assert_ok(build(&tar, &info, &got, &e));
	assert_string_equal(info.diffid, want);
	assert_int_equal(info.tar_size, tar.len);
	assert_int_equal(info.entries, 2);
}

static void equal_tars_give_equal_images(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "b", .type = '0', .data = "1" },
		{ .name = "a/c", .type = '0', .data = "2" },
		{ .name = "a", .type = '5', .pax = { { "SCHILY.xattr.user.x", "y" } } },
	};
	auto_str struct str tar = STR_INIT(STR_HUGE);
	char digest[2][DIGEST_TEXT_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	for (size_t i = 0; i < 2; i++) {
		struct tar_feed feed = { tar.buf, tar.len, i ? 1 << 20 : 13 };
		auto_close int fd = -1;
		struct layer_info info;
		char image[65536];
		ssize_t n;

		assert_ok(fd_memfd("layer", &fd, &e));
		assert_ok(layer_build(tar_feed_read, &feed, fd, &info, &e));
		n = fd_pread_full(fd, image, sizeof(image), 0, &e);
		assert_true(n > 4096);
		assert_ok(digest_of(image, (size_t)n, digest[i], &e));
	}
	assert_string_equal(digest[0], digest[1]);
}

static void a_thousand_names_fill_several_blocks_in_order(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE),
			    want = STR_INIT(STR_HUGE);
	struct layer_info info;
	struct err e = ERR_INIT;

	(void)state;
	str_add(&want, "/ d755 0:0 trusted.kvbox.implied=y\n/d d755 0:0 trusted.kvbox.implied=y\n");
	for (int i = 0; i < 1000; i++) {
		auto_free char *name = xasprintf("d/%04d%.*s", i * 7 % 1000, i % 40,
						 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
		struct tarball_entry t = { .name = name, .type = '0' };

		tar_add(&tar, &t);
	}
	for (int i = 0; i < 1000; i++) {
		/* 143 * 7 is 1 modulo 1000. */
		int k = i * 143 % 1000;

		str_addf(&want, "/d/%04d%.*s f644 0:0 ''\n", i, k % 40,
			 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
	}
	tar_end(&tar);
	assert_ok(build(&tar, &info, &got, &e));
	assert_string_equal(got.buf, want.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_file_comes_through),
		cmocka_unit_test(names_are_bytes_and_are_not_changed),
		cmocka_unit_test(xattrs_come_through_but_not_reserved_ones),
		cmocka_unit_test(a_file_that_is_replaced_has_the_later_data),
		cmocka_unit_test(a_tar_without_entries_is_an_empty_layer),
		cmocka_unit_test(bad_entries_are_refused_by_name),
		cmocka_unit_test(a_sparse_file_of_exabytes_is_refused),
		cmocka_unit_test(a_negative_size_is_refused),
		cmocka_unit_test(a_tar_that_is_cut_is_refused),
		cmocka_unit_test(what_is_no_tar_is_refused),
		cmocka_unit_test(the_digest_covers_what_is_behind_the_archives_end),
		cmocka_unit_test(equal_tars_give_equal_images),
		cmocka_unit_test(a_thousand_names_fill_several_blocks_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
