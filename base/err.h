/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: one type, owned by the caller, without heap, so that reporting an error can neither fail
 * nor leak.
 *
 * A function that can fail takes a `struct err *` as its last argument and returns 0 or more on
 * success, -1 on failure; the reason is only in the error. `kind` is what code may test, `msg` is for
 * people: lower case, cause first, names in quotes, no full stop. Setting an error that is already set
 * is a bug in the caller and asserts.
 */
#ifndef KVBOX_BASE_ERR_H
#define KVBOX_BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)	       (sizeof(a) / sizeof((a)[0]))

enum err_kind {
	ERR_SYSTEM,	 /* a system call failed; `sys` holds errno */
	ERR_INVALID,	 /* the caller's input is wrong */
	ERR_NOT_FOUND,	 /* the named thing does not exist */
	ERR_CONFLICT,	 /* the name is taken, or the state forbids it */
	ERR_UNAVAILABLE, /* a peer, a VMM or a library cannot be had now */
	ERR_DENIED,	 /* authentication or permission */
	ERR_CORRUPT,	 /* stored or received data is damaged */
	ERR_NO_COMMAND,	 /* the container's command does not exist (exit code 127) */
	ERR_NOT_EXEC,	 /* the container's command cannot be executed (exit code 126) */
	ERR_CANCELLED,	 /* interrupted on request */
	ERR_KIND_COUNT,
};

struct err {
	enum err_kind kind;
	int sys; /* errno where the cause was a system call, else 0 */
	char msg[480];
};

/* clang-format off */
#define ERR_INIT { ERR_SYSTEM, 0, { 0 } }
/* clang-format on */

/* Sets the error. Always returns -1. Text that does not fit is cut and ends in "...". */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set with ERR_SYSTEM, and ": <text of errno>" appended. errno is kept. */
int err_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "<text>: " before the message that is already there. Kind and errno stay. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* True when the error is set. */
bool err_is_set(const struct err *e);

/* Makes the error empty again, for a caller that has dealt with it. */
void err_clear(struct err *e);

/* Moves `from` into `to`, which must be empty, and empties `from`. Returns -1. */
int err_move(struct err *to, struct err *from);

/* The kind's name for the wire and back ("not-found", ...); unknown names give ERR_SYSTEM. */
const char *err_kind_name(enum err_kind kind);
enum err_kind err_kind_parse(const char *name);

#endif
