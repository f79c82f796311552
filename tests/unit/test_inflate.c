/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/inflate.h"
#include "tests/unit/tarball.h"

/* Compressed by the programs themselves. */
static void compress(const char *command, const struct str *data, struct str *ret)
{
	char path[] = "/tmp/kvbox-test-inflate-XXXXXX";
	auto_free char *line = NULL;
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_ok(fd_write_full(fd, data->buf, data->len, &e));
	line = xasprintf("%s <%s >%s.out", command, path, path);
	assert_int_equal(system(line), 0);
	close(fd);
	unlink(path);
	strcpy(line, path);
	strcat(line, ".out");
	assert_ok(file_read(AT_FDCWD, line, ret, &e));
	unlink(line);
}

/* Text that compresses, but not to nothing. */
static void make_data(struct str *ret, size_t n)
{
	uint32_t x = 1;

	while (ret->len < n) {
		x = x * 1664525 + 1013904223;
		str_addf(ret, "%x %s\n", x >> 20, x & 1 << 30 ? "the same words" : "other ones");
	}
	str_truncate(ret, n);
}

static int inflate_all(const char *p, size_t n, size_t step, bool zlib_only, struct str *ret,
		       struct err *e)
{
	struct tar_feed feed = { p, n, step };
	auto_inflate struct inflate *s = inflate_new(tar_feed_read, &feed, zlib_only);
	const void *piece;
	ssize_t got;

	str_clear(ret);
	while ((got = inflate_next(s, &piece, e)) > 0)
		str_addn(ret, piece, (size_t)got);
	return (int)got;
}

static const struct {
	const char *command;
	size_t size;
} kinds[] = {
	{ "cat", 1000000 },
	{ "gzip -9", 1000000 },
	{ "gzip -1", 3000000 },
	{ "gzip", 0 },
	{ "gzip", 1 },
	{ "zstd -q", 1000000 },
	{ "zstd -q", 1 },
	{ "sh -c 'gzip; printf x | gzip; printf y | gzip -1'", 300000 },
	{ "zstd -q --fast=5", 262144 },
};

static void what_was_compressed_comes_back(void **state)
{
	static const size_t steps[] = { 1 << 20, 4096, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		auto_str struct str data = STR_INIT(STR_HUGE), packed = STR_INIT(STR_HUGE);
		auto_str struct str back = STR_INIT(STR_HUGE);
		struct err e = ERR_INIT;

		make_data(&data, kinds[i].size);
		compress(kinds[i].command, &data, &packed);
		if (strstr(kinds[i].command, "printf"))
			str_add(&data, "xy");
		for (size_t k = 0; k < 2 * ARRAY_LEN(steps); k++) {
			assert_ok(inflate_all(packed.buf, packed.len, steps[k / 2], k % 2, &back,
					      &e));
			assert_int_equal(back.len, data.len);
			assert_memory_equal(back.buf, data.buf, data.len);
		}
	}
}

static void data_that_ends_early_is_an_error_wherever_it_ends(void **state)
{
	static const char *const commands[] = { "gzip", "zstd -q" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_str struct str data = STR_INIT(STR_HUGE), packed = STR_INIT(STR_HUGE);
		auto_str struct str back = STR_INIT(STR_HUGE);
		struct err e = ERR_INIT;

		make_data(&data, 20000);
		compress(commands[i / 2], &data, &packed);
		for (size_t n = 6; n < packed.len; n++) {
			assert_int_equal(inflate_all(packed.buf, n, 1 << 20, i == 1, &back, &e),
					 -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
			err_clear(&e);
		}
	}
}

static void garbage_behind_the_data_is_an_error(void **state)
{
	static const char *const commands[] = { "gzip", "zstd -q" };
	static const char *const garbage[] = { "x", "\037", "\037\213garbage", "\037\213\010" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < ARRAY_LEN(garbage); k++) {
			auto_str struct str data = STR_INIT(STR_HUGE), packed = STR_INIT(STR_HUGE);
			auto_str struct str back = STR_INIT(STR_HUGE);
			struct err e = ERR_INIT;

			make_data(&data, 20000);
			compress(commands[i / 2], &data, &packed);
			str_add(&packed, garbage[k]);
			assert_fails(
				inflate_all(packed.buf, packed.len, 1 << 20, i == 1, &back, &e),
				i == 2 ? "zstd" : "gzip data");
		}
	}
}

static void flipped_bits_never_give_wrong_data(void **state)
{
	static const char *const commands[] = { "gzip", "zstd -q --check" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_str struct str data = STR_INIT(STR_HUGE), packed = STR_INIT(STR_HUGE);
		auto_str struct str back = STR_INIT(STR_HUGE);

		make_data(&data, 5000);
		compress(commands[i / 2], &data, &packed);
		/* Behind gzip's header, whose time and flags nothing covers. */
		for (size_t at = 10; at < packed.len; at++) {
			struct err e = ERR_INIT;

			packed.buf[at] ^= 0x10;
			/* Some bits mean nothing: those of codes that no data uses. */
			if (inflate_all(packed.buf, packed.len, 1 << 20, i == 1, &back, &e) == 0 &&
			    (back.len != data.len || memcmp(back.buf, data.buf, data.len) != 0))
				fail_msg("%s: nothing noticed at %zu", commands[i / 2], at);
			packed.buf[at] ^= 0x10;
		}
	}
}

static void other_compressions_are_named(void **state)
{
	auto_str struct str back = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(inflate_all("\xfd"
				 "7zXZ\0..",
				 8, 9, false, &back, &e),
		     "compressed with xz");
	assert_fails(inflate_all("BZh91AY", 7, 1, false, &back, &e), "compressed with bzip2");
}

/* A reader that fails at its second call. */
struct failing {
	const char *first;
	size_t n;
};

static ssize_t failing_read(void *ctx, void *buf, size_t n, struct err *e)
{
	struct failing *f = ctx;
	size_t had = f->n;

	assert_true(had <= n);
	if (had == 0)
		return err_set(e, ERR_UNAVAILABLE, "the network is gone");
	memcpy(buf, f->first, had);
	f->n = 0;
	return (ssize_t)had;
}

static void the_readers_own_error_is_the_one_reported(void **state)
{
	static const struct failing readers[] = {
		{ "", 0 },
		{ "plain text", 10 },
		{ "\x28\xb5\x2f\xfd\x04\x58", 6 },
		{ "\x1f\x8b\x08\0\0\0", 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		struct failing reader = readers[i];
		auto_inflate struct inflate *s = inflate_new(failing_read, &reader, false);
		struct err e = ERR_INIT;
		const void *p;

		if (i == 1)
			assert_int_equal(inflate_next(s, &p, &e), 10);
		assert_fails(inflate_next(s, &p, &e), "the network is gone");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_compressed_comes_back),
		cmocka_unit_test(data_that_ends_early_is_an_error_wherever_it_ends),
		cmocka_unit_test(garbage_behind_the_data_is_an_error),
		cmocka_unit_test(flipped_bits_never_give_wrong_data),
		cmocka_unit_test(other_compressions_are_named),
		cmocka_unit_test(the_readers_own_error_is_the_one_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
