/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/bundle.h"

#define PROGRAM "\177ELF and so on"
#define CONTENT "the kernel"

struct fixture {
	char dir[64];
	int fd;
	char *self;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	snprintf(f->dir, sizeof(f->dir), "/tmp/kvbox-bundle.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_ok(fd_open_dir(AT_FDCWD, f->dir, &f->fd, &e));
	f->self = xasprintf("%s/kvbox", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fd_close(f->fd);
	assert_ok(dir_remove_tree(AT_FDCWD, f->dir, &e));
	free(f->self);
	free(f);
	return 0;
}

/* A program with one file behind it. `index_digest` and `digest` NULL: the right ones. */
struct make {
	const char *name, *digest, *index_digest;
	long offset, size;
};

static void make(const struct fixture *f, const struct make *m, struct str *ret)
{
	char digest[DIGEST_TEXT_SIZE], of_index[DIGEST_TEXT_SIZE];
	auto_str struct str index = STR_INIT(4096);
	struct err e = ERR_INIT;

	assert_ok(digest_of(CONTENT, strlen(CONTENT), digest, &e));
	str_addf(&index,
		 "{\"files\":[{\"name\":\"%s\",\"mode\":493,\"offset\":%ld,\"size\":%ld,\"sha256\":"
		 "\"%s\"}]}",
		 m->name, m->offset, m->size, m->digest ? m->digest : digest);
	assert_ok(digest_of(index.buf, index.len, of_index, &e));
	str_addf(ret, "%s%s%s" BUNDLE_MAGIC " %016zx %s\n", PROGRAM, CONTENT, index.buf, index.len,
		 m->index_digest ? m->index_digest : digest_hex(of_index));
	assert_ok(file_write_replace(f->fd, "kvbox", ret->buf, ret->len, 0755, &e));
}

static const struct make good = { "vmlinux", NULL, NULL, sizeof(PROGRAM) - 1, sizeof(CONTENT) - 1 };

static int count(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static void files_are_unpacked_once_under_the_digest(void **state)
{
	struct fixture *f = *state;
	auto_str struct str whole = STR_INIT(8192), text = STR_INIT(4096);
	auto_free char *name = NULL, *again = NULL, *path = NULL;
	struct err e = ERR_INIT;
	struct stat first, second;

	make(f, &good, &whole);
	assert_true(bundle_is_there(f->self));
	assert_ok(bundle_unpack(f->self, f->fd, &name, &e));
	assert_int_equal(strlen(name), 64);
	path = xasprintf("%s/vmlinux", name);
	assert_ok(file_read(f->fd, path, &text, &e));
	assert_string_equal(text.buf, CONTENT);
	assert_int_equal(fstatat(f->fd, path, &first, 0), 0);
	assert_int_equal(first.st_mode & 0777, 0755);
	assert_ok(bundle_unpack(f->self, f->fd, &again, &e));
	assert_string_equal(again, name);
	assert_int_equal(fstatat(f->fd, path, &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);
}

static void a_program_without_anything_is_told(void **state)
{
	struct fixture *f = *state;
	auto_free char *name = NULL;
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(f->fd, "kvbox", PROGRAM, strlen(PROGRAM), 0755, &e));
	assert_false(bundle_is_there(f->self));
	assert_false(bundle_is_there("/nonexistent"));
	assert_int_equal(bundle_unpack(f->self, f->fd, &name, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void damage_is_found_and_leaves_nothing(void **state)
{
	static const struct make bad[] = {
		{ "vmlinux",
		  "sha256:0000000000000000000000000000000000000000000000000000000000000000", NULL,
		  sizeof(PROGRAM) - 1, sizeof(CONTENT) - 1 },
		{ "vmlinux", NULL,
		  "0000000000000000000000000000000000000000000000000000000000000000",
		  sizeof(PROGRAM) - 1, sizeof(CONTENT) - 1 },
		{ "../vmlinux", NULL, NULL, sizeof(PROGRAM) - 1, sizeof(CONTENT) - 1 },
		{ ".", NULL, NULL, sizeof(PROGRAM) - 1, sizeof(CONTENT) - 1 },
		{ "vmlinux", NULL, NULL, 1 << 20, sizeof(CONTENT) - 1 },
		{ "vmlinux", NULL, NULL, sizeof(PROGRAM) - 1, 1 << 20 },
		{ "vmlinux", NULL, NULL, -1, sizeof(CONTENT) - 1 },
		{ "vmlinux", NULL, NULL, sizeof(PROGRAM) - 1, -1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_str struct str whole = STR_INIT(8192);
		char *name = NULL;
		struct err e = ERR_INIT;
		int n = 0;

		make(f, &bad[i], &whole);
		if (bundle_unpack(f->self, f->fd, &name, &e) == 0)
			fail_msg("case %zu was unpacked", i);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.msg, "damaged"));
		err_clear(&e);
		assert_ok(dir_each(f->fd, ".", count, &n, &e));
		assert_int_equal(n, 1); /* the program itself */
	}
}

static void a_cut_file_carries_nothing(void **state)
{
	struct fixture *f = *state;
	auto_str struct str whole = STR_INIT(8192);
	struct err e = ERR_INIT;

	make(f, &good, &whole);
	for (size_t n = 0; n < whole.len; n += 7) {
		assert_ok(file_write_replace(f->fd, "kvbox", whole.buf, n, 0755, &e));
		assert_false(bundle_is_there(f->self));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_unpacked_once_under_the_digest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_program_without_anything_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(damage_is_found_and_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_cut_file_carries_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
