/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/reference.h"

#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_DOMAIN	"docker.io"
#define OFFICIAL_PREFIX "library/"
#define NAME_MAX_LEN	255
#define TAG_MAX_LEN	128
#define TEXT_MAX_LEN	1024 /* longer than any valid reference */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}
static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}
static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void reference_release(struct reference *r)
{
	free(r->domain);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct reference)REFERENCE_INIT;
}

void reference_copy(struct reference *to, const struct reference *from)
{
	struct reference copy = { xstrdup(from->domain), xstrdup(from->path), xstrdup(from->tag),
				  xstrdup(from->digest) };

	reference_release(to);
	*to = copy;
}

/* Letters, digits and inner hyphens, joined by dots. */
static bool host_is_valid(const char *p, size_t n)
{
	bool start = true;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '.') {
			if (start || p[i - 1] == '-')
				return false;
			start = true;
		} else if (p[i] == '-') {
			if (start)
				return false;
		} else if (is_alnum(p[i])) {
			start = false;
		} else {
			return false;
		}
	}
	return !start && p[n - 1] != '-';
}

static bool port_is_valid(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(p[i]))
			return false;
	return n > 0;
}

static bool domain_is_valid(const char *p, size_t n)
{
	const char *colon;

	if (n > 0 && p[0] == '[') {
		const char *close = memchr(p, ']', n);
		size_t used = close ? (size_t)(close - p) + 1 : 0;

		if (!close || used < 4)
			return false;
		for (const char *c = p + 1; c < close; c++)
			if (!is_hex(*c) && *c != ':')
				return false;
		return used == n || (p[used] == ':' && port_is_valid(p + used + 1, n - used - 1));
	}
	colon = memchr(p, ':', n);
	if (!colon)
		return host_is_valid(p, n);
	return host_is_valid(p, (size_t)(colon - p)) &&
	       port_is_valid(colon + 1, n - (size_t)(colon - p) - 1);
}

/* One part of the path: lower-case alphanumerics with ".", "_", "__" or hyphens between them. */
static bool component_is_valid(const char *p, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t from = i;

		while (i < n && (is_lower(p[i]) || is_digit(p[i])))
			i++;
		if (i == from)
			return false;
		if (i == n)
			return true;
		if (p[i] == '-') {
			while (i < n && p[i] == '-')
				i++;
		} else if (p[i] == '_') {
			i += i + 1 < n && p[i + 1] == '_' ? 2 : 1;
		} else if (p[i] == '.') {
			i++;
		} else {
			return false;
		}
	}
}

static bool path_is_valid(const char *p, size_t n)
{
	for (;;) {
		const char *slash = memchr(p, '/', n);
		size_t part = slash ? (size_t)(slash - p) : n;

		if (!component_is_valid(p, part))
			return false;
		if (!slash)
			return true;
		p += part + 1;
		n -= part + 1;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t n = strlen(tag);

	if (n == 0 || n > TAG_MAX_LEN || tag[0] == '.' || tag[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(tag[i]) && !strchr("_.-", tag[i]))
			return false;
	return true;
}

/* The general form "algorithm:hex", of which sha256 is what is in use. */
static int check_digest(const char *digest, struct err *e)
{
	const char *colon = strchr(digest, ':');
	size_t hex = colon ? strlen(colon + 1) : 0;

	if (!colon || !is_lower(digest[0]) || hex < 32)
		return err_set(e, ERR_INVALID, "invalid reference format");
	for (const char *c = colon + 1; *c; c++)
		if (!is_hex(*c))
			return err_set(e, ERR_INVALID, "invalid reference format");
	if (!str_has_prefix(digest, "sha256:"))
		return err_set(e, ERR_INVALID, "unsupported digest algorithm");
	if (hex != 64)
		return err_set(e, ERR_INVALID, "invalid checksum digest length");
	if (!digest_is_valid(digest))
		return err_set(e, ERR_INVALID, "invalid checksum digest format");
	return 0;
}

/* The length of the part before the first slash that names a registry; 0: there is none. */
static size_t domain_length(const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (n == 0 || memchr(text, '.', n) || memchr(text, ':', n) ||
	    (n == 9 && memcmp(text, "localhost", 9) == 0))
		return n;
	for (size_t i = 0; i < n; i++)
		if (is_upper(text[i]))
			return n;
	return 0;
}

/* Takes the text behind the last `sep` off `rest`, which ends there then. */
static char *cut_tail(char *rest, char sep)
{
	char *at = strrchr(rest, sep);

	if (!at)
		return NULL;
	*at = '\0';
	return xstrdup(at + 1);
}

static int check_name(const struct reference *r, struct err *e)
{
	for (const char *c = r->path; *c; c++)
		if (is_upper(*c))
			return err_set(e, ERR_INVALID,
				       "invalid reference format: repository name (%s) must be "
				       "lowercase",
				       r->path);
	if (!domain_is_valid(r->domain, strlen(r->domain)) ||
	    !path_is_valid(r->path, strlen(r->path)) || (r->tag && !tag_is_valid(r->tag)))
		return err_set(e, ERR_INVALID, "invalid reference format");
	if (strlen(r->domain) + 1 + strlen(r->path) > NAME_MAX_LEN)
		return err_set(e, ERR_INVALID,
			       "repository name must not be more than %d characters", NAME_MAX_LEN);
	return r->digest ? check_digest(r->digest, e) : 0;
}

int reference_parse(const char *text, struct reference *ret, struct err *e)
{
	auto_reference struct reference r = REFERENCE_INIT;
	auto_free char *rest = NULL;
	size_t domain;

	if (strlen(text) > TEXT_MAX_LEN)
		return err_set(e, ERR_INVALID, "invalid reference format");
	if (hex_is(text, 64))
		return err_set(e, ERR_INVALID,
			       "invalid repository name (%s), cannot specify 64-byte hexadecimal "
			       "strings",
			       text);
	domain = domain_length(text);
	r.domain = domain ? xstrndup(text, domain) : xstrdup(DEFAULT_DOMAIN);
	if (str_eq(r.domain, "index." DEFAULT_DOMAIN)) {
		free(r.domain);
		r.domain = xstrdup(DEFAULT_DOMAIN);
	}
	text += domain ? domain + 1 : 0;
	rest = xstrndup(text, strlen(text));
	r.digest = cut_tail(rest, '@');
	r.tag = cut_tail(rest, ':');
	r.path = str_eq(r.domain, DEFAULT_DOMAIN) && !strchr(rest, '/')
			 ? xasprintf(OFFICIAL_PREFIX "%s", rest)
			 : xstrdup(rest);
	if (check_name(&r, e) < 0)
		return -1;
	reference_release(ret);
	*ret = r;
	r = (struct reference)REFERENCE_INIT;
	return 0;
}

bool reference_default_tag(struct reference *r)
{
	if (r->tag || r->digest)
		return false;
	r->tag = xstrdup("latest");
	return true;
}

char *reference_name(const struct reference *r)
{
	return xasprintf("%s/%s", r->domain, r->path);
}

char *reference_familiar_name(const struct reference *r)
{
	const char *name = r->path ? r->path : "";
	size_t official = strlen(OFFICIAL_PREFIX);

	if (!str_eq(r->domain, DEFAULT_DOMAIN))
		return reference_name(r);
	if (str_has_prefix(name, OFFICIAL_PREFIX) && !strchr(name + official, '/'))
		name += official;
	/* Only what is read as the same name again may be shortened. */
	return domain_length(name) || hex_is(name, 64) ? reference_name(r) : xstrdup(name);
}

static char *with_suffix(char *name_take, const struct reference *r)
{
	auto_free char *name = name_take;

	return xasprintf("%s%s%s%s%s", name, r->tag ? ":" : "", r->tag ? r->tag : "",
			 r->digest ? "@" : "", r->digest ? r->digest : "");
}

char *reference_text(const struct reference *r)
{
	return with_suffix(reference_name(r), r);
}

char *reference_familiar(const struct reference *r)
{
	return with_suffix(reference_familiar_name(r), r);
}

char *reference_shorten(const char *text)
{
	auto_reference struct reference r = REFERENCE_INIT;
	struct err ignored = ERR_INIT;

	if (reference_parse(text, &r, &ignored) < 0)
		return xstrdup(text);
	return reference_familiar(&r);
}
