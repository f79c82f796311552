/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/table.h"
#include "cmd/verbs.h"
#include "engine/container.h"

#define CELL_LIMIT    (1u << 20)
#define COMMAND_WIDTH 20

struct ps_args {
	bool all, latest, no_trunc, quiet;
	struct opt_int last;
	struct strv filters;
	const char *format;
};

static struct strv *filter_list(struct container_filter *f, const char *key, size_t n)
{
	const struct {
		const char *key;
		struct strv *list;
	} lists[] = {
		{ "ancestor", &f->ancestors }, { "before", &f->before },
		{ "exited", &f->exited },      { "id", &f->ids },
		{ "label", &f->labels },       { "name", &f->names },
		{ "since", &f->since },	       { "status", &f->statuses },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (strlen(lists[i].key) == n && memcmp(lists[i].key, key, n) == 0)
			return lists[i].list;
	}
	return NULL;
}

static int add_filter(struct container_filter *f, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct strv *list;

	if (!equals)
		return err_set(e, ERR_INVALID, "invalid filter '%.100s': expected \"key=value\"",
			       text);
	list = filter_list(f, text, (size_t)(equals - text));
	if (!list)
		return err_set(e, ERR_INVALID, "invalid filter '%.*s'", (int)(equals - text), text);
	strv_add(list, equals + 1);
	return 0;
}

static int make_filter(const struct ps_args *a, struct container_filter *f, struct err *e)
{
	f->all = a->all;
	if (a->last.set && a->last.v > 0)
		f->last = (int)a->last.v;
	if (a->latest)
		f->last = 1;
	for (size_t i = 0; i < a->filters.n; i++) {
		if (add_filter(f, a->filters.v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* The image as asked for when the container was made, without a digest unless all is to be shown. */
static void image_text(struct str *out, const struct container *container, bool no_trunc)
{
	if (container->image_ref && *container->image_ref) {
		const char *ref = container->image_ref;
		const char *at = no_trunc ? NULL : strstr(ref, "@sha256:");

		str_addn(out, ref, at ? (size_t)(at - ref) : strlen(ref));
		return;
	}
	str_add(out, container->image_id);
}

static void command_text(struct str *out, const struct container *container, bool no_trunc)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);

	if (no_trunc)
		str_add(&text, container->command);
	else
		human_ellipsis(&text, container->command, COMMAND_WIDTH);
	human_quote(out, text.buf);
}

static void status_text(struct str *out, const struct container *container)
{
	const struct human_state s = {
		.state = state_word(container->state),
		.now = clock_now(),
		.started = container->started_ns,
		.finished = container->finished_ns,
		.exit_code = container->exit_code,
	};

	human_status(out, &s);
}

static void add_row(struct table *t, const struct ps_args *a, const struct container *container)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);
	char id[HUMAN_ID_SIZE];

	human_id(id, container->id);
	table_cell(t, a->no_trunc ? container->id : id);
	image_text(&text, container, a->no_trunc);
	table_cell(t, text.buf);
	str_clear(&text);
	command_text(&text, container, a->no_trunc);
	table_cell(t, text.buf);
	str_clear(&text);
	human_duration(&text, clock_now() - container->created_ns);
	str_add(&text, " ago");
	table_cell(t, text.buf);
	str_clear(&text);
	status_text(&text, container);
	table_cell(t, text.buf);
	table_cell(t, ""); /* ports: there are no networks yet */
	table_cell(t, container->name);
}

static void print_table(const struct ps_args *a, const struct container_list *list)
{
	static const char *const headers[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					       "STATUS",       "PORTS", "NAMES" };
	auto_table struct table t;

	table_begin(&t, headers, ARRAY_LEN(headers));
	for (size_t i = 0; i < list->n; i++)
		add_row(&t, a, &list->v[i]);
	table_print(&t, stdout);
}

/* ---- --format ---- */

static void write_labels(struct json_writer *w, const struct strv *labels)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);

	for (size_t i = 0; i < labels->n; i++) {
		str_add(&text, i ? "," : "");
		str_add(&text, labels->v[i]);
	}
	jw_str(w, "Labels", text.buf);
}

static void write_times(struct json_writer *w, const struct container *container)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);

	human_duration(&text, clock_now() - container->created_ns);
	str_add(&text, " ago");
	jw_str(w, "RunningFor", text.buf);
}

/* The keys are sorted, as Docker's are. */
static void write_row(struct json_writer *w, const struct ps_args *a,
		      const struct container *container)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);
	char id[HUMAN_ID_SIZE];

	human_id(id, container->id);
	jw_begin_object(w, NULL);
	command_text(&text, container, a->no_trunc);
	jw_str(w, "Command", text.buf);
	str_clear(&text);
	format_time(container->created_ns, &text);
	jw_str(w, "CreatedAt", text.buf);
	jw_str(w, "HealthStatus", "");
	jw_str(w, "ID", a->no_trunc ? container->id : id);
	str_clear(&text);
	image_text(&text, container, a->no_trunc);
	jw_str(w, "Image", text.buf);
	write_labels(w, &container->labels);
	jw_str(w, "LocalVolumes", "0");
	jw_str(w, "Mounts", "");
	jw_str(w, "Names", container->name);
	jw_str(w, "Networks", "none"); /* there are no others yet */
	jw_null(w, "Platform");
	jw_str(w, "Ports", "");
	write_times(w, container);
	jw_str(w, "Size", "0B");
	jw_str(w, "State", state_word(container->state));
	str_clear(&text);
	status_text(&text, container);
	jw_str(w, "Status", text.buf);
	jw_map(w, "Label()", &container->labels);
	jw_end(w);
}

static int print_rows(const struct ps_args *a, const struct container_list *list)
{
	static const struct format_column columns[] = {
		{ "Command", "COMMAND" },
		{ "CreatedAt", "CREATED AT" },
		{ "HealthStatus", "HEALTH" },
		{ "ID", "CONTAINER ID" },
		{ "Image", "IMAGE" },
		{ "Labels", "LABELS" },
		{ "Mounts", "MOUNTS" },
		{ "LocalVolumes", "LOCAL VOLUMES" },
		{ "Names", "NAMES" },
		{ "Networks", "NETWORKS" },
		{ "Platform", "PLATFORM" },
		{ "Ports", "PORTS" },
		{ "RunningFor", "CREATED" },
		{ "Size", "SIZE" },
		{ "State", "STATE" },
		{ "Status", "STATUS" },
		{ NULL, NULL },
	};
	static const struct format_list format = { columns, "*formatter.ContainerContext" };
	auto_str struct str rows = STR_INIT(STR_HUGE);
	struct json_writer w;

	jw_init(&w, &rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < list->n; i++)
		write_row(&w, a, &list->v[i]);
	jw_end(&w);
	return format_rows(&format, a->format, rows.buf);
}

static void print_ids(const struct ps_args *a, const struct container_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		char id[HUMAN_ID_SIZE];

		human_id(id, list->v[i].id);
		printf("%s\n", a->no_trunc ? list->v[i].id : id);
	}
}

static int ps_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_container_filter struct container_filter filter = { 0 };
	auto_container_list struct container_list list = CONTAINER_LIST_INIT;
	const struct ps_args *a = args;
	struct err e = ERR_INIT;

	(void)operands;
	if (make_filter(a, &filter, &e) < 0 || cmd_open(c, &e) < 0 ||
	    container_list(c->store, &filter, &list, &e) < 0)
		return cmd_fail(c, &e);
	if (a->quiet)
		print_ids(a, &list);
	else if (format_is_default(a->format))
		print_table(a, &list);
	else
		return print_rows(a, &list);
	return 0;
}

static const struct opt ps_opts[] = {
	OPT_BOOL('a', "all", struct ps_args, all, "Show all containers, not only those that run"),
	OPT_LIST('f', "filter", struct ps_args, filters, "filter",
		 "Show only what fits the condition", COMP_NONE),
	OPT_STR(0, "format", struct ps_args, format, "string", FORMAT_LIST_HELP, COMP_NONE),
	OPT_INT('n', "last", struct ps_args, last, "int",
		"Show the last n that were created, in any state", COMP_NONE, .value = "-1"),
	OPT_BOOL('l', "latest", struct ps_args, latest,
		 "Show the last one that was created, in any state"),
	OPT_BOOL(0, "no-trunc", struct ps_args, no_trunc, "Do not shorten what is shown"),
	OPT_BOOL('q', "quiet", struct ps_args, quiet, "Only show IDs"),
	OPT_END
};

const struct verb verb_ps = {
	.name = "ps",
	.max_operands = 0,
	.summary = "List containers",
	.opts = ps_opts,
	.argsize = sizeof(struct ps_args),
	.main = ps_main,
};
