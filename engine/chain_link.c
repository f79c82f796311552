/* SPDX-License-Identifier: Apache-2.0 */
/* Hard links into lower layers: which file a path means there. */
#include "engine/chain_priv.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum found { FOUND_HERE, FOUND_BELOW, FOUND_NOT, FOUND_LINK };

/* As the kernel has it. */
#define LINKS_MAX 40

struct lookup {
	struct erofs_node node;
	/*
	 * FOUND_LINK: so much of the path is the name of the symbolic link that the node is.
	 * Else: so much are folders in the layer.
	 */
	size_t at;
};

/* Looks the path up in one layer. FOUND_BELOW: it says nothing about it, go on below. -1 is an
 * error. */
static int find_in_layer(struct chain *c, size_t layer, const char *path, struct lookup *ret,
			 struct err *e)
{
	const struct erofs_image *img = &c->images[layer];
	enum found missing = FOUND_BELOW;
	struct erofs_node *node = &ret->node;
	const char *p = path;

	ret->at = 0;
	if (erofs_image_node(img, img->root, node, e) < 0)
		return -1;
	for (;;) {
		size_t n = strcspn(p, "/");
		struct marks marks;
		uint32_t nid = 0;
		int r;

		if (chain_read_marks(c, node, &marks, e) < 0)
			return -1;
		if (marks.opaque)
			missing = FOUND_NOT;
		r = erofs_dir_find(img, node, p, n, &nid, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return (int)missing;
		if (erofs_image_node(img, nid, node, e) < 0)
			return -1;
		p += n;
		if (*p == '\0')
			break;
		if (!S_ISDIR(node->mode) && !S_ISLNK(node->mode))
			return FOUND_NOT;
		ret->at = (size_t)(p - path);
		if (S_ISLNK(node->mode))
			return FOUND_LINK;
		p++;
	}
	return S_ISCHR(node->mode) && node->data == 0 ? FOUND_NOT : FOUND_HERE;
}

/* The same below layer `top`. A folder hides a symbolic link of a lower layer. */
static int find_below(struct chain *c, size_t top, const char *path, size_t *ret_layer,
		      struct lookup *ret, struct err *e)
{
	size_t folders = 0;
	int r = FOUND_NOT;

	for (size_t k = top; k-- > 0;) {
		r = find_in_layer(c, k, path, ret, e);
		*ret_layer = k;
		if (r == FOUND_LINK && ret->at <= folders)
			return FOUND_NOT;
		if (r != FOUND_BELOW)
			return r;
		if (ret->at > folders)
			folders = ret->at;
	}
	return FOUND_NOT;
}

/*
 * What is below `top`, else a symbolic link on the way in `top` itself. Nothing else counts there:
 * it came later than the hard link, or the converter would have found it.
 */
static int find_target(struct chain *c, size_t top, const char *path, size_t *ret_layer,
		       struct lookup *ret, struct err *e)
{
	int r = find_below(c, top, path, ret_layer, ret, e);

	if (r != FOUND_NOT)
		return r;
	*ret_layer = top;
	r = find_in_layer(c, top, path, ret, e);
	return r < 0 || r == FOUND_LINK ? r : FOUND_NOT;
}

/* Takes the last part off. */
static void drop_last(struct str *path)
{
	const char *slash = memrchr(path->buf, '/', path->len);

	str_truncate(path, slash ? (size_t)(slash - path->buf) : 0);
}

/*
 * Adds the parts of a text. The root is its own parent, as everywhere. ".." is only taken where
 * what is before it is known to be a folder and no link.
 */
static int add_parts(struct str *path, const char *text, size_t n, struct err *e)
{
	bool plain = true;
	size_t len;

	for (const char *p = text, *end = text + n; p < end; p += len + 1) {
		const char *slash = memchr(p, '/', (size_t)(end - p));

		len = (size_t)((slash ? slash : end) - p);
		if (len == 0 || (len == 1 && p[0] == '.'))
			continue;
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			if (!plain)
				return err_set(e, ERR_INVALID,
					       "hard link through a symbolic link with '..' in it");
			drop_last(path);
			continue;
		}
		plain = false;
		if (path->len > 0)
			str_addc(path, '/');
		str_addn(path, p, len);
	}
	return 0;
}

/*
 * The path that `path` means, of which the first l->at bytes are a symbolic link; the caller
 * frees.
 */
static char *follow(const struct chain *c, size_t layer, const struct lookup *l, const char *path,
		    struct err *e)
{
	const char *target = erofs_image_target(&c->images[layer], &l->node);
	auto_str struct str next = STR_INIT(UINT16_MAX);

	str_addn(&next, path, l->at);
	drop_last(&next);
	if (l->node.size > 0 && target[0] == '/')
		str_clear(&next);
	if (add_parts(&next, target, l->node.size, e) < 0)
		return NULL;
	str_add(&next, next.len ? path + l->at : path + l->at + 1);
	return str_take(&next, e);
}

static int not_there(const char *path, struct err *e)
{
	return err_set(e, ERR_INVALID, "hard link to '%s', which no lower layer has", path);
}

int chain_resolve(struct chain *c, size_t *layer, struct erofs_node *ret, struct err *e)
{
	auto_free char *path = xstrdup(c->target.buf);
	unsigned int links = 0;
	size_t top = *layer, k;

	for (;;) {
		struct lookup l;
		struct marks marks;
		char *next;
		int r = find_target(c, top, path, &k, &l, e);

		if (r < 0)
			return -1;
		if (r == FOUND_LINK) {
			if (++links > LINKS_MAX)
				return err_set(e, ERR_INVALID,
					       "too many symbolic links on the way to '%s'", path);
			next = follow(c, k, &l, path, e);
			if (!next)
				return -1;
			free(path);
			path = next;
			continue;
		}
		if (r != FOUND_HERE)
			return not_there(path, e);
		if (S_ISDIR(l.node.mode))
			return err_set(e, ERR_INVALID, "hard link to the folder '%s'", path);
		if (chain_read_marks(c, &l.node, &marks, e) < 0)
			return -1;
		if (!marks.link) {
			*ret = l.node;
			*layer = k;
			return 0;
		}
		/* A link itself, to something lower still. */
		free(path);
		path = xstrdup(c->target.buf);
		top = k;
	}
}
