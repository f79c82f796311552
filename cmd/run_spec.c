/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "cmd/env.h"
#include "cmd/run_part.h"
#include "engine/signame.h"
#include "registry/platform.h"

#define SHORT_ID 12

void run_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value ? value : "");
}

/* Which streams are attached; `-a` wins over the rule that run attaches to all but an unused stdin. */
static void set_attach(const struct run_args *a, struct container_spec *spec)
{
	for (size_t i = 0; i < a->attach.n; i++) {
		const char *name = a->attach.v[i];

		spec->attach_stdin |= strcasecmp(name, "stdin") == 0;
		spec->attach_stdout |= strcasecmp(name, "stdout") == 0;
		spec->attach_stderr |= strcasecmp(name, "stderr") == 0;
	}
	if (a->attach.n == 0 && !a->detach) {
		spec->attach_stdout = spec->attach_stderr = true;
		spec->attach_stdin = a->interactive;
	}
	spec->open_stdin = a->interactive;
	spec->stdin_once = a->interactive && spec->attach_stdin;
	spec->tty = a->tty;
}

int run_spec_stream(const char *text, struct err *e)
{
	if (strcasecmp(text, "stdin") == 0 || strcasecmp(text, "stdout") == 0 ||
	    strcasecmp(text, "stderr") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "valid streams are STDIN, STDOUT and STDERR");
}

static int set_parts(const struct run_args *a, struct container_spec *spec, struct err *e)
{
	if (run_limits_set(&a->limits, spec, e) < 0 || run_files_set(&a->files, spec, e) < 0 ||
	    run_network_set(&a->network, spec, e) < 0 || run_host_set(&a->host, spec, e) < 0 ||
	    run_policy_set(&a->policy, spec, e) < 0 || run_security_set(&a->security, spec, e) < 0)
		return -1;
	return run_health_set(&a->health, spec, e);
}

static int64_t stop_timeout(const struct opt_int *given)
{
	if (!given->set)
		return SPEC_STOP_TIMEOUT_DEFAULT;
	return given->v < -1 ? -1 : given->v > INT32_MAX ? INT32_MAX : given->v;
}

int run_spec_options(const struct run_args *a, const struct operands *command,
		     struct container_spec *ret, struct err *e)
{
	ret->auto_remove = a->rm;
	set_attach(a, ret);
	if (set_parts(a, ret, e) < 0 || env_collect(&a->env_files, &a->env, &ret->env, e) < 0 ||
	    env_collect_labels(&a->label_files, &a->labels, &ret->labels, e) < 0)
		return -1;
	if (a->entrypoint)
		strv_add(&ret->entrypoint, a->entrypoint);
	for (int i = 0; i < command->n; i++)
		strv_add(&ret->cmd, command->v[i]);
	run_text(&ret->name, a->name);
	run_text(&ret->user, a->user);
	run_text(&ret->workdir, a->workdir);
	run_text(&ret->vmm, a->vmm);
	run_text(&ret->stop_signal, a->stop_signal);
	run_text(&ret->cidfile, a->cidfile);
	ret->stop_timeout = stop_timeout(&a->stop_timeout);
	return 0;
}

int run_spec_check(const struct run_args *a, struct container_spec *spec, struct strv *warnings,
		   struct err *e)
{
	int ignored;

	if (*spec->workdir && *spec->workdir != '/')
		return err_set(e, ERR_INVALID,
			       "the working directory '%.200s' is invalid, it needs to be an "
			       "absolute path",
			       spec->workdir);
	if (*spec->stop_signal && signame_parse(spec->stop_signal, &ignored, e) < 0)
		return -1;
	if (run_network_check(spec, warnings, e) < 0 || run_health_check(spec, e) < 0 ||
	    run_security_check(&a->security, spec, warnings, e) < 0 ||
	    run_policy_check(spec, warnings, e) < 0 ||
	    run_limits_check(&a->limits, spec, warnings, e) < 0 ||
	    run_files_check(&a->files, spec, e) < 0)
		return -1;
	return run_host_check(&a->host, spec, warnings, e);
}

static int set_args(struct container_spec *spec, const struct image_config *image, struct err *e)
{
	bool reset = spec->entrypoint.n == 1 && !spec->entrypoint.v[0][0];

	if (spec->entrypoint.n == 0) {
		strv_copy(&spec->entrypoint, &image->entrypoint);
		if (spec->cmd.n == 0)
			strv_copy(&spec->cmd, &image->cmd);
	}
	if (reset)
		strv_clear(&spec->entrypoint);
	strv_clear(&spec->args);
	strv_add_all(&spec->args, &spec->entrypoint);
	strv_add_all(&spec->args, &spec->cmd);
	if (spec->args.n == 0)
		return err_set(e, ERR_INVALID, "no command specified");
	return 0;
}

/* Is a variable of `assignment`'s name in the list, with a value or bare? */
static bool has_variable(const struct strv *list, const char *assignment)
{
	size_t n = strcspn(assignment, "=");

	for (size_t i = 0; i < list->n; i++) {
		if (strncmp(list->v[i], assignment, n) == 0 &&
		    (!list->v[i][n] || list->v[i][n] == '='))
			return true;
	}
	return false;
}

static void set_env(struct container_spec *spec, const struct image_config *image)
{
	auto_strv struct strv config = STRV_INIT;

	strv_add_all(&config, &spec->env);
	for (size_t i = 0; i < image->env.n; i++) {
		if (image->env.v[i][0] != '=' && image->env.v[i][0] &&
		    !has_variable(&spec->env, image->env.v[i]))
			strv_add(&config, image->env.v[i]);
	}
	strv_clear(&spec->env);
	strv_add(&spec->env, RUN_PATH_DEFAULT);
	strv_addf(&spec->env, "HOSTNAME=%s", spec->hostname);
	if (spec->tty)
		strv_add(&spec->env, "TERM=xterm");
	for (size_t i = 0; i < config.n; i++) {
		if (strchr(config.v[i], '='))
			strv_env_set(&spec->env, config.v[i]);
		else
			strv_env_unset(&spec->env, config.v[i]);
	}
}

void run_spec_config_env(const struct container_spec *spec, struct strv *ret)
{
	auto_free char *hostname = xasprintf("HOSTNAME=%s", spec->hostname);
	bool seen_hostname = false, seen_term = !spec->tty;

	for (size_t i = 0; i < spec->env.n; i++) {
		const char *entry = spec->env.v[i];

		if (!seen_hostname && strcmp(entry, hostname) == 0)
			seen_hostname = true;
		else if (!seen_term && strcmp(entry, "TERM=xterm") == 0)
			seen_term = true;
		else
			strv_add(ret, entry);
	}
}

static int compare_keys(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	size_t nleft = strcspn(left, "="), nright = strcspn(right, "=");
	int order = memcmp(left, right, nleft < nright ? nleft : nright);

	return order ? order : (nleft > nright) - (nleft < nright);
}

static void set_labels(struct container_spec *spec, const struct image_config *image)
{
	auto_strv struct strv labels = STRV_INIT;

	strv_add_all(&labels, &image->labels);
	for (size_t i = 0; i < spec->labels.n; i++)
		strv_env_set(&labels, spec->labels.v[i]);
	if (labels.n)
		qsort(labels.v, labels.n, sizeof(*labels.v), compare_keys);
	strv_copy(&spec->labels, &labels);
}

int run_spec_image(struct container_spec *spec, const struct image *image, const char *ref,
		   struct err *e)
{
	const struct image_config *config = &image->config;
	char id[ID_TEXT_SIZE], platform[PLATFORM_TEXT_SIZE];

	if (set_args(spec, config, e) < 0 || run_health_image(spec, config->healthcheck, e) < 0)
		return -1;
	run_network_image(spec, &config->exposed_ports);
	strv_copy(&spec->volumes, &config->volumes);
	strv_copy(&spec->shell, &config->shell);
	random_id(id);
	run_text(&spec->id, id);
	if (!*spec->hostname) {
		free(spec->hostname);
		spec->hostname = xstrndup(id, SHORT_ID);
	}
	set_env(spec, config);
	set_labels(spec, config);
	if (!*spec->workdir)
		run_text(&spec->workdir, config->workdir);
	if (!*spec->user)
		run_text(&spec->user, config->user);
	if (!*spec->stop_signal)
		run_text(&spec->stop_signal, config->stop_signal);
	platform_format(&config->platform, platform);
	run_text(&spec->image_ref, ref);
	run_text(&spec->image_id, image->id);
	run_text(&spec->platform, platform);
	run_text(&spec->chain, image->chain);
	strv_copy(&spec->layers, &config->layers);
	return 0;
}
