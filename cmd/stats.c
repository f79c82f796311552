/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All containers are asked at a time, and a second later again: the share of the processors is what was used in
 * between. With a stream the second time is the first of the next row. A monitor that does not answer in time
 * keeps nobody waiting: its row shows dashes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/stats_sample.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

#define SECOND	 INT64_C(1000000000)
#define PATIENCE (2 * SECOND)
/* One that does not even say hello is left alone for a while: nobody else waits for that while it lasts. */
#define HELLO_PATIENCE SECOND
#define SILENCE	       (10 * SECOND)
/* To the upper left corner, and everything behind it erased. */
#define REDRAW "\033[H\033[J"

struct stats_args {
	bool all, no_stream, no_trunc;
	const char *format;
};

struct subject {
	char *container; /* as it was asked for */
	char id[ID_TEXT_SIZE];
	char *name;
	struct client *client; /* NULL: does not run */
	bool asked, invalid;
	bool seen;	/* in the present list */
	int64_t silent; /* not asked again before then (clock_monotonic) */
	struct stats_counts before, now;
};

struct stats {
	struct cmd *cmd;
	const struct stats_args *args;
	const char *format;
	struct subject *v;
	size_t n;
	int timer; /* ends the wait for a monitor */
};

/* ---- the containers ---- */

static void subject_release(struct subject *s)
{
	client_free(take_ptr(&s->client));
	free(s->container);
	free(s->name);
}

static void add_subject(struct stats *st, const char *container, const struct container *row)
{
	struct subject s = { .container = xstrdup(container), .seen = true };

	memcpy(s.id, row->id, sizeof(s.id));
	s.name = xstrdup(row->name);
	st->v = xreallocarray(st->v, st->n + 1, sizeof(*st->v));
	st->v[st->n++] = s;
}

/* Those that were named; what is not there is told, and nothing shown. */
static int add_named(struct stats *st, const struct operands *operands)
{
	int code = 0;

	for (int i = 0; i < operands->n; i++) {
		auto_container struct container row = CONTAINER_INIT;
		auto_client struct client *unused = NULL;
		struct err e = ERR_INIT;

		if (target_find(st->cmd, operands->v[i], &row, &unused, &e) < 0)
			code = cmd_error(&e);
		else
			add_subject(st, operands->v[i], &row);
	}
	return code;
}

static bool is_known(struct stats *st, const char *id)
{
	for (size_t i = 0; i < st->n; i++) {
		if (strcmp(st->v[i].id, id) == 0)
			return st->v[i].seen = true;
	}
	return false;
}

static void drop_unseen(struct stats *st)
{
	size_t kept = 0;

	for (size_t i = 0; i < st->n; i++) {
		if (st->v[i].seen)
			st->v[kept++] = st->v[i];
		else
			subject_release(&st->v[i]);
	}
	st->n = kept;
}

/* All that run (or all there are): containers come and go. */
static int list_all(struct stats *st, struct err *e)
{
	auto_container_list struct container_list list = CONTAINER_LIST_INIT;
	const struct container_filter filter = { .all = st->args->all };
	char id[HUMAN_ID_SIZE];

	if (container_list(st->cmd->store, &filter, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < st->n; i++)
		st->v[i].seen = false;
	for (size_t i = 0; i < list.n; i++) {
		human_id(id, list.v[i].id);
		if (!is_known(st, list.v[i].id))
			add_subject(st, id, &list.v[i]);
	}
	drop_unseen(st);
	return 0;
}

/* ---- asking ---- */

static int on_timer(void *ctx, struct client *client, struct err *e)
{
	const struct stats *st = ctx;
	uint64_t times;

	(void)client;
	if (read(st->timer, &times, sizeof(times)) < 0)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "timeout waiting for stats");
}

static void set_timer(const struct stats *st, int64_t ns)
{
	const struct itimerspec when = { .it_value = { ns / SECOND, ns % SECOND } };

	timerfd_settime(st->timer, 0, &when, NULL);
}

static void forget(struct subject *s)
{
	client_free(take_ptr(&s->client));
	s->asked = false;
}

/* False: it is not connected; what it shows is settled. */
static bool connect_to(struct stats *st, struct subject *s)
{
	const struct client_hooks hooks = { st, st->timer, on_timer, NULL };
	struct err e = ERR_INIT;

	if (s->client)
		return true;
	s->invalid = clock_monotonic() < s->silent;
	if (!s->invalid &&
	    client_connect_within(&st->cmd->paths, s->id, HELLO_PATIENCE, &s->client, &e) == 0) {
		client_set_hooks(s->client, &hooks);
		return true;
	}
	/* One that does not run has used nothing. */
	if (err_is_set(&e) && e.kind != ERR_UNAVAILABLE) {
		s->invalid = true;
		s->silent = clock_monotonic() + SILENCE;
	}
	s->before = s->now = (struct stats_counts){ .cpus = 0 };
	return false;
}

static void ask(struct stats *st, struct subject *s)
{
	struct err e = ERR_INIT;

	s->asked = false;
	if (!connect_to(st, s))
		return;
	s->invalid = false;
	s->before = s->now;
	if (client_begin_stats(s->client, &e) < 0)
		forget(s);
	else
		s->asked = true;
}

static void hear(struct stats *st, struct subject *s, int64_t deadline)
{
	const struct json *document = NULL;
	int64_t left = deadline - clock_monotonic();
	struct err e = ERR_INIT;

	if (!s->asked)
		return;
	set_timer(st, left > SECOND / 100 ? left : SECOND / 100);
	if (client_end_stats(s->client, &document, &e) == 0 &&
	    stats_counts_read(document, &s->now, &e) == 0) {
		s->asked = false;
		/* The first sample tells nothing about what was used in between. */
		if (s->before.system_ns == 0)
			s->before = s->now;
		return;
	}
	/* The connection is of no more use; the next round makes another. */
	s->before = s->now = (struct stats_counts){ .cpus = 0 };
	s->invalid = true;
	forget(s);
}

/* One sample of each. */
static void ask_all(struct stats *st)
{
	int64_t deadline;

	for (size_t i = 0; i < st->n; i++)
		ask(st, &st->v[i]);
	deadline = clock_monotonic() + PATIENCE;
	for (size_t i = 0; i < st->n; i++)
		hear(st, &st->v[i], deadline);
}

/* ---- showing ---- */

static void write_rows(const struct stats *st, struct str *rows)
{
	struct json_writer w;

	jw_init(&w, rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < st->n; i++) {
		const struct subject *s = &st->v[i];
		char id[HUMAN_ID_SIZE];
		struct stats_row row = { .container = s->container,
					 .name = s->name,
					 .id = s->id,
					 .invalid = s->invalid,
					 .before = s->before,
					 .now = s->now };

		human_id(id, s->id);
		if (!st->args->no_trunc)
			row.id = id;
		stats_row_write(&row, &w);
	}
	jw_end(&w);
}

static int show(const struct stats *st)
{
	static const struct format_column columns[] = {
		{ "BlockIO", "BLOCK I/O" },   { "CPUPerc", "CPU %" },
		{ "Container", "CONTAINER" }, { "ID", "CONTAINER ID" },
		{ "MemPerc", "MEM %" },	      { "MemUsage", "MEM USAGE / LIMIT" },
		{ "Name", "NAME" },	      { "NetIO", "NET I/O" },
		{ "PIDs", "PIDS" },	      { NULL, NULL },
	};
	static const struct format_list format = { .columns = columns,
						   .type_name = "*container.statsContext" };
	auto_str struct str rows = STR_INIT(STR_HUGE);
	int code;

	write_rows(st, &rows);
	if (!st->args->no_stream)
		fputs(REDRAW, stdout);
	code = format_rows(&format, st->format, rows.buf);
	fflush(stdout);
	return code;
}

static void sleep_until(int64_t when)
{
	int64_t left = when - clock_monotonic();
	const struct timespec t = { left / SECOND, left % SECOND };

	if (left > 0)
		nanosleep(&t, NULL);
}

static int run(struct stats *st, bool listing, struct err *e)
{
	int64_t next = clock_monotonic();
	int code = 0;

	ask_all(st);
	while (code == 0) {
		/* What was late, or stopped for a while, is not made up for. */
		next = next + SECOND > clock_monotonic() ? next + SECOND : clock_monotonic();
		sleep_until(next);
		if (listing && !st->args->no_stream && list_all(st, e) < 0)
			return -1;
		ask_all(st);
		code = show(st);
		if (st->args->no_stream)
			break;
		if (ferror(stdout))
			return 1;
	}
	return code;
}

static const char *choose_format(struct cmd *c, const struct stats_args *a)
{
	static const char table[] =
		"table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"
		"{{.BlockIO}}\t{{.PIDs}}";
	const char *format = a->format && *a->format ? a->format : config_stats_format(c);

	return format_is_default(format) ? table : format;
}

static int stats_run(struct stats *st, const struct operands *operands)
{
	struct err e = ERR_INIT;
	int code;

	if (cmd_open(st->cmd, &e) < 0)
		return cmd_fail(st->cmd, &e);
	if (operands->n == 0 && list_all(st, &e) < 0)
		return cmd_fail(st->cmd, &e);
	if (add_named(st, operands) != 0)
		return 1;
	code = run(st, operands->n == 0, &e);
	return code < 0 ? cmd_fail(st->cmd, &e) : code;
}

static int stats_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct stats st = { .cmd = c, .args = args, .format = choose_format(c, args) };
	struct err e = ERR_INIT;
	int code;

	st.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (st.timer < 0) {
		(void)err_sys(&e, "cannot make a timer");
		return cmd_fail(c, &e);
	}
	code = stats_run(&st, operands);
	for (size_t i = 0; i < st.n; i++)
		subject_release(&st.v[i]);
	free(st.v);
	fd_close(st.timer);
	return code;
}

static const struct opt stats_opts[] = {
	OPT_BOOL('a', "all", struct stats_args, all, "Show also containers that do not run"),
	OPT_STR(0, "format", struct stats_args, format, "string", FORMAT_LIST_HELP, COMP_NONE),
	OPT_BOOL(0, "no-stream", struct stats_args, no_stream, "Show the first result and end"),
	OPT_BOOL(0, "no-trunc", struct stats_args, no_trunc, "Do not shorten what is shown"),
	OPT_END
};

const struct verb verb_stats = {
	.name = "stats",
	.operands = "[CONTAINER...]",
	.max_operands = OPT_MANY,
	.summary = "Show what containers use of processor, memory, disk and network",
	.opts = stats_opts,
	.argsize = sizeof(struct stats_args),
	.comp = COMP_CONTAINER,
	.main = stats_main,
};
