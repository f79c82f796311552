/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/preamble.h"

#include <string.h>

#include "base/random.h"

_Static_assert(sizeof(PREAMBLE_MAGIC) - 1 == PREAMBLE_MAGIC_SIZE, "the magic has another size");

void preamble_make(unsigned char ret[PREAMBLE_SIZE])
{
	memcpy(ret, PREAMBLE_MAGIC, PREAMBLE_MAGIC_SIZE);
	random_bytes(ret + PREAMBLE_MAGIC_SIZE, PREAMBLE_SIZE - PREAMBLE_MAGIC_SIZE);
}

void preamble_scan_init(struct preamble_scan *s, const unsigned char want[PREAMBLE_SIZE])
{
	memset(s, 0, sizeof(*s));
	if (want) {
		memcpy(s->want, want, PREAMBLE_SIZE);
		s->nwant = PREAMBLE_SIZE;
	} else {
		memcpy(s->want, PREAMBLE_MAGIC, PREAMBLE_MAGIC_SIZE);
		s->nwant = PREAMBLE_MAGIC_SIZE;
	}
}

static bool may_begin_here(const struct preamble_scan *s)
{
	return memcmp(s->buf, s->want, s->n < s->nwant ? s->n : s->nwant) == 0;
}

bool preamble_scan(struct preamble_scan *s, const void *p, size_t n, size_t *used)
{
	const unsigned char *at = p;

	for (size_t i = 0; i < n; i++) {
		s->buf[s->n++] = at[i];
		/* A failed attempt may hold the beginning of the next one. */
		while (s->n && !may_begin_here(s))
			memmove(s->buf, s->buf + 1, --s->n);
		if (s->n == PREAMBLE_SIZE) {
			*used = i + 1;
			return true;
		}
	}
	*used = n;
	return false;
}
