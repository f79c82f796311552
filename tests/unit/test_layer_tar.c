/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/layer_tar.h"
#include "tests/unit/tarball.h"

static ssize_t source(void *ctx, const void **ret, struct err *e)
{
	struct tar_feed *f = ctx;
	size_t n = f->n < f->step ? f->n : f->step;

	(void)e;
	*ret = f->p;
	f->p += n;
	f->n -= n;
	return (ssize_t)n;
}

/* "name type [-> target] [size: offset'data' ...] [xattr=value]", one line for each entry. */
static int list(const struct str *tar, size_t step, bool skip_data, struct str *out, struct err *e)
{
	struct tar_feed feed = { tar->buf, tar->len, step };
	auto_tar struct tar *t = tar_new(source, &feed);
	struct tar_entry entry;
	int r;

	str_clear(out);
	while ((r = tar_next(t, &entry, e)) == 1) {
		const void *p;
		uint64_t offset, end = 0;
		ssize_t n = 0;

		str_addf(out, "%s %c", entry.name, "h?c?d?b?f?l?s"[entry.type >> 12]);
		if (entry.type == 0 || S_ISLNK(entry.type))
			str_addf(out, " -> %s", entry.target);
		if (S_ISREG(entry.type))
			str_addf(out, " %llu:", (unsigned long long)entry.size);
		while (!skip_data && (n = tar_data(t, &p, &offset, e)) > 0) {
			if (end == 0 || offset != end)
				str_addf(out, " %llu ", (unsigned long long)offset);
			str_addn(out, p, (size_t)n);
			end = offset + (uint64_t)n;
		}
		if (n < 0)
			return -1;
		for (size_t i = 0; i < entry.nxattrs; i++)
			str_addf(out, " %s=%.*s", entry.xattrs[i].name, (int)entry.xattrs[i].size,
				 entry.xattrs[i].value);
		str_addc(out, '\n');
	}
	return r;
}

/* Writes a header's field anew, and its sum. */
static void patch(struct str *tar, size_t header, size_t at, const char *bytes, size_t n)
{
	char *h = tar->buf + header;
	unsigned int sum = 0;

	memcpy(h + at, bytes, n);
	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	tar_octal(h + 148, 6, sum);
	h[154] = '\0';
}

static void check(const struct str *tar, const char *want)
{
	static const size_t steps[] = { 1, 7, 511, 512, 513, 1 << 20 };
	auto_str struct str got = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		assert_ok(list(tar, steps[i], false, &got, &e));
		assert_string_equal(got.buf, want);
		assert_ok(list(tar, steps[i], true, &got, &e));
	}
}

static void entries_come_in_their_order_however_the_bytes_are_cut(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "d/", .type = '5' },
		{ .name = "d/a", .type = '0', .data = "hello" },
		{ .name = "l", .type = '2', .target = "d/a" },
		{ .name = "h", .type = '1', .target = "d/a" },
		{ .name = "c", .type = '3', .major = 1 },
		{ .name = "e", .type = '7', .data = "contiguous" },
		{ .name = "x",
		  .type = '0',
		  .data = "long name",
		  .pax = { { "path", "other" }, { "SCHILY.xattr.user.a", "b" }, { "size", "9" } } },
		{ .name = "empty", .type = '0', .pax = { { "path", "" }, { "comment", "c" } } },
	};
	auto_str struct str tar = STR_INIT(STR_HUGE);

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	check(&tar, "d/ d\nd/a f 5: 0 hello\nl l -> d/a\nh h -> d/a\nc c\ne f 10: 0 contiguous\n"
		    "other f 9: 0 long name user.a=b\nempty f 0:\n");
}

static void links_and_folders_have_no_data_whatever_their_size_says(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "a", .type = '0', .data = "x" },
		{ .name = "h", .type = '1', .target = "a" },
		{ .name = "d/", .type = '5' },
		{ .name = "z", .type = '0' },
	};
	auto_str struct str tar = STR_INIT(STR_HUGE);

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	patch(&tar, 1024, 124, "00000001000", 12);
	patch(&tar, 1536, 124, "00000001000", 12);
	check(&tar, "a f 1: 0 x\nh h -> a\nd/ d\nz f 0:\n");
}

static void prefixes_count_in_the_formats_that_have_them(void **state)
{
	static const struct {
		const char *magic, *star, *want;
	} cases[] = {
		{ "ustar\0"
		  "00",
		  "\0\0\0\0", "pre/name f 0:\n" },
		{ "ustar\0"
		  "00",
		  "tar\0", "pre/name f 0:\n" },
		{ "ustar  \0", "\0\0\0\0", "name f 0:\n" },
		{ "\0\0\0\0\0\0\0\0", "\0\0\0\0", "name f 0:\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tarball_entry t = { .name = "name", .type = '0' };
		auto_str struct str tar = STR_INIT(STR_HUGE);

		tar_all(&tar, &t, 1);
		memcpy(tar.buf + 345, "pre", 4);
		memcpy(tar.buf + 508, cases[i].star, 4);
		patch(&tar, 0, 257, cases[i].magic, 8);
		check(&tar, cases[i].want);
	}
}

static void the_oldest_form_marks_folders_by_their_name(void **state)
{
	const struct tarball_entry t = { .name = "old/", .type = '0' };
	auto_str struct str tar = STR_INIT(STR_HUGE);

	(void)state;
	tar_all(&tar, &t, 1);
	check(&tar, "old/ f 0:\n");
	tar.buf[156] = '\0';
	patch(&tar, 0, 257, "\0\0\0\0\0\0\0\0", 8);
	check(&tar, "old/ d\n");
}

static void gnus_long_names_come_before_their_entry(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "././@LongLink", .type = 'K', .data = "a long target" },
		{ .name = "././@LongLink", .type = 'L', .data = "a long name" },
		{ .name = "short", .type = '2', .target = "s" },
		{ .name = "next", .type = '2', .target = "t" },
		{ .name = "label", .type = 'V' },
		{ .name = "pax_global_header",
		  .type = 'g',
		  .data = "52 comment=1234567890123456789012345678901234567890\n" },
		{ .name = "last", .type = '0' },
	};
	auto_str struct str tar = STR_INIT(STR_HUGE);

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	check(&tar, "a long name l -> a long target\nnext l -> t\nlast f 0:\n");
}

static void sparse_files_of_pax_have_their_pieces_where_they_belong(void **state)
{
	static const struct tarball_entry entries[] = {
		{ .name = "x",
		  .type = '0',
		  .data = "abcde",
		  .pax = { { "GNU.sparse.name", "one" },
			   { "GNU.sparse.size", "100" },
			   { "GNU.sparse.numblocks", "3" },
			   { "GNU.sparse.map", "0,2,50,3,100,0" } } },
		{ .name = "y",
		  .type = '0',
		  .data = "abc",
		  .pax = { { "GNU.sparse.size", "9" },
			   { "GNU.sparse.offset", "3" },
			   { "GNU.sparse.numbytes", "3" } } },
		{ .name = "z", .type = '0', .data = "plain" },
	};
	auto_str struct str tar = STR_INIT(STR_HUGE);

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	check(&tar, "one f 100: 0 ab 50 cde\ny f 9: 3 abc\nz f 5: 0 plain\n");
}

static void damaged_maps_are_refused(void **state)
{
	static const char *const maps[] = { "0,2,50",
					    "50,3,0,2",
					    "0,4,3,1",
					    "0,6",
					    "98,3",
					    "0,x",
					    "-1,2",
					    "9223372036854775807,1",
					    "1,9223372036854775807" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		struct tarball_entry t = { .name = "x",
					   .type = '0',
					   .data = "abcde",
					   .pax = { { "GNU.sparse.size", "100" },
						    { "GNU.sparse.map", maps[i] } } };
		auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
		struct err e = ERR_INIT;

		tar_all(&tar, &t, 1);
		if (list(&tar, 512, false, &got, &e) == 0)
			fail_msg("'%s' was taken", maps[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

static void bad_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ 156, "Z", 1, "unknown type 0x5a" },
		{ 156, "\xff", 1, "unknown type 0xff" },
		{ 124, "9", 1, "a number in a header is damaged" },
		{ 124, "77777777777", 11, "truncated" },
		{ 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12,
		  "a negative number" },
		{ 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, "a file is too large" },
		{ 108, "x", 1, "a number in a header is damaged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tarball_entry t = { .name = "x", .type = '0', .data = "data" };
		auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
		struct err e = ERR_INIT;

		tar_all(&tar, &t, 1);
		patch(&tar, 0, cases[i].at, cases[i].bytes, cases[i].n);
		assert_fails(list(&tar, 512, false, &got, &e), cases[i].want);
		tar.buf[0] ^= 1;
		assert_fails(list(&tar, 512, false, &got, &e), "this is no header");
	}
}

static void an_extended_header_has_a_limit_and_needs_its_entry(void **state)
{
	auto_free char *long_name = xcalloc(1, TAR_EXTENSION_MAX + 2);
	struct tarball_entry t = { .name = "x", .type = 'L', .data = long_name };
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;

	(void)state;
	memset(long_name, 'n', TAR_EXTENSION_MAX + 1);
	tar_all(&tar, &t, 1);
	assert_fails(list(&tar, 4096, false, &got, &e), "an extended header is too large");
	str_clear(&tar);
	long_name[TAR_EXTENSION_MAX] = '\0';
	tar_all(&tar, &t, 1);
	assert_fails(list(&tar, 4096, false, &got, &e), "truncated");
}

static void gnu_tars_own_sparse_form_reads_its_extension_blocks(void **state)
{
	struct tarball_entry t = { .name = "s", .type = 'S', .data = "abcdefgh" };
	auto_str struct str tar = STR_INIT(STR_HUGE), all = STR_INIT(STR_HUGE);
	char more[512] = { 0 };

	(void)state;
	tar_all(&tar, &t, 1);
	for (int i = 0; i < 4; i++) {
		tar_octal(tar.buf + 386 + 24 * i, 11, (unsigned long)i * 10);
		tar_octal(tar.buf + 386 + 24 * i + 12, 11, 1);
	}
	tar.buf[482] = 1;
	tar_octal(tar.buf + 483, 11, 100);
	patch(&tar, 0, 257, "ustar  \0", 8);
	tar_octal(more, 11, 50);
	tar_octal(more + 12, 11, 4);
	str_addn(&all, tar.buf, 512);
	str_addn(&all, more, 512);
	str_addn(&all, tar.buf + 512, tar.len - 512);
	check(&all, "s f 100: 0 a 10 b 20 c 30 d 50 efgh\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_in_their_order_however_the_bytes_are_cut),
		cmocka_unit_test(links_and_folders_have_no_data_whatever_their_size_says),
		cmocka_unit_test(prefixes_count_in_the_formats_that_have_them),
		cmocka_unit_test(the_oldest_form_marks_folders_by_their_name),
		cmocka_unit_test(gnus_long_names_come_before_their_entry),
		cmocka_unit_test(sparse_files_of_pax_have_their_pieces_where_they_belong),
		cmocka_unit_test(damaged_maps_are_refused),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(an_extended_header_has_a_limit_and_needs_its_entry),
		cmocka_unit_test(gnu_tars_own_sparse_form_reads_its_extension_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
