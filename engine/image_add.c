/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_add.h"

#include <string.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/blob.h"
#include "engine/convert.h"

void image_parts_init(struct image_parts *p)
{
	memset(p, 0, sizeof(*p));
	str_init(&p->doc, IMAGE_CONFIG_MAX);
	image_config_init(&p->config);
}

void image_parts_release(struct image_parts *p)
{
	free(p->id);
	free(p->manifest);
	free(p->manifest_type);
	str_release(&p->doc);
	image_config_release(&p->config);
	image_layers_release(&p->layers);
}

/* Open layer images, in order. */
struct opened {
	struct convert_layer *v;
	size_t n;
};

static void opened_release(struct opened *o)
{
	for (size_t i = 0; i < o->n; i++)
		fd_close(o->v[i].fd);
	free(o->v);
}
#define auto_opened __attribute__((cleanup(opened_release)))

static int build_chain(struct store *s, const struct strv *layers, const char *chain,
		       int64_t *ret_size, struct err *e)
{
	auto_opened struct opened o = { xcalloc(layers->n, sizeof(*o.v)), 0 };
	auto_close int out = -1;
	struct convert_result result;
	char path[PATH_NAME_SIZE];

	for (; o.n < layers->n; o.n++) {
		o.v[o.n].diffid = layers->v[o.n];
		if (fd_open(store_paths(s)->root_fd, path_layer(layers->v[o.n], path), O_RDONLY, 0,
			    &o.v[o.n].fd, e) < 0)
			return -1;
	}
	if (blob_new_file(s, &out, e) < 0 || convert_chain(o.v, o.n, out, &result, e) < 0)
		return err_wrap(e, "cannot put the layers together");
	*ret_size = (int64_t)result.image_size;
	return blob_publish(s, out, path_chain(chain, path), e);
}

static int ensure_chain(struct store *s, const struct strv *layers, const char *chain,
			int64_t *ret_size, struct err *e)
{
	char path[PATH_NAME_SIZE];
	int r = store_image_chain(s, chain, ret_size, e);

	if (r < 0)
		return -1;
	if (r > 0 && blob_file_has_size(s, path_chain(chain, path), *ret_size))
		return 0;
	return build_chain(s, layers, chain, ret_size, e);
}

static int commit(struct store *s, const struct image_record *r, const struct image_names *names,
		  struct err *e)
{
	auto_tx struct tx tx = TX_INIT;

	if (tx_begin(&tx, store_db(s), e) < 0 || store_image_add(s, r, e) < 0)
		return -1;
	if (names->tag && store_image_set_tag(s, names->tag, r->id, e) < 0)
		return -1;
	if (names->digest &&
	    store_image_set_digest(s, names->repository, names->digest, r->id, e) < 0)
		return -1;
	return tx_commit(&tx, e);
}

int image_add(struct store *s, const struct image_parts *p, const struct image_names *names,
	      struct err *e)
{
	const struct strv *layers = &p->config.layers;
	char chain[DIGEST_TEXT_SIZE];
	struct image_record r = {
		.id = p->id,
		.manifest = p->manifest,
		.manifest_type = p->manifest_type,
		.doc = p->doc.buf,
		.config = &p->config,
		.layers = &p->layers,
		.chain = chain,
	};

	if (convert_chain_id((const char *const *)layers->v, layers->n, chain, e) < 0 ||
	    ensure_chain(s, layers, chain, &r.chain_size, e) < 0 || blob_sync_folders(s, e) < 0)
		return -1;
	return commit(s, &r, names, e);
}

static int layers_are_complete(struct store *s, const char *id, struct err *e)
{
	auto_image_layers struct image_layers layers = IMAGE_LAYERS_INIT;
	char path[PATH_NAME_SIZE];

	if (store_image_layers(s, id, &layers, e) < 0)
		return -1;
	for (size_t i = 0; i < layers.n; i++) {
		const struct image_layer *l = &layers.v[i];

		if (!blob_file_has_size(s, path_layer(l->diffid, path), l->size) ||
		    !blob_file_has_size(s, path_blob(l->blob, path), l->blob_size))
			return 0;
	}
	return layers.n > 0;
}

int image_is_complete(struct store *s, const char *id, struct err *e)
{
	auto_image struct image i;
	char path[PATH_NAME_SIZE];
	int64_t size = 0;
	int r;

	image_init(&i);
	if (store_image_load(s, id, &i, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	r = store_image_chain(s, i.chain, &size, e);
	if (r <= 0)
		return r;
	if (!blob_file_has_size(s, path_chain(i.chain, path), size) ||
	    !file_exists(store_paths(s)->root_fd, path_blob(i.manifest_digest, path)) ||
	    !file_exists(store_paths(s)->root_fd, path_blob(id, path)))
		return 0;
	return layers_are_complete(s, id, e);
}
