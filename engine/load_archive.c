/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/load_archive.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strv.h"
#include "engine/blob.h"
#include "engine/convert.h"
#include "engine/load_unpack.h"
#include "registry/manifest.h"

#define WRITE_BACK_BYTES ((int64_t)8 << 20)
#define LINKS_MAX	 8u
/* A layer of this size could not be pulled either. */
#define FILE_MAX ((int64_t)64 << 30)
/* What a load leaves on the disk for others. */
#define ROOM_LEFT ((uint64_t)64 << 20)

struct reader {
	struct store *s;
	struct convert child;
	int cancel_fd;
	struct load_archive *out;
	char *buf; /* UNPACK_PIECE_MAX */
};

static void reader_release(struct reader *r)
{
	convert_release(&r->child);
	free(r->buf);
}
#define auto_reader __attribute__((cleanup(reader_release)))

void load_archive_init(struct load_archive *a)
{
	memset(a, 0, sizeof(*a));
	str_init(&a->manifest, MANIFEST_MAX);
	str_init(&a->index, MANIFEST_MAX);
}

void load_archive_release(struct load_archive *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		free(a->v[i].target);
	}
	free(a->v);
	str_release(&a->manifest);
	str_release(&a->index);
}

/* ---- names ---- */

/* "./a//b/../c" as "a/c"; names that lead out end at the top. The caller frees. */
static char *clean_name(const char *folder, size_t nfolder, const char *name)
{
	auto_free char *all = xasprintf("%.*s/%s", (int)nfolder, folder, name);
	auto_strv struct strv in = STRV_INIT, out = STRV_INIT;
	auto_str struct str text = STR_INIT(2 * LOAD_NAME_MAX);
	struct err ignored = ERR_INIT;

	strv_split(&in, name[0] == '/' ? name : all, '/');
	for (size_t i = 0; i < in.n; i++) {
		if (str_eq(in.v[i], "..")) {
			if (out.n > 0)
				strv_remove(&out, out.n - 1);
		} else if (in.v[i][0] && !str_eq(in.v[i], ".")) {
			strv_add(&out, in.v[i]);
		}
	}
	for (size_t i = 0; i < out.n; i++)
		str_addf(&text, "%s%s", i ? "/" : "", out.v[i]);
	return str_take(&text, &ignored);
}

const struct load_entry *load_archive_find(const struct load_archive *a, const char *name)
{
	auto_free char *wanted = clean_name("", 0, name);

	for (unsigned links = 0; links < LINKS_MAX && wanted; links++) {
		const struct load_entry *found = NULL;

		for (size_t i = 0; i < a->n; i++)
			if (str_eq(a->v[i].name, wanted))
				found = &a->v[i];
		if (!found || !found->target)
			return found;
		free(wanted);
		wanted = xstrdup(found->target);
	}
	return NULL;
}

/* What old archives repeat for tools older still; nothing refers to it. */
static bool is_legacy(const char *name)
{
	const char *base = strrchr(name, '/');

	return base ? str_eq(base, "/VERSION") || str_eq(base, "/json")
		    : str_eq(name, "repositories") || str_eq(name, "oci-layout");
}

/* ---- what the child tells ---- */

static int ended_early(struct reader *r, struct err *e)
{
	int status;

	if (spawn_wait(&r->child.proc, &status, e) < 0)
		return -1;
	proc_release(&r->child.proc);
	r->child.proc = (struct proc)PROC_INIT;
	return err_set(e, ERR_CORRUPT, "the reader of the archive ended unexpectedly (%s %d)",
		       status > 128 ? "signal" : "exit code", status > 128 ? status - 128 : status);
}

static int get(struct reader *r, void *to, size_t n, struct err *e)
{
	struct pollfd fds[2] = { { .fd = r->child.result_fd, .events = POLLIN },
				 { .fd = r->cancel_fd, .events = POLLIN } };
	char *at = to;

	while (n > 0) {
		ssize_t got;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "cannot poll");
		}
		if (fds[1].revents)
			return err_set(e, ERR_CANCELLED, "interrupted");
		got = read(r->child.result_fd, at, n);
		if (got == 0)
			return ended_early(r, e);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, "cannot read the archive");
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

static int nonsense(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "the reader of the archive says what makes no sense");
}

/* A text of `n` bytes, without a zero in it; the caller frees. */
static char *get_text(struct reader *r, uint32_t n, struct err *e)
{
	auto_free char *text = NULL;

	if (n > LOAD_NAME_MAX) {
		nonsense(e);
		return NULL;
	}
	text = xcalloc(n + 1, 1);
	if (get(r, text, n, e) < 0)
		return NULL;
	if (strlen(text) == n)
		return take_ptr(&text);
	nonsense(e);
	return NULL;
}

static int told_error(const char *kind, const char *message, struct err *e)
{
	/* It is told to people, so what the archive may have put into it must not be a terminal's
	 * business. */
	auto_free char *plain = xstrdup(message);

	for (char *p = plain; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	return err_set(e, err_kind_parse(kind), "%s", plain);
}

/* 1 with a header and its texts, which are the caller's; 0 at the end. */
static int get_header(struct reader *r, struct unpack_header *h, char **ret_name, char **ret_target,
		      struct err *e)
{
	auto_free char *name = NULL;
	auto_free char *target = NULL;

	if (get(r, h, sizeof(*h), e) < 0 || !(name = get_text(r, h->name, e)) ||
	    !(target = get_text(r, h->target, e)))
		return -1;
	switch (h->kind) {
	case UNPACK_END:
		return 0;
	case UNPACK_ERROR:
		return told_error(name, target, e);
	case UNPACK_FILE:
	case UNPACK_HARD_LINK:
	case UNPACK_SYMLINK:
		break;
	default:
		return nonsense(e);
	}
	*ret_name = take_ptr(&name);
	*ret_target = take_ptr(&target);
	return 1;
}

/* The next piece of a file of which `left` bytes are to come; its length. */
static ssize_t get_piece(struct reader *r, int64_t left, struct err *e)
{
	auto_free char *name = NULL;
	auto_free char *target = NULL;
	struct unpack_header h;
	uint32_t n;

	if (get(r, &n, sizeof(n), e) < 0)
		return -1;
	if (n > UNPACK_PIECE_MAX || n > left)
		return nonsense(e);
	if (n > 0)
		return get(r, r->buf, n, e) < 0 ? -1 : (ssize_t)n;
	/* It broke off, and says why. */
	if (get_header(r, &h, &name, &target, e) < 0)
		return -1;
	return nonsense(e);
}

/* ---- files ---- */

static int skip_contents(struct reader *r, int64_t size, struct err *e)
{
	ssize_t n;

	for (; size > 0; size -= n) {
		n = get_piece(r, size, e);
		if (n < 0)
			return -1;
	}
	return 0;
}

static int read_text(struct reader *r, const char *name, int64_t size, struct str *text,
		     struct err *e)
{
	ssize_t n;

	str_clear(text);
	if (size > (int64_t)text->limit)
		return err_set(e, ERR_CORRUPT, "%s is larger than %zu bytes", name, text->limit);
	for (; size > 0; size -= n) {
		n = get_piece(r, size, e);
		if (n < 0)
			return -1;
		str_addn(text, r->buf, (size_t)n);
	}
	return 0;
}

/* Before the first byte: an archive that says little and unpacks to much must not fill the disk. */
static int check_room(struct reader *r, const char *name, int64_t size, struct err *e)
{
	struct statvfs st;
	uint64_t room;

	if (size > FILE_MAX)
		return err_set(e, ERR_CORRUPT, "'%.200s' in the archive is larger than %lld bytes",
			       name, (long long)FILE_MAX);
	if (fstatvfs(store_paths(r->s)->root_fd, &st) < 0)
		return err_sys(e, "cannot look at the disk of the store");
	room = (uint64_t)st.f_bavail * st.f_frsize;
	if ((uint64_t)size + ROOM_LEFT <= room)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "'%.200s' in the archive has %lld bytes, and the disk of the store has room "
		       "for %lld",
		       name, (long long)size, (long long)(room > ROOM_LEFT ? room - ROOM_LEFT : 0));
}

static int read_blob(struct reader *r, struct load_entry *entry, int64_t size, struct err *e)
{
	auto_digest struct digest *hash = NULL;
	auto_close int fd = -1;
	char path[PATH_NAME_SIZE];
	int64_t written_back = 0;

	if (check_room(r, entry->name, size, e) < 0 || digest_new(&hash, e) < 0 ||
	    blob_new_file(r->s, &fd, e) < 0)
		return -1;
	while (entry->size < size) {
		ssize_t n = get_piece(r, size - entry->size, e);

		if (n < 0)
			return -1;
		digest_update(hash, r->buf, (size_t)n);
		if (fd_write_full(fd, r->buf, (size_t)n, e) < 0)
			return -1;
		entry->size += n;
		if (entry->size - written_back < WRITE_BACK_BYTES)
			continue;
		written_back = entry->size;
		blob_write_back(fd);
	}
	digest_final(hash, entry->digest);
	path_blob(entry->digest, path);
	if (blob_file_has_size(r->s, path, entry->size))
		return 0;
	return blob_publish(r->s, fd, path, e);
}

/* ---- entries ---- */

static struct load_entry *new_entry(struct load_archive *a, char *name_take)
{
	if (a->n == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 64;
		a->v = xreallocarray(a->v, a->cap, sizeof(*a->v));
	}
	a->v[a->n] = (struct load_entry){ .name = name_take };
	return &a->v[a->n++];
}

static int read_file(struct reader *r, char *name_take, int64_t size, struct err *e)
{
	auto_free char *name = name_take;
	struct load_archive *a = r->out;

	if (str_eq(name, "manifest.json"))
		return read_text(r, name, size, &a->manifest, e);
	if (str_eq(name, "index.json"))
		return read_text(r, name, size, &a->index, e);
	if (is_legacy(name))
		return skip_contents(r, size, e);
	return read_blob(r, new_entry(a, take_ptr(&name)), size, e);
}

static int read_entry(struct reader *r, const struct unpack_header *h, const char *raw,
		      const char *link, struct err *e)
{
	auto_free char *name = clean_name("", 0, raw);
	auto_free char *target = NULL;
	struct load_archive *a = r->out;
	const char *slash;

	if (a->n == LOAD_ENTRIES_MAX)
		return err_set(e, ERR_CORRUPT, "the archive has more than %u files",
			       LOAD_ENTRIES_MAX);
	if (h->kind == UNPACK_FILE) {
		if (h->size < 0)
			return nonsense(e);
		return name ? read_file(r, take_ptr(&name), h->size, e)
			    : skip_contents(r, h->size, e);
	}
	if (!name || is_legacy(name))
		return 0;
	slash = strrchr(name, '/');
	if (h->kind == UNPACK_HARD_LINK)
		target = clean_name("", 0, link);
	else
		target = clean_name(name, slash ? (size_t)(slash - name) : 0, link);
	if (target)
		new_entry(a, take_ptr(&name))->target = take_ptr(&target);
	return 0;
}

int load_archive_read(struct store *s, int fd, int cancel_fd, struct load_archive *ret,
		      struct err *e)
{
	auto_reader struct reader r = {
		.s = s, .child = CONVERT_INIT, .cancel_fd = cancel_fd, .out = ret
	};
	struct unpack_header h;
	int more;

	r.buf = xcalloc(UNPACK_PIECE_MAX, 1);
	if (convert_start_archive(fd, &r.child, e) < 0)
		return -1;
	for (;;) {
		auto_free char *name = NULL;
		auto_free char *target = NULL;

		more = get_header(&r, &h, &name, &target, e);
		if (more <= 0)
			return more;
		if (read_entry(&r, &h, name, target, e) < 0)
			return -1;
	}
}
