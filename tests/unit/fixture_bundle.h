/* SPDX-License-Identifier: Apache-2.0 */
/* A program that carries one file, and a folder for it. */
#ifndef KVBOX_TESTS_FIXTURE_BUNDLE_H
#define KVBOX_TESTS_FIXTURE_BUNDLE_H

#include "tests/unit/unit.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/bundle.h"

/* A header is enough of a program: its sections' table, which is the end of one, is empty and behind it. */
#define PROGRAM_SIZE sizeof(Elf64_Ehdr)
#define CONTENT_AT   ((long)(PROGRAM_SIZE + sizeof(BUNDLE_BEGIN) - 1))

struct bundle_fixture {
	char dir[64];
	int fd;
	char *self;
};

static int bundle_setup(void **state)
{
	struct bundle_fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	snprintf(f->dir, sizeof(f->dir), "/tmp/kvbox-bundle.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_ok(fd_open_dir(AT_FDCWD, f->dir, &f->fd, &e));
	f->self = xasprintf("%s/kvbox", f->dir);
	*state = f;
	return 0;
}

static int bundle_teardown(void **state)
{
	struct bundle_fixture *f = *state;
	struct err e = ERR_INIT;

	fd_close(f->fd);
	assert_ok(dir_remove_tree(AT_FDCWD, f->dir, &e));
	free(f->self);
	free(f);
	return 0;
}

/* `index_digest` and `digest` NULL: the right ones. */
struct bundle_make {
	const char *name, *content, *digest, *index_digest;
	long offset, size;
};

static void bundle_make(const struct bundle_fixture *f, const struct bundle_make *m,
			struct str *ret)
{
	const Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 },
		.e_shoff = PROGRAM_SIZE,
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	char digest[DIGEST_TEXT_SIZE], of_index[DIGEST_TEXT_SIZE];
	auto_str struct str index = STR_INIT(4096);
	struct err e = ERR_INIT;

	assert_ok(digest_of(m->content, strlen(m->content), digest, &e));
	str_addf(&index,
		 "{\"files\":[{\"name\":\"%s\",\"mode\":493,\"offset\":%ld,\"size\":%ld,\"sha256\":"
		 "\"%s\"}]}",
		 m->name, m->offset, m->size, m->digest ? m->digest : digest);
	assert_ok(digest_of(index.buf, index.len, of_index, &e));
	str_addn(ret, (const char *)&head, sizeof(head));
	str_addf(ret, BUNDLE_BEGIN "%s%s" BUNDLE_MAGIC " %016zx %s\n", m->content, index.buf,
		 index.len, m->index_digest ? m->index_digest : digest_hex(of_index));
	assert_ok(file_write_replace(f->fd, "kvbox", ret->buf, ret->len, 0755, &e));
}

/* A good one. */
static void bundle_make_good(const struct bundle_fixture *f, const char *content)
{
	const struct bundle_make m = { "vmlinux", content,    NULL,
				       NULL,	  CONTENT_AT, (long)strlen(content) };
	auto_free char *room = NULL;
	struct str whole = STR_INIT(strlen(content) + 4096);

	bundle_make(f, &m, &whole);
	room = whole.buf;
}

static inline int bundle_count_one(void *ctx, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	++*(int *)ctx;
	return 0;
}

/* Names in a folder of the fixture's. */
static inline int bundle_count(const struct bundle_fixture *f, const char *folder)
{
	struct err e = ERR_INIT;
	int n = 0;

	assert_ok(dir_each(f->fd, folder, bundle_count_one, &n, &e));
	return n;
}

#endif
