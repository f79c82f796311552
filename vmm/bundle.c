/* SPDX-License-Identifier: Apache-2.0 */
/* See bundle.h. A file of ours is not hostile, but may be cut or damaged: every number is checked. */
#include "vmm/bundle.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define HEX_LENGTH   16
#define HEX_DIGEST   (BUNDLE_DIGEST_SIZE - 1)
#define TRAILER_SIZE (sizeof(BUNDLE_MAGIC) + HEX_LENGTH + 1 + HEX_DIGEST + 1)
#define INDEX_MAX    ((uint64_t)64 * 1024)
#define FILES_MAX    16
#define COPY_SIZE    ((size_t)256 * 1024)

struct bundle {
	int fd;
	uint64_t size;			 /* of all before the trailer */
	uint64_t index_size;		 /* the index ends there */
	char digest[BUNDLE_DIGEST_SIZE]; /* of the index */
};

struct entry {
	char *name, *sha256;
	int64_t mode, offset, size;
};

struct index {
	struct json_list files; /* of struct entry */
};

static const struct json_field entry_fields[] = {
	JSON_STR("name", true, struct entry, name), JSON_STR("sha256", true, struct entry, sha256),
	JSON_INT("mode", true, struct entry, mode), JSON_INT("offset", true, struct entry, offset),
	JSON_INT("size", true, struct entry, size), JSON_END,
};
static const struct json_field index_fields[] = {
	JSON_LIST("files", true, struct index, files, struct entry, entry_fields),
	JSON_END,
};

/* ---- the last line ------------------------------------------------------------------------------- */

static bool is_hex(const char *text, size_t n)
{
	return strspn(text, "0123456789abcdef") >= n;
}

/* False when there is none. */
static bool parse_trailer(const char *text, struct bundle *b)
{
	const char *length = text + sizeof(BUNDLE_MAGIC), *digest = length + HEX_LENGTH + 1;

	if (memcmp(text, BUNDLE_MAGIC " ", sizeof(BUNDLE_MAGIC)) != 0 ||
	    !is_hex(length, HEX_LENGTH) || length[HEX_LENGTH] != ' ' || !is_hex(digest, HEX_DIGEST))
		return false;
	b->index_size = strtoull(length, NULL, 16);
	memcpy(b->digest, digest, HEX_DIGEST);
	b->digest[HEX_DIGEST] = '\0';
	return true;
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "what this program carries is damaged: %s", what);
}

/* Whether what is carried begins where the program ends: then its last line was there as well, once. */
static int check_uncut(const struct bundle *b, uint64_t size, struct err *e)
{
	char text[sizeof(BUNDLE_BEGIN) - 1];
	Elf64_Ehdr head;
	uint64_t end;
	ssize_t n = fd_pread_full(b->fd, &head, sizeof(head), 0, e);

	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	end = (uint64_t)head.e_shnum * head.e_shentsize;
	if (head.e_shoff > size || end > size - head.e_shoff)
		return 0;
	n = fd_pread_full(b->fd, text, sizeof(text), (off_t)(head.e_shoff + end), e);
	if (n < 0)
		return -1;
	if ((size_t)n == sizeof(text) && memcmp(text, BUNDLE_BEGIN, sizeof(text)) == 0)
		return damaged(e, "its end is missing");
	return 0;
}

/* 1 when something is appended, 0 when not. */
static int find(const char *self, struct bundle *b, struct err *e)
{
	char text[TRAILER_SIZE + 1] = { 0 };
	uint64_t size;
	ssize_t n;

	if (fd_open(AT_FDCWD, self, O_RDONLY, 0, &b->fd, e) < 0 || fd_size(b->fd, &size, e) < 0)
		return -1;
	if (size < TRAILER_SIZE)
		return check_uncut(b, size, e);
	b->size = size - TRAILER_SIZE;
	n = fd_pread_full(b->fd, text, TRAILER_SIZE, (off_t)b->size, e);
	if (n < 0)
		return -1;
	if ((size_t)n == TRAILER_SIZE && parse_trailer(text, b))
		return 1;
	return check_uncut(b, size, e);
}

int bundle_look(const char *self, char ret[BUNDLE_DIGEST_SIZE], struct err *e)
{
	struct bundle b = { .fd = -1 };
	int r = find(self, &b, e);

	fd_close(b.fd);
	if (r > 0)
		memcpy(ret, b.digest, BUNDLE_DIGEST_SIZE);
	return r;
}

/* ---- unpacking ----------------------------------------------------------------------------------- */

static int check_entry(const struct bundle *b, const struct entry *f, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	const uint64_t offset = (uint64_t)f->offset, size = (uint64_t)f->size;

	if (!*f->name || *f->name == '.' || strlen(f->name) > 64 ||
	    f->name[strspn(f->name, allowed)])
		return damaged(e, "a file's name");
	if (f->offset < 0 || f->size < 0 || offset > b->size || size > b->size - offset)
		return damaged(e, f->name);
	return 0;
}

static int copy(const struct bundle *b, const struct entry *f, int to, struct err *e)
{
	auto_free char *room = xreallocarray(NULL, COPY_SIZE, 1);
	auto_digest struct digest *d = NULL;
	char found[DIGEST_TEXT_SIZE];
	int64_t done = 0;

	if (digest_new(&d, e) < 0)
		return -1;
	while (done < f->size) {
		int64_t left = f->size - done;
		size_t want = left < (int64_t)COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t n = fd_pread_full(b->fd, room, want, f->offset + done, e);

		if (n < 0 || fd_write_full(to, room, (size_t)n, e) < 0)
			return -1;
		if ((size_t)n < want)
			return damaged(e, f->name);
		digest_update(d, room, want);
		done += n;
	}
	digest_final(d, found);
	return strcmp(found, f->sha256) == 0 ? 0 : damaged(e, f->name);
}

static int unpack_file(const struct bundle *b, const struct entry *f, int dirfd, struct err *e)
{
	auto_close int to = -1;
	mode_t mode = f->mode & S_IXUSR ? 0755 : 0644;

	if (check_entry(b, f, e) < 0 ||
	    fd_open(dirfd, f->name, O_WRONLY | O_CREAT | O_EXCL, mode, &to, e) < 0 ||
	    copy(b, f, to, e) < 0)
		return -1;
	/* VMMs have users of their own, whatever the umask is. */
	if (fchmod(to, mode) < 0)
		return err_sys(e, "cannot unpack '%s'", f->name);
	return fd_sync(to, e);
}

static int read_index(const struct bundle *b, struct index *ret, struct err *e)
{
	char found[DIGEST_TEXT_SIZE];
	auto_free char *text = NULL;
	ssize_t n;

	if (b->index_size == 0 || b->index_size > INDEX_MAX || b->index_size > b->size)
		return damaged(e, "its index");
	text = xcalloc(1, b->index_size + 1);
	n = fd_pread_full(b->fd, text, b->index_size, (off_t)(b->size - b->index_size), e);
	if (n < 0 || digest_of(text, (size_t)n, found, e) < 0)
		return -1;
	if (strcmp(digest_hex(found), b->digest) != 0)
		return damaged(e, "its index");
	return json_read_text(text, (size_t)n, index_fields, ret, e);
}

static int unpack_all(const struct bundle *b, int dirfd, struct err *e)
{
	struct index index = { { 0 } };
	int r = read_index(b, &index, e);
	struct entry *files = index.files.v;

	if (r == 0 && (index.files.n == 0 || index.files.n > FILES_MAX))
		r = damaged(e, "its index");
	for (size_t i = 0; r == 0 && i < index.files.n; i++)
		r = unpack_file(b, &files[i], dirfd, e);
	for (size_t i = 0; i < index.files.n; i++) {
		free(files[i].name);
		free(files[i].sha256);
	}
	free(files);
	return r == 0 ? dir_sync(dirfd, e) : -1;
}

int bundle_unpack(const char *self, const char *digest, int dirfd, struct err *e)
{
	struct bundle b = { .fd = -1 };
	auto_close int fd = -1;
	int r = find(self, &b, e);

	fd = b.fd;
	if (r < 0)
		return -1;
	if (r == 0 || strcmp(b.digest, digest) != 0)
		return err_set(e, ERR_CONFLICT, "'%s' has been replaced", self);
	return unpack_all(&b, dirfd, e);
}
