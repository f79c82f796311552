/* SPDX-License-Identifier: Apache-2.0 */
/* Images in a store, as rows: what finding, listing and removing needs. */
#ifndef KVBOX_TESTS_FIXTURE_IMAGE_H
#define KVBOX_TESTS_FIXTURE_IMAGE_H

#include "tests/unit/fixture_store.h"

#include "engine/image.h"
#include "engine/store_image.h"

/* As fixture_up, without the image that comes with it (its chain stays). */
static inline int fixture_image_up(void **state)
{
	fixture_up(state);
	fixture_sql(*state, "DELETE FROM tags");
	fixture_sql(*state, "DELETE FROM images");
	return 0;
}

/* "sha256:" and 64 times the digit. */
static inline char *fixture_digest(char digit)
{
	char hex[65];

	memset(hex, digit, 64);
	hex[64] = '\0';
	return xasprintf("sha256:%s", hex);
}

/*
 * An image whose id is made of `digit`, created at second `created`, over layers whose diff ids
 * (and blobs) are made of the digits in `layers`.
 */
static inline void fixture_make_image(struct fixture *f, char digit, int64_t created,
				      const char *layers)
{
	auto_image_layers struct image_layers l = IMAGE_LAYERS_INIT;
	auto_free char *id = fixture_digest(digit);
	auto_free char *chain = fixture_digest(layers[strlen(layers) - 1]);
	auto_image_config struct image_config config;
	auto_str struct str doc = STR_INIT(4096);
	struct err e = ERR_INIT;
	struct image_record r = {
		.id = id,
		.manifest = id,
		.manifest_type = "m",
		.config = &config,
		.layers = &l,
		.chain = chain,
		.chain_size = 4096,
	};

	str_add(&doc, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"x\"]},"
		      "\"rootfs\":{\"diff_ids\":[");
	l.n = strlen(layers);
	l.v = xcalloc(l.n, sizeof(*l.v));
	for (size_t i = 0; i < l.n; i++) {
		l.v[i] = (struct image_layer){ .diffid = fixture_digest(layers[i]),
					       .blob = fixture_digest(layers[i]),
					       .blob_type = xstrdup("t"),
					       .blob_size = 10,
					       .size = 8192,
					       .tar_size = 1000,
					       .entries = 3 };
		str_addf(&doc, "%s\"%s\"", i ? "," : "", l.v[i].diffid);
	}
	str_add(&doc, "]}}");
	r.doc = doc.buf;
	image_config_init(&config);
	assert_ok(image_config_parse(doc.buf, doc.len, &config, &e));
	config.created = created * 1000000000;
	assert_ok(store_image_add(f->store, &r, &e));
}

static inline void fixture_tag(struct fixture *f, const char *reference, char digit)
{
	auto_free char *id = fixture_digest(digit);
	struct err e = ERR_INIT;

	assert_ok(store_image_set_tag(f->store, reference, id, &e));
}

#endif
