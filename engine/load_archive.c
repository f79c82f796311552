/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/load_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/dl.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/strv.h"
#include "engine/blob.h"
#include "registry/manifest.h"

#define READ_BYTES	 ((size_t)256 << 10)
#define WRITE_BACK_BYTES ((int64_t)8 << 20)
#define LINKS_MAX	 8u

struct outer_api {
	__typeof__(&archive_read_new) read_new;
	__typeof__(&archive_read_free) read_free;
	__typeof__(&archive_read_support_filter_gzip) filter_gzip;
	__typeof__(&archive_read_support_filter_bzip2) filter_bzip2;
	__typeof__(&archive_read_support_filter_xz) filter_xz;
	__typeof__(&archive_read_support_filter_zstd) filter_zstd;
	__typeof__(&archive_read_support_format_tar) format_tar;
	__typeof__(&archive_read_open) read_open;
	__typeof__(&archive_read_next_header) next_header;
	__typeof__(&archive_read_data) read_data;
	__typeof__(&archive_error_string) error_string;
	__typeof__(&archive_set_error) set_error;
	__typeof__(&archive_entry_pathname) pathname;
	__typeof__(&archive_entry_hardlink) hardlink;
	__typeof__(&archive_entry_symlink) symlink;
	__typeof__(&archive_entry_filetype) filetype;
};

static struct outer_api api;
static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct outer_api, read_new, archive_read_new),
	DL_SYMBOL(struct outer_api, read_free, archive_read_free),
	DL_SYMBOL(struct outer_api, filter_gzip, archive_read_support_filter_gzip),
	DL_SYMBOL(struct outer_api, filter_bzip2, archive_read_support_filter_bzip2),
	DL_SYMBOL(struct outer_api, filter_xz, archive_read_support_filter_xz),
	DL_SYMBOL(struct outer_api, filter_zstd, archive_read_support_filter_zstd),
	DL_SYMBOL(struct outer_api, format_tar, archive_read_support_format_tar),
	DL_SYMBOL(struct outer_api, read_open, archive_read_open),
	DL_SYMBOL(struct outer_api, next_header, archive_read_next_header),
	DL_SYMBOL(struct outer_api, read_data, archive_read_data),
	DL_SYMBOL(struct outer_api, error_string, archive_error_string),
	DL_SYMBOL(struct outer_api, set_error, archive_set_error),
	DL_SYMBOL(struct outer_api, pathname, archive_entry_pathname),
	DL_SYMBOL(struct outer_api, hardlink, archive_entry_hardlink),
	DL_SYMBOL(struct outer_api, symlink, archive_entry_symlink),
	DL_SYMBOL(struct outer_api, filetype, archive_entry_filetype),
};
static struct dl_library library = DL_LIBRARY("libarchive.so.13", "libarchive13", symbols, &api);

struct reader {
	struct store *s;
	struct archive *archive;
	int fd;
	int cancel_fd;
	struct err err; /* of the read callback */
	struct load_archive *out;
	char *buf;
};

static void reader_release(struct reader *r)
{
	if (r->archive)
		api.read_free(r->archive);
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

/* ---- reading ---- */

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct reader *r = ctx;
	struct pollfd fds[2] = { { .fd = r->fd, .events = POLLIN },
				 { .fd = r->cancel_fd, .events = POLLIN } };
	ssize_t n;

	do {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR) {
			err_sys(&r->err, "cannot poll");
			goto failed;
		}
		if (fds[1].revents) {
			err_set(&r->err, ERR_CANCELLED, "interrupted");
			goto failed;
		}
		n = read(r->fd, r->buf, READ_BYTES);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0) {
		err_sys(&r->err, "cannot read the archive");
		goto failed;
	}
	*ret = r->buf;
	return n;
failed:
	api.set_error(a, EIO, "%s", r->err.msg);
	return ARCHIVE_FATAL;
}

static int archive_failed(struct reader *r, struct err *e)
{
	const char *why = api.error_string(r->archive);

	if (err_is_set(&r->err))
		return err_move(e, &r->err);
	return err_set(e, ERR_CORRUPT, "cannot read the archive: %s", why ? why : "unknown error");
}

/* The entry's contents in pieces; 0 at its end. */
static ssize_t read_piece(struct reader *r, void *buf, size_t n, struct err *e)
{
	la_ssize_t got = api.read_data(r->archive, buf, n);

	return got < 0 ? archive_failed(r, e) : (ssize_t)got;
}

static int read_text(struct reader *r, const char *name, struct str *text, struct err *e)
{
	auto_free char *buf = xcalloc(READ_BYTES, 1);
	ssize_t n;

	str_clear(text);
	while ((n = read_piece(r, buf, READ_BYTES, e)) > 0) {
		str_addn(text, buf, (size_t)n);
		if (text->over)
			return err_set(e, ERR_CORRUPT, "%s is larger than %zu bytes", name,
				       text->limit);
	}
	return (int)n;
}

static int read_blob(struct reader *r, struct load_entry *entry, struct err *e)
{
	auto_free char *buf = xcalloc(READ_BYTES, 1);
	auto_digest struct digest *hash = NULL;
	auto_close int fd = -1;
	char path[PATH_NAME_SIZE];
	int64_t written_back = 0;
	ssize_t n;

	if (digest_new(&hash, e) < 0 || blob_new_file(r->s, &fd, e) < 0)
		return -1;
	while ((n = read_piece(r, buf, READ_BYTES, e)) > 0) {
		digest_update(hash, buf, (size_t)n);
		if (fd_write_full(fd, buf, (size_t)n, e) < 0)
			return -1;
		entry->size += n;
		if (entry->size - written_back < WRITE_BACK_BYTES)
			continue;
		written_back = entry->size;
		blob_write_back(fd);
	}
	if (n < 0)
		return -1;
	digest_final(hash, entry->digest);
	path_blob(entry->digest, path);
	if (blob_file_has_size(r->s, path, entry->size))
		return 0;
	return blob_publish(r->s, fd, path, e);
}

static struct load_entry *new_entry(struct load_archive *a, char *name_take)
{
	if (a->n == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 64;
		a->v = xreallocarray(a->v, a->cap, sizeof(*a->v));
	}
	a->v[a->n] = (struct load_entry){ .name = name_take };
	return &a->v[a->n++];
}

static int read_entry(struct reader *r, struct archive_entry *entry, struct err *e)
{
	const char *raw = api.pathname(entry);
	const char *hard = api.hardlink(entry), *symbolic = api.symlink(entry);
	bool is_file = api.filetype(entry) == AE_IFREG && !hard;
	struct load_archive *a = r->out;
	auto_free char *name = NULL;
	auto_free char *target = NULL;
	const char *slash;

	if (!raw || strlen(raw) > LOAD_NAME_MAX)
		return err_set(e, ERR_CORRUPT,
			       "the archive has a name that is too long or not "
			       "readable");
	if ((hard && strlen(hard) > LOAD_NAME_MAX) ||
	    (symbolic && strlen(symbolic) > LOAD_NAME_MAX))
		return err_set(e, ERR_CORRUPT, "the archive has a link that is too long");
	name = clean_name("", 0, raw);
	if (!name || is_legacy(name) || (!is_file && !hard && !symbolic))
		return 0;
	if (is_file && str_eq(name, "manifest.json"))
		return read_text(r, name, &a->manifest, e);
	if (is_file && str_eq(name, "index.json"))
		return read_text(r, name, &a->index, e);
	if (a->n == LOAD_ENTRIES_MAX)
		return err_set(e, ERR_CORRUPT, "the archive has more than %u files",
			       LOAD_ENTRIES_MAX);
	slash = strrchr(name, '/');
	if (hard)
		target = clean_name("", 0, hard);
	else if (symbolic)
		target = clean_name(name, slash ? (size_t)(slash - name) : 0, symbolic);
	if (is_file)
		return read_blob(r, new_entry(a, take_ptr(&name)), e);
	if (target)
		new_entry(a, take_ptr(&name))->target = take_ptr(&target);
	return 0;
}

static int open_archive(struct reader *r, struct err *e)
{
	if (dl_open(&library, e) < 0)
		return -1;
	r->buf = xcalloc(READ_BYTES, 1);
	r->archive = api.read_new();
	if (!r->archive)
		return err_set(e, ERR_UNAVAILABLE, "cannot start libarchive");
	/* Only filters that are in the library: others would run programs. */
	api.filter_gzip(r->archive);
	api.filter_bzip2(r->archive);
	api.filter_xz(r->archive);
	api.filter_zstd(r->archive);
	api.format_tar(r->archive);
	if (api.read_open(r->archive, r, NULL, on_read, NULL) != ARCHIVE_OK)
		return archive_failed(r, e);
	return 0;
}

int load_archive_read(struct store *s, int fd, int cancel_fd, struct load_archive *ret,
		      struct err *e)
{
	auto_reader struct reader r = { .s = s, .fd = fd, .cancel_fd = cancel_fd, .out = ret };
	struct archive_entry *entry;
	int status;

	if (open_archive(&r, e) < 0)
		return -1;
	while ((status = api.next_header(r.archive, &entry)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN)
		if (read_entry(&r, entry, e) < 0)
			return -1;
	return status == ARCHIVE_EOF ? 0 : archive_failed(&r, e);
}
