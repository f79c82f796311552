/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of strings, always ended by NULL so that `v` can be handed to exec and its like once anything
 * was added (an empty list may have v == NULL; strv_args gives a valid array in any case).
 */
#ifndef KVBOX_BASE_STRV_H
#define KVBOX_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct strv {
	char **v;
	size_t n;
	size_t cap;
};

/* clang-format off */
#define STRV_INIT { NULL, 0, 0 }
/* clang-format on */

void strv_release(struct strv *s);
#define auto_strv __attribute__((cleanup(strv_release)))

void strv_add(struct strv *s, const char *text);
void strv_addn(struct strv *s, const char *text, size_t n);
void strv_addf(struct strv *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strv_add_take(struct strv *s, char *text);
void strv_add_all(struct strv *s, const struct strv *from);
void strv_copy(struct strv *to, const struct strv *from); /* replaces what `to` held */
void strv_clear(struct strv *s);
void strv_remove(struct strv *s, size_t at);
bool strv_has(const struct strv *s, const char *text);

/* Splits at each `sep`; empty parts are kept, an empty text gives one empty part. */
void strv_split(struct strv *s, const char *text, char sep);

/* Sets NAME=VALUE, replacing an entry of the same name; `assignment` is copied. */
void strv_env_set(struct strv *s, const char *assignment);
/* The value of NAME, or NULL. */
const char *strv_env_get(const struct strv *s, const char *name);
void strv_env_unset(struct strv *s, const char *name);

/* A NULL-terminated array, valid as long as the list is not changed. */
char *const *strv_args(const struct strv *s);

#endif
