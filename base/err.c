/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_name[] = {
	[ERR_SYSTEM] = "system",	   [ERR_INVALID] = "invalid",
	[ERR_NOT_FOUND] = "not-found",	   [ERR_CONFLICT] = "conflict",
	[ERR_UNAVAILABLE] = "unavailable", [ERR_DENIED] = "denied",
	[ERR_CORRUPT] = "corrupt",	   [ERR_NO_COMMAND] = "no-command",
	[ERR_NOT_EXEC] = "not-exec",	   [ERR_CANCELLED] = "cancelled",
};
_Static_assert(ARRAY_LEN(kind_name) == ERR_KIND_COUNT, "kind_name[] does not match enum err_kind");

/* Formats into a fixed buffer; what does not fit is cut and marked. */
static size_t format_cut(char *buf, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

static size_t format_cut(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	if (n < 0) {
		buf[0] = '\0';
		return 0;
	}
	if ((size_t)n < size)
		return (size_t)n;
	memcpy(buf + size - 4, "...", 4);
	return size - 1;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	assert(!err_is_set(e));
	e->kind = kind;
	e->sys = 0;
	va_start(ap, fmt);
	format_cut(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	const char *text = strerrordesc_np(saved);
	char room[64];
	size_t len, add;
	va_list ap;

	assert(!err_is_set(e));
	if (!text) {
		snprintf(room, sizeof(room), "error %d", saved);
		text = room;
	}
	e->kind = ERR_SYSTEM;
	e->sys = saved;
	add = strlen(text) + 2;
	va_start(ap, fmt);
	len = format_cut(e->msg, sizeof(e->msg) - add, fmt, ap);
	va_end(ap);
	e->msg[len] = ':';
	e->msg[len + 1] = ' ';
	memcpy(e->msg + len + 2, text, add - 1);
	errno = saved;
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	size_t len, room, olen;
	va_list ap;

	assert(err_is_set(e));
	memcpy(old, e->msg, sizeof(old));
	olen = strlen(old);
	va_start(ap, fmt);
	len = format_cut(e->msg, sizeof(e->msg) / 2, fmt, ap);
	va_end(ap);
	e->msg[len++] = ':';
	e->msg[len++] = ' ';
	room = sizeof(e->msg) - 1 - len;
	if (olen > room) {
		olen = room;
		memcpy(old + olen - 3, "...", 3);
	}
	memcpy(e->msg + len, old, olen);
	e->msg[len + olen] = '\0';
	return -1;
}

bool err_is_set(const struct err *e)
{
	return e->msg[0] != '\0';
}

void err_clear(struct err *e)
{
	e->kind = ERR_SYSTEM;
	e->sys = 0;
	e->msg[0] = '\0';
}

int err_move(struct err *to, struct err *from)
{
	assert(!err_is_set(to));
	*to = *from;
	err_clear(from);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	return (unsigned)kind < ERR_KIND_COUNT ? kind_name[kind] : kind_name[ERR_SYSTEM];
}

enum err_kind err_kind_parse(const char *name)
{
	for (unsigned i = 0; i < ERR_KIND_COUNT; i++)
		if (strcmp(kind_name[i], name) == 0)
			return (enum err_kind)i;
	return ERR_SYSTEM;
}
