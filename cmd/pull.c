/* SPDX-License-Identifier: Apache-2.0 */
/* pull and load: images from elsewhere. */
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/env.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "cmd/verbs.h"
#include "engine/image.h"
#include "registry/reference.h"

/* Ctrl-C is no engine's error. */
static int failed(struct cmd *c, const struct signals *signals, const struct err *e)
{
	int sig = e->kind == ERR_CANCELLED ? signals_next(signals) : 0;

	return sig ? cmd_interrupted(c, sig) : cmd_fail(c, e);
}

/* ---- pull ---- */

struct pull_args {
	bool quiet;
	const char *platform;
};

static int pull_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct pull_args *a = args;
	const struct image_pull_args pull = { .ref = operands->v[0], .platform = a->platform };
	auto_reference struct reference reference = REFERENCE_INIT;
	auto_signals struct signals signals = SIGNALS_INIT;
	auto_progress struct progress progress;
	struct image_listener listener = IMAGE_LISTENER_INIT;
	auto_free char *name = NULL;
	struct err e = ERR_INIT;

	progress_init(&progress, stdout);
	if (reference_parse(pull.ref, &reference, &e) < 0)
		return cmd_refuse(c, &e);
	if (reference_default_tag(&reference) && !a->quiet)
		printf("Using default tag: %s\n", reference.tag);
	fflush(stdout);
	if (signals_open(&signals, SIGNALS_ENDING, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	listener = (struct image_listener){ a->quiet ? NULL : progress_show, &progress,
					    signals.fd };
	if (image_pull(c->store, &pull, &listener, NULL, &e) < 0)
		return failed(c, &signals, &e);
	name = reference_text(&reference);
	printf("%s\n", name);
	return 0;
}

static const struct opt pull_opts[] = {
	OPT_STR(0, "platform", struct pull_args, platform, "string",
		"Which platform's image to take (os/arch)", COMP_NONE),
	OPT_BOOL('q', "quiet", struct pull_args, quiet, "Only print the image's name"), OPT_END
};

const struct verb verb_pull = {
	.name = "pull",
	.operands = "NAME[:TAG|@DIGEST]",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Get an image from a registry",
	.opts = pull_opts,
	.argsize = sizeof(struct pull_args),
	.comp = COMP_IMAGE,
	.main = pull_main,
};

/* ---- load ---- */

struct load_args {
	bool quiet;
	const char *input;
};

static int load_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct load_args *a = args;
	const bool given = a->input && *a->input;
	auto_signals struct signals signals = SIGNALS_INIT;
	struct image_listener listener = { progress_status, stdout, -1 };
	auto_close int fd = -1;
	struct err e = ERR_INIT, ignored = ERR_INIT;

	(void)operands;
	if (given && fd_open(AT_FDCWD, a->input, O_RDONLY, 0, &fd, &ignored) < 0) {
		(void)env_open_failed(a->input, ignored.sys, &e);
		return cmd_refuse(c, &e);
	}
	if (!given && isatty(0)) {
		(void)err_set(&e, ERR_INVALID, "requested load from stdin, but stdin is empty");
		return cmd_refuse(c, &e);
	}
	if (signals_open(&signals, SIGNALS_ENDING, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	listener.cancel_fd = signals.fd;
	if (image_load(c->store, given ? fd : 0, &listener, &e) < 0)
		return failed(c, &signals, &e);
	return 0;
}

static const struct opt load_opts[] = {
	OPT_STR('i', "input", struct load_args, input, "string",
		"Read this archive instead of STDIN", COMP_FILE),
	OPT_BOOL('q', "quiet", struct load_args, quiet, "Do not show the progress"), OPT_END
};

const struct verb verb_load = {
	.name = "load",
	.max_operands = 0,
	.summary = "Get images out of an archive",
	.opts = load_opts,
	.argsize = sizeof(struct load_args),
	.main = load_main,
};
