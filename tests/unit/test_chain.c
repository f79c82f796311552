/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/chain.h"
#include "engine/layer.h"
#include "tests/unit/image_listing.h"
#include "tests/unit/tarball.h"

/*
 * A layer's entries: "d NAME", "f NAME CONTENT", "l NAME TARGET", "h NAME TARGET" with a user id
 * after the letter ("d7 NAME"), separated by ";".
 */
static int make_layer(const char *text)
{
	auto_str struct str tar = STR_INIT(STR_HUGE);
	auto_strv struct strv entries = STRV_INIT;
	struct tar_feed feed = { .step = 1 << 20 };
	struct layer_info info;
	struct err e = ERR_INIT;
	int fd = -1;

	strv_split(&entries, text, ';');
	for (size_t i = 0; i < entries.n; i++) {
		auto_strv struct strv words = STRV_INIT;
		struct tarball_entry t = { .mtime = 1000 };

		strv_split(&words, entries.v[i], ' ');
		if (words.n < 2)
			continue;
		t.type = words.v[0][0] == 'd'	? '5'
			 : words.v[0][0] == 'l' ? '2'
			 : words.v[0][0] == 'h' ? '1'
						: '0';
		t.uid = (unsigned int)atoi(words.v[0] + 1);
		t.name = words.v[1];
		if (words.n > 2 && t.type == '0')
			t.data = words.v[2];
		else if (words.n > 2)
			t.target = words.v[2];
		tar_add(&tar, &t);
	}
	tar_end(&tar);
	feed.p = tar.buf;
	feed.n = tar.len;
	assert_ok(fd_memfd("layer", &fd, &e));
	assert_ok(layer_build(tar_feed_read, &feed, fd, &info, &e));
	return fd;
}

static int merge(const int *fds, size_t n, struct str *ret, struct err *e)
{
	struct chain_layer layers[200];
	auto_close int out = -1;
	struct chain_info info;

	str_clear(ret);
	for (size_t i = 0; i < n; i++)
		layers[i] = (struct chain_layer){ .fd = fds[i], .tag = "tag" };
	assert_true(fd_memfd("chain", &out, e) >= 0);
	if (chain_build(layers, n, out, &info, e) < 0)
		return -1;
	image_listing(out, ret);
	return 0;
}

/* The merged listing without the root's line and without places of data. */
static char *merged(const char *layers)
{
	auto_strv struct strv texts = STRV_INIT, lines = STRV_INIT;
	auto_str struct str listing = STR_INIT(STR_HUGE);
	struct str out = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;
	int fds[8], r;

	strv_split(&texts, layers, '\n');
	for (size_t i = 0; i < texts.n; i++)
		fds[i] = make_layer(texts.v[i]);
	r = merge(fds, texts.n, &listing, &e);
	for (size_t i = 0; i < texts.n; i++)
		close(fds[i]);
	if (r < 0)
		return xasprintf("error: %s\n", e.msg);
	strv_split(&lines, listing.buf, '\n');
	for (size_t i = 1; i + 1 < lines.n; i++) {
		char *line = lines.v[i], *at = strchr(line, '@');

		if (at)
			str_addf(&out, "%.*s@%c%s", (int)(at - line), line, at[1],
				 strchr(at, ' ') ? strchr(at, ' ') : "");
		else
			str_add(&out, line);
		str_addc(&out, '\n');
	}
	return str_take(&out, &e);
}

static const struct {
	const char *what, *layers, *want;
} cases[] = {
	{ "a file comes from the highest layer that has it", "f a 1;f b 1\nf b 2\nf c 3",
	  "/a f644 0:0 @1\n/b f644 0:0 @2\n/c f644 0:0 @3\n" },
	{ "folders are merged, with the attributes of the upper", "d1 a;f a/x 1\nd2 a;f a/y 1",
	  "/a d755 2:0\n/a/x f644 0:0 @1\n/a/y f644 0:0 @2\n" },
	{ "an implied folder has those of the lower", "d1 a;f a/x 1\nf a/y 1",
	  "/a d755 1:0\n/a/x f644 0:0 @1\n/a/y f644 0:0 @2\n" },
	{ "even of the second below", "d1 a\nf a/y 1\nf a/z 1",
	  "/a d755 1:0\n/a/y f644 0:0 @2\n/a/z f644 0:0 @3\n" },
	{ "or root's", "f x 1\nf a/y 1", "/a d755 0:0\n/a/y f644 0:0 @2\n/x f644 0:0 @1\n" },
	{ "but not of what was no folder", "d1 a\nf2 a x\nf a/y 1",
	  "/a d755 0:0\n/a/y f644 0:0 @3\n" },
	{ "nor of what was removed", "d1 a\nf .wh.a\nf a/y 1", "/a d755 0:0\n/a/y f644 0:0 @3\n" },
	{ "nor when its own layer removed it", "d1 a;f a/b 1\nf .wh.a;f a/y 1",
	  "/a d755 0:0\n/a/y f644 0:0 @2\n" },
	{ "an opaque folder that is implied keeps the lower attributes only",
	  "d1 a;f a/b 1\nf a/.wh..wh..opq;f a/y 1", "/a d755 1:0\n/a/y f644 0:0 @2\n" },
	{ "a whiteout removes a file", "f a 1;f b 1\nf .wh.a", "/b f644 0:0 @1\n" },
	{ "and a folder with all in it", "d a;f a/b 1;f c 1\nf .wh.a", "/c f644 0:0 @1\n" },
	{ "from all lower layers", "f a 1\nf a 2\nf .wh.a\nf b 1", "/b f644 0:0 @4\n" },
	{ "but not from upper ones", "f a 1\nf .wh.a\nf a 3", "/a f644 0:0 @3\n" },
	{ "and not in the lowest", "f .wh.a;f b 1", "/b f644 0:0 @1\n" },
	{ "an opaque folder hides what is below",
	  "d a;f a/b 1\nd3 a;f a/.wh..wh..opq;f a/c 1\nf a/d 1",
	  "/a d755 3:0\n/a/c f644 0:0 @2\n/a/d f644 0:0 @3\n" },
	{ "the root can be opaque", "f a 1\nf .wh..wh..opq;f b 1", "/b f644 0:0 @2\n" },
	{ "a file replaces a folder", "d a;f a/b 1\nf a 1", "/a f644 0:0 @2\n" },
	{ "a folder replaces a file, and all below it", "d a;f a/b 1\nf a 1\nd a;f a/c 1",
	  "/a d755 0:0\n/a/c f644 0:0 @3\n" },
	{ "links are one file while there are two", "f a 1;h b a;h c a\nf .wh.c",
	  "/a f644 0:0 @1 links=2\n/b f644 0:0 @1 links=2\n" },
	{ "and a plain one when only one is left", "f a 1;h b a\nf a 2",
	  "/a f644 0:0 @2\n/b f644 0:0 @1\n" },
	{ "equal places in different layers are different files", "f a 1;h b a\nf c 1;h d c",
	  "/a f644 0:0 @1 links=2\n/b f644 0:0 @1 links=2\n/c f644 0:0 @2 links=2\n/d f644 0:0 @2 "
	  "links=2\n" },
	{ "a link to a lower file is that file", "f5 a 1\nh b a",
	  "/a f644 5:0 @1 links=2\n/b f644 5:0 @1 links=2\n" },
	{ "also when the file is hidden", "f a 1\nh b a;f a 2",
	  "/a f644 0:0 @2\n/b f644 0:0 @1\n" },
	{ "also by a whiteout in its own layer", "f a 1\nh b a;f .wh.a", "/b f644 0:0 @1\n" },
	{ "through another link", "f a 1\nh b a\nh c b",
	  "/a f644 0:0 @1 links=3\n/b f644 0:0 @1 links=3\n/c f644 0:0 @1 links=3\n" },
	{ "to the newest of the lower ones", "f a 1\nf a 2\nh b a",
	  "/a f644 0:0 @2 links=2\n/b f644 0:0 @2 links=2\n" },
	{ "to a symbolic link too", "l a x\nh b a",
	  "/a l644 0:0 -> x links=2\n/b l644 0:0 -> x links=2\n" },
	{ "of two names in one layer", "f d/a 1\nh b d/a;h c b",
	  "/b f644 0:0 @1 links=3\n/c f644 0:0 @1 links=3\n/d d755 0:0\n/d/a f644 0:0 @1 "
	  "links=3\n" },
	{ "through a symbolic link of a lower layer", "d u;d u/b;f u/b/x 1;l b u/b\nh y b/x",
	  "/b l644 0:0 -> u/b\n/u d755 0:0\n/u/b d755 0:0\n/u/b/x f644 0:0 @1 links=2\n/y f644 0:0 "
	  "@1 "
	  "links=2\n" },
	{ "and one that is absolute, through another in a third",
	  "f u/x 1\nl v /u\nl w v/.\nh y w/x",
	  "/u d755 0:0\n/u/x f644 0:0 @1 links=2\n/v l644 0:0 -> /u\n/w l644 0:0 -> v/.\n/y f644 "
	  "0:0 "
	  "@1 links=2\n" },
	{ "and one that leads up, never out of the root", "f x 1;l d/up ../../..\nh y d/up/x",
	  "/d d755 0:0\n/d/up l644 0:0 -> ../../..\n/x f644 0:0 @1 links=2\n/y f644 0:0 @1 "
	  "links=2\n" },
	{ "and one of its own layer", "f u/x 1\nl b u;h y b/x",
	  "/b l644 0:0 -> u\n/u d755 0:0\n/u/x f644 0:0 @1 links=2\n/y f644 0:0 @1 links=2\n" },
	{ "but not one that a folder hides", "f u/x 1;l b u\nd b\nh y b/x",
	  "error: layer 3: 'y': hard link to 'b/x', which no lower layer has\n" },
	{ "nor round and round", "l a b;l b a\nh y a/x",
	  "error: layer 2: 'y': too many symbolic links on the way to 'a/x'\n" },
	{ "nor where nobody knows what is up", "f u/x 1;l v w/../u\nh y v/x",
	  "error: layer 2: 'y': hard link through a symbolic link with '..' in it\n" },
	{ "a link to nothing is refused", "f a 1\nh b c",
	  "error: layer 2: 'b': hard link to 'c', which no lower layer has\n" },
	{ "to what was removed too", "f a 1\nf .wh.a\nh b a",
	  "error: layer 3: 'b': hard link to 'a', which no lower layer has\n" },
	{ "to what an opaque folder hides too", "f d/a 1\nf d/.wh..wh..opq\nh b d/a",
	  "error: layer 3: 'b': hard link to 'd/a', which no lower layer has\n" },
	{ "to what is below a file too", "f d/a 1\nf d 1\nh b d/a",
	  "error: layer 3: 'b': hard link to 'd/a', which no lower layer has\n" },
	{ "to a folder too", "d a\nh b a", "error: layer 2: 'b': hard link to the folder 'a'\n" },
	{ "even where it is hidden nothing is taken in", "f a 1\nh b nowhere\nf b 3",
	  "/a f644 0:0 @1\n/b f644 0:0 @3\n" },
	{ "empty files have no data", "f a", "/a f644 0:0 ''\n" },
};

static void layers_merge_as_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = merged(cases[i].layers);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got\n%swanted\n%s", cases[i].what, got, cases[i].want);
	}
}

static void the_number_of_layers_is_limited(void **state)
{
	auto_str struct str out = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;
	int fds[128], fd = make_layer("f a 1");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = fd;
	assert_ok(merge(fds, 127, &out, &e));
	assert_non_null(strstr(out.buf, "/a f644 0:0 @127:1+1\n"));
	assert_fails(merge(fds, 128, &out, &e), "128 layers, where 1 to 127 can be");
	assert_fails(merge(fds, 0, &out, &e), "0 layers");
	close(fd);
}

/* A copy of the image in memory that can be damaged, with a right checksum. */
static void write_image(int fd, uint8_t *image, size_t n)
{
	struct err e = ERR_INIT;
	uint32_t sum;

	memset(image + 1028, 0, 4);
	sum = erofs_crc32c(~0u, image + 1024, 3072);
	memcpy(image + 1028, &sum, sizeof(sum));
	assert_ok(fd_pwrite_full(fd, image, n, 0, &e));
}

static void a_damaged_image_gives_an_error_or_another_tree_but_no_crash(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff, 0x20 };
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_close int lower = make_layer("f a 1;d b;f b/c 1;l s x");
	auto_close int fd = make_layer(
		"d a;f a/b 1;h c a/b;l s long-target;h t lower;f e/.wh..wh..opq;"
		"f .wh.gone;f a/0;f a/1;f a/2;d a/3");
	auto_free uint8_t *image = xcalloc(1, 65536);
	struct err e = ERR_INIT;
	unsigned int refused = 0;
	ssize_t n;
	int fds[2];

	(void)state;
	fds[0] = lower;
	fds[1] = fd;
	n = fd_pread_full(fd, image, 65536, 0, &e);
	assert_true(n > 8192);
	for (size_t at = 1024; at < (size_t)n; at += at == 1151 ? 7041 : 1) {
		for (size_t k = 0; k < ARRAY_LEN(flips); k++) {
			image[at] ^= flips[k];
			write_image(fd, image, (size_t)n);
			if (merge(fds, 2, &out, &e) < 0) {
				refused++;
				err_clear(&e);
			}
			image[at] ^= flips[k];
		}
	}
	assert_true(refused > 300);
}

static void an_image_that_is_cut_is_refused(void **state)
{
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_close int fd = make_layer("f a 1");
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t size = st.st_size - 4096; size >= 0; size -= 4096) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_fails(merge(&fd, 1, &out, &e), "layer 1: damaged layer image");
	}
}

static void a_wrong_checksum_is_noticed(void **state)
{
	auto_str struct str out = STR_INIT(STR_HUGE);
	auto_close int fd = make_layer("f a 1");
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_pwrite_full(fd, "x", 1, 1100, &e));
	assert_fails(merge(&fd, 1, &out, &e), "damaged layer image: superblock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_merge_as_they_should),
		cmocka_unit_test(the_number_of_layers_is_limited),
		cmocka_unit_test(a_damaged_image_gives_an_error_or_another_tree_but_no_crash),
		cmocka_unit_test(an_image_that_is_cut_is_refused),
		cmocka_unit_test(a_wrong_checksum_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
