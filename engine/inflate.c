/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/inflate.h"

#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/dl.h"
#include "base/mem.h"

/* Both stay in the second level cache, where the hash that is computed over the output finds it. */
#define IN_SIZE	 ((size_t)128 << 10)
#define OUT_SIZE ((size_t)256 << 10)

/* 32 MiB: what zstd's levels use at most without --ultra or --long, and what others allow too. */
#define ZSTD_WINDOW_LOG_MAX 25

struct isal_api {
	__typeof__(&isal_inflate_init) init;
	__typeof__(&isal_inflate) inflate;
};

static struct isal_api isal;
static const struct dl_symbol isal_symbols[] = {
	DL_SYMBOL(struct isal_api, init, isal_inflate_init),
	DL_SYMBOL(struct isal_api, inflate, isal_inflate),
};
static struct dl_library isal_lib = DL_LIBRARY("libisal.so.2", "libisal2", isal_symbols, &isal);

struct zlib_api {
	__typeof__(&inflateInit2_) init;
	__typeof__(&inflate) inflate;
	__typeof__(&inflateReset) reset;
	__typeof__(&inflateEnd) end;
};

static struct zlib_api zlib;
static const struct dl_symbol zlib_symbols[] = {
	DL_SYMBOL(struct zlib_api, init, inflateInit2_),
	DL_SYMBOL(struct zlib_api, inflate, inflate),
	DL_SYMBOL(struct zlib_api, reset, inflateReset),
	DL_SYMBOL(struct zlib_api, end, inflateEnd),
};
static struct dl_library zlib_lib = DL_LIBRARY("libz.so.1", "zlib1g", zlib_symbols, &zlib);

struct zstd_api {
	__typeof__(&ZSTD_createDStream) new;
	__typeof__(&ZSTD_freeDStream) free;
	__typeof__(&ZSTD_DCtx_setParameter) set;
	__typeof__(&ZSTD_decompressStream) inflate;
	__typeof__(&ZSTD_isError) is_error;
	__typeof__(&ZSTD_getErrorName) error_name;
};

static struct zstd_api zstd;
static const struct dl_symbol zstd_symbols[] = {
	DL_SYMBOL(struct zstd_api, new, ZSTD_createDStream),
	DL_SYMBOL(struct zstd_api, free, ZSTD_freeDStream),
	DL_SYMBOL(struct zstd_api, set, ZSTD_DCtx_setParameter),
	DL_SYMBOL(struct zstd_api, inflate, ZSTD_decompressStream),
	DL_SYMBOL(struct zstd_api, is_error, ZSTD_isError),
	DL_SYMBOL(struct zstd_api, error_name, ZSTD_getErrorName),
};
static struct dl_library zstd_lib = DL_LIBRARY("libzstd.so.1", "libzstd1", zstd_symbols, &zstd);

enum format { FORMAT_UNKNOWN, FORMAT_PLAIN, FORMAT_GZIP, FORMAT_ZSTD };

struct inflate {
	inflate_read read;
	void *ctx;
	bool zlib_only;
	enum format format;
	uint8_t *in;
	size_t at, end; /* what of `in` is not used yet */
	bool eof;
	uint8_t *out;
	bool in_member; /* within a gzip member or zstd frame */
	struct inflate_state *isal;
	z_stream *zlib;
	ZSTD_DStream *zstd;
};

static bool have_isal(bool zlib_only)
{
	struct err ignored = ERR_INIT;

	return !zlib_only && dl_open(&isal_lib, &ignored) == 0;
}

int inflate_load(struct err *e)
{
	if (!have_isal(false) && dl_open(&zlib_lib, e) < 0)
		return -1;
	return dl_open(&zstd_lib, e);
}

struct inflate *inflate_new(inflate_read read, void *ctx, bool zlib_only)
{
	struct inflate *s = xcalloc(1, sizeof(*s));

	s->read = read;
	s->ctx = ctx;
	s->zlib_only = zlib_only;
	s->in = xcalloc(1, IN_SIZE);
	return s;
}

void inflate_free(struct inflate *s)
{
	if (!s)
		return;
	if (s->zlib)
		zlib.end(s->zlib);
	if (s->zstd)
		zstd.free(s->zstd);
	free(s->zlib);
	free(s->isal);
	free(s->in);
	free(s->out);
	free(s);
}

void inflate_free_ptr(struct inflate **s)
{
	inflate_free(*s);
}

/* Adds to `in`, which has room. */
static int fill(struct inflate *s, struct err *e)
{
	ssize_t n;

	if (s->at == s->end)
		s->at = s->end = 0;
	n = s->read(s->ctx, s->in + s->end, IN_SIZE - s->end, e);
	if (n < 0)
		return -1;
	s->end += (size_t)n;
	s->eof = n == 0;
	return 0;
}

/* ---- gzip ------------------------------------------------------------------------------------ */

enum step { STEP_MORE, STEP_END, STEP_BAD };

static enum step step_isal(struct inflate *s, size_t *produced)
{
	struct inflate_state *z = s->isal;
	int r;

	z->next_in = s->in + s->at;
	z->avail_in = (uint32_t)(s->end - s->at);
	z->next_out = s->out;
	z->avail_out = (uint32_t)OUT_SIZE;
	r = isal.inflate(z);
	s->at = s->end - z->avail_in;
	*produced = OUT_SIZE - z->avail_out;
	if (r < 0)
		return STEP_BAD;
	return z->block_state == ISAL_BLOCK_FINISH ? STEP_END : STEP_MORE;
}

static enum step step_zlib(struct inflate *s, size_t *produced)
{
	z_stream *z = s->zlib;
	int r;

	z->next_in = s->in + s->at;
	z->avail_in = (uInt)(s->end - s->at);
	z->next_out = s->out;
	z->avail_out = (uInt)OUT_SIZE;
	r = zlib.inflate(z, Z_NO_FLUSH);
	s->at = s->end - z->avail_in;
	*produced = OUT_SIZE - z->avail_out;
	if (r == Z_STREAM_END)
		return STEP_END;
	return r == Z_OK || r == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static int gzip_open(struct inflate *s, struct err *e)
{
	s->out = xcalloc(1, OUT_SIZE);
	if (have_isal(s->zlib_only)) {
		s->isal = xcalloc(1, sizeof(*s->isal));
		return 0;
	}
	if (dl_open(&zlib_lib, e) < 0)
		return -1;
	s->zlib = xcalloc(1, sizeof(*s->zlib));
	if (zlib.init(s->zlib, 16 + MAX_WBITS, ZLIB_VERSION, (int)sizeof(*s->zlib)) != Z_OK)
		return err_set(e, ERR_UNAVAILABLE, "zlib does not work");
	return 0;
}

static void member_begin(struct inflate *s)
{
	s->in_member = true;
	if (s->isal) {
		isal.init(s->isal);
		s->isal->crc_flag = ISAL_GZIP;
	} else {
		zlib.reset(s->zlib);
	}
}

static ssize_t gzip_next(struct inflate *s, const void **ret, struct err *e)
{
	for (;;) {
		size_t produced, had;
		enum step step;

		if (s->at == s->end && !s->eof && fill(s, e) < 0)
			return -1;
		if (!s->in_member) {
			if (s->at == s->end && s->eof)
				return 0;
			/* Behind the first member another may follow, but nothing else. */
			if (s->in[s->at] != 0x1f)
				return err_set(e, ERR_CORRUPT, "garbage behind the gzip data");
			member_begin(s);
		}
		had = s->end - s->at;
		step = s->isal ? step_isal(s, &produced) : step_zlib(s, &produced);
		if (step == STEP_BAD)
			return err_set(e, ERR_CORRUPT, "damaged gzip data");
		if (step == STEP_END)
			s->in_member = false;
		if (produced > 0) {
			*ret = s->out;
			return (ssize_t)produced;
		}
		if (step == STEP_MORE && had == 0 && s->eof)
			return err_set(e, ERR_CORRUPT, "truncated gzip data");
	}
}

/* ---- zstd ------------------------------------------------------------------------------------ */

static int zstd_open(struct inflate *s, struct err *e)
{
	if (dl_open(&zstd_lib, e) < 0)
		return -1;
	s->out = xcalloc(1, OUT_SIZE);
	s->zstd = zstd.new();
	if (!s->zstd)
		return err_set(e, ERR_UNAVAILABLE, "libzstd does not work");
	/* Data that needs more memory is refused. */
	zstd.set(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static ssize_t zstd_next(struct inflate *s, const void **ret, struct err *e)
{
	for (;;) {
		ZSTD_outBuffer out = { s->out, OUT_SIZE, 0 };
		ZSTD_inBuffer in;
		size_t r;

		if (s->at == s->end && !s->eof && fill(s, e) < 0)
			return -1;
		if (s->at == s->end && s->eof && !s->in_member)
			return 0;
		in = (ZSTD_inBuffer){ s->in + s->at, s->end - s->at, 0 };
		r = zstd.inflate(s->zstd, &out, &in);
		if (zstd.is_error(r))
			return err_set(e, ERR_CORRUPT, "damaged zstd data: %s", zstd.error_name(r));
		s->at += in.pos;
		s->in_member = r != 0;
		if (out.pos > 0) {
			*ret = s->out;
			return (ssize_t)out.pos;
		}
		if (s->in_member && in.size == 0 && s->eof)
			return err_set(e, ERR_CORRUPT, "truncated zstd data");
	}
}

/* ---- any ------------------------------------------------------------------------------------- */

static const struct magic {
	const char *bytes;
	size_t n;
	enum format format;
	const char *name;
} magics[] = {
	{ "\x1f\x8b", 2, FORMAT_GZIP, "gzip" },
	{ "\x28\xb5\x2f\xfd", 4, FORMAT_ZSTD, "zstd" },
	{ "\xfd"
	  "7zXZ\0",
	  6, FORMAT_UNKNOWN, "xz" },
	{ "BZh", 3, FORMAT_UNKNOWN, "bzip2" },
	{ "\x04\x22\x4d\x18", 4, FORMAT_UNKNOWN, "lz4" },
};

static int find_format(struct inflate *s, struct err *e)
{
	while (s->end < 6 && !s->eof)
		if (fill(s, e) < 0)
			return -1;
	s->format = FORMAT_PLAIN;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		const struct magic *m = &magics[i];

		if (s->end < m->n || memcmp(s->in, m->bytes, m->n) != 0)
			continue;
		if (m->format == FORMAT_UNKNOWN)
			return err_set(e, ERR_INVALID, "compressed with %s, which is not supported",
				       m->name);
		s->format = m->format;
	}
	if (s->format == FORMAT_GZIP)
		return gzip_open(s, e);
	return s->format == FORMAT_ZSTD ? zstd_open(s, e) : 0;
}

static ssize_t plain_next(struct inflate *s, const void **ret, struct err *e)
{
	size_t n;

	if (s->at == s->end && !s->eof && fill(s, e) < 0)
		return -1;
	*ret = s->in + s->at;
	n = s->end - s->at;
	s->at = s->end;
	return (ssize_t)n;
}

ssize_t inflate_next(struct inflate *s, const void **ret, struct err *e)
{
	if (s->format == FORMAT_UNKNOWN && find_format(s, e) < 0)
		return -1;
	switch (s->format) {
	case FORMAT_GZIP:
		return gzip_next(s, ret, e);
	case FORMAT_ZSTD:
		return zstd_next(s, ret, e);
	case FORMAT_UNKNOWN:
	case FORMAT_PLAIN:
		break;
	}
	return plain_next(s, ret, e);
}
