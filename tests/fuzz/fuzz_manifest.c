/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of a registry: manifests, indexes and image configurations. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/digest.h"
#include "engine/image_config.h"
#include "registry/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(const char *text, size_t n)
{
	auto_manifest struct manifest m = MANIFEST_INIT;
	struct platform want;
	struct err e = ERR_INIT;
	size_t at;

	if (manifest_parse(text, n, &m, &e) < 0)
		return;
	for (size_t i = 0; i < m.n; i++)
		if (!digest_is_valid(m.entry[i].digest) || m.entry[i].size < 0)
			abort();
	platform_host(&want);
	if (m.kind == MANIFEST_INDEX && manifest_choose(&m, &want, &at, &e) == 0 && at >= m.n)
		abort();
}

static void check_config(const char *text, size_t n)
{
	auto_image_config struct image_config c;
	struct err e = ERR_INIT;

	image_config_init(&c);
	if (image_config_parse(text, n, &c, &e) < 0)
		return;
	if (c.layers.n == 0 || c.layers.n > IMAGE_LAYERS_MAX)
		abort();
	for (size_t i = 0; i < c.layers.n; i++)
		if (!digest_is_valid(c.layers.v[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_manifest((const char *)data, size);
	check_config((const char *)data, size);
	return 0;
}
