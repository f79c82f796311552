/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cmd/signals.h"

static bool is_readable(const struct signals *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void a_signal_is_read_and_does_not_kill(void **state)
{
	auto_signals struct signals s = SIGNALS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(signals_open(&s, SIGNALS_ENDING, &e));
	assert_int_equal(signals_next(&s), 0);
	kill(getpid(), SIGTERM);
	assert_true(is_readable(&s));
	assert_int_equal(signals_next(&s), SIGTERM);
	assert_int_equal(signals_next(&s), 0);
}

static void the_set_grows_while_it_is_open(void **state)
{
	auto_signals struct signals s = SIGNALS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	signal(SIGWINCH, SIG_DFL);
	assert_ok(signals_open(&s, SIGNALS_ENDING, &e));
	kill(getpid(), SIGWINCH);
	assert_false(is_readable(&s));
	assert_ok(signals_open(&s, SIGNALS_ALL, &e));
	kill(getpid(), SIGWINCH);
	kill(getpid(), SIGINT);
	assert_true(is_readable(&s));
	assert_int_equal(signals_next(&s), SIGINT);
	assert_int_equal(signals_next(&s), SIGWINCH);
	kill(getpid(), SIGCHLD);
	assert_false(is_readable(&s));
}

static void what_was_ignored_stays_ignored(void **state)
{
	auto_signals struct signals s = SIGNALS_INIT;
	struct err e = ERR_INIT;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_ok(signals_open(&s, SIGNALS_ALL, &e));
	kill(getpid(), SIGHUP);
	assert_false(is_readable(&s));
	signal(SIGHUP, SIG_DFL);
}

static void everything_is_as_before_afterwards(void **state)
{
	struct signals s = SIGNALS_INIT;
	struct err e = ERR_INIT;
	sigset_t mask;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_ok(signals_open(&s, SIGNALS_ALL, &e));
	assert_ptr_equal(signal(SIGPIPE, SIG_IGN), SIG_IGN);
	kill(getpid(), SIGTERM); /* too late: dropped, not obeyed */
	signals_release(&s);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	signals_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_read_and_does_not_kill),
		cmocka_unit_test(the_set_grows_while_it_is_open),
		cmocka_unit_test(what_was_ignored_stays_ignored),
		cmocka_unit_test(everything_is_as_before_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
