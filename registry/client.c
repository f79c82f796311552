/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it talks to a registry: requests go out with what is known about who we are, which is nothing
 * at first. A 401 says what the registry wants to know; after that the request is made once more. A
 * blob's token may run out in the middle of a long pull: then the same happens again there.
 */
#include "registry/client.h"

#include <string.h>

#include "base/mem.h"
#include "registry/client_priv.h"
#include "registry/manifest.h"

/* The registry behind docker.io has another name. */
static char *host_of(const struct reference *ref)
{
	return xstrdup(str_eq(ref->domain, "docker.io") ? "registry-1.docker.io" : ref->domain);
}

/* One request without credentials; what it says does not matter, only that it is HTTP. */
static int probe(struct registry *r, const char *base, enum http_trouble *ret_trouble,
		 int *ret_status, struct err *e)
{
	auto_transfer struct transfer *tr = NULL;
	auto_free char *url = xasprintf("%s/v2/", base);
	auto_str struct str body = STR_INIT(0);
	struct http_request request = { .url = url, .data = registry_ignore, .ctx = &body };

	if (transfer_start(r->transport, &request, &tr, e) < 0)
		return -1;
	while (!transfer_is_done(tr))
		if (transport_wait(r->transport, NULL, 0, -1, e) < 0)
			return -1;
	*ret_status = transfer_response(tr)->status;
	return transfer_result(tr, ret_trouble, e);
}

/*
 * Plain HTTP first: the question costs a fraction of a millisecond there, and carries no secret,
 * while a TLS library and its certificates cost more than pulling a small image. A TLS server
 * answers with 400 or not in HTTP at all.
 */
static int find_base(struct registry *r, struct err *e)
{
	auto_free char *host = host_of(&r->ref);
	auto_free char *plain = xasprintf("http://%s", host);
	struct err plain_err = ERR_INIT, tls_err = ERR_INIT;
	enum http_trouble trouble = HTTP_TROUBLE_OTHER;
	int status = 0, plain_r;

	r->base = xasprintf("https://%s", host);
	if (!transport_is_loopback(host))
		return 0;
	plain_r = probe(r, plain, &trouble, &status, &plain_err);
	if (plain_r < 0 && (trouble == HTTP_TROUBLE_UNREACHABLE || plain_err.kind == ERR_CANCELLED))
		return err_move(e, &plain_err);
	if (plain_r == 0 && status != 400) {
		free(r->base);
		r->base = take_ptr(&plain);
		return 0;
	}
	if (probe(r, r->base, &trouble, &status, &tls_err) == 0)
		return 0;
	/* When it is no TLS either, what it said to plain HTTP is the better story. */
	if (plain_r < 0 && (trouble == HTTP_TROUBLE_NOT_TLS || trouble == HTTP_TROUBLE_BROKEN))
		return err_move(e, &plain_err);
	return err_move(e, &tls_err);
}

int registry_ignore(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)p;
	(void)n;
	(void)e;
	return 0;
}

int registry_open(const struct reference *ref, int cancel_fd, struct registry **ret, struct err *e)
{
	auto_registry struct registry *r = xcalloc(1, sizeof(*r));

	reference_copy(&r->ref, ref);
	if (transport_new(cancel_fd, &r->transport, e) < 0 || find_base(r, e) < 0)
		return -1;
	*ret = take_ptr(&r);
	return 0;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	transport_free(r->transport);
	reference_release(&r->ref);
	auth_credentials_release(&r->credentials);
	auth_free_secret(r->token);
	free(r->base);
	free(r);
}

void registry_close_ptr(struct registry **r)
{
	registry_close(*r);
}

void registry_prepare(const struct registry *r, struct http_request *request)
{
	request->bearer = r->token;
	request->basic = r->use_basic ? &r->credentials : NULL;
}

/* A request with one more attempt when the registry asks who we are. */
static int call(struct registry *r, const char *url, const char *const *accept, struct str *body,
		struct http_response *response, struct err *e)
{
	struct http_request request = { .url = url, .accept = accept };

	registry_prepare(r, &request);
	if (transport_call(r->transport, &request, body, response, e) < 0)
		return -1;
	if (response->status != 401)
		return 0;
	if (registry_authenticate(r, response, e) < 0)
		return -1;
	str_clear(body);
	registry_prepare(r, &request);
	return transport_call(r->transport, &request, body, response, e);
}

/* The registry says what it sent, we say what arrived. */
static int check_manifest(const char *wanted, const struct http_response *response,
			  const struct str *text, char ret[DIGEST_TEXT_SIZE], struct err *e)
{
	const char *told = response->digest;

	if (digest_of(text->buf, text->len, ret, e) < 0)
		return -1;
	if (!wanted && told && digest_is_valid(told))
		wanted = told;
	if (wanted && strcmp(wanted, ret) != 0)
		return err_set(e, ERR_CORRUPT, "manifest verification failed for digest %s",
			       wanted);
	return 0;
}

int registry_manifest(struct registry *r, const char *digest, struct str *text,
		      char ret_digest[DIGEST_TEXT_SIZE], struct err *e)
{
	auto_response struct http_response response = { 0 };
	auto_free char *url = NULL;

	http_response_init(&response);
	if (!digest)
		digest = r->ref.digest;
	url = xasprintf("%s/v2/%s/manifests/%s", r->base, r->ref.path,
			digest	     ? digest
			: r->ref.tag ? r->ref.tag
				     : "latest");
	str_clear(text);
	text->limit = MANIFEST_MAX;
	if (call(r, url, manifest_media_types, text, &response, e) < 0)
		return -1;
	if (response.status != 200)
		return registry_refused(r, &response, true, e);
	return check_manifest(digest, &response, text, ret_digest, e);
}

char *registry_blob_url(const struct registry *r, const char *digest)
{
	return xasprintf("%s/v2/%s/blobs/%s", r->base, r->ref.path, digest);
}

int registry_blob(struct registry *r, const char *digest, int64_t size, struct str *text,
		  struct err *e)
{
	auto_response struct http_response response = { 0 };
	auto_free char *url = registry_blob_url(r, digest);
	char found[DIGEST_TEXT_SIZE];

	http_response_init(&response);
	str_clear(text);
	text->limit = (size_t)size;
	if (call(r, url, NULL, text, &response, e) < 0)
		return err_wrap(e, "blob %.19s", digest);
	if (response.status != 200)
		return registry_refused(r, &response, false, e);
	if (digest_of(text->buf, text->len, found, e) < 0)
		return -1;
	if (strcmp(found, digest) != 0)
		return err_set(e, ERR_CORRUPT, "verification failed for digest %s: it came as %s",
			       digest, found);
	return 0;
}

int registry_wait(struct registry *r, struct pollfd *fds, size_t n, int timeout, struct err *e)
{
	return transport_wait(r->transport, fds, n, timeout, e);
}
