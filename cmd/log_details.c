/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_details.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/human.h"
#include "cmd/tmpl.h"

#define TAG_MAX ((size_t)64 << 10)

static bool has_key(const char *entry, const char *key, size_t n)
{
	return strncmp(entry, key, n) == 0 && entry[n] == '=';
}

/* Entries ("key=value") of `from` whose keys are in a list with commas. */
static void take_listed(const struct strv *from, const char *list, struct strv *ret)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		for (size_t i = 0; i < from->n; i++) {
			if (has_key(from->v[i], list, n))
				strv_env_set(ret, from->v[i]);
		}
		list += n + (list[n] == ',');
	}
}

static int take_matching(const struct strv *from, const char *pattern, struct strv *ret,
			 struct err *e)
{
	regex_t regex;

	if (!*pattern)
		return 0;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(e, ERR_INVALID, "bad regular expression '%.100s'", pattern);
	for (size_t i = 0; i < from->n; i++) {
		auto_free char *key = xstrndup(from->v[i], strcspn(from->v[i], "="));

		if (regexec(&regex, key, 0, NULL, 0) == 0)
			strv_env_set(ret, from->v[i]);
	}
	regfree(&regex);
	return 0;
}

static void write_facts(const struct container_spec *spec, struct str *out)
{
	char id[HUMAN_ID_SIZE], image[HUMAN_ID_SIZE];
	struct json_writer w;

	human_id(id, spec->id);
	human_id(image, spec->image_id);
	jw_init(&w, out, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "DaemonName", "docker");
	jw_str(&w, "FullID", spec->id);
	jw_str(&w, "ID", id);
	jw_str(&w, "ImageFullID", spec->image_id);
	jw_str(&w, "ImageID", image);
	jw_str(&w, "ImageName", spec->image_ref);
	jw_str(&w, "Name", spec->name);
	jw_end(&w);
}

/* --log-opt tag is a template. */
static int take_tag(const struct container_spec *spec, const char *text, struct strv *ret,
		    struct err *e)
{
	auto_str struct str facts = STR_INIT(TAG_MAX), tag = STR_INIT(TAG_MAX);
	auto_json struct json *document = NULL;
	auto_tmpl struct tmpl *t = NULL;

	write_facts(spec, &facts);
	if (tmpl_parse(text, &t, e) < 0 || json_parse(facts.buf, facts.len, &document, e) < 0 ||
	    tmpl_execute(t, document, NULL, &tag, e) < 0)
		return -1;
	if (tag.len)
		strv_addf(ret, "tag=%s", tag.buf);
	return 0;
}

static int collect(const struct container_spec *spec, struct strv *ret, struct err *e)
{
	const char *labels = strv_env_get(&spec->log_opts, "labels");
	const char *env = strv_env_get(&spec->log_opts, "env");
	const char *labels_regex = strv_env_get(&spec->log_opts, "labels-regex");
	const char *env_regex = strv_env_get(&spec->log_opts, "env-regex");
	const char *tag = strv_env_get(&spec->log_opts, "tag");

	if (labels)
		take_listed(&spec->labels, labels, ret);
	if (labels_regex && take_matching(&spec->labels, labels_regex, ret, e) < 0)
		return -1;
	if (env)
		take_listed(&spec->env, env, ret);
	if (env_regex && take_matching(&spec->env, env_regex, ret, e) < 0)
		return -1;
	return tag && *tag ? take_tag(spec, tag, ret, e) : 0;
}

static void add_escaped(struct str *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x80 && isalnum(c)) || (c && strchr("-_.~", c)))
			str_addc(out, (char)c);
		else if (c == ' ')
			str_addc(out, '+');
		else
			str_addf(out, "%%%02X", c);
	}
}

static int compare(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	size_t n = strcspn(left, "="), m = strcspn(right, "=");
	int order = strncmp(left, right, n < m ? n : m);

	return order ? order : (n > m) - (n < m);
}

int log_details(const struct container_spec *spec, struct str *out, struct err *e)
{
	auto_strv struct strv chosen = STRV_INIT;

	if (collect(spec, &chosen, e) < 0)
		return -1;
	if (chosen.n)
		qsort(chosen.v, chosen.n, sizeof(*chosen.v), compare);
	for (size_t i = 0; i < chosen.n; i++) {
		size_t n = strcspn(chosen.v[i], "=");
		const char *value = chosen.v[i] + n + (chosen.v[i][n] == '=');

		if (i)
			str_addc(out, ',');
		add_escaped(out, chosen.v[i], n);
		str_addc(out, '=');
		add_escaped(out, value, strlen(value));
	}
	str_addc(out, ' ');
	return 0;
}
