/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/load_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/dl.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/convert_confine.h"
#include "engine/load_archive.h"

struct outer_api {
	__typeof__(&archive_read_new) read_new;
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
	__typeof__(&archive_entry_size) size;
	__typeof__(&archive_entry_sparse_count) sparse_count;
};

static struct outer_api api;
static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct outer_api, read_new, archive_read_new),
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
	DL_SYMBOL(struct outer_api, size, archive_entry_size),
	DL_SYMBOL(struct outer_api, sparse_count, archive_entry_sparse_count),
};
static struct dl_library library = DL_LIBRARY("libarchive.so.13", "libarchive13", symbols, &api);

/* Nothing of it is released: the process ends with it. */
struct unpacker {
	struct archive *archive;
	int out;
	char *in;  /* what the library reads */
	char *buf; /* a piece, behind its length */
};

/* ---- out --------------------------------------------------------------------------------------- */

static int put_header(int out, enum unpack_kind kind, const char *name, const char *target,
		      int64_t size, struct err *e)
{
	const struct unpack_header h = {
		.kind = kind,
		.name = (uint32_t)strlen(name),
		.target = (uint32_t)strlen(target),
		.size = size,
	};

	if (fd_write_full(out, &h, sizeof(h), e) < 0 || fd_write_full(out, name, h.name, e) < 0)
		return -1;
	return fd_write_full(out, target, h.target, e);
}

static int put_piece(struct unpacker *u, uint32_t n, struct err *e)
{
	memcpy(u->buf, &n, sizeof(n));
	return fd_write_full(u->out, u->buf, sizeof(n) + n, e);
}

/* ---- in ---------------------------------------------------------------------------------------- */

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct unpacker *u = ctx;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	/* It may be somebody else's too, who wants it not to block. */
	while ((n = read(STDIN_FILENO, u->in, UNPACK_PIECE_MAX)) < 0) {
		if (errno == EAGAIN)
			(void)poll(&p, 1, -1);
		else if (errno != EINTR)
			break;
	}
	if (n < 0)
		api.set_error(a, errno, "%s", strerror(errno));
	*ret = u->in;
	return n < 0 ? ARCHIVE_FATAL : n;
}

static int archive_failed(struct unpacker *u, struct err *e)
{
	const char *why = api.error_string(u->archive);

	return err_set(e, ERR_CORRUPT, "cannot read the archive: %s", why ? why : "unknown error");
}

static int open_archive(struct unpacker *u, struct err *e)
{
	u->archive = api.read_new();
	if (!u->archive)
		return err_set(e, ERR_UNAVAILABLE, "cannot start libarchive");
	/* Only filters that are in the library: others would run programs. */
	api.filter_gzip(u->archive);
	api.filter_bzip2(u->archive);
	api.filter_xz(u->archive);
	api.filter_zstd(u->archive);
	api.format_tar(u->archive);
	if (api.read_open(u->archive, u, NULL, on_read, NULL) != ARCHIVE_OK)
		return archive_failed(u, e);
	return 0;
}

/* ---- entries ----------------------------------------------------------------------------------- */

static int unpack_contents(struct unpacker *u, int64_t size, struct err *e)
{
	int64_t left = size;
	la_ssize_t n;

	while ((n = api.read_data(u->archive, u->buf + sizeof(uint32_t), UNPACK_PIECE_MAX)) > 0) {
		if (n > left)
			break;
		left -= n;
		if (put_piece(u, (uint32_t)n, e) < 0)
			return -1;
	}
	if (n == 0 && left == 0)
		return 0;
	if (n < 0)
		archive_failed(u, e);
	else
		err_set(e, ERR_CORRUPT, "the archive has a file that is not as long as it says");
	/*
	 * The reader waits for more of the contents. With nobody there, the next write says so
	 * too.
	 */
	if (left > 0) {
		struct err ignored = ERR_INIT;

		(void)!put_piece(u, 0, &ignored);
	}
	return -1;
}

static int unpack_file(struct unpacker *u, struct archive_entry *entry, const char *name,
		       struct err *e)
{
	int64_t size = api.size(entry);

	/* No tool that writes images makes them, and their size may be anything. */
	if (api.sparse_count(entry) > 0)
		return err_set(e, ERR_CORRUPT, "the archive has a sparse file");
	if (size < 0)
		return err_set(e, ERR_CORRUPT, "the archive has a file without a size");
	if (put_header(u->out, UNPACK_FILE, name, "", size, e) < 0)
		return -1;
	return unpack_contents(u, size, e);
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry, struct err *e)
{
	const char *name = api.pathname(entry);
	const char *hard = api.hardlink(entry), *symbolic = api.symlink(entry);

	if (!name || strlen(name) > LOAD_NAME_MAX)
		return err_set(e, ERR_CORRUPT,
			       "the archive has a name that is too long or not readable");
	if ((hard && strlen(hard) > LOAD_NAME_MAX) ||
	    (symbolic && strlen(symbolic) > LOAD_NAME_MAX))
		return err_set(e, ERR_CORRUPT, "the archive has a link that is too long");
	if (hard)
		return put_header(u->out, UNPACK_HARD_LINK, name, hard, 0, e);
	if (symbolic)
		return put_header(u->out, UNPACK_SYMLINK, name, symbolic, 0, e);
	return api.filetype(entry) == AE_IFREG ? unpack_file(u, entry, name, e) : 0;
}

static int unpack(struct unpacker *u, struct err *e)
{
	struct archive_entry *entry;
	unsigned n = 0;
	int status;

	if (open_archive(u, e) < 0)
		return -1;
	while ((status = api.next_header(u->archive, &entry)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN) {
		if (n++ == UNPACK_HEADERS_MAX)
			return err_set(e, ERR_CORRUPT, "the archive has more than %u entries",
				       UNPACK_HEADERS_MAX);
		if (unpack_entry(u, entry, e) < 0)
			return -1;
	}
	return status == ARCHIVE_EOF ? 0 : archive_failed(u, e);
}

int load_unpack(int out_fd)
{
	struct unpacker u = { .out = out_fd };
	struct err e = ERR_INIT, why = ERR_INIT;

	u.in = xcalloc(UNPACK_PIECE_MAX, 1);
	u.buf = xcalloc(sizeof(uint32_t) + UNPACK_PIECE_MAX, 1);
	if (dl_open(&library, &e) < 0 || convert_confine(&e) < 0 || unpack(&u, &e) < 0)
		return put_header(out_fd, UNPACK_ERROR, err_kind_name(e.kind), e.msg, 0, &why);
	return put_header(out_fd, UNPACK_END, "", "", 0, &why);
}
