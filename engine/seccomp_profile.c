/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's JSON profiles. Everything in a profile is checked, also rules whose conditions do not
 * hold here, so that a profile that was accepted when a container was created does not fail when
 * it starts.
 */
#include "engine/seccomp_priv.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/parse.h"
#include "engine/capability.h"
#include "engine/seccomp.h"

struct condition {
	struct strv caps, arches;
	char *min_kernel;
};

struct raw_rule {
	char *name, *action;
	struct strv names;
	const struct json *error, *args;
	struct condition includes, excludes;
};

struct raw_profile {
	char *action;
	const struct json *error, *arch_map, *rules;
	struct strv arches;
};

static const struct json_field condition_fields[] = {
	JSON_STRV("caps", false, struct condition, caps),
	JSON_STRV("arches", false, struct condition, arches),
	JSON_STR("minKernel", false, struct condition, min_kernel),
	JSON_END,
};

static const struct json_field rule_fields[] = {
	JSON_STR("name", false, struct raw_rule, name),
	JSON_STRV("names", false, struct raw_rule, names),
	JSON_STR("action", true, struct raw_rule, action),
	JSON_ANY("errnoRet", false, struct raw_rule, error),
	JSON_ANY("args", false, struct raw_rule, args),
	JSON_OBJ("includes", false, struct raw_rule, includes, condition_fields),
	JSON_OBJ("excludes", false, struct raw_rule, excludes, condition_fields),
	JSON_END,
};

static const struct json_field profile_fields[] = {
	JSON_STR("defaultAction", false, struct raw_profile, action),
	JSON_ANY("defaultErrnoRet", false, struct raw_profile, error),
	JSON_STRV("architectures", false, struct raw_profile, arches),
	JSON_ANY("archMap", false, struct raw_profile, arch_map),
	JSON_ANY("syscalls", false, struct raw_profile, rules),
	JSON_END,
};

static const struct {
	const char *name;
	uint32_t action;
	bool has_data;
} actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
};

static const char *const ops[] = {
	[SECCOMP_OP_NE] = "SCMP_CMP_NE",
	[SECCOMP_OP_LT] = "SCMP_CMP_LT",
	[SECCOMP_OP_LE] = "SCMP_CMP_LE",
	[SECCOMP_OP_EQ] = "SCMP_CMP_EQ",
	[SECCOMP_OP_GE] = "SCMP_CMP_GE",
	[SECCOMP_OP_GT] = "SCMP_CMP_GT",
	[SECCOMP_OP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};
_Static_assert(ARRAY_LEN(ops) == SECCOMP_OP_COUNT, "ops[] does not match enum seccomp_op");

/* Architectures of other machines, which a profile may name and which change nothing here. */
static const char *const other_arches[] = {
	"SCMP_ARCH_X86_64", "SCMP_ARCH_X32",	  "SCMP_ARCH_X86",	   "SCMP_ARCH_AARCH64",
	"SCMP_ARCH_ARM",    "SCMP_ARCH_MIPS",	  "SCMP_ARCH_MIPS64",	   "SCMP_ARCH_MIPS64N32",
	"SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64",  "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",	   "SCMP_ARCH_S390X",
	"SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",	   "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",   "SCMP_ARCH_SH",	  "SCMP_ARCH_SHEB",
};

/*
 * 32-bit x86 also has these as one call with a number: a rule about socket is one about
 * socketcall(1, ...). The arguments are in memory then, so only rules without conditions are.
 */
static const struct {
	const char *name, *call;
	unsigned int number;
} multiplexed[] = {
	{ "socket", "socketcall", 1 },
	{ "bind", "socketcall", 2 },
	{ "connect", "socketcall", 3 },
	{ "listen", "socketcall", 4 },
	{ "accept", "socketcall", 5 },
	{ "getsockname", "socketcall", 6 },
	{ "getpeername", "socketcall", 7 },
	{ "socketpair", "socketcall", 8 },
	{ "send", "socketcall", 9 },
	{ "recv", "socketcall", 10 },
	{ "sendto", "socketcall", 11 },
	{ "recvfrom", "socketcall", 12 },
	{ "shutdown", "socketcall", 13 },
	{ "setsockopt", "socketcall", 14 },
	{ "getsockopt", "socketcall", 15 },
	{ "sendmsg", "socketcall", 16 },
	{ "recvmsg", "socketcall", 17 },
	{ "accept4", "socketcall", 18 },
	{ "recvmmsg", "socketcall", 19 },
	{ "sendmmsg", "socketcall", 20 },
	{ "semop", "ipc", 1 },
	{ "semget", "ipc", 2 },
	{ "semctl", "ipc", 3 },
	{ "semtimedop", "ipc", 4 },
	{ "msgsnd", "ipc", 11 },
	{ "msgrcv", "ipc", 12 },
	{ "msgget", "ipc", 13 },
	{ "msgctl", "ipc", 14 },
	{ "shmat", "ipc", 21 },
	{ "shmdt", "ipc", 22 },
	{ "shmget", "ipc", 23 },
	{ "shmctl", "ipc", 24 },
};

static void condition_release(struct condition *c)
{
	strv_release(&c->caps);
	strv_release(&c->arches);
	free(c->min_kernel);
}

static void raw_rule_release(struct raw_rule *r)
{
	free(r->name);
	free(r->action);
	strv_release(&r->names);
	condition_release(&r->includes);
	condition_release(&r->excludes);
}
#define auto_raw_rule __attribute__((cleanup(raw_rule_release)))

static void raw_profile_release(struct raw_profile *p)
{
	free(p->action);
	strv_release(&p->arches);
}
#define auto_raw_profile __attribute__((cleanup(raw_profile_release)))

/* `error`: errnoRet, or NULL where the profile has none. */
static int read_action(const char *name, const struct json *error, uint32_t *ret, struct err *e)
{
	int64_t data = json_int(error, -1);

	if (error && (data < 0 || data > UINT16_MAX))
		return err_set(e, ERR_INVALID, "errnoRet is not a number from 0 to 65535");
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		*ret = actions[i].action;
		if (actions[i].has_data)
			*ret |= error ? (uint32_t)data : EPERM;
		return 0;
	}
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return err_set(e, ERR_INVALID,
			       "SCMP_ACT_NOTIFY needs a listener outside the VM and "
			       "is not supported");
	return err_set(e, ERR_INVALID, "string %s is not a valid action for seccomp", name);
}

/* ---- conditions ---- */

static int read_kernel(const char *text, unsigned int *ret_version, unsigned int *ret_patchlevel,
		       struct err *e)
{
	auto_strv struct strv parts = STRV_INIT;
	struct err ignored = ERR_INIT;
	uint64_t version, patchlevel;

	strv_split(&parts, text, '.');
	if (parts.n != 2 || parse_u64(parts.v[0], 255, &version, &ignored) < 0 ||
	    parse_u64(parts.v[1], 255, &patchlevel, &ignored) < 0 || (!version && !patchlevel))
		return err_set(e, ERR_INVALID,
			       "invalid kernel version: \"%s\", expected \"<kernel>.<major>\"",
			       text);
	*ret_version = (unsigned int)version;
	*ret_patchlevel = (unsigned int)patchlevel;
	return 0;
}

/* How many of the capabilities named the container has. */
static size_t count_caps(const struct strv *names, uint64_t caps)
{
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++)
		n += (capability_bit(names->v[i]) & caps) != 0;
	return n;
}

static int rule_counts(const struct raw_rule *r, const struct seccomp_target *t, bool *ret,
		       struct err *e)
{
	const struct condition *in = &r->includes, *ex = &r->excludes;
	bool counts = count_caps(&ex->caps, t->caps) == 0 &&
		      !strv_has(&ex->arches, seccomp_arch_docker) &&
		      count_caps(&in->caps, t->caps) == in->caps.n &&
		      (!in->arches.n || strv_has(&in->arches, seccomp_arch_docker));
	unsigned int v, p;

	if (ex->min_kernel && *ex->min_kernel) {
		if (read_kernel(ex->min_kernel, &v, &p, e) < 0)
			return -1;
		counts = counts && !seccomp_kernel_at_least(t->kernel, v, p);
	}
	if (in->min_kernel && *in->min_kernel) {
		if (read_kernel(in->min_kernel, &v, &p, e) < 0)
			return -1;
		counts = counts && seccomp_kernel_at_least(t->kernel, v, p);
	}
	*ret = counts;
	return 0;
}

/* ---- rules ---- */

static int read_number(const struct json *j, const char *name, int64_t max, bool required,
		       uint64_t *ret, struct err *e)
{
	const struct json *member = json_get(j, name);
	int64_t v = json_int(member, -1);

	*ret = 0;
	if (!member && !required)
		return 0;
	if (v < 0 || v > max)
		return err_set(e, ERR_INVALID, "%s is not a number from 0 to %lld", name,
			       (long long)max);
	*ret = (uint64_t)v;
	return 0;
}

static int read_arg(const struct json *j, struct seccomp_arg *ret, struct err *e)
{
	const char *op = json_str(json_get(j, "op"));
	uint64_t index, value, two;
	size_t i;

	if (read_number(j, "index", SECCOMP_ARGS - 1, true, &index, e) < 0 ||
	    read_number(j, "value", INT64_MAX, true, &value, e) < 0 ||
	    read_number(j, "valueTwo", INT64_MAX, false, &two, e) < 0)
		return -1;
	for (i = 0; i < ARRAY_LEN(ops); i++)
		if (str_eq(ops[i], op))
			break;
	if (i == ARRAY_LEN(ops))
		return err_set(e, ERR_INVALID, "string %s is not a valid operator for seccomp",
			       op ? op : "");
	*ret = (struct seccomp_arg){ (unsigned int)index, (enum seccomp_op)i, value, 0, false };
	if (ret->op == SECCOMP_OP_MASKED_EQ) {
		ret->mask = value;
		ret->value = two;
	}
	return 0;
}

static int read_args(const struct json *j, struct seccomp_arg *ret, size_t *ret_n, struct err *e)
{
	size_t n = json_len(j);

	if (j && !json_is_array(j))
		return err_set(e, ERR_INVALID, "field 'args' is not a list");
	if (n > SECCOMP_ARGS)
		return err_set(e, ERR_INVALID, "more than %d conditions in 'args'", SECCOMP_ARGS);
	for (size_t i = 0; i < n; i++)
		if (read_arg(json_at(j, i), &ret[i], e) < 0)
			return err_wrap(e, "args[%zu]", i);
	*ret_n = n;
	return 0;
}

static bool has_twice(const struct seccomp_arg *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (args[i].index == args[k].index)
				return true;
	return false;
}

static void add_rule(struct seccomp_profile *p, const struct strv *names, uint32_t action,
		     const struct seccomp_arg *args, size_t n)
{
	struct seccomp_rule *r = seccomp_profile_add(p, action);

	strv_copy(&r->names, names);
	r->nargs = n;
	for (size_t i = 0; i < n; i++)
		r->args[i] = args[i];
}

static void add_multiplexed(struct seccomp_profile *p, const struct strv *names, uint32_t action)
{
	for (size_t i = 0; i < ARRAY_LEN(multiplexed); i++) {
		/* The upper half of ipc's first argument is a version. */
		bool ipc = strcmp(multiplexed[i].call, "ipc") == 0;
		struct seccomp_arg arg = { 0, SECCOMP_OP_MASKED_EQ, multiplexed[i].number,
					   ipc ? 0xffff : UINT32_MAX, false };
		auto_strv struct strv call = STRV_INIT;

		if (!strv_has(names, multiplexed[i].name))
			continue;
		strv_add(&call, multiplexed[i].call);
		add_rule(p, &call, action, &arg, 1);
	}
}

static int read_rule(const struct json *j, const struct seccomp_target *t,
		     struct seccomp_profile *p, struct err *e)
{
	auto_raw_rule struct raw_rule r = { .name = NULL };
	struct seccomp_arg args[SECCOMP_ARGS];
	uint32_t action = 0;
	bool counts = false;
	size_t n = 0;

	if (json_read(j, rule_fields, &r, e) < 0 ||
	    read_action(r.action, r.error, &action, e) < 0 || read_args(r.args, args, &n, e) < 0 ||
	    rule_counts(&r, t, &counts, e) < 0)
		return -1;
	if (r.name && *r.name) {
		if (r.names.n)
			return err_set(
				e, ERR_INVALID,
				"both 'name' and 'names' are specified in the seccomp profile, "
				"use either 'name' or 'names'");
		strv_add(&r.names, r.name);
	}
	p->names += r.names.n;
	if (p->names > SECCOMP_NAMES)
		return err_set(e, ERR_INVALID, "more than %d names", SECCOMP_NAMES);
	if (!counts)
		return 0;
	if (n == 0)
		add_multiplexed(p, &r.names, action);
	/* Several conditions on one argument are one rule each, as runc has it. */
	if (!has_twice(args, n)) {
		add_rule(p, &r.names, action, args, n);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		add_rule(p, &r.names, action, &args[i], 1);
	return 0;
}

static int read_rules(const struct json *list, const struct seccomp_target *t,
		      struct seccomp_profile *p, struct err *e)
{
	size_t n = json_len(list);

	if (list && !json_is_array(list))
		return err_set(e, ERR_INVALID, "field 'syscalls' is not a list");
	if (n > SECCOMP_RULES)
		return err_set(e, ERR_INVALID, "more than %d rules", SECCOMP_RULES);
	for (size_t i = 0; i < n; i++)
		if (read_rule(json_at(list, i), t, p, e) < 0)
			return err_wrap(e, "syscalls[%zu]", i);
	return 0;
}

/* ---- architectures ---- */

static int add_arch(struct seccomp_profile *p, const char *name, struct err *e)
{
	for (unsigned int i = 0; seccomp_arch_name(i); i++)
		if (str_eq(seccomp_arch_name(i), name)) {
			p->arches |= 1u << i;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(other_arches); i++)
		if (str_eq(other_arches[i], name))
			return 0;
	return err_set(e, ERR_INVALID, "string %s is not a valid arch for seccomp",
		       name ? name : "");
}

/* [{"architecture": ..., "subArchitectures": [...]}, ...], of which the machine's own counts. */
static int read_arch_map(const struct json *map, struct seccomp_profile *p, struct err *e)
{
	if (map && !json_is_array(map))
		return err_set(e, ERR_INVALID, "field 'archMap' is not a list");
	for (size_t i = 0; i < json_len(map); i++) {
		const struct json *entry = json_at(map, i);
		const struct json *sub = json_get(entry, "subArchitectures");

		if (!str_eq(json_str(json_get(entry, "architecture")), seccomp_arch_name(0)))
			continue;
		for (size_t k = 0; k < json_len(sub); k++)
			if (add_arch(p, json_str(json_at(sub, k)), e) < 0)
				return err_wrap(e, "archMap[%zu]", i);
		break;
	}
	return 0;
}

static int read_profile(const struct json *j, const struct seccomp_target *t,
			struct seccomp_profile *p, struct err *e)
{
	auto_raw_profile struct raw_profile raw = { .action = NULL };

	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "is not an object");
	if (json_read(j, profile_fields, &raw, e) < 0)
		return -1;
	p->none = (!raw.action || !*raw.action) && json_len(raw.rules) == 0;
	if (p->none)
		return 0;
	if (raw.arches.n && json_len(raw.arch_map))
		return err_set(
			e, ERR_INVALID,
			"both 'architectures' and 'archMap' are specified in the seccomp profile, "
			"use either 'architectures' or 'archMap'");
	if (read_action(raw.action ? raw.action : "", raw.error, &p->action, e) < 0)
		return err_wrap(e, "defaultAction");
	for (size_t i = 0; i < raw.arches.n; i++)
		if (add_arch(p, raw.arches.v[i], e) < 0)
			return -1;
	return read_arch_map(raw.arch_map, p, e) < 0 ? -1 : read_rules(raw.rules, t, p, e);
}

int seccomp_profile_read(const char *text, size_t n, const struct seccomp_target *t,
			 struct seccomp_profile *ret, struct err *e)
{
	auto_seccomp_profile struct seccomp_profile p = { .n = 0 };
	auto_json struct json *j = NULL;
	int r = -1;

	seccomp_profile_init(&p, SECCOMP_RET_KILL_THREAD);
	if (n > SECCOMP_PROFILE_MAX)
		err_set(e, ERR_INVALID, "longer than %zu bytes", SECCOMP_PROFILE_MAX);
	else if (json_parse(text, n, &j, e) == 0)
		r = read_profile(j, t, &p, e);
	if (r < 0)
		return err_wrap(e, "Decoding seccomp profile failed");
	*ret = p;
	seccomp_profile_init(&p, 0);
	return 0;
}
