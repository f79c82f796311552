/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs as streams: the part of client.h that survives broken connections. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "registry/client_priv.h"

#define ATTEMPTS_MAX 8u

struct registry_fetch {
	struct registry *r;
	char *digest;
	int64_t size;
	struct registry_sink sink;
	struct transfer *transfer;
	struct digest *hash;
	int64_t position; /* bytes that the sink took */
	/* The present attempt. */
	int64_t from; /* where it starts */
	int64_t skip; /* bytes to drop first: the server sends everything again */
	bool began;   /* its first byte came */
	bool asked;   /* it was told who we are */
	unsigned attempts;
};

/* Where in the blob the response begins. */
static int begin(struct registry_fetch *f, struct err *e)
{
	const struct http_response *response = transfer_response(f->transfer);

	f->began = true;
	f->skip = 0;
	if (response->status == 206 && response->from == f->from)
		return 0;
	if (response->status != 200)
		return err_set(e, ERR_CORRUPT,
			       "the registry sent another part of %s than asked for", f->digest);
	f->skip = f->from;
	return 0;
}

static int fetch_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct registry_fetch *f = ctx;
	const char *bytes = p;

	if (!f->began && begin(f, e) < 0)
		return -1;
	if ((int64_t)n <= f->skip) {
		f->skip -= (int64_t)n;
		return 0;
	}
	bytes += f->skip;
	n -= (size_t)f->skip;
	if ((int64_t)n > f->size - f->position)
		return err_set(e, ERR_CORRUPT, "%s is larger than the %lld bytes of the manifest",
			       f->digest, (long long)f->size);
	if (f->sink.data(f->sink.ctx, bytes, n, e) < 0)
		return -1;
	f->skip = 0;
	f->position += (int64_t)n;
	digest_update(f->hash, bytes, n);
	return 0;
}

static int attempt(struct registry_fetch *f, struct err *e)
{
	auto_free char *url = registry_blob_url(f->r, f->digest);
	struct http_request request = {
		.url = url, .from = (uint64_t)f->position, .data = fetch_data, .ctx = f
	};

	transfer_free(f->transfer);
	f->transfer = NULL;
	f->from = f->position;
	f->began = false;
	registry_prepare(f->r, &request);
	return transfer_start(f->r->transport, &request, &f->transfer, e);
}

int registry_fetch_start(struct registry *r, const char *digest, int64_t size,
			 const struct registry_sink *sink, struct registry_fetch **ret,
			 struct err *e)
{
	struct registry_fetch *f = xcalloc(1, sizeof(*f));

	f->r = r;
	f->digest = xstrdup(digest);
	f->size = size;
	f->sink = *sink;
	if (digest_new(&f->hash, e) < 0 || attempt(f, e) < 0) {
		registry_fetch_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void registry_fetch_free(struct registry_fetch *f)
{
	if (!f)
		return;
	transfer_free(f->transfer);
	digest_free(f->hash);
	free(f->digest);
	free(f);
}

/* Goes on where the connection broke, as long as each attempt gets further; the first may get
 * nowhere. */
static int again(struct registry_fetch *f, struct err *why, struct err *e)
{
	bool moved = f->position > f->from || f->attempts == 0;

	f->attempts++;
	if (!moved || f->attempts > ATTEMPTS_MAX) {
		err_move(e, why);
		return err_wrap(e, "%.19s ended after %lld of %lld bytes", f->digest,
				(long long)f->position, (long long)f->size);
	}
	log_debug("registry: %s: %s: going on from %lld", f->digest, why->msg,
		  (long long)f->position);
	return attempt(f, e);
}

static int verify(struct registry_fetch *f, struct err *e)
{
	char found[DIGEST_TEXT_SIZE];

	if (f->position != f->size)
		return err_set(e, ERR_CORRUPT,
			       "%s has %lld bytes instead of the %lld of the "
			       "manifest",
			       f->digest, (long long)f->position, (long long)f->size);
	digest_final(f->hash, found);
	if (strcmp(found, f->digest) != 0)
		return err_set(e, ERR_CORRUPT,
			       "filesystem layer verification failed for digest %s: it came as %s",
			       f->digest, found);
	return 1;
}

int registry_fetch_result(struct registry_fetch *f, struct err *e)
{
	const struct http_response *response;
	enum http_trouble trouble;
	struct err why = ERR_INIT;

	if (!transfer_is_done(f->transfer))
		return 0;
	if (transfer_result(f->transfer, &trouble, &why) < 0)
		return trouble == HTTP_TROUBLE_BROKEN ? again(f, &why, e) : err_move(e, &why);
	response = transfer_response(f->transfer);
	if (response->status == 401 && !f->asked) {
		f->asked = true;
		if (registry_authenticate(f->r, response, e) < 0)
			return -1;
		return attempt(f, e);
	}
	f->asked = false;
	if (response->status != 200 && response->status != 206)
		return registry_refused(f->r, response, false, e);
	return verify(f, e);
}
