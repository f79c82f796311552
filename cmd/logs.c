/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/parse.h"
#include "cmd/cmd.h"
#include "cmd/log_details.h"
#include "cmd/verbs.h"
#include "cmd/when.h"
#include "engine/client.h"
#include "engine/container.h"
#include "engine/logread.h"

#define DETAILS_MAX ((size_t)1 << 20)

struct logs_args {
	bool details, follow, timestamps;
	const char *since, *tail, *until;
};

static int parse_when(const char *name, const char *text, int64_t *ret, struct err *e)
{
	if (text && *text && when_parse(text, clock_now(), ret, e) < 0)
		return err_wrap(e, "invalid value for \"%s\"", name);
	return 0;
}

/* A number of lines; anything else is all of them, as with Docker. */
static int64_t parse_tail(const char *text)
{
	struct err ignored = ERR_INIT;
	int64_t n;

	if (parse_i64(text, INT32_MIN, INT32_MAX, &n, &ignored) < 0 || n < 0)
		return -1;
	return n;
}

/* A connection whose end tells the container's, or NULL when it does not run. */
static int watch_end(struct cmd *c, const struct container *container, struct client **client,
		     int *ret_fd, struct err *e)
{
	struct err why = ERR_INIT;

	if (!state_is_active(container->state))
		return 0;
	if (client_connect(&c->paths, container->id, client, &why) < 0)
		return why.kind == ERR_UNAVAILABLE ? 0 : err_move(e, &why);
	return client_begin_wait(*client, ret_fd, e);
}

/* Which driver has the log, and what --details shows of the container. */
static int check_log(struct cmd *c, const struct logs_args *a, const char *id, struct str *details,
		     struct err *e)
{
	auto_spec struct container_spec spec = { .id = NULL };

	if (container_spec_load(c->store, id, &spec, e) < 0)
		return -1;
	if (str_eq(spec.log_driver, "none"))
		return err_set(e, ERR_INVALID,
			       "configured logging driver does not support reading");
	return a->details ? log_details(&spec, details, e) : 0;
}

static int print_log(struct cmd *c, const struct logs_args *a, const struct container *container,
		     struct logread *r, struct err *e)
{
	struct log_printer printer = { .fd = { 1, 2 }, .timestamps = a->timestamps };
	auto_str struct str details = STR_INIT(DETAILS_MAX);
	auto_client struct client *client = NULL;
	auto_close int dirfd = -1;
	char name[PATH_NAME_SIZE];
	int result;

	if (check_log(c, a, container->id, &details, e) < 0)
		return -1;
	printer.details = details.len ? details.buf : NULL;
	if (fd_open_dir(c->paths.root_fd, path_container(container->id, NULL, name), &dirfd, e) < 0)
		return -1;
	if (a->follow && watch_end(c, container, &client, &r->end_fd, e) < 0)
		return -1;
	r->follow = client != NULL;
	r->dirfd = dirfd;
	r->record = log_printer_record;
	r->idle = log_printer_idle;
	r->ctx = &printer;
	result = logread_run(r, e);
	if (result == 0)
		result = log_printer_idle(&printer, e);
	log_printer_release(&printer);
	return result;
}

static int logs_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct logs_args *a = args;
	auto_container struct container container = CONTAINER_INIT;
	struct logread r = LOGREAD_INIT;
	struct err e = ERR_INIT;

	r.tail = parse_tail(a->tail);
	if (cmd_open(c, &e) < 0 || container_find(c->store, operands->v[0], &container, &e) < 0)
		return cmd_fail(c, &e);
	if (parse_when("since", a->since, &r.since, &e) < 0 ||
	    parse_when("until", a->until, &r.until, &e) < 0)
		return cmd_refuse(c, &e);
	if (print_log(c, a, &container, &r, &e) < 0)
		return cmd_fail(c, &e);
	return 0;
}

static const struct opt logs_opts[] = {
	OPT_BOOL(0, "details", struct logs_args, details,
		 "Show the labels and variables that --log-opt has chosen"),
	OPT_BOOL('f', "follow", struct logs_args, follow, "Go on as long as the container runs"),
	OPT_STR(0, "since", struct logs_args, since, "string",
		"Only what came after this time (\"2026-01-02T13:23:37Z\") or so long ago "
		"(\"42m\")",
		COMP_NONE),
	OPT_STR('n', "tail", struct logs_args, tail, "string", "Only that many of the last lines",
		COMP_NONE, .value = "all"),
	OPT_BOOL('t', "timestamps", struct logs_args, timestamps,
		 "Show when each line was written"),
	OPT_STR(0, "until", struct logs_args, until, "string",
		"Only what came before this time (\"2026-01-02T13:23:37Z\") or so long ago "
		"(\"42m\")",
		COMP_NONE),
	OPT_END
};

const struct verb verb_logs = {
	.name = "logs",
	.operands = "CONTAINER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Show what a container has written",
	.opts = logs_opts,
	.argsize = sizeof(struct logs_args),
	.comp = COMP_CONTAINER,
	.main = logs_main,
};
