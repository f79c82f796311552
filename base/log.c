/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int log_level;

void log_set_level(int level)
{
	log_level = level;
}

bool log_is_on(void)
{
	return log_level > 0;
}

void log_debug(const char *fmt, ...)
{
	int saved = errno;
	char line[1024];
	va_list ap;
	int n;

	if (log_level == 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > 0) {
		size_t len = (size_t)n < sizeof(line) - 2 ? (size_t)n : sizeof(line) - 2;

		/* One write a line, so that lines of several processes do not mix. */
		line[len++] = '\n';
		if (write(STDERR_FILENO, line, len) < 0)
			errno = saved;
	}
	errno = saved;
}
