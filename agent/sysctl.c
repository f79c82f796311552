/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sysctl.h"

#include <string.h>

#include "agent/command.h"
#include "base/fd.h"

#define PATH_MAX_BYTES 1024

void sysctl_path(const char *name, size_t n, struct str *ret)
{
	size_t first = strcspn(name, "./");
	bool swap = first < n && name[first] == '.';

	str_add(ret, "/proc/sys/");
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (swap && (c == '.' || c == '/'))
			c = c == '.' ? '/' : '.';
		str_addc(ret, c);
	}
}

int sysctl_set(const char *assignment, struct err *e)
{
	auto_str struct str path = STR_INIT(PATH_MAX_BYTES);
	size_t n = strcspn(assignment, "=");
	const char *value = assignment[n] ? assignment + n + 1 : "";
	auto_close int fd = -1;
	struct err why = ERR_INIT;
	char text[64];

	sysctl_path(assignment, n, &path);
	if (path.over || strstr(path.buf, "/../"))
		return err_set(e, ERR_INVALID, "bad name of a sysctl: '%.80s'", assignment);
	if (fd_open(AT_FDCWD, path.buf, O_WRONLY, 0, &fd, &why) < 0)
		return err_set(e, ERR_INVALID, "open %s: %s", path.buf,
			       command_errno_text(why.sys, text));
	if (fd_write_full(fd, value, strlen(value), &why) < 0)
		return err_set(e, ERR_INVALID, "write %s: %s", path.buf,
			       command_errno_text(why.sys, text));
	return 0;
}
