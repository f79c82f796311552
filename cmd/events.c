/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `events`: what happened to containers and images, out of the event log, and what happens from now on.
 * There is no daemon to ask: the log is read and watched (engine/eventread.h).
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/filter.h"
#include "cmd/format.h"
#include "cmd/verbs.h"
#include "cmd/when.h"
#include "engine/eventread.h"

#define SECOND	   INT64_C(1000000000)
#define EVENT_MAX  ((size_t)1 << 20)
#define WAIT_MAX_S 3600

struct events_args {
	struct strv filters;
	const char *format, *since, *until;
};

struct stream {
	const struct cmd *c;
	struct event_filter filter;
	int64_t since, until;  /* ns; 0: no bound */
	struct tmpl *template; /* NULL: lines for people */
	bool json;
};

static void stream_release(struct stream *s)
{
	event_filter_release(&s->filter);
	tmpl_free(s->template);
}
#define auto_stream __attribute__((cleanup(stream_release)))

/* ---- one event ---- */

static void add_line(struct str *out, const struct logged_event *ev)
{
	format_rfc3339(ev->time_ns, true, out);
	str_addf(out, " %s %s %s", ev->type, ev->action, ev->id);
	for (size_t i = 0; i < ev->attributes.n; i++)
		str_addf(out, "%s%s", i ? ", " : " (", ev->attributes.v[i]);
	str_add(out, ev->attributes.n ? ")" : "");
}

/* Docker's shape; the keys in small letters are those of its older clients. With `all` also those that
 * are empty, for templates that ask for them. */
static void write_event(struct str *out, const struct logged_event *ev, bool all)
{
	bool container = str_eq(ev->type, "container");
	const char *from = container ? logged_event_attribute(ev, "image") : NULL;
	struct json_writer w;

	jw_init(&w, out, 0);
	jw_begin_object(&w, NULL);
	if (all || container || str_eq(ev->type, "image")) {
		jw_str(&w, "status", ev->action);
		jw_str(&w, "id", ev->id);
	}
	if (all || from)
		jw_str(&w, "from", from ? from : "");
	jw_str(&w, "Type", ev->type);
	jw_str(&w, "Action", ev->action);
	jw_begin_object(&w, "Actor");
	jw_str(&w, "ID", ev->id);
	jw_map(&w, "Attributes", &ev->attributes);
	jw_end(&w);
	jw_str(&w, "scope", "local");
	jw_int(&w, "time", ev->time_ns / SECOND);
	jw_int(&w, "timeNano", ev->time_ns);
	jw_end(&w);
}

static int fill_template(const struct stream *s, const struct logged_event *ev, struct str *out,
			 struct err *e)
{
	auto_str struct str doc = STR_INIT(EVENT_MAX);
	auto_json struct json *j = NULL;
	struct tmpl_opts opts;

	write_event(&doc, ev, true);
	format_document_opts(&opts, "*events.Message");
	if (json_parse(doc.buf, doc.len, &j, e) < 0)
		return -1;
	return tmpl_execute(s->template, j, &opts, out, e);
}

/* Each is seen at once by who reads from a pipe. */
static int show(const struct stream *s, const struct logged_event *ev, struct err *e)
{
	auto_str struct str out = STR_INIT(TMPL_OUTPUT_MAX);

	if (s->json)
		write_event(&out, ev, false);
	else if (!s->template)
		add_line(&out, ev);
	else if (fill_template(s, ev, &out, e) < 0)
		return -1;
	str_addc(&out, '\n');
	if (fwrite(out.buf, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		return err_sys(e, "cannot write to standard output");
	return 0;
}

/* ---- all of them ---- */

/* Milliseconds until the end, at least one; 0 when it is there; -1 when there is none. */
static int time_left(const struct stream *s)
{
	int64_t left;

	if (!s->until)
		return -1;
	left = (s->until - clock_now() + SECOND / 1000 - 1) / (SECOND / 1000);
	return left <= 0 ? 0 : left > WAIT_MAX_S * 1000 ? WAIT_MAX_S * 1000 : (int)left;
}

/* What is there now. 1: it goes past the end that was asked for. */
static int show_all(const struct stream *s, struct eventread *r, struct err *e)
{
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	int got;

	while ((got = eventread_next(r, &ev, e)) > 0) {
		if (s->until && ev.time_ns > s->until)
			return 1;
		if (ev.time_ns >= s->since && event_fits(&ev, &s->filter) && show(s, &ev, e) < 0)
			return -1;
	}
	return got;
}

static int follow(const struct stream *s, struct eventread *r, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = eventread_fd(r), .events = POLLIN };
		int left = time_left(s), got = show_all(s, r, e);

		if (got != 0)
			return got < 0 ? -1 : 0;
		/* The end came before this look, so that look was the last one. */
		if (left == 0)
			return 0;
		(void)poll(&p, 1, left);
	}
}

/* Docker's client gives times to the daemon as seconds with nine digits, and that shows in this error. */
static int check_order(const struct stream *s, struct err *e)
{
	if (!s->until || s->until >= s->since)
		return 0;
	return err_set(e, ERR_INVALID,
		       "`since` time (%lld.%09lld) cannot be after `until` time (%lld.%09lld)",
		       (long long)(s->since / SECOND), (long long)(s->since % SECOND),
		       (long long)(s->until / SECOND), (long long)(s->until % SECOND));
}

static int add_filters(struct stream *s, const struct strv *filters, struct err *e)
{
	for (size_t i = 0; i < filters->n; i++) {
		auto_free char *key = NULL;
		auto_free char *value = NULL;

		if (filter_split(filters->v[i], &key, &value) &&
		    event_filter_add(&s->filter, key, value, e) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct stream *s, const struct events_args *a, struct err *e)
{
	int64_t now = clock_now();

	if (a->since && *a->since && when_parse(a->since, now, &s->since, e) < 0)
		return -1;
	if (a->until && *a->until && when_parse(a->until, now, &s->until, e) < 0)
		return -1;
	return 0;
}

static int run(struct stream *s, struct cmd *c, struct err *e)
{
	auto_eventread struct eventread *r = NULL;
	bool past = s->until && s->until < clock_now();
	unsigned int flags = 0;

	if (s->since || s->until)
		flags |= EVENTREAD_OLD;
	if (!past)
		flags |= EVENTREAD_FOLLOW;
	/* A folder that is not there yet cannot be watched. */
	if (c->paths.root_fd < 0 && (past || paths_make(&c->paths, e) < 0))
		return past ? 0 : -1;
	if (eventread_open(c->paths.root_fd, flags, &r, e) < 0)
		return -1;
	if (past)
		return show_all(s, r, e) < 0 ? -1 : 0;
	return follow(s, r, e);
}

static int events_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct events_args *a = args;
	auto_stream struct stream s = { .c = c };
	struct err e = ERR_INIT;

	(void)operands;
	s.json = str_eq(a->format, "json") || str_eq(a->format, "{{json .}}");
	if (a->format && *a->format && !s.json && tmpl_parse(a->format, &s.template, &e) < 0) {
		fprintf(stderr, "Error parsing format: %s\n", e.msg);
		return EXIT_TEMPLATE;
	}
	if (prepare(&s, a, &e) < 0)
		return cmd_refuse(c, &e);
	if (check_order(&s, &e) < 0 || add_filters(&s, &a->filters, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	return run(&s, c, &e) < 0 ? cmd_refuse(c, &e) : 0;
}

static const struct opt events_opts[] = {
	OPT_LIST('f', "filter", struct events_args, filters, "filter",
		 "Show only what fits the condition", COMP_NONE, .check = filter_check),
	OPT_STR(0, "format", struct events_args, format, "string", FORMAT_HELP, COMP_NONE),
	OPT_STR(0, "since", struct events_args, since, "string",
		"Begin with what happened at this time, or that long ago", COMP_NONE),
	OPT_STR(0, "until", struct events_args, until, "string", "End at this time", COMP_NONE),
	OPT_END
};

const struct verb verb_events = {
	.name = "events",
	.max_operands = 0,
	.summary = "Show what happens to containers and images",
	.opts = events_opts,
	.argsize = sizeof(struct events_args),
	.main = events_main,
};
