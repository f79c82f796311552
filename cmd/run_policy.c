/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_policy.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "cmd/env.h"
#include "cmd/run_part.h"

#define LOG_LOCAL_SIZE	INT64_C(20000000)
#define LOG_LOCAL_FILES 5
#define LOG_FILES_MAX	10000

/* ---- restarts ---- */

static bool never(const char *policy)
{
	return !*policy || strcmp(policy, "no") == 0;
}

static int set_restart(const char *text, struct container_spec *spec, struct err *e)
{
	size_t n = strcspn(text, ":");
	struct err ignored = ERR_INIT;
	int64_t max = 0;

	if (text[n] && n == 0)
		return err_set(e, ERR_INVALID,
			       "invalid restart policy format: no policy provided before colon");
	if (text[n] && text[n + 1] &&
	    parse_i64(text + n + 1, INT32_MIN, INT32_MAX, &max, &ignored) < 0)
		return err_set(e, ERR_INVALID,
			       "invalid restart policy format: maximum retry count must be an "
			       "integer");
	free(spec->restart_policy);
	spec->restart_policy = xstrndup(text, n);
	spec->restart_max = max;
	if (spec->auto_remove && !never(spec->restart_policy))
		return err_set(e, ERR_INVALID,
			       "conflicting options: cannot specify both --restart and --rm");
	return 0;
}

static int check_restart(const struct container_spec *spec, struct err *e)
{
	const char *policy = spec->restart_policy;
	bool failure = strcmp(policy, "on-failure") == 0;

	if (!failure && !never(policy) && strcmp(policy, "always") != 0 &&
	    strcmp(policy, "unless-stopped") != 0)
		return err_set(e, ERR_INVALID,
			       "invalid restart policy: unknown policy '%.100s'; use one of 'no', "
			       "'always', 'on-failure', or 'unless-stopped'",
			       policy);
	if (!failure && spec->restart_max)
		return err_set(e, ERR_INVALID,
			       "invalid restart policy: maximum retry count can only be used with "
			       "'on-failure'%s",
			       spec->restart_max < 0 ? " and cannot be negative" : "");
	if (spec->restart_max < 0)
		return err_set(e, ERR_INVALID,
			       "invalid restart policy: maximum retry count cannot be negative");
	return 0;
}

/* ---- logs ---- */

static int set_log(const struct run_policy *a, struct container_spec *spec, struct err *e)
{
	run_text(&spec->log_driver, a->log_driver);
	if (strcmp(spec->log_driver, "none") == 0 && a->log_opts.n)
		return err_set(e, ERR_INVALID, "invalid logging opts for driver none");
	for (size_t i = 0; i < a->log_opts.n; i++) {
		const char *text = a->log_opts.v[i];
		auto_free char *whole = strchr(text, '=') ? xstrdup(text) : xasprintf("%s=", text);

		env_map_set(&spec->log_opts, whole);
	}
	return 0;
}

/* "10m" as the log drivers of Docker read it: powers of 1000. */
static int parse_log_size(const char *text, int64_t *ret, struct err *e)
{
	static const char units[] = "kmgtp";
	size_t digits = strspn(text, "0123456789");
	char unit = (char)tolower((unsigned char)text[digits]);
	const char *at = unit ? strchr(units, unit) : NULL;
	const char *rest = text + digits + (at != NULL);
	struct err ignored = ERR_INIT;
	auto_free char *number = xstrndup(text, digits);
	int64_t v;

	if (tolower((unsigned char)*rest) == 'b')
		rest++;
	if (*rest || parse_i64(number, 0, INT64_MAX, &v, &ignored) < 0)
		return err_set(e, ERR_INVALID, "invalid size: '%.64s'", text);
	for (int power = at ? (int)(at - units) + 1 : 0; power > 0; power--) {
		if (__builtin_mul_overflow(v, 1000, &v))
			return err_set(e, ERR_INVALID, "invalid size: '%.64s'", text);
	}
	if (v <= 0)
		return err_set(e, ERR_INVALID, "max-size must be a positive number");
	*ret = v;
	return 0;
}

static int check_log_files(const char *text, int64_t *ret, struct err *e)
{
	struct err ignored = ERR_INIT;

	if (parse_i64(text, INT32_MIN, INT32_MAX, ret, &ignored) < 0)
		return err_set(e, ERR_INVALID, "strconv.Atoi: parsing \"%.64s\": invalid syntax",
			       text);
	if (*ret < 1)
		return err_set(e, ERR_INVALID, "max-file cannot be less than 1");
	if (*ret > LOG_FILES_MAX)
		return err_set(e, ERR_INVALID, "max-file cannot be more than %d", LOG_FILES_MAX);
	return 0;
}

static int check_log_opt(struct container_spec *spec, const char *text, struct strv *warnings,
			 struct err *e)
{
	/* What they change is invisible to who reads the log by `logs`. */
	static const char *const harmless[] = { "compress", "mode", "max-buffer-size" };
	static const char *const shown[] = { "labels", "labels-regex", "env", "env-regex", "tag" };
	size_t n = strcspn(text, "=");
	const char *driver = *spec->log_driver ? spec->log_driver : "json-file";

	if (str_has_prefix(text, "max-size="))
		return parse_log_size(text + n + 1, &spec->log_max_size, e);
	if (str_has_prefix(text, "max-file="))
		return check_log_files(text + n + 1, &spec->log_max_files, e);
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		if (strlen(harmless[i]) == n && strncmp(text, harmless[i], n) == 0) {
			strv_addf(warnings, "--log-opt %s has no effect.", harmless[i]);
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		if (strlen(shown[i]) == n && strncmp(text, shown[i], n) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "unknown log opt '%.*s' for %s log driver",
		       (int)(n > 100 ? 100 : n), text, driver);
}

static int check_log(struct container_spec *spec, struct strv *warnings, struct err *e)
{
	bool local = strcmp(spec->log_driver, "local") == 0;

	if (!local && *spec->log_driver && strcmp(spec->log_driver, "json-file") != 0 &&
	    strcmp(spec->log_driver, "none") != 0)
		return err_set(e, ERR_INVALID, "logger: no log driver named '%.100s' is registered",
			       spec->log_driver);
	if (local) {
		spec->log_max_size = LOG_LOCAL_SIZE;
		spec->log_max_files = LOG_LOCAL_FILES;
	}
	for (size_t i = 0; i < spec->log_opts.n; i++) {
		if (check_log_opt(spec, spec->log_opts.v[i], warnings, e) < 0)
			return -1;
	}
	return 0;
}

int run_policy_set(const struct run_policy *a, struct container_spec *spec, struct err *e)
{
	return set_restart(a->restart ? a->restart : "", spec, e) < 0 ? -1 : set_log(a, spec, e);
}

int run_policy_check(struct container_spec *spec, struct strv *warnings, struct err *e)
{
	return check_restart(spec, e) < 0 ? -1 : check_log(spec, warnings, e);
}
