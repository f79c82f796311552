/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has no meaning here is there all the same, with the type that scripts expect and a value that makes
 * them go on: there is no swarm, no plugin, and one runtime. The limits that Docker's daemon may lack are
 * those of the guest's kernel, which is kvbox's own and has them all.
 */
#include "cmd/info_doc.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/strv.h"
#include "cmd/version.h"
#include "vmm/size.h"

char *info_system_name(void)
{
	static const char key[] = "\nPRETTY_NAME=\"";
	auto_str struct str text = STR_INIT(64 << 10);
	struct err ignored = ERR_INIT;
	const char *at;

	str_addc(&text, '\n');
	if (file_read(AT_FDCWD, "/etc/os-release", &text, &ignored) < 0)
		return xstrdup("Linux");
	at = strstr(text.buf, key);
	if (!at)
		return xstrdup("Linux");
	at += strlen(key);
	return xstrndup(at, strcspn(at, "\"\n"));
}

/* A list out of words between blanks. */
static void write_words(struct json_writer *w, const char *key, const char *words)
{
	auto_strv struct strv list = STRV_INIT;

	if (*words)
		strv_split(&list, words, ' ');
	jw_strv(w, key, &list);
}

static void write_counts(struct json_writer *w, const struct info_counts *n)
{
	jw_int(w, "Containers", (int64_t)n->all);
	jw_int(w, "ContainersRunning", (int64_t)n->running);
	jw_int(w, "ContainersPaused", (int64_t)n->paused);
	jw_int(w, "ContainersStopped", (int64_t)n->stopped);
	jw_int(w, "Images", (int64_t)n->images);
}

static void write_drivers(struct json_writer *w)
{
	jw_str(w, "Driver", "erofs");
	write_words(w, "DriverStatus", "");
	jw_begin_object(w, "Plugins");
	write_words(w, "Volume", "");
	write_words(w, "Network", "null");
	jw_null(w, "Authorization");
	write_words(w, "Log", "json-file local none");
	jw_end(w);
}

static void write_limits(struct json_writer *w)
{
	static const char *const limits[] = { "MemoryLimit", "SwapLimit",     "CpuCfsPeriod",
					      "CpuCfsQuota", "CPUShares",     "CPUSet",
					      "PidsLimit",   "IPv4Forwarding" };

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		jw_bool(w, limits[i], true);
	jw_bool(w, "Debug", false);
	jw_int(w, "NFd", 0);
	jw_bool(w, "OomKillDisable", false); /* cgroup v2 has no such thing */
	jw_int(w, "NGoroutines", 0);
}

static void write_host(struct json_writer *w)
{
	auto_free char *name = info_system_name();
	char now[CLOCK_TEXT_SIZE];
	struct vmm_host host = { 0, 0 };
	struct err ignored = ERR_INIT;
	struct utsname uts;

	uname(&uts);
	(void)!vmm_host_read(&host, &ignored);
	clock_format(clock_now(), now);
	jw_str(w, "SystemTime", now);
	jw_str(w, "LoggingDriver", "json-file");
	jw_str(w, "CgroupDriver", "cgroupfs");
	jw_str(w, "CgroupVersion", "2"); /* the guest's */
	jw_int(w, "NEventsListener", 0);
	jw_str(w, "KernelVersion", uts.release);
	jw_str(w, "OperatingSystem", name);
	jw_str(w, "OSVersion", "");
	jw_str(w, "OSType", "linux");
	jw_str(w, "Architecture", uts.machine);
	jw_str(w, "IndexServerAddress", "https://index.docker.io/v1/");
	jw_int(w, "NCPU", host.cpus);
	jw_int(w, "MemTotal", (int64_t)host.memory);
	jw_null(w, "GenericResources");
}

/* The names of registries that may be spoken to without TLS (registry/transport.c). */
static void write_registries(struct json_writer *w)
{
	jw_begin_object(w, "RegistryConfig");
	jw_begin_object(w, "IndexConfigs");
	jw_end(w);
	write_words(w, "InsecureRegistryCIDRs", "::1/128 127.0.0.0/8");
	jw_null(w, "Mirrors");
	jw_end(w);
}

static void write_runtime(struct json_writer *w)
{
	jw_begin_object(w, "Runtimes");
	jw_begin_object(w, "kvbox");
	jw_str(w, "path", "kvbox");
	jw_end(w);
	jw_end(w);
	jw_str(w, "DefaultRuntime", "kvbox");
	jw_begin_object(w, "Swarm");
	jw_str(w, "NodeID", "");
	jw_str(w, "NodeAddr", "");
	jw_str(w, "LocalNodeState", "inactive");
	jw_bool(w, "ControlAvailable", false);
	jw_str(w, "Error", "");
	jw_null(w, "RemoteManagers");
	jw_end(w);
	jw_bool(w, "LiveRestoreEnabled", true); /* there is no daemon that could stop */
	jw_str(w, "Isolation", "");
	jw_str(w, "InitBinary", "docker-init");
	write_words(w, "SecurityOptions", "name=seccomp,profile=builtin name=cgroupns");
	write_words(w, "Warnings", "");
}

void info_doc_write(struct json_writer *w, const struct info_counts *n, const struct paths *p)
{
	struct utsname uts;

	uname(&uts);
	jw_str(w, "ID", "");
	write_counts(w, n);
	write_drivers(w);
	write_limits(w);
	write_host(w);
	write_registries(w);
	jw_str(w, "DockerRootDir", p->root);
	jw_str(w, "HttpProxy", "");
	jw_str(w, "HttpsProxy", "");
	jw_str(w, "NoProxy", "");
	jw_str(w, "Name", uts.nodename);
	write_words(w, "Labels", "");
	jw_bool(w, "ExperimentalBuild", false);
	jw_str(w, "ServerVersion", version_text());
	write_runtime(w);
	jw_begin_object(w, "ClientInfo");
	jw_bool(w, "Debug", false);
	jw_str(w, "Version", version_text());
	jw_str(w, "GitCommit", version_commit());
	jw_str(w, "Os", "linux");
	jw_str(w, "Arch", version_arch());
	jw_str(w, "Context", "default");
	write_words(w, "Plugins", "");
	jw_null(w, "Warnings");
	jw_end(w);
}
