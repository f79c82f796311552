/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/filter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

int filter_check(const char *text, struct err *e)
{
	if (*text && !strchr(text, '='))
		return err_set(e, ERR_INVALID, "bad format of filter (expected name=value)");
	return 0;
}

static char *trimmed(const char *text, size_t n)
{
	while (n > 0 && isspace((unsigned char)*text)) {
		text++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	return xstrndup(text, n);
}

bool filter_split(const char *text, char **ret_key, char **ret_value)
{
	size_t n = strcspn(text, "=");
	char *key;

	if (!*text)
		return false;
	key = trimmed(text, n);
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret_key = key;
	*ret_value = trimmed(text + n + !!text[n], strlen(text + n + !!text[n]));
	return true;
}

static struct strv *find_list(const struct filter_key *keys, const char *key)
{
	for (; keys->key; keys++) {
		if (strcmp(keys->key, key) == 0)
			return keys->values;
	}
	return NULL;
}

int filter_sort(const struct strv *filters, const struct filter_key *keys, struct err *e)
{
	for (size_t i = 0; i < filters->n; i++) {
		auto_free char *key = NULL;
		auto_free char *value = NULL;
		struct strv *list;

		if (!filter_split(filters->v[i], &key, &value))
			continue;
		list = find_list(keys, key);
		if (!list)
			return err_set(e, ERR_INVALID, "invalid filter '%.100s'", key);
		if (!strv_has(list, value))
			strv_add(list, value);
	}
	return 0;
}

int filter_dangling(const struct strv *values, enum image_dangling *ret, struct err *e)
{
	for (size_t i = 0; i < values->n; i++) {
		const char *text = values->v[i];

		if (str_eq(text, "true") || str_eq(text, "1"))
			*ret = DANGLING_ONLY;
		else if (str_eq(text, "false") || str_eq(text, "0"))
			*ret = DANGLING_NOT;
		else
			return err_set(e, ERR_INVALID, "invalid filter 'dangling=[%.100s]'", text);
	}
	return 0;
}
