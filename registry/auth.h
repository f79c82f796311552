/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to a registry: challenges in WWW-Authenticate (RFC 9110), and names and passwords out
 * of Docker's config.json, which is only ever read. Secrets are wiped when they are released, and
 * appear in no message.
 */
#ifndef KVBOX_REGISTRY_AUTH_H
#define KVBOX_REGISTRY_AUTH_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum auth_scheme { AUTH_OTHER, AUTH_BASIC, AUTH_BEARER };

struct auth_challenge {
	enum auth_scheme scheme;
	char *realm, *service, *scope; /* NULL where not given */
};

#define AUTH_CHALLENGES_MAX 8
struct auth_challenges {
	struct auth_challenge v[AUTH_CHALLENGES_MAX];
	size_t n;
};

void auth_challenges_release(struct auth_challenges *c);
#define auto_challenges __attribute__((cleanup(auth_challenges_release)))

/* Adds the challenges of one header value. Those beyond the limit and what is behind a syntax error
 * are left out: the header belongs to a stranger, and what is usable in it is used. */
void auth_challenges_add(struct auth_challenges *c, const char *header);
/* The first of that scheme, or NULL. */
const struct auth_challenge *auth_challenges_find(const struct auth_challenges *c,
						  enum auth_scheme scheme);

struct auth_credentials {
	char *username, *password; /* both or none */
	char *identity_token;	   /* instead of a password, to be traded for a token */
};
#define AUTH_CREDENTIALS_INIT    \
	{                        \
		NULL, NULL, NULL \
	}

void auth_credentials_release(struct auth_credentials *c);
#define auto_credentials __attribute__((cleanup(auth_credentials_release)))

/*
 * What $DOCKER_CONFIG/config.json (~/.docker/config.json) has for the registry `domain`. 1 when
 * there is something, 0 when not, or when there is no such file.
 */
int auth_credentials_read(const char *domain, struct auth_credentials *ret,
			  struct err *e) MUST_CHECK;
/* The same out of the text of such a file. */
int auth_credentials_parse(const char *text, size_t n, const char *domain,
			   struct auth_credentials *ret, struct err *e) MUST_CHECK;

/* Frees a string that holds a secret, after overwriting it. */
void auth_free_secret(char *secret);

#endif
