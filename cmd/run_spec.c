/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_spec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "cmd/env.h"
#include "engine/signame.h"
#include "registry/platform.h"

#define HOSTNAME_MAX  64
#define SHORT_ID      12
#define MEMORY_MIN    (INT64_C(6) << 20)
#define NANO_CPUS_MIN INT64_C(10000000)

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

/* Which streams are attached; `-a` wins over the rule that run attaches to all but an unused stdin. */
static int set_attach(const struct run_args *a, struct container_spec *spec, struct err *e)
{
	if (a->attach.n && a->detach)
		return err_set(e, ERR_INVALID,
			       "conflicting options: cannot specify both --attach and --detach");
	for (size_t i = 0; i < a->attach.n; i++) {
		const char *name = a->attach.v[i];

		if (strcasecmp(name, "stdin") == 0)
			spec->attach_stdin = true;
		else if (strcasecmp(name, "stdout") == 0)
			spec->attach_stdout = true;
		else if (strcasecmp(name, "stderr") == 0)
			spec->attach_stderr = true;
		else
			return err_set(e, ERR_INVALID,
				       "invalid argument \"%.100s\": valid streams are STDIN, "
				       "STDOUT and STDERR",
				       name);
	}
	if (a->attach.n == 0 && !a->detach) {
		spec->attach_stdout = spec->attach_stderr = true;
		spec->attach_stdin = a->interactive;
	}
	spec->open_stdin = a->interactive;
	spec->stdin_once = a->interactive && spec->attach_stdin;
	spec->tty = a->tty;
	return 0;
}

static int check_limits(const struct run_args *a, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int ignored;

	if (a->memory && a->memory < MEMORY_MIN)
		return err_set(e, ERR_INVALID, "Minimum memory limit allowed is 6MB");
	if (a->nano_cpus &&
	    (a->nano_cpus < NANO_CPUS_MIN || a->nano_cpus > cpus * INT64_C(1000000000)))
		return err_set(e, ERR_INVALID,
			       "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs "
			       "available",
			       cpus, cpus);
	if (a->hostname && strlen(a->hostname) > HOSTNAME_MAX)
		return err_set(e, ERR_INVALID, "invalid hostname '%.100s': longer than %d bytes",
			       a->hostname, HOSTNAME_MAX);
	if (a->workdir && *a->workdir && *a->workdir != '/')
		return err_set(e, ERR_INVALID,
			       "the working directory '%.200s' is invalid, it needs to be an "
			       "absolute path",
			       a->workdir);
	if (a->network && strcmp(a->network, "none") != 0)
		return err_set(e, ERR_INVALID,
			       "network '%.100s' cannot be had: this version of kvbox has only "
			       "--network none",
			       a->network);
	if (a->stop_signal && *a->stop_signal && signame_parse(a->stop_signal, &ignored, e) < 0)
		return -1;
	return 0;
}

int run_spec_options(const struct run_args *a, const struct operands *command,
		     struct container_spec *ret, struct err *e)
{
	if (check_limits(a, e) < 0 || set_attach(a, ret, e) < 0 ||
	    env_collect(&a->env_files, &a->env, &ret->env, e) < 0 ||
	    env_collect_labels(&a->label_files, &a->labels, &ret->labels, e) < 0)
		return -1;
	if (a->entrypoint)
		strv_add(&ret->entrypoint, a->entrypoint);
	for (int i = 0; i < command->n; i++)
		strv_add(&ret->cmd, command->v[i]);
	set_text(&ret->name, a->name ? a->name : "");
	set_text(&ret->hostname, a->hostname ? a->hostname : "");
	set_text(&ret->user, a->user ? a->user : "");
	set_text(&ret->workdir, a->workdir ? a->workdir : "");
	set_text(&ret->stop_signal, a->stop_signal ? a->stop_signal : "");
	if (a->stop_timeout.set)
		ret->stop_timeout = a->stop_timeout.v < -1 ? -1 : a->stop_timeout.v;
	ret->auto_remove = a->rm;
	ret->memory = a->memory;
	ret->nano_cpus = a->nano_cpus;
	return 0;
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
		if (!has_variable(&spec->env, image->env.v[i]))
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

	if (set_args(spec, config, e) < 0)
		return -1;
	random_id(id);
	set_text(&spec->id, id);
	if (!*spec->hostname) {
		free(spec->hostname);
		spec->hostname = xstrndup(id, SHORT_ID);
	}
	set_env(spec, config);
	set_labels(spec, config);
	if (!*spec->workdir)
		set_text(&spec->workdir, config->workdir);
	if (!*spec->user)
		set_text(&spec->user, config->user);
	if (!*spec->stop_signal)
		set_text(&spec->stop_signal, config->stop_signal);
	platform_format(&config->platform, platform);
	set_text(&spec->image_ref, ref);
	set_text(&spec->image_id, image->id);
	set_text(&spec->platform, platform);
	set_text(&spec->chain, image->chain);
	strv_copy(&spec->layers, &config->layers);
	return 0;
}
