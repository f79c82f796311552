/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a command name means, and what is wrong with it, in Docker's words. */
#ifndef KVBOX_AGENT_COMMAND_H
#define KVBOX_AGENT_COMMAND_H

#include "base/err.h"

/*
 * As the calling process sees files: relative to its root, working folder and user. A name with a
 * slash is the file; else the folders of `path` (the value of PATH, or NULL) are searched. The
 * caller frees.
 *
 * ERR_NO_COMMAND (exit code 127) or ERR_NOT_EXEC (126):
 *	exec: "x": executable file not found in $PATH
 *	exec: "/x": stat /x: no such file or directory
 *	exec: "/etc": is a directory
 *	exec: "/etc/passwd": permission denied
 */
int command_find(const char *name, const char *path, char **ret, struct err *e) MUST_CHECK;

/* The error for an execve of `file` that failed with `error` (an errno). Returns -1. */
int command_exec_error(const char *file, int error, struct err *e);

/* errno's text as Go prints it: with a small first letter. */
const char *command_errno_text(int error, char buf[64]);

#endif
