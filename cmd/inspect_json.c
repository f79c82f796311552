/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_json.h"

#include <string.h>

#include "cmd/inspect_part.h"
#include "cmd/run_spec.h"

/* ---- State ---- */

static bool has_check(const struct container_spec *spec)
{
	return spec->health.test.n && strcmp(spec->health.test.v[0], "NONE") != 0;
}

/* A check that has not told anything yet is starting. */
static void write_health(struct json_writer *w, const struct inspect_container *c)
{
	if (c->row->health && *c->row->health)
		jw_raw(w, "Health", c->row->health);
	else if (has_check(c->spec) && c->row->started_ns)
		jw_raw(w, "Health", "{\"Status\":\"starting\",\"FailingStreak\":0,\"Log\":[]}");
}

static void write_state(struct json_writer *w, const struct inspect_container *c)
{
	const struct container *row = c->row;
	const char *word = state_word(row->state);
	bool paused = str_eq(word, "paused"), restarting = str_eq(word, "restarting");

	jw_begin_object(w, "State");
	jw_str(w, "Status", word);
	jw_bool(w, "Running", str_eq(word, "running") || paused || restarting);
	jw_bool(w, "Paused", paused);
	jw_bool(w, "Restarting", restarting);
	jw_bool(w, "OOMKilled", row->oom);
	jw_bool(w, "Dead", str_eq(word, "dead"));
	jw_int(w, "Pid", c->vm ? c->vm->vmm_pid : 0);
	jw_int(w, "ExitCode", row->exit_code);
	jw_str(w, "Error", row->error ? row->error : "");
	part_time(w, "StartedAt", row->started_ns);
	part_time(w, "FinishedAt", row->finished_ns);
	write_health(w, c);
	jw_end(w);
}

/* ---- Config ---- */

static void write_time_if_any(struct json_writer *w, const char *key, int64_t ns)
{
	if (ns)
		jw_int(w, key, ns);
}

static void write_healthcheck(struct json_writer *w, const struct spec_health *h)
{
	if (!h->test.n && !h->interval && !h->timeout && !h->start_period && !h->start_interval &&
	    !h->retries)
		return;
	jw_begin_object(w, "Healthcheck");
	if (h->test.n)
		jw_strv(w, "Test", &h->test);
	write_time_if_any(w, "Interval", h->interval);
	write_time_if_any(w, "Timeout", h->timeout);
	write_time_if_any(w, "StartPeriod", h->start_period);
	write_time_if_any(w, "StartInterval", h->start_interval);
	write_time_if_any(w, "Retries", h->retries);
	jw_end(w);
}

static void write_config(struct json_writer *w, const struct container_spec *spec)
{
	auto_strv struct strv env = STRV_INIT;

	run_spec_config_env(spec, &env);
	jw_begin_object(w, "Config");
	jw_str(w, "Hostname", spec->hostname);
	jw_str(w, "Domainname", spec->domainname);
	jw_str(w, "User", spec->user);
	jw_bool(w, "AttachStdin", spec->attach_stdin);
	jw_bool(w, "AttachStdout", spec->attach_stdout);
	jw_bool(w, "AttachStderr", spec->attach_stderr);
	if (spec->exposed_ports.n)
		part_set(w, "ExposedPorts", &spec->exposed_ports);
	jw_bool(w, "Tty", spec->tty);
	jw_bool(w, "OpenStdin", spec->open_stdin);
	jw_bool(w, "StdinOnce", spec->stdin_once);
	jw_strv(w, "Env", &env);
	part_list(w, "Cmd", &spec->cmd);
	write_healthcheck(w, &spec->health);
	jw_str(w, "Image", spec->image_ref);
	part_set(w, "Volumes", &spec->volumes);
	jw_str(w, "WorkingDir", spec->workdir);
	part_list(w, "Entrypoint", &spec->entrypoint);
	jw_null(w, "OnBuild");
	jw_map(w, "Labels", &spec->labels);
	if (*spec->stop_signal)
		jw_str(w, "StopSignal", spec->stop_signal);
	if (spec->stop_timeout != SPEC_STOP_TIMEOUT_DEFAULT)
		jw_int(w, "StopTimeout", spec->stop_timeout);
	if (spec->shell.n)
		jw_strv(w, "Shell", &spec->shell);
	jw_end(w);
}

/* ---- NetworkSettings ---- */

static void write_addresses(struct json_writer *w)
{
	jw_str(w, "EndpointID", "");
	jw_str(w, "Gateway", "");
	jw_str(w, "IPAddress", "");
	jw_int(w, "IPPrefixLen", 0);
	jw_str(w, "IPv6Gateway", "");
	jw_str(w, "GlobalIPv6Address", "");
	jw_int(w, "GlobalIPv6PrefixLen", 0);
}

static void write_endpoint(struct json_writer *w, const char *name)
{
	jw_begin_object(w, name);
	jw_null(w, "IPAMConfig");
	jw_null(w, "Links");
	jw_null(w, "Aliases");
	jw_str(w, "MacAddress", "");
	jw_null(w, "DriverOpts");
	jw_int(w, "GwPriority", 0);
	jw_str(w, "NetworkID", "");
	write_addresses(w);
	jw_null(w, "DNSNames");
	jw_end(w);
}

static void write_network(struct json_writer *w, const struct container_spec *spec)
{
	jw_begin_object(w, "NetworkSettings");
	jw_str(w, "Bridge", "");
	jw_str(w, "SandboxID", "");
	jw_str(w, "SandboxKey", "");
	part_empty_object(w, "Ports");
	jw_bool(w, "HairpinMode", false);
	jw_str(w, "LinkLocalIPv6Address", "");
	jw_int(w, "LinkLocalIPv6PrefixLen", 0);
	jw_null(w, "SecondaryIPAddresses");
	jw_null(w, "SecondaryIPv6Addresses");
	write_addresses(w);
	jw_str(w, "MacAddress", "");
	jw_begin_object(w, "Networks");
	write_endpoint(w, spec->network_mode);
	jw_end(w);
	jw_end(w);
}

/* ---- all ---- */

static void write_path(struct json_writer *w, const struct strv *args)
{
	jw_str(w, "Path", args->n ? args->v[0] : "");
	jw_begin_array(w, "Args");
	for (size_t i = 1; i < args->n; i++)
		jw_str(w, NULL, args->v[i]);
	jw_end(w);
}

/* The files are inside the virtual machine: there is no path of the host to tell. */
static void write_files(struct json_writer *w, const struct inspect_container *c)
{
	bool no_log = strcmp(c->spec->log_driver, "none") == 0;

	jw_str(w, "ResolvConfPath", "");
	jw_str(w, "HostnamePath", "");
	jw_str(w, "HostsPath", "");
	jw_str(w, "LogPath", no_log ? "" : c->log_path);
}

static void write_graph_driver(struct json_writer *w, const char *disk_path)
{
	jw_begin_object(w, "GraphDriver");
	jw_begin_object(w, "Data");
	jw_str(w, "UpperDisk", disk_path);
	jw_end(w);
	jw_str(w, "Name", INSPECT_DRIVER);
	jw_end(w);
}

/* What Docker has no word for: which VMM runs the container, and what it may do. */
static void write_kvbox(struct json_writer *w, const struct vmstate *vm)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;

	jw_begin_object(w, "Kvbox");
	jw_begin_object(w, "Vmm");
	jw_str(w, "Driver", vm->driver);
	jw_str(w, "Accelerator", vm->accel);
	jw_str(w, "Reason", vm->accel_reason);
	jw_end(w);
	if (vm->confinement &&
	    json_parse(vm->confinement, strlen(vm->confinement), &j, &ignored) == 0)
		jw_raw(w, "Confinement", vm->confinement);
	else
		jw_null(w, "Confinement");
	jw_end(w);
}

void inspect_container_json(struct json_writer *w, const struct inspect_container *c)
{
	const struct container_spec *spec = c->spec;
	auto_str struct str name = STR_INIT(4096);

	str_addf(&name, "/%s", c->row->name);
	jw_begin_object(w, NULL);
	jw_str(w, "Id", c->row->id);
	part_time(w, "Created", c->row->created_ns);
	write_path(w, &spec->args);
	write_state(w, c);
	jw_str(w, "Image", spec->image_id);
	write_files(w, c);
	jw_str(w, "Name", name.buf);
	jw_int(w, "RestartCount", c->row->restart_count);
	jw_str(w, "Driver", INSPECT_DRIVER);
	jw_str(w, "Platform", "linux");
	jw_str(w, "MountLabel", "");
	jw_str(w, "ProcessLabel", "");
	jw_str(w, "AppArmorProfile", "");
	jw_null(w, "ExecIDs");
	inspect_host_config(w, spec);
	write_graph_driver(w, c->disk_path);
	if (c->size) {
		jw_int(w, "SizeRw", c->size_rw);
		jw_int(w, "SizeRootFs", c->size_root);
	}
	part_empty_array(w, "Mounts");
	write_config(w, spec);
	write_network(w, spec);
	if (c->vm)
		write_kvbox(w, c->vm);
	jw_end(w);
}
