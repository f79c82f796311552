/* SPDX-License-Identifier: Apache-2.0 */
/* What to do when a registry asks who we are: a token of the server that it names, or Basic. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "registry/client_priv.h"

#define TOKEN_ANSWER_MAX ((size_t)256 << 10)

/* The scope that the challenge names is the one for the request at hand. */
static void add_params(const struct registry *r, const struct auth_challenge *c, struct str *out)
{
	if (c->service) {
		str_add(out, "service=");
		transport_add_encoded(out, c->service);
		str_add(out, "&");
	}
	str_add(out, "scope=");
	if (c->scope) {
		transport_add_encoded(out, c->scope);
		return;
	}
	str_add(out, "repository%3A");
	transport_add_encoded(out, r->ref.path);
	str_add(out, "%3Apull");
}

static int ask_for_token(struct registry *r, const struct auth_challenge *c, struct str *answer,
			 struct http_response *response, struct err *e)
{
	auto_str struct str url = STR_INIT(16384), form = STR_INIT(65536);
	const struct auth_credentials *own = &r->credentials;
	struct http_request request = { 0 };
	int status;

	str_add(&url, c->realm);
	if (own->identity_token) {
		str_add(&form, "grant_type=refresh_token&client_id=kvbox&");
		add_params(r, c, &form);
		str_add(&form, "&refresh_token=");
		transport_add_encoded(&form, own->identity_token);
		request.form = form.buf;
	} else {
		str_addc(&url, strchr(c->realm, '?') ? '&' : '?');
		add_params(r, c, &url);
		if (own->username) {
			str_add(&url, "&account=");
			transport_add_encoded(&url, own->username);
			request.basic = own;
		}
	}
	if (url.over || form.over)
		return err_set(e, ERR_INVALID, "the registry's challenge is too long");
	request.url = url.buf;
	status = transport_call(r->transport, &request, answer, response, e);
	explicit_bzero(form.buf, form.len);
	return status;
}

/* It goes into a header. */
static bool token_is_sane(const char *token)
{
	for (const char *c = token; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return false;
	return *token != '\0';
}

static int read_token(const struct str *answer, char **ret, struct err *e)
{
	auto_json struct json *j = NULL;
	const char *token;

	if (json_parse(answer->buf, answer->len, &j, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "the token server's answer");
	}
	token = json_str(json_get(j, "token"));
	if (!token || !token[0])
		token = json_str(json_get(j, "access_token"));
	if (!token || !token_is_sane(token))
		return err_set(e, ERR_CORRUPT,
			       "authorization server did not include a token in the "
			       "response");
	*ret = xstrdup(token);
	return 0;
}

static int fetch_token(struct registry *r, const struct auth_challenge *c, struct err *e)
{
	auto_str struct str answer = STR_INIT(TOKEN_ANSWER_MAX);
	auto_response struct http_response response = { 0 };
	char *token = NULL;
	int status;

	http_response_init(&response);
	/* Nobody outside gets us to talk to, and to give a password to, a server inside. */
	if (strncasecmp(c->realm, "https://", 8) != 0 &&
	    !transport_is_loopback(strstr(r->base, "://") + 3))
		return err_set(e, ERR_DENIED, "refusing a token server that is not https");
	if (ask_for_token(r, c, &answer, &response, e) < 0)
		return err_wrap(e, "cannot get a token");
	if (response.status != 200)
		return registry_refused(r, &response, false, e);
	status = read_token(&answer, &token, e);
	explicit_bzero(answer.buf, answer.len);
	if (status < 0)
		return -1;
	auth_free_secret(r->token);
	r->token = token;
	return 0;
}

int registry_authenticate(struct registry *r, const struct http_response *response, struct err *e)
{
	const struct auth_challenge *bearer, *basic;

	if (!r->credentials_read && auth_credentials_read(r->ref.domain, &r->credentials, e) < 0)
		return -1;
	r->credentials_read = true;
	bearer = auth_challenges_find(&response->challenges, AUTH_BEARER);
	basic = auth_challenges_find(&response->challenges, AUTH_BASIC);
	if (bearer && bearer->realm)
		return fetch_token(r, bearer, e);
	if (basic && !r->credentials.username)
		return err_set(e, ERR_DENIED, "Get \"%s/v2/\": no basic auth credentials", r->base);
	if (!basic || r->use_basic)
		return registry_refused(r, response, false, e);
	r->use_basic = true;
	return 0;
}
