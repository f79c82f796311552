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

int env_open_failed(const char *name, int number, struct err *e)
{
	const char *text = strerrordesc_np(number);

	if (!text)
		text = "?unknown error";
	return err_set(e, ERR_INVALID, "open %.300s: %c%s", name, tolower((unsigned char)*text),
		       text + 1);
}

int env_read_file(const char *name, struct str *ret, struct err *e)
{
	struct err why = ERR_INIT;

	if (file_read(AT_FDCWD, name, ret, &why) < 0 && why.sys)
		return env_open_failed(name, why.sys, e);
	return err_is_set(&why) ? err_move(e, &why) : 0;
}

static int read_file(const char *name, bool from_env, struct strv *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(ENV_FILE_MAX);

	if (env_read_file(name, &text, e) < 0)
		return -1;
	return env_read_text(name, text.buf, text.len, from_env, ret, e);
}

/* How many bytes of the first character; 0 when it is none. */
static size_t first_character(const char *p, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++) {
		if (utf8_is_valid(p, len))
			return len;
	}
	return 0;
}

void env_map_set(struct strv *map, const char *assignment)
{
	size_t left = strlen(assignment);
	auto_str struct str text = STR_INIT(3 * left + 1);

	for (const char *p = assignment; left;) {
		size_t len = first_character(p, left);

		if (len)
			str_addn(&text, p, len);
		else
			str_add(&text, "\357\277\275");
		p += len ? len : 1;
		left -= len ? len : 1;
	}
	strv_env_set(map, text.buf);
}

int env_check(const char *text, struct err *e)
{
	if (*text && *text != '=')
		return 0;
	return err_set(e, ERR_INVALID, "invalid environment variable: %.200s", text);
}

int env_check_label(const char *text, struct err *e)
{
	if (*text && *text != '=')
		return 0;
	return err_set(e, ERR_INVALID, "invalid label '%.200s': empty name", text);
}

int env_collect(const struct strv *files, const struct strv *given, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		if (read_file(files->v[i], true, ret, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < given->n; i++) {
		const char *text = given->v[i], *value;

		if (env_check(text, e) < 0)
			return -1;
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

		if (env_check_label(all.v[i], e) < 0)
			return -1;
		label = strchr(all.v[i], '=') ? xstrdup(all.v[i]) : xasprintf("%s=", all.v[i]);
		env_map_set(ret, label);
	}
	return 0;
}
