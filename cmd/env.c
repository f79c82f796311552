/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/env.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

/* One line, blanks before it dropped. */
static int read_line(const char *name, char *line, bool from_env, struct strv *ret, struct err *e)
{
	size_t key = strcspn(line, "=");
	const char *value;

	if (key == 0)
		return err_set(e, ERR_INVALID, "no variable name on line '%.100s' of '%.200s'",
			       line, name);
	for (size_t i = 0; i < key; i++) {
		if (isspace((unsigned char)line[i]))
			return err_set(e, ERR_INVALID,
				       "variable '%.*s' of '%.200s' contains whitespaces",
				       (int)(key > 100 ? 100 : key), line, name);
	}
	if (line[key] || !from_env) {
		strv_add(ret, line);
		return 0;
	}
	value = getenv(line);
	if (value)
		strv_addf(ret, "%s=%s", line, value);
	return 0;
}

int env_read_text(const char *name, const char *text, size_t n, bool from_env, struct strv *ret,
		  struct err *e)
{
	static const char bom[] = "\357\273\277";
	const char *end = text + n;

	if (!utf8_is_valid(text, n) || memchr(text, '\0', n))
		return err_set(e, ERR_INVALID, "file '%.200s' is not UTF-8 text", name);
	if (str_has_prefix(text, bom))
		text += strlen(bom);
	while (text < end) {
		size_t len = strcspn(text, "\n");
		size_t blanks = strspn(text, " \t\r\v\f");
		size_t skip = blanks < len ? blanks : len;
		size_t cut = len > skip && text[len - 1] == '\r' ? len - 1 : len;
		auto_free char *line = xstrndup(text + skip, cut - skip);

		if (*line && *line != '#' && read_line(name, line, from_env, ret, e) < 0)
			return -1;
		text += len + (text + len < end);
	}
	return 0;
}

/* In the words of Docker's client, which says "open f: no such file or directory". */
static int open_failed(const char *name, int number, struct err *e)
{
	const char *text = strerrordesc_np(number);

	if (!text)
		text = "?unknown error";
	return err_set(e, ERR_INVALID, "open %.300s: %c%s", name, tolower((unsigned char)*text),
		       text + 1);
}

static int read_file(const char *name, bool from_env, struct strv *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(ENV_FILE_MAX);
	struct err why = ERR_INIT;

	if (file_read(AT_FDCWD, name, &text, &why) < 0 && why.sys)
		return open_failed(name, why.sys, e);
	if (err_is_set(&why))
		return err_move(e, &why);
	if (text.over)
		return err_set(e, ERR_INVALID, "file '%.200s' is too large", name);
	return env_read_text(name, text.buf, text.len, from_env, ret, e);
}

int env_collect(const struct strv *files, const struct strv *given, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		if (read_file(files->v[i], true, ret, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < given->n; i++) {
		const char *text = given->v[i], *value;

		if (!*text || *text == '=')
			return err_set(e, ERR_INVALID, "invalid environment variable: %.200s",
				       text);
		value = strchr(text, '=') ? NULL : getenv(text);
		if (value)
			strv_addf(ret, "%s=%s", text, value);
		else
			strv_add(ret, text);
	}
	return 0;
}

int env_collect_labels(const struct strv *files, const struct strv *given, struct strv *ret,
		       struct err *e)
{
	auto_strv struct strv all = STRV_INIT;

	for (size_t i = 0; i < files->n; i++) {
		if (read_file(files->v[i], false, &all, e) < 0)
			return -1;
	}
	strv_add_all(&all, given);
	for (size_t i = 0; i < all.n; i++) {
		auto_free char *label = NULL;

		if (!all.v[i][0] || all.v[i][0] == '=')
			return err_set(e, ERR_INVALID, "invalid label '%.200s': empty name",
				       all.v[i]);
		label = strchr(all.v[i], '=') ? xstrdup(all.v[i]) : xasprintf("%s=", all.v[i]);
		strv_env_set(ret, label);
	}
	return 0;
}
