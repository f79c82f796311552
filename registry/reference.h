/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references in Docker's grammar: what users write ("debian", "localhost:5000/a/b:1.2",
 * "name@sha256:...") and the full form behind it ("docker.io/library/debian:latest").
 *
 * A parsed reference is always in the full form; the short one that Docker prints ("familiar") is
 * made from it. Errors are ERR_INVALID in Docker's words.
 */
#ifndef KVBOX_REGISTRY_REFERENCE_H
#define KVBOX_REGISTRY_REFERENCE_H

#include <stdbool.h>

#include "base/err.h"

struct reference {
	char *domain; /* "docker.io", "localhost:5000", "[::1]:5000" */
	char *path;   /* "library/debian" */
	char *tag;    /* NULL: none was given */
	char *digest; /* "sha256:<64 hex>", or NULL */
};
#define REFERENCE_INIT                 \
	{                              \
		NULL, NULL, NULL, NULL \
	}

void reference_release(struct reference *r);
#define auto_reference __attribute__((cleanup(reference_release)))

/* `ret` may hold an earlier reference; it changes only on success. */
int reference_parse(const char *text, struct reference *ret, struct err *e) MUST_CHECK;
void reference_copy(struct reference *to, const struct reference *from);

/* Without tag and digest it becomes ":latest"; true when that was so. */
bool reference_default_tag(struct reference *r);

/* Copies; the caller frees. */
char *reference_name(const struct reference *r);	  /* docker.io/library/debian */
char *reference_familiar_name(const struct reference *r); /* debian */
char *reference_text(const struct reference *r); /* the name, with tag and digest as present */
char *reference_familiar(const struct reference *r);
/* The familiar form of a full reference out of the store; what cannot be parsed is copied. */
char *reference_shorten(const char *text);

#endif
