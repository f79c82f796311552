/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/filter.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/table.h"
#include "cmd/verbs.h"
#include "cmd/when.h"
#include "engine/image_filter.h"

#define NONE	   "<none>"
#define CELL_LIMIT 4096
/* --format raw */
#define RAW_HEAD   "repository: {{.Repository}}\ntag: {{.Tag}}\n"
#define RAW_DIGEST "digest: {{.Digest}}\n"
#define RAW_TAIL   "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"

struct images_args {
	bool all, digests, no_trunc, quiet;
	struct strv filters;
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

static void add_line(struct lines *lines, struct line l)
{
	if (lines->n == lines->cap) {
		lines->cap = lines->cap ? lines->cap * 2 : 16;
		lines->v = xreallocarray(lines->v, lines->cap, sizeof(*lines->v));
	}
	lines->v[lines->n++] = l;
}

static void add_name(struct lines *lines, const struct image_row *image, const char *tag,
		     const char *digest)
{
	const char *name = tag ? tag : digest;
	const char *end = tag ? strrchr(tag, ':') : strchr(digest, '@');

	if (!end)
		return;
	add_line(lines, (struct line){
				.image = image,
				.repository = xstrndup(name, (size_t)(end - name)),
				.tag = xstrdup(tag ? end + 1 : NONE),
				.digest = xstrdup(digest ? strchr(digest, '@') + 1 : NONE),
			});
}

/* Whether a digest is of the repository of a tag. */
static bool same_repository(const char *tag, const char *digest)
{
	size_t n = (size_t)(strrchr(tag, ':') - tag);

	return strncmp(tag, digest, n) == 0 && digest[n] == '@';
}

/* A tag has a line for each digest of its repository, where digests are to be shown. */
static void add_tag(struct lines *lines, const struct image_row *image, const char *tag,
		    bool digests)
{
	bool any = false;

	for (size_t i = 0; i < image->digests.n && digests; i++) {
		if (!same_repository(tag, image->digests.v[i]))
			continue;
		add_name(lines, image, tag, image->digests.v[i]);
		any = true;
	}
	if (!any)
		add_name(lines, image, tag, NULL);
}

static bool has_tag(const struct image_row *image, const char *digest)
{
	for (size_t i = 0; i < image->tags.n; i++) {
		if (same_repository(image->tags.v[i], digest))
			return true;
	}
	return false;
}

static void add_image(struct lines *lines, const struct image_row *image, bool digests)
{
	for (size_t i = 0; i < image->tags.n; i++)
		add_tag(lines, image, image->tags.v[i], digests);
	for (size_t i = 0; i < image->digests.n; i++) {
		if (!has_tag(image, image->digests.v[i]))
			add_name(lines, image, NULL, image->digests.v[i]);
	}
	if (image->tags.n + image->digests.n == 0)
		add_line(lines,
			 (struct line){ image, xstrdup(NONE), xstrdup(NONE), xstrdup(NONE) });
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
	jw_str(w, "Containers", "N/A");
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

static int print_rows(const struct images_args *a, const char *format, const struct lines *lines)
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
	const struct format_list list = { columns, "*formatter.imageContext",
					  a->digests ? RAW_HEAD RAW_DIGEST RAW_TAIL
						     : RAW_HEAD RAW_TAIL };
	auto_str struct str rows = STR_INIT(STR_HUGE);
	struct json_writer w;

	jw_init(&w, &rows, 0);
	jw_begin_array(&w, NULL);
	for (size_t i = 0; i < lines->n; i++)
		write_row(&w, a, &lines->v[i]);
	jw_end(&w);
	return format_rows(&list, format, rows.buf);
}

static void print_ids(const struct images_args *a, const struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		auto_str struct str text = STR_INIT(CELL_LIMIT);

		id_text(&text, lines->v[i].image->id, a->no_trunc);
		printf("%s\n", text.buf);
	}
}

static int make_filter(const struct images_args *a, const char *name, struct image_filter *f,
		       struct err *e)
{
	auto_strv struct strv dangling = STRV_INIT;
	auto_strv struct strv until = STRV_INIT;
	const struct filter_key keys[] = {
		{ "before", &f->before }, { "dangling", &dangling },
		{ "label", &f->labels },  { "reference", &f->references },
		{ "since", &f->since },	  { "until", &until },
		{ NULL, NULL },
	};

	if (filter_sort(&a->filters, keys, e) < 0 ||
	    filter_dangling(&dangling, &f->dangling, e) < 0)
		return -1;
	if (name)
		strv_add(&f->references, name);
	for (size_t i = 0; i < until.n; i++) {
		if (when_parse(until.v[i], clock_now(), &f->until_ns, e) < 0)
			return -1;
	}
	return 0;
}

static int print(const struct images_args *a, const char *format, const struct image_rows *rows)
{
	auto_lines struct lines lines = { NULL, 0, 0 };
	bool digests = a->digests || format_uses(format, "Digest");

	for (size_t i = 0; i < rows->n; i++)
		add_image(&lines, &rows->v[i], digests);
	if (!format_is_default(format))
		return print_rows(a, format, &lines);
	if (a->quiet)
		print_ids(a, &lines);
	else
		print_table(a, &lines);
	return 0;
}

static int images_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	auto_image_filter struct image_filter filter = { .dangling = DANGLING_ANY };
	const struct images_args *a = args;
	const char *format = a->format;
	struct err e = ERR_INIT;

	if ((!format || !*format) && !a->quiet)
		format = config_images_format(c);
	if (make_filter(a, operands->n ? operands->v[0] : NULL, &filter, &e) < 0 ||
	    cmd_open(c, &e) < 0 || image_list_filtered(c->store, &filter, &rows, &e) < 0)
		return cmd_fail(c, &e);
	return print(a, format, &rows);
}

static const struct opt images_opts[] = {
	OPT_BOOL('a', "all", struct images_args, all,
		 "Also show intermediate images (there are none)"),
	OPT_BOOL(0, "digests", struct images_args, digests, "Show digests"),
	OPT_LIST('f', "filter", struct images_args, filters, "filter",
		 "Show only what fits the condition", COMP_NONE, .check = filter_check),
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
