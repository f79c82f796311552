/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/setup.h"

#include <stdlib.h>
#include <string.h>

#include <linux/filter.h>

#include "agent/disk.h"
#include "base/mem.h"

#define ARGS_MAX       65536u
#define PATH_BYTES_MAX 4096u
#define USER_BYTES_MAX 512u
#define NAME_MAX_BYTES 64
#define LINES_MAX      4096u
#define OOM_SCORE_MAX  1000
#define RLIMIT_LAST    255 /* far above what any kernel has */

int setup_check_range(const char *name, int64_t value, int64_t min, int64_t max, struct err *e)
{
	if (value < min || value > max)
		return err_set(e, ERR_INVALID, "'%s' is %lld", name, (long long)value);
	return 0;
}

/* ---- container.setup ------------------------------------------------------------------------- */

static int check_serial(const char *serial, struct err *e)
{
	if (!*serial || strlen(serial) > DISK_SERIAL_MAX)
		return err_set(e, ERR_INVALID, "bad disk serial '%.40s'", serial);
	return 0;
}

static int check_disks(const struct container_setup *s, struct err *e)
{
	if (!s->joined == !s->chain)
		return err_set(e, ERR_INVALID, "'root' needs either 'joined' or 'chain'");
	if (check_serial(s->joined ? s->joined : s->chain, e) < 0 || check_serial(s->upper, e) < 0)
		return -1;
	if (s->layers.n > CONTAINER_LAYERS_MAX)
		return err_set(e, ERR_INVALID, "too many layers");
	for (size_t i = 0; i < s->layers.n; i++) {
		if (check_serial(s->layers.v[i], e) < 0)
			return -1;
	}
	return 0;
}

static int check_lists(const struct container_setup *s, struct err *e)
{
	const struct strv *const lists[] = { &s->hosts,	  &s->resolv_conf, &s->tmpfs,
					     &s->devices, &s->masked,	   &s->readonly_paths,
					     &s->sysctls };
	const struct strv *const paths[] = { &s->tmpfs, &s->masked, &s->readonly_paths };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i]->n > LINES_MAX)
			return err_set(e, ERR_INVALID, "a list is longer than %u entries",
				       LINES_MAX);
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		for (size_t k = 0; k < paths[i]->n; k++) {
			const char *path = paths[i]->v[k];

			if (*path != '/')
				return err_set(e, ERR_INVALID, "path '%.200s' is not absolute",
					       path);
		}
	}
	return 0;
}

static int check_setup(const struct container_setup *s, struct err *e)
{
	if (!hex_is(s->id, CONTAINER_ID_SIZE))
		return err_set(e, ERR_INVALID, "bad container id '%.80s'", s->id);
	if (strlen(s->hostname) > NAME_MAX_BYTES ||
	    (s->domainname && strlen(s->domainname) > NAME_MAX_BYTES))
		return err_set(e, ERR_INVALID, "hostname or domain name is longer than %d bytes",
			       NAME_MAX_BYTES);
	if (setup_check_range("shm_size", s->shm_size, 0, INT64_MAX, e) < 0 ||
	    setup_check_range("memory", s->limits.memory, 0, INT64_MAX, e) < 0 ||
	    setup_check_range("cpus", s->limits.nano_cpus, 0, INT64_MAX, e) < 0)
		return -1;
	return check_disks(s, e) < 0 ? -1 : check_lists(s, e);
}

int setup_read(const struct message *m, struct container_setup *ret, struct err *e)
{
	static const struct json_field root_fields[] = {
		JSON_STR("joined", false, struct container_setup, joined),
		JSON_STR("chain", false, struct container_setup, chain),
		JSON_STRV("layers", false, struct container_setup, layers),
		JSON_END,
	};
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct container_setup, id),
		JSON_STR("hostname", true, struct container_setup, hostname),
		JSON_STR("upper", true, struct container_setup, upper),
		JSON_BOOL("volatile", false, struct container_setup, is_volatile),
		JSON_STR("domainname", false, struct container_setup, domainname),
		JSON_STRV("hosts", false, struct container_setup, hosts),
		JSON_STRV("resolv_conf", false, struct container_setup, resolv_conf),
		JSON_BOOL("privileged", false, struct container_setup, privileged),
		JSON_BOOL("read_only", false, struct container_setup, read_only),
		JSON_BOOL("init", false, struct container_setup, init),
		JSON_INT("shm_size", false, struct container_setup, shm_size),
		JSON_MAP("tmpfs", false, struct container_setup, tmpfs),
		JSON_STRV("devices", false, struct container_setup, devices),
		JSON_STRV("masked", false, struct container_setup, masked),
		JSON_STRV("readonly_paths", false, struct container_setup, readonly_paths),
		JSON_MAP("sysctls", false, struct container_setup, sysctls),
		JSON_INT("memory", false, struct container_setup, limits.memory),
		JSON_INT("memory_swap", false, struct container_setup, limits.memory_swap),
		JSON_INT("memory_reservation", false, struct container_setup,
			 limits.memory_reservation),
		JSON_INT("cpus", false, struct container_setup, limits.nano_cpus),
		JSON_INT("cpu_period", false, struct container_setup, limits.cpu_period),
		JSON_INT("cpu_quota", false, struct container_setup, limits.cpu_quota),
		JSON_INT("cpu_shares", false, struct container_setup, limits.cpu_shares),
		JSON_STR("cpuset_cpus", false, struct container_setup, limits.cpuset_cpus),
		JSON_STR("cpuset_mems", false, struct container_setup, limits.cpuset_mems),
		JSON_INT("pids", false, struct container_setup, limits.pids),
		JSON_END,
	};
	const struct json *root = json_get(m->json, "root");

	if (json_read(m->json, fields, ret, e) < 0)
		return -1;
	if (!json_is_object(root))
		return err_set(e, ERR_INVALID, "'root' is not an object");
	ret->limits.delegated = ret->privileged;
	return json_read(root, root_fields, ret, e) < 0 ? -1 : check_setup(ret, e);
}

/* ---- process.start --------------------------------------------------------------------------- */

/* [[resource, soft, hard], ...] */
static int read_rlimits(const struct json *list, struct privileges *p, struct err *e)
{
	size_t n = json_len(list);

	if (n > PRIVILEGES_RLIMITS_MAX)
		return err_set(e, ERR_INVALID, "'rlimits' has more than %d entries",
			       PRIVILEGES_RLIMITS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct json *one = json_at(list, i);
		struct privileges_rlimit *r = &p->rlimits[i];

		if (json_len(one) != 3)
			return err_set(e, ERR_INVALID,
				       "'rlimits' has an entry that is not a limit");
		r->resource = json_int(json_at(one, 0), -1);
		r->soft = json_int(json_at(one, 1), -1);
		r->hard = json_int(json_at(one, 2), -1);
		if (setup_check_range("rlimits", r->resource, 0, RLIMIT_LAST, e) < 0)
			return -1;
	}
	p->nrlimits = n;
	return 0;
}

/* Filters hold zero bytes, so it is not one of the texts that message_text reads. */
static int read_filter(const struct message *m, struct privileges *p, struct err *e)
{
	const struct json *index = json_get(m->json, "seccomp");
	int64_t i = json_int(index, -1);
	const struct message_blob *blob;

	if (!index)
		return 0;
	if (i < 0 || (uint64_t)i >= m->nblobs)
		return err_set(e, ERR_INVALID, "'seccomp' is not one of the byte strings");
	blob = &m->blobs[i];
	if (blob->n == 0 || blob->n % sizeof(struct sock_filter) != 0 ||
	    blob->n / sizeof(struct sock_filter) > PRIVILEGES_FILTER_MAX)
		return err_set(e, ERR_INVALID, "'seccomp' is not a filter");
	p->filter = xcalloc(1, blob->n);
	memcpy(p->filter, blob->p, blob->n);
	p->filter_size = blob->n;
	return 0;
}

static int read_privileges(const struct message *m, struct privileges *p, struct err *e)
{
	struct wire {
		int64_t capabilities, oom_score_adj;
		bool no_new_privs;
	} w = { .capabilities = -1 };
	static const struct json_field fields[] = {
		JSON_INT("capabilities", false, struct wire, capabilities),
		JSON_INT("oom_score_adj", false, struct wire, oom_score_adj),
		JSON_BOOL("no_new_privs", false, struct wire, no_new_privs),
		JSON_END,
	};

	privileges_init(p);
	if (json_read(m->json, fields, &w, e) < 0 ||
	    setup_check_range("oom_score_adj", w.oom_score_adj, -OOM_SCORE_MAX, OOM_SCORE_MAX, e) <
		    0)
		return -1;
	p->capabilities = (uint64_t)w.capabilities;
	p->oom_score_adj = w.oom_score_adj;
	p->no_new_privs = w.no_new_privs;
	if (read_rlimits(json_get(m->json, "rlimits"), p, e) < 0)
		return -1;
	return read_filter(m, p, e);
}

static int check_process(const struct process_spec *s, struct err *e)
{
	const int64_t streams[] = { s->stdin_stream, s->stdout_stream, s->stderr_stream };

	if (!s->child.args.n)
		return err_set(e, ERR_INVALID, "no command");
	if (strlen(s->child.user) > USER_BYTES_MAX)
		return err_set(e, ERR_INVALID, "user is longer than %u bytes", USER_BYTES_MAX);
	if (s->child.groups.n > LINES_MAX)
		return err_set(e, ERR_INVALID, "too many groups");
	if (*s->child.cwd && *s->child.cwd != '/')
		return err_set(e, ERR_INVALID, "working directory '%s' is not absolute",
			       s->child.cwd);
	if (setup_check_range("process", s->number, 1, INT64_MAX, e) < 0 ||
	    setup_check_range("rows", s->rows, 0, SETUP_CELLS_MAX, e) < 0 ||
	    setup_check_range("cols", s->cols, 0, SETUP_CELLS_MAX, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		if (setup_check_range("stream", streams[i], 0, UINT32_MAX, e) < 0)
			return -1;
	}
	return 0;
}

int setup_read_process(const struct message *m, struct process_spec *ret, char **container,
		       struct err *e)
{
	struct wire {
		char *container;
		struct process_spec s;
	} w = { 0 };
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct wire, container),
		JSON_STR("user", false, struct wire, s.child.user),
		JSON_STRV("groups", false, struct wire, s.child.groups),
		JSON_INT("process", true, struct wire, s.number),
		JSON_BOOL("tty", false, struct wire, s.tty),
		JSON_INT("rows", false, struct wire, s.rows),
		JSON_INT("cols", false, struct wire, s.cols),
		JSON_INT("stdin", false, struct wire, s.stdin_stream),
		JSON_INT("stdout", false, struct wire, s.stdout_stream),
		JSON_INT("stderr", false, struct wire, s.stderr_stream),
		JSON_END,
	};
	int r = json_read(m->json, fields, &w, e);
	struct child_spec *child = &ret->child;

	*container = w.container;
	*ret = w.s;
	if (r < 0 || read_privileges(m, &child->privileges, e) < 0)
		return -1;
	if (message_list(m, "args", ARGS_MAX, &child->args, e) < 0 ||
	    message_list(m, "env", ARGS_MAX, &child->env, e) < 0 ||
	    message_text(m, "cwd", PATH_BYTES_MAX, &child->cwd, e) < 0)
		return -1;
	if (!child->cwd)
		child->cwd = xstrdup("");
	if (!child->user)
		child->user = xstrdup("");
	return check_process(ret, e);
}
