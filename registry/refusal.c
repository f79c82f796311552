/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's refusals, told in the words that Docker has for them. */
#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "registry/client_priv.h"

#define CAUSE_MAX 200u

static const struct {
	int status;
	const char *text;
} phrases[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 416, "Requested Range Not Satisfiable" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "";
}

/* A registry's error document: {"errors": [{"code": "NAME_UNKNOWN", "message": "..."}]}. */
struct refusal {
	char code[64];	 /* "" when there is none */
	struct str text; /* "name unknown: ...", never empty */
};

static void add_clean(struct str *out, const char *text)
{
	size_t n = 0;

	for (; text[n] && n < CAUSE_MAX; n++)
		str_addc(out, iscntrl((unsigned char)text[n]) ? ' ' : text[n]);
}

static void read_document(const struct http_response *response, struct refusal *ret)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;
	const struct json *first;
	const char *code, *message;
	size_t n;

	if (json_parse(response->body.buf, response->body.len, &j, &ignored) < 0)
		return;
	first = json_at(json_get(j, "errors"), 0);
	code = json_str(json_get(first, "code"));
	message = json_str(json_get(first, "message"));
	if (!message)
		message = json_str(json_get(j, "details"));
	if (code && (n = strlen(code)) < sizeof(ret->code)) {
		memcpy(ret->code, code, n + 1);
		for (size_t i = 0; i < n; i++)
			str_addc(&ret->text, code[i] == '_' ? ' '
					     : iscntrl((unsigned char)code[i])
						     ? ' '
						     : (char)tolower((unsigned char)code[i]));
		str_add(&ret->text, ": ");
		add_clean(&ret->text, message ? message : code);
	} else if (message) {
		add_clean(&ret->text, message);
	}
}

static void refusal_read(const struct http_response *response, struct refusal *ret)
{
	ret->code[0] = '\0';
	str_init(&ret->text, 2 * CAUSE_MAX + sizeof(ret->code));
	read_document(response, ret);
	if (ret->text.len > 0)
		return;
	str_addf(&ret->text, "received unexpected HTTP status: %d %s", response->status,
		 phrase_of(response->status));
}

static bool is_denial(int status, const char *code)
{
	return status == 401 || status == 403 || str_eq(code, "DENIED") ||
	       str_eq(code, "UNAUTHORIZED");
}

static int manifest_missing(const struct registry *r, const struct refusal *why, struct err *e)
{
	auto_free char *name = reference_familiar_name(&r->ref);
	auto_free char *full = reference_familiar(&r->ref);

	if (str_eq(why->code, "NAME_UNKNOWN"))
		return err_set(e, ERR_NOT_FOUND, "repository %s not found: %s", name,
			       why->text.buf);
	return err_set(e, ERR_NOT_FOUND, "manifest for %s not found: %s%s", full,
		       why->code[0] ? "" : "manifest unknown: ", why->text.buf);
}

int registry_refused(const struct registry *r, const struct http_response *response, bool manifest,
		     struct err *e)
{
	auto_free char *name = reference_familiar_name(&r->ref);
	struct refusal why;

	refusal_read(response, &why);
	if (is_denial(response->status, why.code))
		err_set(e, ERR_DENIED,
			"pull access denied for %s, repository does not exist or may require "
			"'docker login': %s",
			name, why.text.buf);
	else if (response->status == 404 && manifest)
		manifest_missing(r, &why, e);
	else if (response->status == 404)
		err_set(e, ERR_NOT_FOUND, "blob of %s not found: %s", name, why.text.buf);
	else
		err_set(e, ERR_UNAVAILABLE, "%s", why.text.buf);
	str_release(&why.text);
	return -1;
}
