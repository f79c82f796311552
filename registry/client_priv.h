/* SPDX-License-Identifier: Apache-2.0 */
/* What client.c, login.c (who we are), refusal.c (errors) and fetch.c (blobs as streams) share. */
#ifndef KVBOX_REGISTRY_CLIENT_PRIV_H
#define KVBOX_REGISTRY_CLIENT_PRIV_H

#include "registry/auth.h"
#include "registry/client.h"
#include "registry/transport.h"

struct registry {
	struct reference ref;
	struct transport *transport;
	char *base; /* "https://host:port" */
	/* Who we are, as far as the registry has asked. */
	char *token; /* bearer, or NULL */
	struct auth_credentials credentials;
	bool credentials_read;
	bool use_basic;
};

/* Puts what we know about ourselves into the request. */
void registry_prepare(const struct registry *r, struct http_request *request);
/* After a 401: does what it asks for. ERR_DENIED when that is not possible or did not help before.
 */
int registry_authenticate(struct registry *r, const struct http_response *response,
			  struct err *e) MUST_CHECK;
/* The error for a response that is not the one wanted. Returns -1. */
int registry_refused(const struct registry *r, const struct http_response *response, bool manifest,
		     struct err *e);
char *registry_blob_url(const struct registry *r, const char *digest);
/* A data callback that drops everything. */
int registry_ignore(void *ctx, const void *p, size_t n, struct err *e);

#endif
