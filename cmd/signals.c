/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
/* Never caught: those that only tell the program itself something, and faults of its own. */
static const int left_alone[] = { SIGCHLD, SIGURG,  SIGPIPE, SIGSEGV, SIGBUS, SIGFPE,
				  SIGILL,  SIGTRAP, SIGABRT, SIGSYS,  SIGPROF };

bool signals_is_ending(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		if (ending[i] == sig)
			return true;
	}
	return false;
}

/* Whoever started us with a signal ignored (nohup, a shell's background job) means it to stay so. */
static bool is_ignored(int sig)
{
	struct sigaction action;

	return sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void make_set(enum signals_set which, sigset_t *ret)
{
	sigemptyset(ret);
	if (which == SIGNALS_ALL) {
		sigfillset(ret);
		for (size_t i = 0; i < ARRAY_LEN(left_alone); i++)
			sigdelset(ret, left_alone[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		if (is_ignored(ending[i]))
			sigdelset(ret, ending[i]);
		else
			sigaddset(ret, ending[i]);
	}
}

int signals_open(struct signals *s, enum signals_set which, struct err *e)
{
	sigset_t set, before;
	int fd;

	make_set(which, &set);
	sigprocmask(SIG_BLOCK, &set, &before);
	fd = signalfd(s->fd, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return err_sys(e, "cannot watch for signals");
	}
	if (s->fd < 0) {
		s->before = before;
		s->pipe_before = signal(SIGPIPE, SIG_IGN);
		s->fd = fd;
	}
	return 0;
}

int signals_next(const struct signals *s)
{
	struct signalfd_siginfo info;

	if (s->fd < 0 || read(s->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void signals_release(struct signals *s)
{
	if (s->fd < 0)
		return;
	/* What came too late to matter is dropped, not obeyed. */
	while (signals_next(s))
		;
	fd_close(s->fd);
	s->fd = -1;
	signal(SIGPIPE, s->pipe_before);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}
