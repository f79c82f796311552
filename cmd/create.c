/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cidfile.h"
#include "cmd/config.h"
#include "cmd/progress.h"
#include "cmd/run_part.h"
#include "cmd/verbs.h"
#include "registry/platform.h"
#include "registry/reference.h"

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

static int pull_policy_parse(const char *text, enum pull_policy *ret, struct err *e)
{
	if (strcmp(text, "missing") == 0 || !*text)
		*ret = PULL_MISSING;
	else if (strcmp(text, "always") == 0)
		*ret = PULL_ALWAYS;
	else if (strcmp(text, "never") == 0)
		*ret = PULL_NEVER;
	else
		return err_set(e, ERR_INVALID,
			       "invalid pull option: '%.100s': must be one of \"always\", "
			       "\"missing\" or \"never\"",
			       text);
	return 0;
}

/* --platform, or what the environment has instead; NULL: any. */
static const char *wanted_platform(const struct run_args *a)
{
	const char *platform = a->platform ? a->platform : getenv("DOCKER_DEFAULT_PLATFORM");

	return platform && *platform ? platform : NULL;
}

static int pull(struct cmd *c, const struct run_args *a, const char *ref,
		const struct signals *signals, struct image *ret, struct err *e)
{
	const struct image_pull_args args = { .ref = ref, .platform = wanted_platform(a) };
	auto_progress struct progress progress;
	struct image_listener listener = { a->quiet ? NULL : progress_show, &progress,
					   signals->fd };

	progress_init(&progress, stderr);
	return image_pull(c->store, &args, &listener, ret, e);
}

/* Does the image suit --platform (or, without it, anything)? */
static bool suits(const struct run_args *a, const struct image *image)
{
	struct platform want = PLATFORM_INIT;
	struct err ignored = ERR_INIT;

	if (!wanted_platform(a) || platform_parse(wanted_platform(a), &want, &ignored) < 0)
		return true;
	return platform_match(&want, &image->config.platform) > 0;
}

/* "debian:latest" for "debian", as Docker's messages name it; the caller frees. */
static char *full_name(const char *ref)
{
	auto_reference struct reference r = REFERENCE_INIT;
	struct err ignored = ERR_INIT;

	if (reference_parse(ref, &r, &ignored) < 0)
		return xstrdup(ref);
	reference_default_tag(&r);
	return reference_familiar(&r);
}

static int find_image(struct cmd *c, const struct run_args *a, const char *ref,
		      const struct signals *signals, struct image *ret, struct err *e)
{
	enum pull_policy policy = PULL_MISSING;
	auto_free char *name = NULL;

	if (pull_policy_parse(a->pull, &policy, e) < 0)
		return -1;
	if (policy == PULL_ALWAYS)
		return pull(c, a, ref, signals, ret, e);
	if (image_find(c->store, ref, ret, e) == 0) {
		if (suits(a, ret))
			return 0;
		image_release(ret);
		image_init(ret);
		(void)err_set(e, ERR_NOT_FOUND,
			      "image '%.200s' is there, but not for platform %.60s", ref,
			      wanted_platform(a));
	}
	if (e->kind != ERR_NOT_FOUND || policy == PULL_NEVER)
		return -1;
	err_clear(e);
	name = full_name(ref);
	fprintf(stderr, "Unable to find image '%s' locally\n", name);
	return pull(c, a, ref, signals, ret, e);
}

static void warn_platform(const struct run_args *a, const struct image *image)
{
	char has[PLATFORM_TEXT_SIZE], host_text[PLATFORM_TEXT_SIZE];
	struct platform host = PLATFORM_INIT;

	platform_host(&host);
	if (wanted_platform(a) || platform_match(&host, &image->config.platform) > 0)
		return;
	platform_format(&image->config.platform, has);
	platform_format(&host, host_text);
	fprintf(stderr,
		"WARNING: The requested image's platform (%s) does not match the detected host "
		"platform (%s) "
		"and no specific platform was requested\n",
		has, host_text);
}

/* A name that cannot be one; ids are left to the store. */
static int check_reference(const char *ref, struct err *e)
{
	auto_reference struct reference r = REFERENCE_INIT;

	if (str_has_prefix(ref, "sha256:") || (*ref && hex_is(ref, strlen(ref))))
		return 0;
	return reference_parse(ref, &r, e);
}

static int check_platform(const struct run_args *a, struct err *e)
{
	struct platform ignored = PLATFORM_INIT;

	if (wanted_platform(a) && platform_parse(wanted_platform(a), &ignored, e) < 0)
		return err_wrap(e, "error parsing specified platform");
	return 0;
}

/* The image, the rest of the definition, and the container. */
static int create_from(struct cmd *c, const struct run_args *a, const char *ref,
		       const struct signals *signals, struct container_spec *ret,
		       struct container_lock *lock)
{
	auto_image struct image image;
	struct err e = ERR_INIT;

	image_init(&image);
	if (find_image(c, a, ref, signals, &image, &e) < 0) {
		int sig = e.kind == ERR_CANCELLED ? signals_next(signals) : 0;

		return sig ? cmd_interrupted(c, sig) : cmd_fail(c, &e);
	}
	warn_platform(a, &image);
	if (run_spec_image(ret, &image, ref, &e) < 0 ||
	    container_create(c->store, ret, lock, &e) < 0)
		return cmd_fail(c, &e);
	return 0;
}

/* The config file's VMM, where neither option nor variable names one. */
static int default_vmm(struct cmd *c, struct container_spec *spec, struct err *e)
{
	const char *set = getenv("KVBOX_VMM"), *vmm;

	if (*spec->vmm || (set && *set))
		return 0;
	vmm = config_vmm(c);
	if (!vmm)
		return 0;
	if (vmm_name_check(vmm, e) < 0)
		return err_wrap(e, "\"kvboxVmm\" of the config file");
	run_text(&spec->vmm, vmm);
	return 0;
}

int create_options(struct cmd *c, const struct run_args *a, const struct operands *operands,
		   struct container_spec *ret)
{
	const struct operands command = { operands->v + 1, operands->n - 1 };
	struct err e = ERR_INIT;
	enum pull_policy ignored;

	if (pull_policy_parse(a->pull, &ignored, &e) < 0 || check_platform(a, &e) < 0 ||
	    check_reference(operands->v[0], &e) < 0 || run_spec_options(a, &command, ret, &e) < 0)
		return cmd_refuse(c, &e);
	return 0;
}

int create_container(struct cmd *c, const struct run_args *a, const char *ref,
		     const struct signals *signals, struct container_spec *ret,
		     struct container_lock *lock)
{
	auto_cidfile struct cidfile cidfile = CIDFILE_INIT;
	auto_strv struct strv warnings = STRV_INIT;
	struct err e = ERR_INIT;
	int code;

	if (default_vmm(c, ret, &e) < 0)
		return cmd_fail(c, &e);
	if (cidfile_open(&cidfile, a->cidfile, &e) < 0)
		return cmd_fail_here(c, &e);
	if (run_spec_check(a, ret, &warnings, &e) < 0)
		return cmd_fail(c, &e);
	code = create_from(c, a, ref, signals, ret, lock);
	if (code)
		return code;
	for (size_t i = 0; i < warnings.n; i++)
		fprintf(stderr, "WARNING: %s\n", warnings.v[i]);
	if (cidfile_write(&cidfile, ret->id, &e) < 0)
		return cmd_fail_here(c, &e);
	cidfile_keep(&cidfile);
	return 0;
}

static int create_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_spec struct container_spec spec;
	auto_signals struct signals signals = SIGNALS_INIT;
	struct err e = ERR_INIT;
	int code;

	spec_init(&spec);
	code = create_options(c, args, operands, &spec);
	if (code)
		return code;
	if (signals_open(&signals, SIGNALS_ENDING, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	code = create_container(c, args, operands->v[0], &signals, &spec, NULL);
	if (code == 0)
		printf("%s\n", spec.id);
	return code;
}

static const struct opt create_opts[] = { CREATE_OPTS, OPT_END };

const struct verb verb_create = {
	.name = "create",
	.operands = "IMAGE [COMMAND] [ARG...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Create a container without starting it",
	.opts = create_opts,
	.argsize = sizeof(struct run_args),
	.stop_at_operand = true,
	.comp = COMP_IMAGE,
	.main = create_main,
	.refuse_code = EXIT_DOCKER,
};
