/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/filter.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/table.h"
#include "cmd/verbs.h"
#include "engine/container.h"
#include "engine/disk.h"
#include "engine/image.h"

#define CELL_LIMIT    (1u << 20)
#define COMMAND_WIDTH 20
/* --format raw */
#define RAW                                                                                       \
	"container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n"                       \
	"created_at: {{.CreatedAt}}\nstate: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\n" \
	"labels: {{.Labels}}\nports: {{.Ports}}\n"

struct ps_args {
	bool all, latest, no_trunc, quiet, size;
	struct opt_int last;
	struct strv filters;
	const char *format;
};

/* One call. */
struct ps {
	struct cmd *c;
	const struct ps_args *a;
	const char *format;
	bool size;		  /* sizes are asked for */
	struct image_rows images; /* for sizes only */
	struct strv names, ids;	  /* of images that were looked up */
	struct container_list list;
};

static void ps_release(struct ps *ps)
{
	image_rows_release(&ps->images);
	strv_release(&ps->names);
	strv_release(&ps->ids);
	container_list_release(&ps->list);
}
#define auto_ps __attribute__((cleanup(ps_release)))

static int read_bools(const char *key, const struct strv *texts, bool *ret, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->v[i];

		if (!str_eq(text, "true") && !str_eq(text, "1") && !str_eq(text, "false") &&
		    !str_eq(text, "0"))
			return err_set(e, ERR_INVALID, "invalid filter '%s=[%.100s]'", key, text);
		*ret = str_eq(text, "true") || str_eq(text, "1");
	}
	return 0;
}

/* No container here is a task of a swarm or has one of Windows' isolations: who asks for such finds none,
 * which `*ret_none` says. */
static int make_filter(const struct ps_args *a, struct container_filter *f, bool *ret_none,
		       struct err *e)
{
	auto_strv struct strv tasks = STRV_INIT;
	auto_strv struct strv isolations = STRV_INIT;
	const struct filter_key keys[] = {
		{ "ancestor", &f->ancestors }, { "before", &f->before },
		{ "exited", &f->exited },      { "expose", &f->exposed },
		{ "health", &f->healths },     { "id", &f->ids },
		{ "is-task", &tasks },	       { "isolation", &isolations },
		{ "label", &f->labels },       { "name", &f->names },
		{ "network", &f->networks },   { "publish", &f->published },
		{ "since", &f->since },	       { "status", &f->statuses },
		{ "volume", &f->volumes },     { NULL, NULL },
	};

	f->all = a->all;
	if (a->last.set && a->last.v > 0)
		f->last = a->last.v > INT32_MAX ? INT32_MAX : (int)a->last.v;
	if (a->latest)
		f->last = 1;
	*ret_none = false;
	if (filter_sort(&a->filters, keys, e) < 0 || read_bools("is-task", &tasks, ret_none, e) < 0)
		return -1;
	*ret_none |= isolations.n > 0 && !strv_has(&isolations, "");
	return 0;
}

/* The image as asked for when the container was made, without a digest unless all is to be shown. */
static void image_text(struct str *out, const struct container *container, bool no_trunc)
{
	const char *ref = container->image_ref;
	char id[HUMAN_ID_SIZE];
	size_t n;

	if (no_trunc) {
		str_add(out, ref && *ref ? ref : container->image_id);
		return;
	}
	human_id(id, ref && *ref ? ref : container->image_id);
	n = ref ? strlen(ref) : 0;
	/* An id is shortened like any other. */
	if (n == 0 || str_has_prefix(ref, "sha256:") || (n == 64 && hex_is(ref, n))) {
		str_add(out, id);
		return;
	}
	str_addn(out, ref, strcspn(ref, "@"));
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
		.health = container_health_word(container),
	};

	human_status(out, &s);
}

static void age_text(struct str *out, const struct container *container)
{
	human_duration(out, clock_now() - container->created_ns);
	str_add(out, " ago");
}

static int64_t image_size(const struct image_rows *images, const char *id)
{
	for (size_t i = 0; i < images->n; i++) {
		if (strcmp(images->v[i].id, id) == 0)
			return images->v[i].size;
	}
	return 0;
}

/* What the container has written, and with its image. Only looked at when asked for. */
static void size_text(struct str *out, const struct ps *ps, const struct container *container)
{
	int64_t written, image;

	if (!ps->size) {
		str_add(out, "0B");
		return;
	}
	written = disk_written(&ps->c->paths, container->id);
	image = image_size(&ps->images, container->image_id);
	human_size(out, written);
	if (written + image > 0) {
		str_add(out, " (virtual ");
		human_size(out, written + image);
		str_addc(out, ')');
	}
}

static void add_row(struct table *t, const struct ps *ps, const struct container *container)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);
	bool no_trunc = ps->a->no_trunc;
	char id[HUMAN_ID_SIZE];

	human_id(id, container->id);
	table_cell(t, no_trunc ? container->id : id);
	image_text(&text, container, no_trunc);
	table_cell(t, text.buf);
	str_clear(&text);
	command_text(&text, container, no_trunc);
	table_cell(t, text.buf);
	str_clear(&text);
	age_text(&text, container);
	table_cell(t, text.buf);
	str_clear(&text);
	status_text(&text, container);
	table_cell(t, text.buf);
	table_cell(t, ""); /* ports: there are no networks yet */
	table_cell(t, container->name);
	if (!ps->a->size)
		return;
	str_clear(&text);
	size_text(&text, ps, container);
	table_cell(t, text.buf);
}

static void print_table(const struct ps *ps)
{
	static const char *const headers[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					       "STATUS",       "PORTS", "NAMES",   "SIZE" };
	auto_table struct table t;

	table_begin(&t, headers, ARRAY_LEN(headers) - !ps->a->size);
	for (size_t i = 0; i < ps->list.n; i++)
		add_row(&t, ps, &ps->list.v[i]);
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

/* Writes the text and empties it. */
static void write_text(struct json_writer *w, const char *key, struct str *text)
{
	jw_str(w, key, text->buf);
	str_clear(text);
}

/* The keys are sorted, as Docker's are. */
static void write_row(struct json_writer *w, const struct ps *ps, const struct container *container)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);
	bool no_trunc = ps->a->no_trunc;
	char id[HUMAN_ID_SIZE];

	human_id(id, container->id);
	jw_begin_object(w, NULL);
	command_text(&text, container, no_trunc);
	write_text(w, "Command", &text);
	format_time(container->created_ns, &text);
	write_text(w, "CreatedAt", &text);
	jw_str(w, "HealthStatus", container_health_word(container));
	jw_str(w, "ID", no_trunc ? container->id : id);
	image_text(&text, container, no_trunc);
	write_text(w, "Image", &text);
	write_labels(w, &container->labels);
	jw_str(w, "LocalVolumes", "0");
	jw_str(w, "Mounts", "");
	jw_str(w, "Names", container->name);
	jw_str(w, "Networks", "none"); /* there are no others yet */
	jw_null(w, "Platform");
	jw_str(w, "Ports", "");
	age_text(&text, container);
	write_text(w, "RunningFor", &text);
	size_text(&text, ps, container);
	write_text(w, "Size", &text);
	jw_str(w, "State", state_word(container->state));
	status_text(&text, container);
	write_text(w, "Status", &text);
	jw_map(w, "Label()", &container->labels);
	jw_end(w);
}

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
static const struct format_list format = { columns, "*formatter.ContainerContext", RAW };

static int print_rows(const struct ps *ps)
{
	auto_str struct str rows = STR_INIT(STR_HUGE);
	struct json_writer w;

	jw_init(&w, &rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < ps->list.n; i++)
		write_row(&w, ps, &ps->list.v[i]);
	jw_end(&w);
	return format_rows(&format, ps->format, rows.buf);
}

static void print_ids(const struct ps *ps)
{
	for (size_t i = 0; i < ps->list.n; i++) {
		char id[HUMAN_ID_SIZE];

		human_id(id, ps->list.v[i].id);
		printf("%s\n", ps->a->no_trunc ? ps->list.v[i].id : id);
	}
}

/* Docker looks at a template before it asks for anything, so what is wrong with it is told even when there
 * is no container. */
static int choose_format(struct ps *ps, struct err *e)
{
	const struct ps_args *a = ps->a;

	ps->format = a->format;
	if (!ps->format || !*ps->format)
		ps->format = config_ps_format(ps->c);
	else if (a->quiet)
		fprintf(stderr, "WARNING: Ignoring custom format, because both --format and "
				"--quiet are set.\n");
	if (format_check(&format, ps->format, e) < 0)
		return -1;
	ps->size = a->size || (!a->quiet && format_uses(ps->format, "Size"));
	return 0;
}

/* What a name means now, or "" for nothing; each is looked up once. */
static const char *image_of(struct ps *ps, const char *name)
{
	auto_free char *id = NULL;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < ps->names.n; i++) {
		if (str_eq(ps->names.v[i], name))
			return ps->ids.v[i];
	}
	if (image_resolve(ps->c->store, name, &id, &ignored) < 0)
		log_debug("%s", ignored.msg);
	strv_add(&ps->names, name);
	strv_add(&ps->ids, id ? id : "");
	return ps->ids.v[ps->ids.n - 1];
}

/* The name under which a container's image was asked for is not shown when it is another's, or nobody's, by
 * now: Docker shows the id then. */
static void forget_old_names(struct ps *ps)
{
	for (size_t i = 0; i < ps->list.n; i++) {
		struct container *c = &ps->list.v[i];

		if (!*c->image_ref || str_eq(image_of(ps, c->image_ref), c->image_id))
			continue;
		free(c->image_ref);
		c->image_ref = xstrdup(c->image_id);
	}
}

static int list(struct ps *ps, const struct container_filter *filter, struct err *e)
{
	if (cmd_open(ps->c, e) < 0 || container_list(ps->c->store, filter, &ps->list, e) < 0)
		return -1;
	if (!ps->a->quiet)
		forget_old_names(ps);
	return ps->size ? image_list(ps->c->store, &ps->images, e) : 0;
}

static int ps_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_container_filter struct container_filter filter = { 0 };
	auto_ps struct ps ps = { .c = c, .a = args };
	struct err e = ERR_INIT;
	bool none;

	(void)operands;
	if (choose_format(&ps, &e) < 0)
		return cmd_refuse(c, &e);
	if (make_filter(ps.a, &filter, &none, &e) < 0 || list(&ps, &filter, &e) < 0)
		return cmd_fail(c, &e);
	if (none)
		container_list_release(&ps.list);
	if (ps.a->quiet)
		print_ids(&ps);
	else if (format_is_default(ps.format))
		print_table(&ps);
	else
		return print_rows(&ps);
	return 0;
}

static const struct opt ps_opts[] = {
	OPT_BOOL('a', "all", struct ps_args, all, "Show all containers, not only those that run"),
	OPT_LIST('f', "filter", struct ps_args, filters, "filter",
		 "Show only what fits the condition", COMP_NONE, .check = filter_check),
	OPT_STR(0, "format", struct ps_args, format, "string", FORMAT_LIST_HELP, COMP_NONE),
	OPT_INT('n', "last", struct ps_args, last, "int",
		"Show the last n that were created, in any state", COMP_NONE, .value = "-1"),
	OPT_BOOL('l', "latest", struct ps_args, latest,
		 "Show the last one that was created, in any state"),
	OPT_BOOL(0, "no-trunc", struct ps_args, no_trunc, "Do not shorten what is shown"),
	OPT_BOOL('q', "quiet", struct ps_args, quiet, "Only show IDs"),
	OPT_BOOL('s', "size", struct ps_args, size, "Show sizes on the host's disk"),
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
