/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/dl.h"
#include "base/mem.h"
#include "base/str.h"

struct crypto_api {
	__typeof__(&EVP_MD_CTX_new) md_ctx_new;
	__typeof__(&EVP_MD_CTX_free) md_ctx_free;
	__typeof__(&EVP_DigestInit_ex) digest_init;
	__typeof__(&EVP_DigestUpdate) digest_update;
	__typeof__(&EVP_DigestFinal_ex) digest_final;
	__typeof__(&EVP_sha256) sha256;
};

static struct crypto_api crypto;
static const struct dl_symbol crypto_symbols[] = {
	DL_SYMBOL(struct crypto_api, md_ctx_new, EVP_MD_CTX_new),
	DL_SYMBOL(struct crypto_api, md_ctx_free, EVP_MD_CTX_free),
	DL_SYMBOL(struct crypto_api, digest_init, EVP_DigestInit_ex),
	DL_SYMBOL(struct crypto_api, digest_update, EVP_DigestUpdate),
	DL_SYMBOL(struct crypto_api, digest_final, EVP_DigestFinal_ex),
	DL_SYMBOL(struct crypto_api, sha256, EVP_sha256),
};
static struct dl_library crypto_lib = DL_LIBRARY("libcrypto.so.3", "libssl3", crypto_symbols,
						 &crypto);

struct digest {
	EVP_MD_CTX *ctx;
};

/* A hash over memory has no reason to fail but a library that is broken. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

int digest_new(struct digest **ret, struct err *e)
{
	struct digest *d;

	if (dl_open(&crypto_lib, e) < 0)
		return -1;
	d = xcalloc(1, sizeof(*d));
	d->ctx = crypto.md_ctx_new();
	if (!d->ctx)
		abort();
	must(crypto.digest_init(d->ctx, crypto.sha256(), NULL));
	*ret = d;
	return 0;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	crypto.md_ctx_free(d->ctx);
	free(d);
}

void digest_free_ptr(struct digest **d)
{
	digest_free(*d);
}

void digest_update(struct digest *d, const void *p, size_t n)
{
	must(crypto.digest_update(d->ctx, p, n));
}

void digest_final(struct digest *d, char ret[DIGEST_TEXT_SIZE])
{
	unsigned char raw[32];

	must(crypto.digest_final(d->ctx, raw, NULL));
	must(crypto.digest_init(d->ctx, crypto.sha256(), NULL));
	memcpy(ret, "sha256:", 7);
	hex_encode(raw, sizeof(raw), ret + 7);
}

int digest_of(const void *p, size_t n, char ret[DIGEST_TEXT_SIZE], struct err *e)
{
	auto_digest struct digest *d = NULL;

	if (digest_new(&d, e) < 0)
		return -1;
	digest_update(d, p, n);
	digest_final(d, ret);
	return 0;
}

bool digest_is_valid(const char *text)
{
	return str_has_prefix(text, "sha256:") && hex_is(text + 7, 64);
}

const char *digest_hex(const char *text)
{
	return text + 7;
}
