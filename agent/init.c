/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/command.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

bool init_is_wanted(const char *argv0)
{
	const char *name = argv0 ? strrchr(argv0, '/') : NULL;

	return str_eq(name ? name + 1 : argv0, strrchr(INIT_PATH, '/') + 1);
}

static void say(const struct err *why)
{
	auto_free char *line = xasprintf("docker-init: %s\n", why->msg);
	struct err e = ERR_INIT;

	if (fd_write_full(STDERR_FILENO, line, strlen(line), &e) < 0)
		err_clear(&e);
}

/*
 * In a process group of its own, and that in the terminal's foreground: then Ctrl-C means the command,
 * and what it starts, and is not passed on a second time.
 */
static void run_command(char **argv, const sigset_t *mask) __attribute__((noreturn));

static void run_command(char **argv, const sigset_t *mask)
{
	auto_free char *file = NULL;
	struct err e = ERR_INIT;

	setpgid(0, 0);
	/* Not in the foreground yet, it would be stopped for this; all is blocked still. */
	if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpgrp());
	if (command_find(argv[0], getenv("PATH"), &file, &e) == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execv(file, argv);
		command_exec_error(file, errno, &e);
	}
	say(&e);
	_exit(e.kind == ERR_NO_COMMAND ? 127 : 126);
}

/* The code of the command when it was among those that have ended, else -1. */
static int reap(pid_t command)
{
	int status, code = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return code;
}

int init_main(int argc, char **argv)
{
	/* These say that this program has failed, or are sent for what it does with its terminal. */
	static const int own[] = { SIGFPE,  SIGILL, SIGSEGV, SIGBUS, SIGABRT,
				   SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU };
	struct err e = ERR_INIT;
	sigset_t all, before;
	int at = 1, code = -1;
	pid_t command;

	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (at >= argc) {
		err_set(&e, ERR_INVALID, "no command");
		say(&e);
		return 1;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	command = fork();
	if (command == 0)
		run_command(argv + at, &before);
	if (command < 0) {
		err_sys(&e, "cannot start a process");
		say(&e);
		return 1;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&all, own[i]);
	while (code < 0) {
		int sig = sigwaitinfo(&all, NULL);

		if (sig == SIGCHLD)
			code = reap(command);
		else if (sig > 0)
			kill(command, sig);
	}
	return code;
}
