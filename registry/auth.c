/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"

#define CONFIG_MAX ((size_t)1 << 20)
#define PARAM_MAX  4096u

/* ---- challenges ---- */

void auth_challenges_release(struct auth_challenges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].realm);
		free(c->v[i].service);
		free(c->v[i].scope);
	}
	*c = (struct auth_challenges){ .n = 0 };
}

static bool is_token_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *skip_token(const char *p)
{
	while (is_token_char(*p))
		p++;
	return p;
}

/* A token or quoted string at *p; NULL and *p unmoved where there is none. */
static char *read_value(const char **p)
{
	auto_str struct str out = STR_INIT(PARAM_MAX);
	struct err ignored = ERR_INIT;
	const char *at = *p;

	if (*at != '"') {
		const char *end = skip_token(at);

		*p = end;
		return end > at ? xstrndup(at, (size_t)(end - at)) : NULL;
	}
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		str_addc(&out, *at);
	}
	if (*at != '"')
		return NULL;
	*p = at + 1;
	return str_take(&out, &ignored);
}

static void set_param(struct auth_challenge *c, const char *name, size_t n, char *value_take)
{
	struct {
		const char *name;
		char **to;
	} known[] = {
		{ "realm", &c->realm },
		{ "service", &c->service },
		{ "scope", &c->scope },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != n || strncasecmp(known[i].name, name, n) != 0)
			continue;
		free(*known[i].to);
		*known[i].to = value_take;
		return;
	}
	free(value_take);
}

/* "name=value" pairs with commas between, up to the next scheme or the end. False: no sense in it.
 */
static bool read_params(const char **p, struct auth_challenge *c)
{
	for (;;) {
		const char *name, *end;
		char *value;

		name = *p = *p + strspn(*p, " \t,");
		end = skip_token(name);
		if (end == name || *skip_blanks(end) != '=')
			return end != name || !*name;
		*p = skip_blanks(skip_blanks(end) + 1);
		value = read_value(p);
		if (!value) {
			/* No value, or the padding of a token68. */
			*p += strspn(*p, "= \t");
			if (**p && **p != ',')
				return false;
			continue;
		}
		set_param(c, name, (size_t)(end - name), value);
	}
}

static enum auth_scheme scheme_of(const char *name, size_t n)
{
	if (n == 5 && strncasecmp(name, "basic", n) == 0)
		return AUTH_BASIC;
	return n == 6 && strncasecmp(name, "bearer", n) == 0 ? AUTH_BEARER : AUTH_OTHER;
}

void auth_challenges_add(struct auth_challenges *c, const char *header)
{
	const char *p = header;

	while (c->n < AUTH_CHALLENGES_MAX) {
		const char *name = p + strspn(p, " \t,");
		struct auth_challenge *one = &c->v[c->n];

		p = skip_token(name);
		if (p == name)
			return;
		*one = (struct auth_challenge){ .scheme = scheme_of(name, (size_t)(p - name)) };
		c->n++;
		if (!read_params(&p, one))
			return;
	}
}

const struct auth_challenge *auth_challenges_find(const struct auth_challenges *c,
						  enum auth_scheme scheme)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].scheme == scheme)
			return &c->v[i];
	return NULL;
}

/* ---- credentials ---- */

void auth_free_secret(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void auth_credentials_release(struct auth_credentials *c)
{
	free(c->username);
	auth_free_secret(c->password);
	auth_free_secret(c->identity_token);
	*c = (struct auth_credentials)AUTH_CREDENTIALS_INIT;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Terminated text, or NULL when it is no base64 of text. */
static char *base64_decode(const char *text)
{
	size_t n = strlen(text);
	char *ret = xcalloc(n + 1, 1);
	size_t len = 0;
	unsigned acc = 0, bits = 0;

	while (n > 0 && text[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			goto bad;
		acc = (acc << 6 | (unsigned)value) & 0xffffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		ret[len] = (char)(acc >> bits & 0xff);
		if (!ret[len++])
			goto bad;
	}
	return ret;
bad:
	explicit_bzero(ret, len);
	free(ret);
	return NULL;
}

/* "https://host:port/v1/" and "host:port" name the same registry. */
static bool key_names(const char *key, const char *domain)
{
	size_t n;

	if (str_has_prefix(key, "https://"))
		key += strlen("https://");
	else if (str_has_prefix(key, "http://"))
		key += strlen("http://");
	n = strcspn(key, "/");
	if (str_eq(domain, "docker.io") && n == strlen("index.docker.io") &&
	    strncmp(key, "index.docker.io", n) == 0)
		return true;
	return n == strlen(domain) && strncmp(key, domain, n) == 0;
}

static int read_entry(const struct json *entry, const char *domain, struct auth_credentials *ret,
		      struct err *e)
{
	const char *auth = json_str(json_get(entry, "auth"));
	const char *username = json_str(json_get(entry, "username"));
	const char *password = json_str(json_get(entry, "password"));
	const char *token = json_str(json_get(entry, "identitytoken"));
	char *plain = NULL, *colon;

	if (auth && auth[0]) {
		plain = base64_decode(auth);
		colon = plain ? strchr(plain, ':') : NULL;
		if (!colon) {
			auth_free_secret(plain);
			return err_set(e, ERR_INVALID, "auths: the entry for '%s' is not valid",
				       domain);
		}
		ret->username = xstrndup(plain, (size_t)(colon - plain));
		ret->password = xstrdup(colon + 1);
		auth_free_secret(plain);
	} else if (username && username[0]) {
		ret->username = xstrdup(username);
		ret->password = xstrdup(password ? password : "");
	}
	if (token && token[0])
		ret->identity_token = xstrdup(token);
	return ret->username || ret->identity_token;
}

int auth_credentials_parse(const char *text, size_t n, const char *domain,
			   struct auth_credentials *ret, struct err *e)
{
	auto_json struct json *j = NULL;
	const struct json *auths, *entry;
	const char *key;

	if (json_parse(text, n, &j, e) < 0)
		return -1;
	auths = json_get(j, "auths");
	/* The exact name goes before other ways to write it. */
	entry = json_get(auths, domain);
	for (size_t i = 0; !entry; i++) {
		const struct json *value;

		if (!json_entry(auths, i, &key, &value))
			return 0;
		if (key_names(key, domain))
			entry = value;
	}
	return read_entry(entry, domain, ret, e);
}

int auth_credentials_read(const char *domain, struct auth_credentials *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(CONFIG_MAX);
	const char *folder = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");
	auto_free char *path = NULL;
	int r;

	if (folder && folder[0])
		path = xasprintf("%s/config.json", folder);
	else if (home && home[0])
		path = xasprintf("%s/.docker/config.json", home);
	else
		return 0;
	if (file_read(AT_FDCWD, path, &text, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	r = auth_credentials_parse(text.buf, text.len, domain, ret, e);
	explicit_bzero(text.buf, text.len);
	return r < 0 ? err_wrap(e, "%s", path) : r;
}
