/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The health check: a command that is run in the container every now and then, with Docker's rules.
 *
 * The first check comes an interval after the start; in the start period, while nothing has succeeded yet,
 * the start interval counts, and a failure does not. A check that takes too long is killed; it has failed
 * when its time is up, and the next comes an interval after its end. None runs while the container is
 * paused. The monitor keeps the last five results with the beginning of their output.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define INTERVAL       (30 * MONITOR_SECOND)
#define TIMEOUT	       (30 * MONITOR_SECOND)
#define START_INTERVAL (5 * MONITOR_SECOND)
#define RETRIES	       3
#define CODE_NO_RESULT (-1)
/* Each byte of five outputs as an escape, and what is around them. */
#define TEXT_MAX (HEALTH_LOG_MAX * (6u * HEALTH_OUTPUT_MAX + 256) + 256)

static const char *const status_name[] = {
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};
_Static_assert(ARRAY_LEN(status_name) == HEALTH_STATUS_COUNT,
	       "status_name[] does not match its enum");

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

/* ---- what is told ------------------------------------------------------------------------------ */

static void write_result(struct json_writer *w, const struct health_result *r)
{
	char text[CLOCK_TEXT_SIZE];

	jw_begin_object(w, NULL);
	clock_format(r->start, text);
	jw_str(w, "Start", text);
	clock_format(r->end, text);
	jw_str(w, "End", text);
	jw_int(w, "ExitCode", r->code);
	jw_str(w, "Output", r->output);
	jw_end(w);
}

/* Into the state that is written next. */
static void describe(struct monitor *m)
{
	auto_str struct str text = STR_INIT(TEXT_MAX);
	const struct health *h = &m->health;
	struct err ignored = ERR_INIT;
	struct json_writer w;
	size_t i;

	jw_init(&w, &text, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "Status", status_name[h->status]);
	jw_int(&w, "FailingStreak", h->streak);
	jw_begin_array(&w, "Log");
	for (i = 0; i < h->n; i++)
		write_result(&w, &h->log[i]);
	jw_end(&w);
	jw_end(&w);
	free(m->state.health);
	m->state.health = str_take(&text, &ignored);
}

static void set_status(struct monitor *m, enum health_status status)
{
	if (m->health.status == status)
		return;
	m->health.status = status;
	monitor_tell(
		m, status == HEALTH_HEALTHY ? "health_status: healthy" : "health_status: unhealthy",
		NULL);
}

/* ---- results ----------------------------------------------------------------------------------- */

static bool in_start_period(const struct monitor *m, int64_t when)
{
	return when - m->state.started_at < m->spec.health.start_period;
}

static void judge(struct monitor *m, const struct health_result *r)
{
	struct health *h = &m->health;

	if (r->code == 0) {
		h->streak = 0;
		set_status(m, HEALTH_HEALTHY);
		return;
	}
	if (h->status == HEALTH_STARTING && in_start_period(m, r->start))
		return;
	h->streak++;
	if (h->streak >= or_default(m->spec.health.retries, RETRIES))
		set_status(m, HEALTH_UNHEALTHY);
}

static void add_result(struct monitor *m, int code, char *output)
{
	struct health *h = &m->health;
	struct health_result *r;

	if (h->n == HEALTH_LOG_MAX) {
		free(h->log[0].output);
		memmove(h->log, h->log + 1, (HEALTH_LOG_MAX - 1) * sizeof(*h->log));
		h->n--;
	}
	r = &h->log[h->n++];
	*r = (struct health_result){ h->start, clock_now(), code, output };
	h->counts = false;
	judge(m, r);
	describe(m);
	monitor_write_state(m);
}

static char *take_output(struct health *h)
{
	char *text = xasprintf("%s%s", h->output.len ? h->output.buf : "",
			       h->more_output ? "..." : "");

	str_clear(&h->output);
	h->more_output = false;
	return text;
}

/* ---- when -------------------------------------------------------------------------------------- */

static void wait_for_next(struct monitor *m)
{
	const struct spec_health *s = &m->spec.health;
	bool early = m->health.status == HEALTH_STARTING && in_start_period(m, clock_now());

	monitor_add_timer(m->health.timer, early ? or_default(s->start_interval, START_INTERVAL)
						 : or_default(s->interval, INTERVAL));
}

/* As Go prints it, for whole milliseconds. */
static char *duration(int64_t ns)
{
	auto_str struct str text = STR_INIT(80);
	int64_t ms = ns / 1000000, s = ms / 1000;
	struct err ignored = ERR_INIT;
	int digits = 3;

	if (s == 0)
		return xasprintf("%lldms", (long long)ms);
	if (s >= 3600)
		str_addf(&text, "%lldh", (long long)(s / 3600));
	if (s >= 60)
		str_addf(&text, "%lldm", (long long)(s / 60 % 60));
	str_addf(&text, "%lld", (long long)(s % 60));
	for (ms %= 1000; ms && ms % 10 == 0; ms /= 10)
		digits--;
	if (ms)
		str_addf(&text, ".%0*lld", digits, (long long)ms);
	str_addc(&text, 's');
	return str_take(&text, &ignored);
}

static void time_is_up(struct monitor *m)
{
	struct health *h = &m->health;
	auto_free char *limit = duration(or_default(m->spec.health.timeout, TIMEOUT));
	auto_free char *said = take_output(h);

	if (h->process)
		process_signal(m, h->process, SIGKILL, NULL, NULL);
	add_result(m, CODE_NO_RESULT,
		   xasprintf("Health check exceeded timeout (%s)%s%s", limit, *said ? ": " : "",
			     said));
}

/* ---- the check --------------------------------------------------------------------------------- */

static void add_args(const struct container_spec *s, struct strv *args)
{
	const struct strv *test = &s->health.test;
	size_t i;

	if (str_eq(test->v[0], "CMD-SHELL")) {
		if (s->shell.n > 0) {
			strv_copy(args, &s->shell);
		} else {
			strv_add(args, "/bin/sh");
			strv_add(args, "-c");
		}
	}
	for (i = 1; i < test->n; i++)
		strv_add(args, test->v[i]);
}

static void run_check(struct monitor *m)
{
	const struct container_spec *s = &m->spec;
	auto_strv struct strv args = STRV_INIT;
	const struct process_start start = {
		.kind = PROCESS_CHECK,
		.args = &args,
		.env = &s->env,
		.cwd = s->workdir && *s->workdir ? s->workdir : "/",
		.user = s->user ? s->user : "",
		.out = true,
		.err = true,
	};

	add_args(s, &args);
	m->health.start = clock_now();
	m->health.counts = true;
	monitor_add_timer(m->health.timer, or_default(s->health.timeout, TIMEOUT));
	process_launch(m, &start, NULL, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (!monitor_runs(m) || pause_is_on(m))
		log_debug("no health check now");
	else if (m->health.counts)
		time_is_up(m);
	else if (!m->health.process)
		run_check(m);
	monitor_settle(m);
}

/* It could not be started. */
void health_answered(struct monitor *m, const struct err *error)
{
	struct health *h = &m->health;

	if (!error)
		return;
	event_del(h->timer);
	if (h->counts)
		add_result(m, CODE_NO_RESULT, xstrdup(error->msg));
	h->process = NULL;
	if (monitor_runs(m) && !pause_is_on(m))
		wait_for_next(m);
}

void health_output(struct monitor *m, const char *p, size_t n)
{
	struct health *h = &m->health;
	size_t room = HEALTH_OUTPUT_MAX - h->output.len;

	if (!h->counts)
		return;
	if (n > room)
		h->more_output = true;
	str_addn(&h->output, p, n < room ? n : room);
}

void health_exited(struct monitor *m, int code)
{
	struct health *h = &m->health;

	h->process = NULL;
	if (h->counts) {
		event_del(h->timer);
		add_result(m, code, take_output(h));
	}
	if (monitor_runs(m) && !pause_is_on(m))
		wait_for_next(m);
}

/* ---- life -------------------------------------------------------------------------------------- */

void health_open(struct monitor *m)
{
	const struct strv *test = &m->spec.health.test;

	str_init(&m->health.output, HEALTH_OUTPUT_MAX + 1);
	m->health.checked = test->n > 1 && !str_eq(test->v[0], "NONE");
	if (m->health.checked)
		m->health.timer = monitor_event(m, -1, 0, on_timer, m);
}

void health_begin(struct monitor *m, bool new_run)
{
	struct health *h = &m->health;

	if (!h->checked)
		return;
	if (new_run) {
		h->status = HEALTH_STARTING;
		h->streak = 0;
		h->process = NULL;
		describe(m);
	}
	/* One that was interrupted by a pause has to end first. */
	if (!h->process)
		wait_for_next(m);
}

void health_suspend(struct monitor *m)
{
	struct health *h = &m->health;

	if (!h->checked)
		return;
	event_del(h->timer);
	h->counts = false;
	str_clear(&h->output);
	h->more_output = false;
	if (h->process)
		process_signal(m, h->process, SIGKILL, NULL, NULL);
}

void health_end(struct monitor *m)
{
	if (!m->health.checked)
		return;
	event_del(m->health.timer);
	m->health.counts = false;
	str_clear(&m->health.output);
	/* Docker's word for what is not watched any more. */
	m->health.status = HEALTH_UNHEALTHY;
	describe(m);
}

void health_release(struct monitor *m)
{
	size_t i;

	monitor_event_free(&m->health.timer);
	str_release(&m->health.output);
	for (i = 0; i < m->health.n; i++)
		free(m->health.log[i].output);
}
