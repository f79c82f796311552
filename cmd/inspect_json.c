/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_json.h"

#include "base/clock.h"
#include "cmd/run_spec.h"

#define GRAPH_DRIVER "erofs"

static void write_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(ns, text);
	jw_str(w, key, text);
}

/* Lists that nobody set are null, as in Go. */
static void write_list(struct json_writer *w, const char *key, const struct strv *list)
{
	if (list->n)
		jw_strv(w, key, list);
	else
		jw_null(w, key);
}

static void write_empty_object(struct json_writer *w, const char *key)
{
	jw_begin_object(w, key);
	jw_end(w);
}

static void write_empty_array(struct json_writer *w, const char *key)
{
	jw_begin_array(w, key);
	jw_end(w);
}

/* {"80/tcp": {}}, or null */
static void write_set(struct json_writer *w, const char *key, const struct strv *names)
{
	if (!names->n) {
		jw_null(w, key);
		return;
	}
	jw_begin_object(w, key);
	for (size_t i = 0; i < names->n; i++)
		write_empty_object(w, names->v[i]);
	jw_end(w);
}

static void write_graph_driver(struct json_writer *w)
{
	jw_begin_object(w, "GraphDriver");
	jw_null(w, "Data");
	jw_str(w, "Name", GRAPH_DRIVER);
	jw_end(w);
}

static void write_state(struct json_writer *w, const struct inspect_container *c)
{
	const struct container *row = c->row;
	const char *word = state_word(row->state);

	jw_begin_object(w, "State");
	jw_str(w, "Status", word);
	jw_bool(w, "Running", str_eq(word, "running") || str_eq(word, "paused"));
	jw_bool(w, "Paused", str_eq(word, "paused"));
	jw_bool(w, "Restarting", str_eq(word, "restarting"));
	jw_bool(w, "OOMKilled", row->oom);
	jw_bool(w, "Dead", str_eq(word, "dead"));
	jw_int(w, "Pid", c->pid);
	jw_int(w, "ExitCode", row->exit_code);
	jw_str(w, "Error", row->error ? row->error : "");
	write_time(w, "StartedAt", row->started_ns);
	write_time(w, "FinishedAt", row->finished_ns);
	jw_end(w);
}

static void write_host_config(struct json_writer *w, const struct container_spec *spec)
{
	jw_begin_object(w, "HostConfig");
	jw_null(w, "Binds");
	jw_str(w, "ContainerIDFile", "");
	jw_begin_object(w, "LogConfig");
	jw_str(w, "Type", "json-file");
	write_empty_object(w, "Config");
	jw_end(w);
	jw_str(w, "NetworkMode", spec->network_mode);
	write_empty_object(w, "PortBindings");
	jw_begin_object(w, "RestartPolicy");
	jw_str(w, "Name", "no");
	jw_int(w, "MaximumRetryCount", 0);
	jw_end(w);
	jw_bool(w, "AutoRemove", spec->auto_remove);
	jw_null(w, "VolumesFrom");
	jw_bool(w, "Privileged", false);
	jw_bool(w, "PublishAllPorts", false);
	jw_bool(w, "ReadonlyRootfs", false);
	jw_int(w, "Memory", spec->memory);
	jw_int(w, "NanoCpus", spec->nano_cpus);
	jw_end(w);
}

static void write_config(struct json_writer *w, const struct container_spec *spec)
{
	auto_strv struct strv env = STRV_INIT;

	run_spec_config_env(spec, &env);
	jw_begin_object(w, "Config");
	jw_str(w, "Hostname", spec->hostname);
	jw_str(w, "Domainname", "");
	jw_str(w, "User", spec->user);
	jw_bool(w, "AttachStdin", spec->attach_stdin);
	jw_bool(w, "AttachStdout", spec->attach_stdout);
	jw_bool(w, "AttachStderr", spec->attach_stderr);
	jw_bool(w, "Tty", spec->tty);
	jw_bool(w, "OpenStdin", spec->open_stdin);
	jw_bool(w, "StdinOnce", spec->stdin_once);
	jw_strv(w, "Env", &env);
	write_list(w, "Cmd", &spec->cmd);
	jw_str(w, "Image", spec->image_ref);
	jw_null(w, "Volumes");
	jw_str(w, "WorkingDir", spec->workdir);
	write_list(w, "Entrypoint", &spec->entrypoint);
	jw_null(w, "OnBuild");
	jw_map(w, "Labels", &spec->labels);
	if (*spec->stop_signal)
		jw_str(w, "StopSignal", spec->stop_signal);
	if (spec->stop_timeout != SPEC_STOP_TIMEOUT_DEFAULT)
		jw_int(w, "StopTimeout", spec->stop_timeout);
	jw_end(w);
}

static void write_network(struct json_writer *w, const struct container_spec *spec)
{
	static const char *const texts[] = { "NetworkID",	 "EndpointID", "Gateway",
					     "IPAddress",	 "MacAddress", "IPv6Gateway",
					     "GlobalIPv6Address" };

	jw_begin_object(w, "NetworkSettings");
	write_empty_object(w, "Ports");
	jw_str(w, "Gateway", "");
	jw_str(w, "IPAddress", "");
	jw_int(w, "IPPrefixLen", 0);
	jw_str(w, "MacAddress", "");
	jw_begin_object(w, "Networks");
	jw_begin_object(w, spec->network_mode);
	jw_null(w, "Aliases");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		jw_str(w, texts[i], "");
	jw_int(w, "IPPrefixLen", 0);
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

static void write_path(struct json_writer *w, const struct strv *args)
{
	jw_str(w, "Path", args->n ? args->v[0] : "");
	jw_begin_array(w, "Args");
	for (size_t i = 1; i < args->n; i++)
		jw_str(w, NULL, args->v[i]);
	jw_end(w);
}

void inspect_container_json(struct json_writer *w, const struct inspect_container *c)
{
	const struct container_spec *spec = c->spec;
	auto_str struct str name = STR_INIT(4096);

	str_addf(&name, "/%s", c->row->name);
	jw_begin_object(w, NULL);
	jw_str(w, "Id", c->row->id);
	write_time(w, "Created", c->row->created_ns);
	write_path(w, &spec->args);
	write_state(w, c);
	jw_str(w, "Image", spec->image_id);
	jw_str(w, "LogPath", c->log_path);
	jw_str(w, "Name", name.buf);
	jw_int(w, "RestartCount", 0);
	jw_str(w, "Driver", GRAPH_DRIVER);
	jw_str(w, "Platform", "linux");
	jw_null(w, "ExecIDs");
	write_host_config(w, spec);
	write_graph_driver(w);
	write_empty_array(w, "Mounts");
	write_config(w, spec);
	write_network(w, spec);
	jw_end(w);
}

static void write_image_config(struct json_writer *w, const struct image_config *config)
{
	jw_begin_object(w, "Config");
	jw_str(w, "User", config->user);
	if (config->exposed_ports.n)
		write_set(w, "ExposedPorts", &config->exposed_ports);
	write_list(w, "Env", &config->env);
	write_list(w, "Cmd", &config->cmd);
	if (config->healthcheck)
		jw_raw(w, "Healthcheck", config->healthcheck);
	write_set(w, "Volumes", &config->volumes);
	jw_str(w, "WorkingDir", config->workdir);
	write_list(w, "Entrypoint", &config->entrypoint);
	write_list(w, "OnBuild", &config->onbuild);
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

void inspect_image_json(struct json_writer *w, const struct image *image)
{
	const struct platform *platform = &image->config.platform;

	jw_begin_object(w, NULL);
	jw_str(w, "Id", image->id);
	jw_strv(w, "RepoTags", &image->tags);
	jw_strv(w, "RepoDigests", &image->digests);
	jw_str(w, "Parent", "");
	jw_str(w, "Comment", "");
	write_time(w, "Created", image->created);
	jw_str(w, "DockerVersion", "");
	jw_str(w, "Author", image->config.author ? image->config.author : "");
	write_image_config(w, &image->config);
	jw_str(w, "Architecture", platform->arch);
	if (*platform->variant)
		jw_str(w, "Variant", platform->variant);
	jw_str(w, "Os", platform->os);
	jw_int(w, "Size", image->size);
	write_graph_driver(w);
	jw_begin_object(w, "RootFS");
	jw_str(w, "Type", "layers");
	jw_strv(w, "Layers", &image->config.layers);
	jw_end(w);
	jw_end(w);
}
