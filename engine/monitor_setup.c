/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's settings as the agent gets them: members of container.setup and process.start
 * (docs/protocol.md), out of the definition.
 */
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "engine/capability.h"
#include "engine/guarded.h"
#include "engine/monitor_priv.h"
#include "engine/resolv.h"
#include "engine/seccomp.h"

/* Where the agent puts it, and how it wants to be called. */
#define INIT_PATH "/sbin/docker-init"

/* ---- what is worked out once ------------------------------------------------------------------- */

int settings_prepare(struct monitor *m, struct err *e)
{
	const struct container_spec *s = &m->spec;
	struct settings *ret = &m->settings;
	const char *profile = s->seccomp;

	if (ret->ready)
		return 0;
	if (capability_mask(&s->cap_add, &s->cap_drop, s->privileged, &ret->capabilities, e) < 0)
		return -1;
	if (s->privileged && !*profile)
		profile = SECCOMP_UNCONFINED;
	str_init(&ret->filter, SECCOMP_FILTER_MAX);
	if (seccomp_recall(profile, ret->capabilities, m->paths.run_fd, &ret->filter, e) < 0) {
		settings_release(m);
		return err_wrap(e, "cannot make the seccomp filter");
	}
	/* The library's tables were large for a moment: an idle monitor is to be small. */
	malloc_trim(0);
	ret->ready = true;
	return 0;
}

void settings_release(struct monitor *m)
{
	str_release(&m->settings.filter);
	m->settings.ready = false;
}

/* ---- container.setup --------------------------------------------------------------------------- */

static void tell_hosts(const struct container_spec *s, struct json_writer *w)
{
	auto_strv struct strv lines = STRV_INIT;

	for (size_t i = 0; i < s->extra_hosts.n; i++) {
		const char *entry = s->extra_hosts.v[i];
		size_t n = strcspn(entry, ":");

		/* Without a network there is no gateway to name. */
		if (entry[n] && strcmp(entry + n + 1, "host-gateway") != 0)
			strv_addf(&lines, "%s\t%.*s", entry + n + 1, (int)n, entry);
	}
	jw_strv(w, "hosts", &lines);
}

static void tell_resolv_conf(const struct container_spec *s, struct json_writer *w)
{
	const struct resolv_wish wish = { &s->dns, &s->dns_search, &s->dns_options };
	auto_str struct str host = STR_INIT(RESOLV_MAX);
	auto_strv struct strv lines = STRV_INIT;

	resolv_read_host(&host);
	resolv_make(host.buf, &wish, &lines);
	jw_strv(w, "resolv_conf", &lines);
}

static void tell_guarded(const struct container_spec *s, struct json_writer *w)
{
	auto_strv struct strv masked = STRV_INIT, readonly_paths = STRV_INIT;

	guarded_masked(s, &masked);
	guarded_readonly(s, &readonly_paths);
	jw_strv(w, "masked", &masked);
	jw_strv(w, "readonly_paths", &readonly_paths);
}

static void tell_limits(const struct container_spec *s, struct json_writer *w)
{
	jw_int(w, "memory", s->memory);
	/* As Docker: as much swap as memory, where nothing is said. */
	jw_int(w, "memory_swap",
	       s->memory_swap || s->memory > INT64_MAX / 2 ? s->memory_swap : s->memory * 2);
	jw_int(w, "memory_reservation", s->memory_reservation);
	jw_int(w, "cpus", s->nano_cpus);
	jw_int(w, "cpu_period", s->cpu_period);
	jw_int(w, "cpu_quota", s->cpu_quota);
	jw_int(w, "cpu_shares", s->cpu_shares);
	jw_str(w, "cpuset_cpus", s->cpuset_cpus);
	jw_str(w, "cpuset_mems", s->cpuset_mems);
	jw_int(w, "pids", s->pids_limit);
}

void settings_tell_container(const struct monitor *m, struct json_writer *w)
{
	const struct container_spec *s = &m->spec;

	jw_str(w, "hostname", s->hostname);
	jw_bool(w, "volatile", s->auto_remove);
	jw_str(w, "domainname", s->domainname);
	jw_bool(w, "privileged", s->privileged);
	jw_bool(w, "read_only", s->read_only);
	jw_bool(w, "init", s->init);
	jw_int(w, "shm_size", s->shm_size);
	jw_map(w, "tmpfs", &s->tmpfs);
	jw_strv(w, "devices", &s->devices);
	jw_map(w, "sysctls", &s->sysctls);
	tell_hosts(s, w);
	tell_resolv_conf(s, w);
	tell_guarded(s, w);
	tell_limits(s, w);
}

/* ---- process.start ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int resource;
} ulimit_names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

/* "nofile=1024:2048"; false when it is none, which nobody let through. */
static bool parse_ulimit(const char *text, int *resource, int64_t *soft, int64_t *hard)
{
	size_t n = strcspn(text, "="), i = 0;
	auto_free char *first = NULL;
	const char *colon;
	struct err e = ERR_INIT;

	while (i < ARRAY_LEN(ulimit_names) &&
	       (strlen(ulimit_names[i].name) != n || strncmp(ulimit_names[i].name, text, n) != 0))
		i++;
	if (i == ARRAY_LEN(ulimit_names) || !text[n])
		return false;
	*resource = ulimit_names[i].resource;
	colon = strchr(text + n + 1, ':');
	first = colon ? xstrndup(text + n + 1, (size_t)(colon - text) - n - 1)
		      : xstrdup(text + n + 1);
	if (parse_i64(first, -1, INT64_MAX, soft, &e) < 0)
		return false;
	*hard = *soft;
	return !colon || parse_i64(colon + 1, -1, INT64_MAX, hard, &e) == 0;
}

static void tell_rlimits(const struct container_spec *s, struct json_writer *w)
{
	jw_begin_array(w, "rlimits");
	for (size_t i = 0; i < s->ulimits.n; i++) {
		int64_t soft, hard;
		int resource;

		if (!parse_ulimit(s->ulimits.v[i], &resource, &soft, &hard)) {
			log_debug("'%s' is no ulimit", s->ulimits.v[i]);
			continue;
		}
		jw_begin_array(w, NULL);
		jw_int(w, NULL, resource);
		jw_int(w, NULL, soft);
		jw_int(w, NULL, hard);
		jw_end(w);
	}
	jw_end(w);
}

void settings_tell_process(const struct monitor *m, bool privileged, struct message_out *out)
{
	const struct container_spec *s = &m->spec;
	const struct settings *set = &m->settings;

	/* An exec that is privileged is so in a container that is not. */
	if (!privileged) {
		jw_int(&out->json, "capabilities", (int64_t)set->capabilities);
		if (set->filter.len)
			message_out_blob(out, "seccomp", set->filter.buf, set->filter.len);
	}
	jw_bool(&out->json, "no_new_privs", s->no_new_privileges);
	jw_int(&out->json, "oom_score_adj", s->oom_score_adj);
	jw_strv(&out->json, "groups", &s->groups);
	tell_rlimits(s, &out->json);
}

void settings_main_args(const struct monitor *m, struct strv *ret)
{
	if (m->spec.init) {
		strv_add(ret, INIT_PATH);
		strv_add(ret, "--");
	}
	strv_add_all(ret, &m->spec.args);
}

/* ---- the VM ------------------------------------------------------------------------------------ */

/* The largest number in "0-2,4"; -1 without one. */
static int64_t last_number(const char *list)
{
	int64_t last = -1;
	struct err e = ERR_INIT;

	while (list && *list) {
		size_t n = strcspn(list, ",-");
		auto_free char *one = xstrndup(list, n);
		uint64_t number;

		if (parse_u64(one, 8191, &number, &e) < 0)
			return -1;
		last = (int64_t)number > last ? (int64_t)number : last;
		list += n + (list[n] != '\0');
	}
	return last;
}

int64_t settings_nano_cpus(const struct container_spec *s)
{
	int64_t wanted = (last_number(s->cpuset_cpus) + 1) * INT64_C(1000000000);

	return wanted > s->nano_cpus ? wanted : s->nano_cpus;
}
