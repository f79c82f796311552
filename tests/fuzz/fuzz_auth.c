/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's WWW-Authenticate (up to the first line break) and a user's config.json (all of it).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "registry/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_challenges struct auth_challenges c = { .n = 0 };
	auto_credentials struct auth_credentials own = AUTH_CREDENTIALS_INIT;
	auto_free char *header = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;

	header[strcspn(header, "\r\n")] = '\0';
	auth_challenges_add(&c, header);
	auth_challenges_add(&c, header);
	if (c.n > AUTH_CHALLENGES_MAX)
		abort();
	if (auth_credentials_parse((const char *)data, size, "docker.io", &own, &e) > 0 &&
	    !own.username && !own.identity_token)
		abort();
	return 0;
}
