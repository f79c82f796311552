/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "cmd/inspect_json.h"
#include "cmd/inspect_part.h"

static void write_config(struct json_writer *w, const struct image_config *config)
{
	jw_begin_object(w, "Config");
	jw_str(w, "User", config->user);
	if (config->exposed_ports.n)
		part_set(w, "ExposedPorts", &config->exposed_ports);
	part_list(w, "Env", &config->env);
	part_list(w, "Cmd", &config->cmd);
	if (config->healthcheck)
		jw_raw(w, "Healthcheck", config->healthcheck);
	part_set(w, "Volumes", &config->volumes);
	jw_str(w, "WorkingDir", config->workdir);
	part_list(w, "Entrypoint", &config->entrypoint);
	part_list(w, "OnBuild", &config->onbuild);
	if (config->labels.n)
		jw_map(w, "Labels", &config->labels);
	else
		jw_null(w, "Labels");
	if (*config->stop_signal)
		jw_str(w, "StopSignal", config->stop_signal);
	if (config->shell.n)
		jw_strv(w, "Shell", &config->shell);
	jw_end(w);
}

/* Of the last step of the image's history, as Docker shows it; the caller frees. */
static char *last_comment(const struct image_config *config)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;
	const char *comment;
	size_t n;

	if (!config->history ||
	    json_parse(config->history, strlen(config->history), &j, &ignored) < 0)
		return xstrdup("");
	n = json_len(j);
	comment = n ? json_str(json_get(json_at(j, n - 1), "comment")) : NULL;
	return xstrdup(comment ? comment : "");
}

void inspect_image_json(struct json_writer *w, const struct image *image)
{
	const struct platform *platform = &image->config.platform;
	auto_free char *comment = last_comment(&image->config);

	jw_begin_object(w, NULL);
	jw_str(w, "Id", image->id);
	jw_strv(w, "RepoTags", &image->tags);
	jw_strv(w, "RepoDigests", &image->digests);
	jw_str(w, "Parent", "");
	jw_str(w, "Comment", comment);
	part_time(w, "Created", image->created);
	jw_str(w, "DockerVersion", "");
	jw_str(w, "Author", image->config.author ? image->config.author : "");
	write_config(w, &image->config);
	jw_str(w, "Architecture", platform->arch);
	if (*platform->variant)
		jw_str(w, "Variant", platform->variant);
	jw_str(w, "Os", platform->os);
	jw_int(w, "Size", image->size);
	jw_begin_object(w, "GraphDriver");
	jw_null(w, "Data");
	jw_str(w, "Name", INSPECT_DRIVER);
	jw_end(w);
	jw_begin_object(w, "RootFS");
	jw_str(w, "Type", "layers");
	jw_strv(w, "Layers", &image->config.layers);
	jw_end(w);
	jw_begin_object(w, "Metadata");
	part_time(w, "LastTagTime", 0);
	jw_end(w);
	jw_end(w);
}
