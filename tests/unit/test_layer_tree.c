/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <limits.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/erofs.h"
#include "engine/erofs_xattr.h"
#include "engine/layer_tree.h"

/* "f a/b", "d a/", "l name -> target", "h name -> target": one entry for each. */
static int add_line(struct layer_tree *lt, const char *line, struct err *e)
{
	struct layer_entry entry = { .uid = 5, .mtime = 77 };
	auto_free char *name = xstrdup(line + 2);
	char *arrow = strstr(name, " -> ");
	uint32_t inode;

	if (arrow)
		*arrow = '\0';
	entry.name = name;
	entry.mode = line[0] == 'd' ? S_IFDIR | 0700 : S_IFREG | 0600;
	if (line[0] == 'h')
		entry.hardlink = arrow + 4;
	if (line[0] == 'l') {
		entry.mode = S_IFLNK | 0777;
		entry.symlink = arrow + 4;
	}
	return layer_tree_add(lt, &entry, &inode, e);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_folder(const struct tree *t, uint32_t folder, const char *path, struct strv *lines)
{
	for (uint32_t i = t->inodes[folder].first; i != 0; i = t->names[i].next) {
		uint32_t inode = t->names[i].inode;
		const struct tree_inode *in = &t->inodes[inode];
		auto_free char *sub = xasprintf("%s%.*s", path, t->names[i].len,
						t->text + t->names[i].text);
		auto_str struct str line = STR_INIT(STR_HUGE);
		struct erofs_attr a;
		struct err e = ERR_INIT;
		size_t at = 0, n;
		const char *xattrs = tree_xattrs(t, inode, &n);

		str_addf(&line, "%s %c", sub, "?pc?d?b?f?l?s"[in->mode >> 12]);
		if (in->nlink > 1)
			str_addf(&line, "%u", in->nlink);
		while (n > 0 && erofs_attr_next(xattrs, n, &at, &a, &e) == 1)
			str_addf(&line, " %.*s=%.*s", (int)a.name_len, a.name, (int)a.size,
				 (const char *)a.value);
		strv_add(lines, line.buf);
		if (S_ISDIR(in->mode)) {
			auto_free char *below = xasprintf("%s/", sub);

			list_folder(t, inode, below, lines);
		}
	}
}

/* Adds the lines and gives the sorted listing, or the error. */
static char *result_of(const char *lines)
{
	auto_layer_tree struct layer_tree lt;
	auto_strv struct strv in = STRV_INIT, out = STRV_INIT;
	struct str text = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;

	layer_tree_init(&lt);
	strv_split(&in, lines, '\n');
	for (size_t i = 0; i < in.n; i++)
		if (*in.v[i] && add_line(&lt, in.v[i], &e) < 0)
			return xasprintf("error: %s\n", e.msg);
	if (layer_tree_finish(&lt, &e) < 0)
		return xasprintf("error: %s\n", e.msg);
	list_folder(&lt.tree, TREE_ROOT, "", &out);
	if (out.n > 0)
		qsort(out.v, out.n, sizeof(*out.v), compare_text);
	for (size_t i = 0; i < out.n; i++)
		str_addf(&text, "%s\n", out.v[i]);
	return str_take(&text, &e);
}

static const struct {
	const char *what, *lines, *want;
} cases[] = {
	{ "names are below the root, however they are written",
	  "d ./\nd a/\nf /a/one\nf ./a//two\nf a/x/../three",
	  "a d\na/one f\na/three f\na/two f\n" },
	{ "a name that leads out is refused", "f ../x", "error: leads out of the root folder\n" },
	{ "so is one that does after a while", "f a/../../x",
	  "error: leads out of the root folder\n" },
	{ "the root can only be a folder", "f ./", "error: the root is not a folder\n" },
	{ "folders that only names imply are marked", "f a/b/c",
	  "a d kvbox.implied=y\na/b d kvbox.implied=y\na/b/c f\n" },
	{ "and are not when they come later", "f a/b/c\nd a",
	  "a d\na/b d kvbox.implied=y\na/b/c f\n" },
	{ "a file replaces a file", "f a\nl a -> b\nf a", "a f\n" },
	{ "a file replaces a folder with all in it", "d a\nd a/b\nf a/b/c\nf a", "a f\n" },
	{ "a folder replaces a file", "f a\nd a\nf a/b", "a d\na/b f\n" },
	{ "a folder over a folder keeps what is in it", "d a\nf a/b\nd a", "a d\na/b f\n" },
	{ "a folder that is a link is followed", "d usr\nd usr/bin\nl bin -> usr/bin\nf bin/sh",
	  "bin l\nusr d\nusr/bin d\nusr/bin/sh f\n" },
	{ "within the root", "d a\nl a/up -> ../../../..\nl abs -> /a\nf a/up/top\nf abs/x",
	  "a d\na/up l\na/x f\nabs l\ntop f\n" },
	{ "and makes what it leads to", "l bin -> usr/bin\nf bin/sh",
	  "bin l\nusr d kvbox.implied=y\nusr/bin d kvbox.implied=y\nusr/bin/sh f\n" },
	{ "links in a circle are refused", "l a -> b\nl b -> a\nf a/x",
	  "error: too many symbolic links on the way\n" },
	{ "a link to itself too", "l a -> a\nf a/x",
	  "error: too many symbolic links on the way\n" },
	{ "a file is no folder", "f a\nf a/b", "error: 'a' on the way is not a folder\n" },
	{ "an empty link is refused", "l a -> ", "error: a symbolic link of 0 bytes\n" },
	{ "hard links are one file", "f a\nh b -> a\nh c/d -> /b",
	  "a f3\nb f3\nc d kvbox.implied=y\nc/d f3\n" },
	{ "of a symbolic link as well", "l a -> x\nh b -> a", "a l2\nb l2\n" },
	{ "through linked folders too", "d d\nf d/a\nl e -> d\nh b -> e/a",
	  "b f2\nd d\nd/a f2\ne l\n" },
	{ "a hard link replaces what has its name", "f a\nd b\nf b/c\nh b -> a", "a f2\nb f2\n" },
	{ "a file that replaces one name leaves the others", "f a\nh b -> a\nh c -> a\nf b",
	  "a f2\nb f\nc f2\n" },
	{ "a hard link to a folder is refused", "d a\nh b -> a",
	  "error: hard link to the folder 'a'\n" },
	{ "and to itself", "f a\nh a -> ./a",
	  "error: hard link to itself or to the root folder\n" },
	{ "and to the root", "h a -> .", "error: hard link to itself or to the root folder\n" },
	{ "and out of the root", "h a -> ../etc/passwd",
	  "error: target of the hard link: leads out of the root folder\n" },
	{ "a hard link to lower layers is marked", "h a -> /etc/passwd\nh b -> a",
	  "a f2 kvbox.link=etc/passwd\nb f2 kvbox.link=etc/passwd\n" },
	{ "also to what the link itself has replaced", "d b\nf b/c\nh b -> b/c",
	  "b f kvbox.link=b/c\n" },
	{ "also when the target is whited out here", "f .wh.a\nh b -> a",
	  "a c\nb f kvbox.link=a\n" },
	{ "a whiteout is a device", "f a/.wh.b", "a d kvbox.implied=y\na/b c\n" },
	{ "real entries win over whiteouts, before", "f .wh.a\nf a", "a f\n" },
	{ "and after", "f a\nf .wh.a", "a f\n" },
	{ "a folder that was whited out is opaque", "f .wh.a\nd a\nf a/b",
	  "a d overlay.opaque=y\na/b f\n" },
	{ "in either order", "d a\nf a/b\nf .wh.a", "a d overlay.opaque=y\na/b f\n" },
	{ "and new when it is only implied", "f .wh.a\nf a/b", "a d overlay.opaque=y\na/b f\n" },
	{ "in either order too", "f a/b\nf .wh.a", "a d overlay.opaque=y\na/b f\n" },
	{ "an opaque folder says so", "d a\nf a/.wh..wh..opq\nf a/b",
	  "a d overlay.opaque=y\na/b f\n" },
	{ "also when it is implied", "f a/.wh..wh..opq", "a d kvbox.implied=y overlay.opaque=y\n" },
	{ "other files of AUFS are left out",
	  "d .wh..wh.plnk\nf .wh..wh.plnk/1.2\nf a/.wh..wh.aufs\nf b", "b f\n" },
	{ "a whiteout needs a name", "f .wh.", "error: a whiteout without a name\n" },
	{ "and not a dot", "f .wh..", "error: a whiteout without a name\n" },
	{ "nor two", "f .wh...", "error: a whiteout without a name\n" },
	{ "three are one", "f .wh....", "... c\n" },
};

static void entries_make_the_tree_that_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = result_of(cases[i].lines);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got\n%swanted\n%s", cases[i].what, got, cases[i].want);
	}
}

static void names_that_are_too_long_are_refused(void **state)
{
	auto_str struct str name = STR_INIT(STR_HUGE);

	(void)state;
	str_add(&name, "f ");
	for (int i = 0; i < EROFS_NAME_MAX; i++)
		str_addc(&name, 'n');
	for (int i = 0; i < 2; i++) {
		auto_free char *got = result_of(name.buf);

		assert_int_equal(strncmp(got, "error", 5) == 0, i == 1);
		str_addc(&name, 'n');
	}
	str_truncate(&name, 2);
	while (name.len < 2 + 65536)
		str_add(&name, "dir/");
	{
		auto_free char *got = result_of(name.buf);

		assert_string_equal(got, "error: the name is longer than 4095 bytes\n");
	}
}

static void a_path_that_grows_with_every_link_is_refused(void **state)
{
	auto_str struct str lines = STR_INIT(STR_HUGE);
	auto_free char *got = NULL;

	(void)state;
	/* Each link leads through the one before, twice. */
	str_add(&lines, "d d\nl 0 -> d/./");
	for (int i = 0; i < 1000; i++)
		str_add(&lines, "./");
	for (int i = 1; i < 12; i++)
		str_addf(&lines, "\nl %d -> %d/../%d", i, i - 1, i - 1);
	str_add(&lines, "\nf 11/x");
	got = result_of(lines.buf);
	assert_string_equal(got, "error: too many symbolic links on the way\n");
}

static void links_that_are_too_long_together_are_refused(void **state)
{
	auto_str struct str lines = STR_INIT(STR_HUGE);
	auto_free char *got = NULL;

	(void)state;
	for (int i = 0; i < 5; i++) {
		str_addf(&lines, "l %d -> %d/", i, i + 1);
		for (int k = 0; k < 1900; k++)
			str_add(&lines, "./");
		str_add(&lines, "\n");
	}
	str_add(&lines, "f 0/x");
	got = result_of(lines.buf);
	assert_string_equal(got, "error: the path behind symbolic links is too long\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_make_the_tree_that_they_should),
		cmocka_unit_test(names_that_are_too_long_are_refused),
		cmocka_unit_test(a_path_that_grows_with_every_link_is_refused),
		cmocka_unit_test(links_that_are_too_long_together_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
