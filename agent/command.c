/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/command.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

const char *command_errno_text(int error, char buf[64])
{
	const char *text = strerrordesc_np(error);
	size_t n;

	if (!text)
		text = "unknown error";
	n = strlen(text) < 63 ? strlen(text) : 63;
	memcpy(buf, text, n);
	buf[n] = '\0';
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

/* 0 when it can be executed, else the reason; *stat_failed tells whether it is there at all. */
static int check(const char *file, bool *stat_failed)
{
	struct stat st;

	*stat_failed = stat(file, &st) < 0;
	if (*stat_failed)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int find_file(const char *name, char **ret, struct err *e)
{
	bool stat_failed;
	int error = check(name, &stat_failed);
	char text[64];

	if (error == 0) {
		*ret = xstrdup(name);
		return 0;
	}
	command_errno_text(error, text);
	if (stat_failed)
		return err_set(e, error == ENOENT ? ERR_NO_COMMAND : ERR_NOT_EXEC,
			       "exec: \"%s\": stat %s: %s", name, name, text);
	return err_set(e, ERR_NOT_EXEC, "exec: \"%s\": %s", name, text);
}

int command_find(const char *name, const char *path, char **ret, struct err *e)
{
	bool stat_failed;

	if (strchr(name, '/'))
		return find_file(name, ret, e);
	while (path) {
		size_t n = strcspn(path, ":");
		auto_free char *folder = xstrndup(path, n);
		/* An empty entry is the working folder, as for execvp. */
		auto_free char *file = xconcat(folder, n ? "/" : "./", name, NULL);

		if (*name && check(file, &stat_failed) == 0) {
			*ret = take_ptr(&file);
			return 0;
		}
		path = path[n] ? path + n + 1 : NULL;
	}
	return err_set(e, ERR_NO_COMMAND, "exec: \"%s\": executable file not found in $PATH", name);
}

int command_exec_error(const char *file, int error, struct err *e)
{
	char text[64];

	/* ENOENT here: the file is there, its interpreter is not. */
	return err_set(e, error == ENOENT ? ERR_NO_COMMAND : ERR_NOT_EXEC, "exec %s: %s", file,
		       command_errno_text(error, text));
}
