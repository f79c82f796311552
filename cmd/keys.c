/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/keys.h"

#include <string.h>

#include "base/strv.h"

/* One key: a character, "DEL", or "ctrl-" and one of a-z @ [ \ ] ^ _. */
static int parse_key(const char *text, char *ret)
{
	char c;

	if (strlen(text) == 1) {
		*ret = *text;
		return 0;
	}
	if (strcmp(text, "DEL") == 0) {
		*ret = 0x7f;
		return 0;
	}
	if (strlen(text) != 6 || strncmp(text, "ctrl-", 5) != 0)
		return -1;
	c = text[5];
	if (c >= 'a' && c <= 'z')
		*ret = (char)(c - 'a' + 1);
	else if (strchr("@[\\]^_", c))
		*ret = (char)(c - '@');
	else
		return -1;
	return 0;
}

int keys_parse(const char *text, struct keys *ret, struct err *e)
{
	auto_strv struct strv parts = STRV_INIT;
	struct keys keys = { .n = 0 };

	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.n; i++) {
		if (keys.n == KEYS_MAX || parse_key(parts.v[i], &keys.v[keys.n]) < 0)
			return err_set(e, ERR_INVALID,
				       "invalid detach keys (%.100s): Unknown character: '%.60s'",
				       text, parts.v[i]);
		keys.n++;
	}
	*ret = keys;
	return 0;
}
