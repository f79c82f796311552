/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef KVBOX_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* Whether this process's first argument is the word. */
static bool has_verb(const char *word, size_t n)
{
	char line[256];
	ssize_t got = -1;
	size_t name;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		got = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	if (got < 0)
		return false;
	line[got] = '\0';
	name = strlen(line) + 1; /* where the next one begins */
	return name + n < (size_t)got && memcmp(line + name, word, n) == 0 &&
	       line[name + n] == '\0';
}

/* The visit that is to fail; 0: none. */
static unsigned long wanted_visit(void)
{
	const char *text = getenv("KVBOX_FAULT");
	const char *colon = text ? strchr(text, ':') : NULL;

	if (colon && !has_verb(text, (size_t)(colon - text)))
		return 0;
	return text ? strtoul(colon ? colon + 1 : text, NULL, 10) : 0;
}

bool fault(const char *point)
{
	static unsigned long visits, wanted;
	static bool ready;

	if (!ready) {
		wanted = wanted_visit();
		ready = true;
	}
	log_visit(point);
	if (++visits != wanted)
		return false;
	if (getenv("KVBOX_FAULT_KILL"))
		raise(SIGKILL);
	errno = EIO;
	return true;
}

#else

/* An empty translation unit is not valid C. */
typedef int fault_is_off;

#endif
