/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/console.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

void console_error(const char *fmt, ...)
{
	auto_str struct str line = STR_INIT(1024);
	int saved = errno;
	struct err e = ERR_INIT;
	va_list ap;

	str_add(&line, "kvbox-agent: ");
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	str_addc(&line, '\n');
	/* A console that cannot be written to cannot be told about either. */
	if (fd_write_full(STDERR_FILENO, line.buf, line.len, &e) < 0)
		err_clear(&e);
	errno = saved;
}
