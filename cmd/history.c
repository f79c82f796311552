/* SPDX-License-Identifier: Apache-2.0 */
/* `history`: the steps that made an image, the newest first, as its configuration tells them. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/table.h"
#include "cmd/verbs.h"
#include "engine/image.h"
#include "engine/store_image.h"
#include "registry/platform.h"

#define CREATED_BY_WIDTH 45
#define MISSING		 "<missing>" /* of a step that is no image of its own */

struct history_args {
	bool human, no_trunc, quiet;
	const char *format, *platform;
};

/* One step, as texts. */
struct step {
	char *id, *created_at, *created_since, *created_by, *size, *comment;
};

struct steps {
	struct step *v;
	size_t n;
};

static void steps_release(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].id);
		free(s->v[i].created_at);
		free(s->v[i].created_since);
		free(s->v[i].created_by);
		free(s->v[i].size);
		free(s->v[i].comment);
	}
	free(s->v);
}
#define auto_steps __attribute__((cleanup(steps_release)))

/* What the document says about a step. */
struct entry {
	char *created, *created_by, *comment;
	bool empty_layer;
};

static const struct json_field entry_fields[] = {
	JSON_STR("created", false, struct entry, created),
	JSON_STR("created_by", false, struct entry, created_by),
	JSON_STR("comment", false, struct entry, comment),
	JSON_BOOL("empty_layer", false, struct entry, empty_layer),
	JSON_END,
};

static void entry_release(struct entry *en)
{
	free(en->created);
	free(en->created_by);
	free(en->comment);
}
#define auto_entry __attribute__((cleanup(entry_release)))

/* ---- texts ---- */

static char *id_text(const char *id, bool no_trunc)
{
	char shortened[HUMAN_ID_SIZE];

	if (no_trunc)
		return xstrdup(id);
	human_id(shortened, id);
	return xstrdup(shortened);
}

/* RFC 3339 in local time, without a fraction. */
static char *at_text(int64_t created)
{
	auto_str struct str out = STR_INIT(64);

	format_rfc3339(created, false, &out);
	return xstrdup(out.buf);
}

static char *since_text(int64_t created)
{
	auto_str struct str out = STR_INIT(64);

	if (!created)
		return xstrdup("N/A");
	human_duration(&out, clock_now() - created);
	str_add(&out, " ago");
	return xstrdup(out.buf);
}

static char *command_text(const char *text, bool no_trunc)
{
	auto_str struct str out = STR_INIT(IMAGE_CONFIG_MAX);
	auto_free char *line = xstrdup(text ? text : "");

	for (char *c = line; *c; c++) {
		if (*c == '\t')
			*c = ' ';
	}
	if (no_trunc)
		return xstrdup(line);
	human_ellipsis(&out, line, CREATED_BY_WIDTH);
	return xstrdup(out.buf);
}

static char *size_text(int64_t size, bool human)
{
	auto_str struct str out = STR_INIT(64);

	if (human)
		human_size(&out, size);
	else
		str_addf(&out, "%lld", (long long)size);
	return xstrdup(out.buf);
}

static void fill(struct step *st, const struct history_args *a, const struct entry *en,
		 int64_t size)
{
	struct err ignored = ERR_INIT;
	int64_t created = 0;

	if (!en->created || clock_parse(en->created, &created, &ignored) < 0)
		created = 0;
	st->created_at = at_text(created);
	st->created_since = a->human ? since_text(created) : xstrdup(st->created_at);
	st->created_by = command_text(en->created_by, a->no_trunc);
	st->size = size_text(size, a->human);
	st->comment = xstrdup(en->comment ? en->comment : "");
}

/* ---- steps ---- */

/* The document has the oldest first; layers belong, in order, to the steps that are not empty. */
static int read_steps(const struct json *history, const struct image_layers *layers,
		      const struct history_args *a, struct steps *ret, struct err *e)
{
	size_t n = json_len(history), layer = 0;

	ret->v = xcalloc(n, sizeof(*ret->v));
	ret->n = n;
	for (size_t i = 0; i < n; i++) {
		auto_entry struct entry en = { .created = NULL };
		int64_t size = 0;

		if (json_read(json_at(history, i), entry_fields, &en, e) < 0)
			return err_wrap(e, "the image's history is damaged");
		if (!en.empty_layer) {
			if (layer == layers->n)
				return err_set(e, ERR_CORRUPT,
					       "too many non-empty layers in History section");
			size = layers->v[layer++].tar_size;
		}
		fill(&ret->v[n - 1 - i], a, &en, size);
	}
	return 0;
}

static int load_steps(struct store *s, const char *name, const struct history_args *a,
		      struct steps *ret, struct err *e)
{
	auto_image_layers struct image_layers layers = IMAGE_LAYERS_INIT;
	auto_json struct json *history = NULL;
	auto_image struct image i;
	const char *text;

	image_init(&i);
	if (image_find(s, name, &i, e) < 0 || store_image_layers(s, i.id, &layers, e) < 0)
		return -1;
	text = i.config.history ? i.config.history : "[]";
	if (json_parse(text, strlen(text), &history, e) < 0 ||
	    read_steps(history, &layers, a, ret, e) < 0)
		return -1;
	for (size_t k = 0; k < ret->n; k++)
		ret->v[k].id = id_text(k ? MISSING : i.id, a->no_trunc);
	return 0;
}

/* ---- output ---- */

static void print_table(const struct history_args *a, const struct steps *steps)
{
	const char *const headers[] = { "IMAGE", a->human ? "CREATED" : "CREATED AT", "CREATED BY",
					"SIZE", "COMMENT" };
	auto_table struct table t;

	table_begin(&t, headers, ARRAY_LEN(headers));
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *st = &steps->v[i];

		table_cell(&t, st->id);
		table_cell(&t, st->created_since);
		table_cell(&t, st->created_by);
		table_cell(&t, st->size);
		table_cell(&t, st->comment);
	}
	table_print(&t, stdout);
}

/* The keys are sorted, as Docker's are. */
static void write_row(struct json_writer *w, const struct step *st)
{
	jw_begin_object(w, NULL);
	jw_str(w, "Comment", st->comment);
	jw_str(w, "CreatedAt", st->created_at);
	jw_str(w, "CreatedBy", st->created_by);
	jw_str(w, "CreatedSince", st->created_since);
	jw_str(w, "ID", st->id);
	jw_str(w, "Size", st->size);
	jw_end(w);
}

static int print_rows(const struct history_args *a, const struct steps *steps)
{
	static const struct format_column columns[] = {
		{ "Comment", "COMMENT" },
		{ "CreatedAt", "CREATED AT" },
		{ "CreatedBy", "CREATED BY" },
		{ "CreatedSince", "CREATED" },
		{ "ID", "IMAGE" },
		{ "Size", "SIZE" },
		{ NULL, NULL },
	};
	static const struct format_list format = { .columns = columns,
						   .type_name = "*formatter.historyContext" };
	auto_str struct str rows = STR_INIT(STR_HUGE);
	struct json_writer w;

	jw_init(&w, &rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < steps->n; i++)
		write_row(&w, &steps->v[i]);
	jw_end(&w);
	return format_rows(&format, a->format, rows.buf);
}

static int history_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_steps struct steps steps = { NULL, 0 };
	const struct history_args *a = args;
	struct platform platform;
	struct err e = ERR_INIT;

	if (a->platform && *a->platform && platform_parse(a->platform, &platform, &e) < 0) {
		(void)err_wrap(&e, "invalid platform");
		return cmd_refuse(c, &e);
	}
	if (cmd_open(c, &e) < 0 || load_steps(c->store, operands->v[0], a, &steps, &e) < 0)
		return cmd_fail(c, &e);
	if (!format_is_default(a->format))
		return print_rows(a, &steps);
	if (!a->quiet)
		print_table(a, &steps);
	for (size_t i = 0; i < steps.n && a->quiet; i++)
		printf("%s\n", steps.v[i].id);
	return 0;
}

static const struct opt history_opts[] = {
	OPT_STR(0, "format", struct history_args, format, "string", FORMAT_LIST_HELP, COMP_NONE),
	OPT_BOOL('H', "human", struct history_args, human, "Sizes and dates for people",
		 .value = "true"),
	OPT_BOOL(0, "no-trunc", struct history_args, no_trunc, "Do not shorten what is shown"),
	OPT_STR(0, "platform", struct history_args, platform, "string",
		"Of this platform's image (os/arch); the store has one for each name", COMP_NONE),
	OPT_BOOL('q', "quiet", struct history_args, quiet, "Only show IDs"),
	OPT_END
};

const struct verb verb_history = {
	.name = "history",
	.operands = "IMAGE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Show the steps that made an image",
	.opts = history_opts,
	.argsize = sizeof(struct history_args),
	.comp = COMP_IMAGE,
	.main = history_main,
};
