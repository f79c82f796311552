/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"

#define CONFIG_MAX ((size_t)1 << 20)

struct config {
	char *detach_keys, *ps_format, *images_format, *stats_format, *vmm;
};

static const struct json_field fields[] = {
	JSON_STR("detachKeys", false, struct config, detach_keys),
	JSON_STR("psFormat", false, struct config, ps_format),
	JSON_STR("imagesFormat", false, struct config, images_format),
	JSON_STR("statsFormat", false, struct config, stats_format),
	JSON_STR("kvboxVmm", false, struct config, vmm),
	JSON_END,
};

static void release(struct config *config)
{
	free(config->detach_keys);
	free(config->ps_format);
	free(config->images_format);
	free(config->stats_format);
	free(config->vmm);
	*config = (struct config){ .detach_keys = NULL };
}

void config_free(struct config *config)
{
	if (!config)
		return;
	release(config);
	free(config);
}

/* NULL: there is no folder to look in. */
static char *config_path(void)
{
	const char *folder = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");

	if (folder && *folder)
		return xasprintf("%s/config.json", folder);
	return home && *home ? xasprintf("%s/.docker/config.json", home) : NULL;
}

static int read_config(const char *path, struct config *config, struct err *e)
{
	auto_str struct str text = STR_INIT(CONFIG_MAX);
	int r;

	if (file_read(AT_FDCWD, path, &text, e) < 0) {
		if (e->kind != ERR_NOT_FOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	r = json_read_text(text.buf, text.len, fields, config, e);
	/* There may be passwords in it. */
	explicit_bzero(text.buf, text.len);
	return r;
}

static const struct config *config_of(struct cmd *c)
{
	auto_free char *path = NULL;
	struct err e = ERR_INIT;

	if (c->config)
		return c->config;
	c->config = xcalloc(1, sizeof(*c->config));
	path = config_path();
	if (path && read_config(path, c->config, &e) < 0) {
		release(c->config);
		fprintf(stderr, "WARNING: Error parsing config file (%s): %s\n", path, e.msg);
	}
	return c->config;
}

static const char *unless_empty(const char *text)
{
	return text && *text ? text : NULL;
}

const char *config_detach_keys(struct cmd *c)
{
	return unless_empty(config_of(c)->detach_keys);
}

const char *config_ps_format(struct cmd *c)
{
	return unless_empty(config_of(c)->ps_format);
}

const char *config_images_format(struct cmd *c)
{
	return unless_empty(config_of(c)->images_format);
}

const char *config_stats_format(struct cmd *c)
{
	return unless_empty(config_of(c)->stats_format);
}

const char *config_vmm(struct cmd *c)
{
	return unless_empty(config_of(c)->vmm);
}
