/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_config.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* The document as it is read, before it is checked. */
struct raw_image {
	char *os, *arch, *variant, *created, *author;
	struct image_config config; /* the members that need no translation */
	const struct json *healthcheck, *history;
};

#define AT(member) config.member
static const struct json_field settings_fields[] = {
	JSON_STRV("Env", false, struct raw_image, AT(env)),
	JSON_STRV("Entrypoint", false, struct raw_image, AT(entrypoint)),
	JSON_STRV("Cmd", false, struct raw_image, AT(cmd)),
	JSON_STRV("Shell", false, struct raw_image, AT(shell)),
	JSON_STRV("OnBuild", false, struct raw_image, AT(onbuild)),
	JSON_STR("WorkingDir", false, struct raw_image, AT(workdir)),
	JSON_STR("User", false, struct raw_image, AT(user)),
	JSON_STR("StopSignal", false, struct raw_image, AT(stop_signal)),
	JSON_MAP("Labels", false, struct raw_image, AT(labels)),
	JSON_KEYS("ExposedPorts", false, struct raw_image, AT(exposed_ports)),
	JSON_KEYS("Volumes", false, struct raw_image, AT(volumes)),
	JSON_ANY("Healthcheck", false, struct raw_image, healthcheck),
	JSON_END,
};
static const struct json_field rootfs_fields[] = {
	JSON_STRV("diff_ids", true, struct raw_image, AT(layers)),
	JSON_END,
};
#undef AT
/* "config" and "rootfs" are read into the same struct, hence the tables with its offsets. */
static const struct json_field image_fields[] = {
	JSON_STR("os", true, struct raw_image, os),
	JSON_STR("architecture", true, struct raw_image, arch),
	JSON_STR("variant", false, struct raw_image, variant),
	JSON_STR("created", false, struct raw_image, created),
	JSON_STR("author", false, struct raw_image, author),
	JSON_ANY("history", false, struct raw_image, history),
	{ "config", JSON_KIND_OBJ, false, 0, settings_fields, 0 },
	{ "rootfs", JSON_KIND_OBJ, true, 0, rootfs_fields, 0 },
	JSON_END,
};

void image_config_init(struct image_config *c)
{
	memset(c, 0, sizeof(*c));
	c->workdir = xstrdup("");
	c->user = xstrdup("");
	c->stop_signal = xstrdup("");
}

void image_config_release(struct image_config *c)
{
	free(c->author);
	strv_release(&c->env);
	strv_release(&c->entrypoint);
	strv_release(&c->cmd);
	strv_release(&c->shell);
	strv_release(&c->onbuild);
	free(c->workdir);
	free(c->user);
	free(c->stop_signal);
	strv_release(&c->labels);
	strv_release(&c->exposed_ports);
	strv_release(&c->volumes);
	free(c->healthcheck);
	free(c->history);
	strv_release(&c->layers);
	memset(c, 0, sizeof(*c));
}

static void raw_release(struct raw_image *r)
{
	free(r->os);
	free(r->arch);
	free(r->variant);
	free(r->created);
	free(r->author);
	image_config_release(&r->config);
}
#define auto_raw __attribute__((cleanup(raw_release)))

static int dump(const struct json *j, char **ret, struct err *e)
{
	auto_str struct str text = STR_INIT(IMAGE_CONFIG_MAX);

	if (!j)
		return 0;
	json_dump(j, &text);
	*ret = str_take(&text, e);
	return *ret ? 0 : -1;
}

static int check_layers(const struct strv *layers, struct err *e)
{
	if (layers->n == 0)
		return err_set(e, ERR_INVALID, "it has no layers, so nothing could run in it");
	if (layers->n > IMAGE_LAYERS_MAX)
		return err_set(e, ERR_CORRUPT, "it has more than %u layers", IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < layers->n; i++)
		if (!digest_is_valid(layers->v[i]))
			return err_set(e, ERR_CORRUPT,
				       "rootfs.diff_ids[%zu]: '%.80s' is no sha256 digest", i,
				       layers->v[i]);
	return 0;
}

static int translate(struct raw_image *raw, struct err *e)
{
	struct err ignored = ERR_INIT;

	if (platform_set(&raw->config.platform, raw->os, raw->arch, raw->variant, e) < 0) {
		e->kind = ERR_CORRUPT;
		return -1;
	}
	/* A date that cannot be read is no reason not to run the image. */
	if (raw->created && clock_parse(raw->created, &raw->config.created, &ignored) < 0)
		raw->config.created = 0;
	raw->config.author = take_ptr(&raw->author);
	if (dump(raw->healthcheck, &raw->config.healthcheck, e) < 0 ||
	    dump(raw->history, &raw->config.history, e) < 0)
		return -1;
	return check_layers(&raw->config.layers, e);
}

int image_config_parse(const char *text, size_t n, struct image_config *ret, struct err *e)
{
	auto_raw struct raw_image raw = { 0 };
	auto_json struct json *j = NULL;

	image_config_init(&raw.config);
	if (n > IMAGE_CONFIG_MAX)
		return err_set(e, ERR_CORRUPT, "image configuration: larger than %zu bytes",
			       IMAGE_CONFIG_MAX);
	if (json_parse(text, n, &j, e) < 0 || json_read(j, image_fields, &raw, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "image configuration");
	}
	if (translate(&raw, e) < 0)
		return err_wrap(e, "image configuration");
	image_config_release(ret);
	*ret = raw.config;
	memset(&raw.config, 0, sizeof(raw.config));
	return 0;
}
