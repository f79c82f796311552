/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms: operating system, architecture and variant, as in "linux/arm64/v8".
 *
 * Architectures have Go's names; other common ones are translated (x86_64, aarch64, armhf, ...).
 * The default variant (v8 of arm64, v7 of arm, v1 of amd64) is written as "".
 */
#ifndef KVBOX_REGISTRY_PLATFORM_H
#define KVBOX_REGISTRY_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

/* Longest word of a platform, without the terminator. */
#define PLATFORM_WORD	   31
#define PLATFORM_TEXT_SIZE (3 * (PLATFORM_WORD + 1))

struct platform {
	char os[PLATFORM_WORD + 1];
	char arch[PLATFORM_WORD + 1];
	char variant[PLATFORM_WORD + 1];
};
#define PLATFORM_INIT      \
	{                  \
		"", "", "" \
	}

/* The one that images run on here: linux and this machine's architecture. */
void platform_host(struct platform *ret);
/* "os", "arch", "os/arch" or "os/arch/variant"; what is missing comes from the host. */
int platform_parse(const char *text, struct platform *ret, struct err *e) MUST_CHECK;
/* From the three fields of a document (NULL is ""); normalised. ERR_INVALID when one is too long.
 */
int platform_set(struct platform *p, const char *os, const char *arch, const char *variant,
		 struct err *e) MUST_CHECK;
/* "linux/amd64", "linux/arm/v6". */
void platform_format(const struct platform *p, char ret[PLATFORM_TEXT_SIZE]);
/* As Docker's messages have it, which name arm's default variants too: "linux/arm64/v8". */
void platform_format_full(const struct platform *p, char ret[PLATFORM_TEXT_SIZE]);

/*
 * How well something built for `has` suits who wants `want`: 0 not at all, else more is better.
 * Newer variants run what was built for older ones.
 */
int platform_match(const struct platform *want, const struct platform *has);

#endif
