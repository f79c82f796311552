/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void strv_clear(struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	s->n = 0;
	if (s->v)
		s->v[0] = NULL;
}

void strv_release(struct strv *s)
{
	int saved = errno;

	strv_clear(s);
	free(s->v);
	*s = (struct strv)STRV_INIT;
	errno = saved;
}

void strv_add_take(struct strv *s, char *text)
{
	if (s->n + 1 >= s->cap) {
		s->cap = s->cap ? s->cap * 2 : 8;
		s->v = xreallocarray(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n++] = text;
	s->v[s->n] = NULL;
}

void strv_add(struct strv *s, const char *text)
{
	strv_add_take(s, xstrdup(text));
}

void strv_addn(struct strv *s, const char *text, size_t n)
{
	strv_add_take(s, xstrndup(text, n));
}

void strv_addf(struct strv *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strv_add_take(s, xvasprintf(fmt, ap));
	va_end(ap);
}

void strv_add_all(struct strv *s, const struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		strv_add(s, from->v[i]);
}

void strv_copy(struct strv *to, const struct strv *from)
{
	strv_clear(to);
	strv_add_all(to, from);
}

void strv_remove(struct strv *s, size_t at)
{
	free(s->v[at]);
	memmove(s->v + at, s->v + at + 1, (s->n - at) * sizeof(*s->v));
	s->n--;
}

bool strv_has(const struct strv *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i], text) == 0)
			return true;
	return false;
}

void strv_split(struct strv *s, const char *text, char sep)
{
	const char *end;

	for (; (end = strchr(text, sep)) != NULL; text = end + 1)
		strv_addn(s, text, (size_t)(end - text));
	strv_add(s, text);
}

/* Index of the entry for the name of `n` characters, or s->n. */
static size_t env_index(const struct strv *s, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strncmp(s->v[i], name, n) == 0 && (s->v[i][n] == '=' || !s->v[i][n]))
			break;
	return i;
}

void strv_env_set(struct strv *s, const char *assignment)
{
	size_t at = env_index(s, assignment, strcspn(assignment, "="));

	if (at == s->n) {
		strv_add(s, assignment);
		return;
	}
	free(s->v[at]);
	s->v[at] = xstrdup(assignment);
}

const char *strv_env_get(const struct strv *s, const char *name)
{
	size_t n = strlen(name), at = env_index(s, name, n);

	if (at == s->n || s->v[at][n] != '=')
		return NULL;
	return s->v[at] + n + 1;
}

void strv_env_unset(struct strv *s, const char *name)
{
	size_t at = env_index(s, name, strlen(name));

	if (at < s->n)
		strv_remove(s, at);
}

char *const *strv_args(const struct strv *s)
{
	static char *none[1];

	return s->v ? s->v : none;
}
