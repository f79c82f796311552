/* SPDX-License-Identifier: Apache-2.0 */
/* images, rmi, tag. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/progress.h"
#include "cmd/table.h"
#include "cmd/verbs.h"
#include "engine/image.h"
#include "registry/reference.h"

#define NONE	   "<none>"
#define CELL_LIMIT 4096

/* ---- images ---- */

struct images_args {
	bool all, digests, no_trunc, quiet;
	const char *format;
};

/* One line of the table. */
struct line {
	const struct image_row *image;
	char *repository, *tag, *digest;
};

struct lines {
	struct line *v;
	size_t n, cap;
};

static void line_release(struct line *l)
{
	free(l->repository);
	free(l->tag);
	free(l->digest);
}

static void lines_release(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		line_release(&l->v[i]);
	free(l->v);
}
#define auto_lines __attribute__((cleanup(lines_release)))

/* What the operand REPOSITORY[:TAG] asks for, in familiar form; NULL texts: anything. */
struct wanted {
	char *repository, *tag;
};

static int wanted_parse(const char *text, struct wanted *ret, struct err *e)
{
	auto_reference struct reference r = REFERENCE_INIT;

	if (reference_parse(text, &r, e) < 0)
		return -1;
	ret->repository = reference_familiar_name(&r);
	ret->tag = xstrdup(r.tag);
	return 0;
}

static bool is_wanted(const struct wanted *w, const struct line *l)
{
	return (!w->repository || str_eq(w->repository, l->repository)) &&
	       (!w->tag || str_eq(w->tag, l->tag));
}

static void add_line(struct lines *lines, const struct wanted *w, struct line l)
{
	if (!is_wanted(w, &l)) {
		line_release(&l);
		return;
	}
	if (lines->n == lines->cap) {
		lines->cap = lines->cap ? lines->cap * 2 : 16;
		lines->v = xreallocarray(lines->v, lines->cap, sizeof(*lines->v));
	}
	lines->v[lines->n++] = l;
}

/* The digest of a repository's name: "sha256:..." of "debian@sha256:...", or "<none>". */
static char *digest_of_name(const struct image_row *image, const char *repository)
{
	size_t n = strlen(repository);

	for (size_t i = 0; i < image->digests.n; i++) {
		const char *text = image->digests.v[i];

		if (strncmp(text, repository, n) == 0 && text[n] == '@')
			return xstrdup(text + n + 1);
	}
	return xstrdup(NONE);
}

static void add_image(struct lines *lines, const struct wanted *w, const struct image_row *image)
{
	for (size_t i = 0; i < image->tags.n; i++) {
		const char *name = image->tags.v[i], *colon = strrchr(name, ':');
		struct line l = { .image = image };

		if (!colon)
			continue;
		l.repository = xstrndup(name, (size_t)(colon - name));
		l.tag = xstrdup(colon + 1);
		l.digest = digest_of_name(image, l.repository);
		add_line(lines, w, l);
	}
	if (image->tags.n)
		return;
	if (image->digests.n == 0)
		add_line(lines, w,
			 (struct line){ image, xstrdup(NONE), xstrdup(NONE), xstrdup(NONE) });
	for (size_t i = 0; i < image->digests.n; i++) {
		const char *name = image->digests.v[i];
		size_t at = strcspn(name, "@");

		add_line(lines, w,
			 (struct line){ image, xstrndup(name, at), xstrdup(NONE),
					xstrdup(name + at + !!name[at]) });
	}
}

static void id_text(struct str *out, const char *id, bool no_trunc)
{
	char text[HUMAN_ID_SIZE];

	human_id(text, id);
	str_add(out, no_trunc ? id : text);
}

static void age_text(struct str *out, int64_t created)
{
	if (!created) {
		str_add(out, "N/A");
		return;
	}
	human_duration(out, clock_now() - created);
	str_add(out, " ago");
}

static void add_row(struct table *t, const struct images_args *a, const struct line *l)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);

	table_cell(t, l->repository);
	table_cell(t, l->tag);
	if (a->digests)
		table_cell(t, l->digest);
	id_text(&text, l->image->id, a->no_trunc);
	table_cell(t, text.buf);
	str_clear(&text);
	age_text(&text, l->image->created);
	table_cell(t, text.buf);
	str_clear(&text);
	human_size(&text, l->image->size);
	table_cell(t, text.buf);
}

static void print_table(const struct images_args *a, const struct lines *lines)
{
	static const char *const plain[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	static const char *const digests[] = { "REPOSITORY", "TAG",	"DIGEST",
					       "IMAGE ID",   "CREATED", "SIZE" };
	auto_table struct table t;

	if (a->digests)
		table_begin(&t, digests, ARRAY_LEN(digests));
	else
		table_begin(&t, plain, ARRAY_LEN(plain));
	for (size_t i = 0; i < lines->n; i++)
		add_row(&t, a, &lines->v[i]);
	table_print(&t, stdout);
}

/* ---- --format ---- */

/* The keys are sorted, as Docker's are. */
static void write_row(struct json_writer *w, const struct images_args *a, const struct line *l)
{
	auto_str struct str text = STR_INIT(CELL_LIMIT);

	jw_begin_object(w, NULL);
	str_addf(&text, "%lld", (long long)l->image->containers);
	jw_str(w, "Containers", text.buf);
	str_clear(&text);
	format_time(l->image->created, &text);
	jw_str(w, "CreatedAt", text.buf);
	str_clear(&text);
	age_text(&text, l->image->created);
	jw_str(w, "CreatedSince", text.buf);
	jw_str(w, "Digest", l->digest);
	str_clear(&text);
	id_text(&text, l->image->id, a->no_trunc);
	jw_str(w, "ID", text.buf);
	jw_str(w, "Repository", l->repository);
	jw_str(w, "SharedSize", "N/A");
	str_clear(&text);
	human_size(&text, l->image->size);
	jw_str(w, "Size", text.buf);
	jw_str(w, "Tag", l->tag);
	jw_str(w, "UniqueSize", "N/A");
	jw_str(w, "VirtualSize", text.buf);
	jw_end(w);
}

static int print_rows(const struct images_args *a, const struct lines *lines)
{
	static const struct format_column columns[] = {
		{ "Containers", "CONTAINERS" },
		{ "CreatedAt", "CREATED AT" },
		{ "CreatedSince", "CREATED" },
		{ "Digest", "DIGEST" },
		{ "ID", "IMAGE ID" },
		{ "Repository", "REPOSITORY" },
		{ "SharedSize", "SHARED SIZE" },
		{ "Size", "SIZE" },
		{ "Tag", "TAG" },
		{ "UniqueSize", "UNIQUE SIZE" },
		{ "VirtualSize", "SIZE" },
		{ NULL, NULL },
	};
	static const struct format_list format = { columns, "*formatter.imageContext" };
	auto_str struct str rows = STR_INIT(STR_HUGE);
	struct json_writer w;

	jw_init(&w, &rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < lines->n; i++)
		write_row(&w, a, &lines->v[i]);
	jw_end(&w);
	return format_rows(&format, a->format, rows.buf);
}

static void print_ids(const struct images_args *a, const struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		auto_str struct str text = STR_INIT(CELL_LIMIT);

		id_text(&text, lines->v[i].image->id, a->no_trunc);
		printf("%s\n", text.buf);
	}
}

static int images_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	auto_lines struct lines lines = { NULL, 0, 0 };
	struct wanted wanted = { NULL, NULL };
	const struct images_args *a = args;
	struct err e = ERR_INIT;
	int code = 0;

	if (operands->n && wanted_parse(operands->v[0], &wanted, &e) < 0)
		return cmd_fail(c, &e);
	if (cmd_open(c, &e) == 0 && image_list(c->store, &rows, &e) == 0) {
		for (size_t i = 0; i < rows.n; i++)
			add_image(&lines, &wanted, &rows.v[i]);
		if (!format_is_default(a->format))
			code = print_rows(a, &lines);
		else if (a->quiet)
			print_ids(a, &lines);
		else
			print_table(a, &lines);
	}
	free(wanted.repository);
	free(wanted.tag);
	return err_is_set(&e) ? cmd_fail(c, &e) : code;
}

static const struct opt images_opts[] = {
	OPT_BOOL('a', "all", struct images_args, all,
		 "Also show intermediate images (there are none)"),
	OPT_BOOL(0, "digests", struct images_args, digests, "Show digests"),
	OPT_STR(0, "format", struct images_args, format, "string", FORMAT_LIST_HELP, COMP_NONE),
	OPT_BOOL(0, "no-trunc", struct images_args, no_trunc, "Show whole IDs"),
	OPT_BOOL('q', "quiet", struct images_args, quiet, "Only show IDs"),
	OPT_END
};

const struct verb verb_images = {
	.name = "images",
	.operands = "[REPOSITORY[:TAG]]",
	.max_operands = 1,
	.summary = "List images",
	.opts = images_opts,
	.argsize = sizeof(struct images_args),
	.comp = COMP_IMAGE,
	.main = images_main,
};

/* ---- rmi ---- */

struct rmi_args {
	bool force;
};

static int rmi_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct image_listener listener = { progress_status, stdout, -1 };
	const struct rmi_args *a = args;
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (image_remove(c->store, operands->v[i], a->force, &listener, &e) == 0)
			continue;
		cmd_error(&e);
		if (!a->force || e.kind != ERR_NOT_FOUND)
			code = 1;
	}
	return code;
}

static const struct opt rmi_opts[] = {
	OPT_BOOL('f', "force", struct rmi_args, force,
		 "Remove it though stopped containers were made from it"),
	OPT_END
};

const struct verb verb_rmi = {
	.name = "rmi",
	.operands = "IMAGE [IMAGE...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Remove images",
	.opts = rmi_opts,
	.argsize = sizeof(struct rmi_args),
	.comp = COMP_IMAGE,
	.main = rmi_main,
};

/* ---- tag ---- */

static int tag_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct err e = ERR_INIT;

	(void)args;
	if (cmd_open(c, &e) < 0 || image_tag(c->store, operands->v[0], operands->v[1], &e) < 0)
		return cmd_fail(c, &e);
	return 0;
}

const struct verb verb_tag = {
	.name = "tag",
	.operands = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Give an image one more name",
	.comp = COMP_IMAGE,
	.main = tag_main,
};
