/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef KVBOX_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log is written with bare system calls: the wrappers of base/fd.h are fault points themselves. */
static void log_visit(const char *point)
{
	const char *path = getenv("KVBOX_FAULT_LOG");
	char line[64];
	size_t n = strnlen(point, sizeof(line) - 1);
	int fd;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	memcpy(line, point, n);
	line[n++] = '\n';
	if (write(fd, line, n) < 0)
		abort();
	close(fd);
}

bool fault(const char *point)
{
	static unsigned long visits, wanted;
	static bool ready;

	if (!ready) {
		const char *text = getenv("KVBOX_FAULT");

		wanted = text ? strtoul(text, NULL, 10) : 0;
		ready = true;
	}
	log_visit(point);
	if (++visits != wanted)
		return false;
	errno = EIO;
	return true;
}

#else

/* An empty translation unit is not valid C. */
typedef int fault_is_off;

#endif
