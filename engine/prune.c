/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prune.h"

#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/disk.h"
#include "engine/image.h"
#include "engine/labels.h"
#include "engine/store_image.h"

void prune_filter_release(struct prune_filter *f)
{
	strv_release(&f->labels);
	strv_release(&f->not_labels);
}

void prune_result_release(struct prune_result *r)
{
	strv_release(&r->lines);
}

static bool may_go(const struct prune_filter *f, int64_t created, const struct strv *labels)
{
	if (f->until_ns && created >= f->until_ns)
		return false;
	if (!labels_have_all(labels, &f->labels))
		return false;
	return f->not_labels.n == 0 || !labels_have_all(labels, &f->not_labels);
}

/* ---- containers ---- */

static void prune_container(struct store *s, const struct container *c, struct prune_result *ret)
{
	struct err why = ERR_INIT;
	int64_t bytes = disk_written(store_paths(s), c->id);

	if (container_remove(s, c->id, 0, &why) < 0) {
		log_debug("container %.12s is not pruned: %s", c->id, why.msg);
		return;
	}
	strv_add(&ret->lines, c->id);
	ret->bytes += bytes;
}

int prune_containers(struct store *s, const struct prune_filter *f, struct prune_result *ret,
		     struct err *e)
{
	auto_container_list struct container_list list = CONTAINER_LIST_INIT;

	if (container_list(s, NULL, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		const struct container *c = &list.v[i];

		if (!state_is_active(c->state) && may_go(f, c->created_ns, &c->labels))
			prune_container(s, c, ret);
	}
	return 0;
}

/* ---- images ---- */

struct images {
	struct store *s;
	struct prune_result *result;
	bool image_went; /* the last removal took the image itself */
};

/* "Untagged: x" as `rmi` tells it becomes "untagged: x". */
static void note(void *ctx, const struct image_progress *p)
{
	struct images *im = ctx;
	auto_free char *line = xstrdup(p->status);

	line[0] = (char)tolower((unsigned char)line[0]);
	im->image_went |= str_has_prefix(line, "deleted: ");
	strv_add(&im->result->lines, line);
}

/* The contents of the layers that no other image has. */
static int own_bytes(struct store *s, const char *id, int64_t *ret, struct err *e)
{
	auto_stmt struct stmt q = STMT_INIT;

	stmt_prepare(&q, store_db(s),
		     "SELECT coalesce(sum(tar_size), 0) FROM layers l WHERE"
		     " EXISTS (SELECT 1 FROM image_layers WHERE diffid = l.diffid AND image = ?1)"
		     " AND NOT EXISTS (SELECT 1 FROM image_layers WHERE diffid = l.diffid AND"
		     " image <> ?1)");
	stmt_bind_text(&q, 1, id);
	if (stmt_step(&q, e) < 0)
		return -1;
	*ret = stmt_int(&q, 0);
	return 0;
}

static void remove_one(struct images *im, const char *name)
{
	const struct image_listener listener = { note, im, -1 };
	struct err why = ERR_INIT;

	if (image_remove(im->s, name, false, &listener, &why) < 0)
		log_debug("image %.100s is not pruned: %s", name, why.msg);
}

/* Name by name, since an id with names in several repositories would be refused. */
static int prune_image(struct images *im, const struct image_row *row, struct err *e)
{
	int64_t bytes;

	if (own_bytes(im->s, row->id, &bytes, e) < 0)
		return -1;
	im->image_went = false;
	for (size_t i = 0; i < row->tags.n && !im->image_went; i++)
		remove_one(im, row->tags.v[i]);
	for (size_t i = 0; i < row->digests.n && !im->image_went; i++)
		remove_one(im, row->digests.v[i]);
	if (!im->image_went)
		remove_one(im, row->id);
	im->result->bytes += im->image_went ? bytes : 0;
	return 0;
}

/* 1, 0 or -1. Labels are in the image's document, which is read only when they matter. */
static int image_may_go(struct store *s, const struct prune_filter *f, const struct image_row *row,
			struct err *e)
{
	auto_image struct image i;

	image_init(&i);
	if (f->labels.n + f->not_labels.n > 0 && store_image_load(s, row->id, &i, e) < 0)
		return -1;
	return may_go(f, row->created, &i.config.labels);
}

int prune_images(struct store *s, const struct prune_filter *f, bool all, struct prune_result *ret,
		 struct err *e)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	struct images im = { s, ret, false };

	if (image_list(s, &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++) {
		const struct image_row *row = &rows.v[i];
		int may = row->containers == 0 && (all || row->tags.n == 0);

		if (may)
			may = image_may_go(s, f, row, e);
		if (may < 0 || (may && prune_image(&im, row, e) < 0))
			return -1;
	}
	return 0;
}
