/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"

void random_bytes(void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

uint32_t random_below(uint32_t n)
{
	/* Values below `skip` would make small results likelier. */
	uint32_t skip = -n % n, v;

	do
		random_bytes(&v, sizeof(v));
	while (v < skip);
	return v % n;
}

void random_id(char ret[ID_TEXT_SIZE])
{
	unsigned char raw[32];

	/* Twelve decimal digits would be taken for a number where a short ID is used as a hostname. */
	do {
		random_bytes(raw, sizeof(raw));
		hex_encode(raw, sizeof(raw), ret);
	} while (strspn(ret, "0123456789") >= 12);
}
