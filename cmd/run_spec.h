/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the options of `run` and `create` and the image's configuration to the definition of a container,
 * by Docker's rules:
 *
 *	arguments	--entrypoint replaces the image's ENTRYPOINT and drops its CMD (an empty one leaves no
 *			entrypoint); words after the image replace CMD
 *	environment	PATH, HOSTNAME and, with a terminal, TERM; then --env-file, -e, then what else the
 *			image sets; a bare name takes a variable away
 *	labels		the image's, --label-file and -l over them
 *	the rest	the option, else what the image says
 *
 * Pure but for the files that options name. In steps, so that a wrong option is refused before anything
 * is pulled. What belongs together is in parts of its own (run_part.h).
 */
#ifndef KVBOX_CMD_RUN_SPEC_H
#define KVBOX_CMD_RUN_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "cmd/run_files.h"
#include "cmd/run_health.h"
#include "cmd/run_host.h"
#include "cmd/run_limits.h"
#include "cmd/run_network.h"
#include "cmd/run_policy.h"
#include "cmd/run_security.h"
#include "engine/image.h"
#include "engine/spec.h"

struct run_args {
	/* of both verbs */
	struct strv attach, env, env_files, labels, label_files;
	const char *cidfile, *entrypoint, *name, *platform, *pull, *stop_signal, *user, *workdir;
	const char *vmm; /* kvbox's own */
	bool interactive, quiet, rm, tty;
	struct opt_int stop_timeout;
	struct run_limits limits;
	struct run_security security;
	struct run_host host;
	struct run_files files;
	struct run_network network;
	struct run_policy policy;
	struct run_health health;
	/* of run alone */
	bool detach, sig_proxy;
	const char *detach_keys, *trace;
};

#define RUN_PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* For the table: the value of -a. */
int run_spec_stream(const char *text, struct err *e) MUST_CHECK;

/*
 * Everything that needs no image. `command` are the words after the image. `ret` is initialised; its
 * entrypoint, cmd, env and labels hold what was asked for only. Errors are for cmd_refuse.
 */
int run_spec_options(const struct run_args *a, const struct operands *command,
		     struct container_spec *ret, struct err *e) MUST_CHECK;
/*
 * What the engine would not do, before it is asked to. Settings that have no effect are taken out of the
 * definition and told in `warnings`, one line each. Errors are for cmd_fail.
 */
int run_spec_check(const struct run_args *a, struct container_spec *spec, struct strv *warnings,
		   struct err *e) MUST_CHECK;
/*
 * Gives the container an id, and completes the definition from the image (`ref` as the user wrote it).
 * Errors are for cmd_fail.
 */
int run_spec_image(struct container_spec *spec, const struct image *image, const char *ref,
		   struct err *e) MUST_CHECK;

/* The container's environment without what run_spec_image put first by itself: inspect's Config.Env. */
void run_spec_config_env(const struct container_spec *spec, struct strv *ret);

#endif
