/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_security.h"

#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/parse.h"
#include "cmd/env.h"
#include "cmd/run_part.h"
#include "engine/capability.h"
#include "engine/seccomp.h"

#define SECCOMP_BUILTIN "builtin"

/* The file's text as compact JSON; the caller frees. */
static char *read_profile(const char *path, struct err *e)
{
	auto_str struct str text = STR_INIT(SECCOMP_PROFILE_MAX),
			    out = STR_INIT(SECCOMP_PROFILE_MAX);
	auto_json struct json *j = NULL;
	struct err why = ERR_INIT;

	if (env_read_file(path, &text, &why) < 0) {
		(void)err_set(e, ERR_INVALID, "opening seccomp profile (%.200s) failed: %.200s",
			      path, why.msg);
		return NULL;
	}
	if (json_parse(text.buf, text.len, &j, &why) < 0) {
		(void)err_set(e, ERR_INVALID,
			      "compacting json for seccomp profile (%.200s) failed: %.200s", path,
			      why.msg);
		return NULL;
	}
	json_dump(j, &out);
	return str_take(&out, e);
}

static int set_seccomp(const char *value, struct container_spec *spec, struct err *e)
{
	auto_free char *profile = NULL;

	if (strcmp(value, SECCOMP_BUILTIN) == 0 || strcmp(value, "default") == 0) {
		run_text(&spec->seccomp, NULL);
		strv_add(&spec->security_opts, "seccomp=" SECCOMP_BUILTIN);
		return 0;
	}
	if (strcmp(value, SECCOMP_UNCONFINED) != 0) {
		profile = read_profile(value, e);
		if (!profile)
			return -1;
		value = profile;
	}
	run_text(&spec->seccomp, value);
	strv_addf(&spec->security_opts, "seccomp=%s", value);
	return 0;
}

/*
 * "key=value", or "key:value" as it was written long ago. What no client reads by itself is left to
 * run_security_check.
 */
static int set_option(const char *text, struct container_spec *spec, struct err *e)
{
	size_t n = strcspn(text, "=");

	if (!text[n])
		n = strcspn(text, ":");
	if ((!text[n] || !text[n + 1]) && strcmp(text, "no-new-privileges") != 0)
		return err_set(e, ERR_INVALID, "Invalid --security-opt: \"%.200s\"", text);
	if (n == strlen("seccomp") && str_has_prefix(text, "seccomp"))
		return set_seccomp(text + n + 1, spec, e);
	if (strcmp(text, "systempaths=unconfined") == 0)
		spec->unmasked = true;
	else
		strv_add(&spec->security_opts, text);
	return 0;
}

int run_security_set(const struct run_security *a, struct container_spec *spec, struct err *e)
{
	spec->privileged = a->privileged;
	strv_copy(&spec->groups, &a->groups);
	capability_normalise(&a->cap_add, &a->cap_drop, &spec->cap_add, &spec->cap_drop);
	for (size_t i = 0; i < a->annotations.n; i++) {
		const char *text = a->annotations.v[i];
		auto_free char *whole = strchr(text, '=') ? xstrdup(text) : xasprintf("%s=", text);

		env_map_set(&spec->annotations, whole);
	}
	for (size_t i = 0; i < a->options.n; i++) {
		if (set_option(a->options.v[i], spec, e) < 0)
			return -1;
	}
	return 0;
}

static int check_option(const char *text, struct container_spec *spec, struct strv *warnings,
			struct err *e)
{
	size_t n = strcspn(text, "=");
	struct err ignored = ERR_INIT;

	if (!text[n])
		n = strcspn(text, ":");
	if (strncmp(text, "no-new-privileges", n) == 0 && n == strlen("no-new-privileges")) {
		spec->no_new_privileges = true;
		if (!text[n] || parse_bool(text + n + 1, &spec->no_new_privileges, &ignored) == 0)
			return 0;
	} else if (str_has_prefix(text, "seccomp")) {
		return 0;
	} else if (str_has_prefix(text, "apparmor=") || str_has_prefix(text, "apparmor:") ||
		   str_has_prefix(text, "label=") || str_has_prefix(text, "label:")) {
		strv_addf(warnings,
			  "--security-opt %.200s has no effect: the container has a kernel of its "
			  "own, without %s.",
			  text, *text == 'a' ? "AppArmor" : "SELinux");
		return 0;
	}
	return err_set(e, ERR_INVALID, "invalid --security-opt: \"%.200s\"", text);
}

int run_security_check(const struct run_security *a, struct container_spec *spec,
		       struct strv *warnings, struct err *e)
{
	uint64_t mask;

	if (capability_mask(&a->cap_add, &a->cap_drop, spec->privileged, &mask, e) < 0)
		return -1;
	for (size_t i = 0; i < spec->annotations.n; i++) {
		if (spec->annotations.v[i][0] == '=')
			return err_set(e, ERR_INVALID,
				       "invalid Annotations: the empty string is not permitted as "
				       "an annotation key");
	}
	for (size_t i = 0; i < spec->security_opts.n; i++) {
		if (check_option(spec->security_opts.v[i], spec, warnings, e) < 0)
			return -1;
	}
	if (*spec->seccomp && strcmp(spec->seccomp, SECCOMP_UNCONFINED) != 0 &&
	    seccomp_check(spec->seccomp, strlen(spec->seccomp), e) < 0)
		return err_wrap(e, "Decoding seccomp profile failed");
	return 0;
}
