/* SPDX-License-Identifier: Apache-2.0 */
/* HostConfig of a container: all of Docker 28's members in its order, those that mean nothing here at their zero. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd/inspect_part.h"
#include "engine/guarded.h"

#define RUNTIME "kvbox"

static const char *or_text(const char *text, const char *otherwise)
{
	return *text ? text : otherwise;
}

/* As the engine shows what was not given at all. */
static void write_bounded(struct json_writer *w, const char *key, bool given, int64_t value)
{
	if (given)
		jw_int(w, key, value);
	else
		jw_null(w, key);
}

static void write_start(struct json_writer *w, const struct container_spec *s)
{
	jw_null(w, "Binds");
	jw_str(w, "ContainerIDFile", s->cidfile);
	jw_begin_object(w, "LogConfig");
	jw_str(w, "Type", or_text(s->log_driver, "json-file"));
	jw_map(w, "Config", &s->log_opts);
	jw_end(w);
	jw_str(w, "NetworkMode", s->network_mode);
	part_empty_object(w, "PortBindings");
	jw_begin_object(w, "RestartPolicy");
	jw_str(w, "Name", or_text(s->restart_policy, "no"));
	jw_int(w, "MaximumRetryCount", s->restart_max);
	jw_end(w);
	jw_bool(w, "AutoRemove", s->auto_remove);
	jw_str(w, "VolumeDriver", "");
	jw_null(w, "VolumesFrom");
	jw_begin_array(w, "ConsoleSize");
	jw_int(w, NULL, 0);
	jw_int(w, NULL, 0);
	jw_end(w);
	part_map_if_any(w, "Annotations", &s->annotations);
}

/* The order is Docker's; a privileged container has no label there. */
static void write_security(struct json_writer *w, const struct container_spec *s)
{
	auto_strv struct strv options = STRV_INIT;

	strv_add_all(&options, &s->security_opts);
	if (s->privileged)
		strv_add(&options, "label=disable");
	jw_bool(w, "Privileged", s->privileged);
	jw_bool(w, "PublishAllPorts", false);
	jw_bool(w, "ReadonlyRootfs", s->read_only);
	part_list(w, "SecurityOpt", &options);
	part_map_if_any(w, "StorageOpt", &s->storage_opts);
	part_map_if_any(w, "Tmpfs", &s->tmpfs);
	jw_str(w, "UTSMode", s->uts_mode);
	jw_str(w, "UsernsMode", s->userns_mode);
	jw_int(w, "ShmSize", s->shm_size ? s->shm_size : SPEC_SHM_SIZE_DEFAULT);
	part_map_if_any(w, "Sysctls", &s->sysctls);
	jw_str(w, "Runtime", or_text(s->runtime, RUNTIME));
	jw_str(w, "Isolation", "");
}

static void write_namespaces(struct json_writer *w, const struct container_spec *s)
{
	part_list(w, "CapAdd", &s->cap_add);
	part_list(w, "CapDrop", &s->cap_drop);
	jw_str(w, "CgroupnsMode", or_text(s->cgroupns_mode, "private"));
	jw_strv(w, "Dns", &s->dns);
	jw_strv(w, "DnsOptions", &s->dns_options);
	jw_strv(w, "DnsSearch", &s->dns_search);
	part_list(w, "ExtraHosts", &s->extra_hosts);
	part_list(w, "GroupAdd", &s->groups);
	jw_str(w, "IpcMode", or_text(s->ipc_mode, "private"));
	jw_str(w, "Cgroup", "");
	jw_null(w, "Links");
	jw_int(w, "OomScoreAdj", s->oom_score_adj);
	jw_str(w, "PidMode", s->pid_mode);
}

/* "host:container:permissions" */
static void write_devices(struct json_writer *w, const struct strv *devices)
{
	static const char *const keys[] = { "PathOnHost", "PathInContainer", "CgroupPermissions" };

	jw_begin_array(w, "Devices");
	for (size_t i = 0; i < devices->n; i++) {
		auto_strv struct strv parts = STRV_INIT;

		strv_split(&parts, devices->v[i], ':');
		jw_begin_object(w, NULL);
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			jw_str(w, keys[k], k < parts.n ? parts.v[k] : "");
		jw_end(w);
	}
	jw_end(w);
}

/* "name=soft:hard" */
static void write_ulimits(struct json_writer *w, const struct strv *ulimits)
{
	jw_begin_array(w, "Ulimits");
	for (size_t i = 0; i < ulimits->n; i++) {
		const char *text = ulimits->v[i];
		size_t n = strcspn(text, "=");
		const char *hard = strchr(text, ':');
		auto_free char *name = xstrndup(text, n);

		jw_begin_object(w, NULL);
		jw_str(w, "Name", name);
		jw_int(w, "Hard", hard ? strtoll(hard + 1, NULL, 10) : 0);
		jw_int(w, "Soft", text[n] ? strtoll(text + n + 1, NULL, 10) : 0);
		jw_end(w);
	}
	jw_end(w);
}

static void write_cpu(struct json_writer *w, const struct container_spec *s)
{
	static const char *const disks[] = { "BlkioWeightDevice", "BlkioDeviceReadBps",
					     "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
					     "BlkioDeviceWriteIOps" };

	jw_int(w, "CpuShares", s->cpu_shares);
	jw_int(w, "Memory", s->memory);
	jw_int(w, "NanoCpus", s->nano_cpus);
	jw_str(w, "CgroupParent", s->cgroup_parent);
	jw_int(w, "BlkioWeight", 0);
	for (size_t i = 0; i < ARRAY_LEN(disks); i++)
		part_empty_array(w, disks[i]);
	jw_int(w, "CpuPeriod", s->cpu_period);
	jw_int(w, "CpuQuota", s->cpu_quota);
	jw_int(w, "CpuRealtimePeriod", 0);
	jw_int(w, "CpuRealtimeRuntime", 0);
	jw_str(w, "CpusetCpus", s->cpuset_cpus);
	jw_str(w, "CpusetMems", s->cpuset_mems);
}

static void write_resources(struct json_writer *w, const struct container_spec *s)
{
	static const char *const windows[] = { "CpuCount", "CpuPercent", "IOMaximumIOps",
					       "IOMaximumBandwidth" };

	write_cpu(w, s);
	write_devices(w, &s->devices);
	part_list(w, "DeviceCgroupRules", &s->device_rules);
	jw_null(w, "DeviceRequests");
	jw_int(w, "MemoryReservation", s->memory_reservation);
	jw_int(w, "MemorySwap",
	       s->memory_swap || s->memory > INT64_MAX / 2 ? s->memory_swap : 2 * s->memory);
	write_bounded(w, "MemorySwappiness", s->memory_swappiness >= 0, s->memory_swappiness);
	jw_null(w, "OomKillDisable");
	write_bounded(w, "PidsLimit", s->pids_limit > 0, s->pids_limit);
	write_ulimits(w, &s->ulimits);
	for (size_t i = 0; i < ARRAY_LEN(windows); i++)
		jw_int(w, windows[i], 0);
}

/* null where the container is privileged, and empty where only its paths are free. */
static void write_paths(struct json_writer *w, const char *key, const struct strv *paths,
			bool privileged)
{
	if (privileged)
		jw_null(w, key);
	else
		jw_strv(w, key, paths);
}

void inspect_host_config(struct json_writer *w, const struct container_spec *spec)
{
	auto_strv struct strv masked = STRV_INIT, readonly = STRV_INIT;

	guarded_masked(spec, &masked);
	guarded_readonly(spec, &readonly);
	jw_begin_object(w, "HostConfig");
	write_start(w, spec);
	write_namespaces(w, spec);
	write_security(w, spec);
	write_resources(w, spec);
	write_paths(w, "MaskedPaths", &masked, spec->privileged);
	write_paths(w, "ReadonlyPaths", &readonly, spec->privileged);
	if (spec->init)
		jw_bool(w, "Init", true);
	jw_end(w);
}
