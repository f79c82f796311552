/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that are opened on first use, so that a command pays only for what it needs (linking them
 * all costs 10 ms at every start).
 *
 * One table per library, filled in one go:
 *
 *	struct crypto_api { __typeof__(&EVP_MD_CTX_new) md_ctx_new; ... };
 *	static const struct dl_symbol symbols[] = { DL_SYMBOL(struct crypto_api, md_ctx_new, EVP_MD_CTX_new), ... };
 *	static struct crypto_api api;
 *	static struct dl_library lib = DL_LIBRARY("libcrypto.so.3", "libssl3", symbols, &api);
 *
 *	if (dl_open(&lib, e) < 0) ...
 *
 * A library stays open until the process ends. Not thread safe: the first use is on the main thread.
 */
#ifndef KVBOX_BASE_DL_H
#define KVBOX_BASE_DL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct dl_symbol {
	const char *name;
	size_t offset;
};

struct dl_library {
	const char *soname;
	const char *package; /* Debian's, for the error message */
	const struct dl_symbol *symbols;
	size_t nsymbols;
	void *api;
	void *handle;
};

/* clang-format off */
#define DL_SYMBOL(type, member, function) \
	{ #function, offsetof(type, member) + \
		     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member), \
								   __typeof__(&function)) ? 1 : -1]) }
#define DL_LIBRARY(soname, package, symbols, api) \
	{ soname, package, symbols, ARRAY_LEN(symbols), api, NULL }
/* clang-format on */

/* Idempotent. ERR_UNAVAILABLE names library, missing symbol and package. */
int dl_open(struct dl_library *lib, struct err *e) MUST_CHECK;

#endif
