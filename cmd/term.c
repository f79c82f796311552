/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/term.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* For the handler below, which cannot be given anything: the mode to go back to. */
static struct termios crash_mode;
static volatile sig_atomic_t crash_fd = -1;

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };

static void on_fault(int sig)
{
	if (crash_fd >= 0)
		tcsetattr((int)crash_fd, TCSANOW, &crash_mode);
	/* SA_RESETHAND: the default action, core and exit code as without us. */
	raise(sig);
}

static void watch_faults(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigaction(faults[i], &action, NULL);
}

int term_open_raw(struct term *t, int fd, struct err *e)
{
	if (tcgetattr(fd, &t->before) < 0)
		return err_sys(e, "cannot read the terminal's mode");
	t->raw = t->before;
	cfmakeraw(&t->raw);
	crash_mode = t->before;
	crash_fd = fd;
	watch_faults();
	if (tcsetattr(fd, TCSANOW, &t->raw) < 0)
		return err_sys(e, "cannot set the terminal's mode");
	t->fd = fd;
	return 0;
}

void term_again(const struct term *t)
{
	if (t->fd >= 0)
		tcsetattr(t->fd, TCSANOW, &t->raw);
}

void term_restore(struct term *t)
{
	if (t->fd < 0)
		return;
	/* Not TCSADRAIN: who has stopped the terminal's output would keep us here, deaf to signals. */
	tcsetattr(t->fd, TCSANOW, &t->before);
	crash_fd = -1;
	t->fd = -1;
}

bool term_size(struct client_size *ret)
{
	struct winsize size;

	*ret = (struct client_size){ 0, 0 };
	if (ioctl(1, TIOCGWINSZ, &size) < 0 && ioctl(0, TIOCGWINSZ, &size) < 0)
		return false;
	*ret = (struct client_size){ size.ws_row, size.ws_col };
	return true;
}
