/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/labels.h"
#include "engine/store_image.h"
#include "registry/reference.h"

/* The filter with the images that it names looked up. */
struct prepared {
	const struct image_filter *f;
	int64_t before_ns, since_ns; /* 0: no bound */
};

void image_filter_release(struct image_filter *f)
{
	strv_release(&f->references);
	strv_release(&f->labels);
	strv_release(&f->before);
	strv_release(&f->since);
}

static int read_bounds(struct store *s, const struct strv *names, bool earliest, int64_t *ret,
		       struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		auto_image struct image image;

		image_init(&image);
		if (image_find(s, names->v[i], &image, e) < 0)
			return -1;
		if (*ret == 0 || (earliest ? image.created < *ret : image.created > *ret))
			*ret = image.created;
	}
	return 0;
}

/* ---- names ---- */

/* "debian:12" and "debian@sha256:..." without what comes after the repository. */
static char *repository_of(const char *name)
{
	size_t n = strcspn(name, "@");
	const char *slash = memrchr(name, '/', n);
	const char *from = slash ? slash : name;
	const char *colon = memchr(from, ':', n - (size_t)(from - name));

	return xstrndup(name, colon ? (size_t)(colon - name) : n);
}

static bool pattern_fits(const char *pattern, const char *name)
{
	auto_free char *repository = repository_of(name);
	auto_reference struct reference full = REFERENCE_INIT;
	auto_free char *familiar = NULL;
	struct err ignored = ERR_INIT;

	if (fnmatch(pattern, name, FNM_PATHNAME) == 0 ||
	    fnmatch(pattern, repository, FNM_PATHNAME) == 0)
		return true;
	/* a whole name, written in another way: docker.io/library/debian */
	if (reference_parse(pattern, &full, &ignored) < 0)
		return false;
	familiar = reference_familiar(&full);
	return str_eq(familiar, name) || str_eq(familiar, repository);
}

static void keep_names(struct strv *names, const struct strv *patterns)
{
	for (size_t i = 0; i < names->n;) {
		size_t k = 0;

		while (k < patterns->n && !pattern_fits(patterns->v[k], names->v[i]))
			k++;
		if (k < patterns->n)
			i++;
		else
			strv_remove(names, i);
	}
}

/* ---- rows ---- */

static bool times_fit(const struct prepared *p, int64_t created)
{
	return (!p->before_ns || created < p->before_ns) &&
	       (!p->since_ns || created > p->since_ns) &&
	       (!p->f->until_ns || created < p->f->until_ns);
}

/* 1, 0 or -1. Labels are in the image's document, which is read only when they are asked for. */
static int labels_fit(struct store *s, const struct prepared *p, const struct image_row *row,
		      struct err *e)
{
	auto_image struct image i;

	image_init(&i);
	if (p->f->labels.n == 0)
		return 1;
	if (store_image_load(s, row->id, &i, e) < 0)
		return -1;
	return labels_have_all(&i.config.labels, &p->f->labels);
}

/* An image with a digest alone has no tag, which makes it dangle, but not for those who want none that
 * dangles: Docker's rule. */
static bool names_fit(const struct prepared *p, struct image_row *row)
{
	if (p->f->references.n) {
		keep_names(&row->tags, &p->f->references);
		keep_names(&row->digests, &p->f->references);
		if (row->tags.n + row->digests.n == 0)
			return false;
	}
	if (p->f->dangling == DANGLING_ONLY)
		return row->tags.n == 0;
	return p->f->dangling == DANGLING_ANY || row->tags.n + row->digests.n > 0;
}

static int fits(struct store *s, const struct prepared *p, struct image_row *row, struct err *e)
{
	if (!times_fit(p, row->created) || !names_fit(p, row))
		return 0;
	return labels_fit(s, p, row, e);
}

int image_list_filtered(struct store *s, const struct image_filter *f, struct image_rows *ret,
			struct err *e)
{
	auto_image_rows struct image_rows rows = IMAGE_ROWS_INIT;
	struct prepared p = { .f = f };
	size_t kept = 0;

	if (read_bounds(s, &f->before, true, &p.before_ns, e) < 0 ||
	    read_bounds(s, &f->since, false, &p.since_ns, e) < 0 || image_list(s, &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++) {
		struct image_row row;
		int r = fits(s, &p, &rows.v[i], e);

		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		/* changed places, so that each is released once */
		row = rows.v[i];
		rows.v[i] = rows.v[kept];
		rows.v[kept++] = row;
	}
	for (size_t i = kept; i < rows.n; i++)
		image_row_release(&rows.v[i]);
	rows.n = kept;
	image_rows_release(ret);
	*ret = rows;
	rows = (struct image_rows)IMAGE_ROWS_INIT;
	return 0;
}
