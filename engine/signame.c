/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signame.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

/* The guest's numbers, which are Linux's own and not those that a libc leaves over. */
#define SIGNAL_RTMIN 34
#define SIGNAL_MAX   64

static int bad(const char *text, struct err *e)
{
	return err_set(e, ERR_INVALID, "invalid signal: %.64s", text);
}

/* "RTMIN+n" and "RTMAX-n". */
static int parse_real_time(const char *name, int *ret)
{
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	struct err ignored = ERR_INIT;
	uint64_t n = 0;

	if (name[5] != '\0' && (name[5] != (from_min ? '+' : '-') ||
				parse_u64(name + 6, SIGNAL_MAX - SIGNAL_RTMIN, &n, &ignored) < 0))
		return -1;
	*ret = from_min ? SIGNAL_RTMIN + (int)n : SIGNAL_MAX - (int)n;
	return 0;
}

int signame_parse(const char *text, int *ret, struct err *e)
{
	struct err ignored = ERR_INIT;
	const char *name = text, *known;
	uint64_t n;
	int sig;

	if (*text >= '0' && *text <= '9') {
		if (parse_u64(text, SIGNAL_MAX, &n, &ignored) < 0 || n == 0)
			return bad(text, e);
		*ret = (int)n;
		return 0;
	}
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strncasecmp(name, "RTMIN", 5) == 0 || strncasecmp(name, "RTMAX", 5) == 0)
		return parse_real_time(name, ret) < 0 ? bad(text, e) : 0;
	for (sig = 1; sig < SIGNAL_RTMIN; sig++) {
		known = sigabbrev_np(sig);
		if (known && strcasecmp(known, name) == 0) {
			*ret = sig;
			return 0;
		}
	}
	return bad(text, e);
}
