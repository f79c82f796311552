/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/spec.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"

struct document {
	int64_t format;
	struct container_spec s;
};

#define TEXT(key, member)   JSON_STR(key, false, struct document, s.member)
#define LIST(key, member)   JSON_STRV(key, false, struct document, s.member)
#define FLAG(key, member)   JSON_BOOL(key, false, struct document, s.member)
#define NUMBER(key, member) JSON_INT(key, false, struct document, s.member)

static const struct json_field fields[] = {
	JSON_INT("format", true, struct document, format),
	JSON_STR("id", true, struct document, s.id),
	JSON_STR("name", true, struct document, s.name),
	NUMBER("created_ns", created_ns),
	TEXT("image_ref", image_ref),
	TEXT("image_id", image_id),
	TEXT("platform", platform),
	JSON_STR("chain", true, struct document, s.chain),
	JSON_STRV("layers", true, struct document, s.layers),
	LIST("args", args),
	LIST("entrypoint", entrypoint),
	LIST("cmd", cmd),
	LIST("env", env),
	TEXT("workdir", workdir),
	TEXT("user", user),
	TEXT("hostname", hostname),
	JSON_MAP("labels", false, struct document, s.labels),
	LIST("shell", shell),
	LIST("exposed_ports", exposed_ports),
	LIST("volumes", volumes),
	FLAG("tty", tty),
	FLAG("open_stdin", open_stdin),
	FLAG("stdin_once", stdin_once),
	FLAG("attach_stdin", attach_stdin),
	FLAG("attach_stdout", attach_stdout),
	FLAG("attach_stderr", attach_stderr),
	FLAG("auto_remove", auto_remove),
	NUMBER("memory", memory),
	NUMBER("nano_cpus", nano_cpus),
	NUMBER("memory_swap", memory_swap),
	NUMBER("memory_reservation", memory_reservation),
	NUMBER("memory_swappiness", memory_swappiness),
	NUMBER("cpu_shares", cpu_shares),
	NUMBER("cpu_period", cpu_period),
	NUMBER("cpu_quota", cpu_quota),
	TEXT("cpuset_cpus", cpuset_cpus),
	TEXT("cpuset_mems", cpuset_mems),
	NUMBER("pids_limit", pids_limit),
	FLAG("oom_kill_disable", oom_kill_disable),
	NUMBER("oom_score_adj", oom_score_adj),
	NUMBER("shm_size", shm_size),
	LIST("ulimits", ulimits),
	NUMBER("disk_size", disk_size),
	FLAG("privileged", privileged),
	LIST("cap_add", cap_add),
	LIST("cap_drop", cap_drop),
	LIST("security_opts", security_opts),
	FLAG("no_new_privileges", no_new_privileges),
	FLAG("unmasked", unmasked),
	TEXT("seccomp", seccomp),
	FLAG("read_only", read_only),
	JSON_MAP("tmpfs", false, struct document, s.tmpfs),
	JSON_MAP("sysctls", false, struct document, s.sysctls),
	LIST("devices", devices),
	LIST("device_rules", device_rules),
	LIST("groups", groups),
	FLAG("init", init),
	TEXT("domainname", domainname),
	LIST("extra_hosts", extra_hosts),
	LIST("dns", dns),
	LIST("dns_search", dns_search),
	LIST("dns_options", dns_options),
	JSON_MAP("annotations", false, struct document, s.annotations),
	TEXT("ipc_mode", ipc_mode),
	TEXT("pid_mode", pid_mode),
	TEXT("uts_mode", uts_mode),
	TEXT("cgroupns_mode", cgroupns_mode),
	TEXT("userns_mode", userns_mode),
	TEXT("runtime", runtime),
	TEXT("cidfile", cidfile),
	TEXT("cgroup_parent", cgroup_parent),
	TEXT("log_driver", log_driver),
	JSON_MAP("log_opts", false, struct document, s.log_opts),
	NUMBER("log_max_size", log_max_size),
	NUMBER("log_max_files", log_max_files),
	JSON_MAP("storage_opts", false, struct document, s.storage_opts),
	TEXT("restart_policy", restart_policy),
	NUMBER("restart_max", restart_max),
	LIST("health_test", health.test),
	NUMBER("health_interval", health.interval),
	NUMBER("health_timeout", health.timeout),
	NUMBER("health_start_period", health.start_period),
	NUMBER("health_start_interval", health.start_interval),
	NUMBER("health_retries", health.retries),
	TEXT("vmm", vmm),
	TEXT("network_mode", network_mode),
	TEXT("stop_signal", stop_signal),
	NUMBER("stop_timeout", stop_timeout),
	JSON_END,
};

/* Every member of the table that owns memory, so that none is forgotten. */
static void init_field(const struct json_field *f, void *base)
{
	if (f->kind == JSON_KIND_STR)
		*(char **)(void *)((char *)base + f->offset) = xstrdup("");
}

static void release_field(const struct json_field *f, void *base)
{
	void *at = (char *)base + f->offset;

	if (f->kind == JSON_KIND_STR)
		free(*(char **)at);
	else if (f->kind == JSON_KIND_STRV || f->kind == JSON_KIND_MAP)
		strv_release(at);
}

void spec_init(struct container_spec *s)
{
	struct document doc = { .s = { .stop_timeout = SPEC_STOP_TIMEOUT_DEFAULT,
				       .memory_swappiness = -1 } };

	for (const struct json_field *f = fields; f->kind != JSON_KIND_END; f++)
		init_field(f, &doc);
	free(doc.s.network_mode);
	doc.s.network_mode = xstrdup("none");
	*s = doc.s;
}

void spec_release(struct container_spec *s)
{
	struct document doc = { .s = *s };

	for (const struct json_field *f = fields; f->kind != JSON_KIND_END; f++)
		release_field(f, &doc);
	*s = (struct container_spec){ 0 };
}

/* What spec_init sets is what a reader takes for a member that is not there. */
static bool is_initial(const struct json_field *f, const char *at, const char *initial)
{
	switch (f->kind) {
	case JSON_KIND_STR:
		return str_eq(*(char *const *)(const void *)at,
			      *(char *const *)(const void *)initial);
	case JSON_KIND_INT:
		return *(const int64_t *)(const void *)at ==
		       *(const int64_t *)(const void *)initial;
	case JSON_KIND_BOOL:
		return *(const bool *)(const void *)at == *(const bool *)(const void *)initial;
	case JSON_KIND_STRV:
	case JSON_KIND_MAP:
		return ((const struct strv *)(const void *)at)->n == 0;
	case JSON_KIND_END:
	case JSON_KIND_KEYS:
	case JSON_KIND_OBJ:
	case JSON_KIND_LIST:
	case JSON_KIND_ANY:
	default:
		return false;
	}
}

/* Through the table that reads it, so that the two cannot differ. */
static void write_field(struct json_writer *w, const struct json_field *f, const char *base)
{
	const char *at = base + f->offset;

	switch (f->kind) {
	case JSON_KIND_STR:
		jw_str(w, f->name, *(char *const *)(const void *)at);
		break;
	case JSON_KIND_INT:
		jw_int(w, f->name, *(const int64_t *)(const void *)at);
		break;
	case JSON_KIND_BOOL:
		jw_bool(w, f->name, *(const bool *)(const void *)at);
		break;
	case JSON_KIND_STRV:
		jw_strv(w, f->name, (const struct strv *)(const void *)at);
		break;
	case JSON_KIND_MAP:
		jw_map(w, f->name, (const struct strv *)(const void *)at);
		break;
	case JSON_KIND_END:
	case JSON_KIND_KEYS:
	case JSON_KIND_OBJ:
	case JSON_KIND_LIST:
	case JSON_KIND_ANY:
	default:
		break;
	}
}

void spec_write(const struct container_spec *s, struct str *out)
{
	struct document doc = { SPEC_FORMAT, *s }; /* borrows */
	struct document initial = { 0 };
	struct json_writer w;

	spec_init(&initial.s);
	jw_init(&w, out, 0);
	jw_begin_object(&w, NULL);
	/* Most members of most containers are as they were at first: they are not written, and not read each time. */
	for (const struct json_field *f = fields; f->kind != JSON_KIND_END; f++)
		if (f->required || !is_initial(f, (const char *)&doc + f->offset,
					       (const char *)&initial + f->offset))
			write_field(&w, f, (const char *)&doc);
	jw_end(&w);
	spec_release(&initial.s);
}

int spec_read(const char *text, size_t n, struct container_spec *ret, struct err *e)
{
	struct document doc = { 0 };

	spec_init(&doc.s);
	if (json_read_text(text, n, fields, &doc, e) < 0) {
		e->kind = ERR_CORRUPT;
	} else if (doc.format != SPEC_FORMAT) {
		err_set(e, ERR_CORRUPT, "format %lld is not known", (long long)doc.format);
	} else if (!hex_is(doc.s.id, ID_TEXT_SIZE - 1)) {
		err_set(e, ERR_CORRUPT, "id '%.80s' is not valid", doc.s.id);
	} else {
		*ret = doc.s;
		return 0;
	}
	spec_release(&doc.s);
	return err_wrap(e, "the definition of the container is damaged");
}

int spec_read_file(int dirfd, struct container_spec *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);

	if (file_read(dirfd, SPEC_FILE, &text, e) < 0)
		return -1;
	return spec_read(text.buf, text.len, ret, e);
}

char *spec_command(const struct container_spec *s)
{
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);
	struct err e = ERR_INIT;
	char *r;

	for (size_t i = 0; i < s->args.n; i++) {
		const char *quote = i > 0 && strchr(s->args.v[i], ' ') ? "'" : "";

		str_addf(&text, "%s%s%s%s", i > 0 ? " " : "", quote, s->args.v[i], quote);
	}
	r = str_take(&text, &e);
	return r ? r : xstrdup("...");
}
