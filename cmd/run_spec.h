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
 * Pure but for the files that options name. Two steps, so that a wrong option is refused before anything
 * is pulled.
 */
#ifndef KVBOX_CMD_RUN_SPEC_H
#define KVBOX_CMD_RUN_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/image.h"
#include "engine/spec.h"

struct run_args {
	/* of both verbs */
	struct strv attach, env, env_files, labels, label_files;
	const char *cidfile, *entrypoint, *hostname, *name, *network, *platform, *pull,
		*stop_signal, *user, *workdir;
	bool interactive, quiet, rm, tty;
	int64_t memory, nano_cpus;
	struct opt_int stop_timeout;
	/* of run alone */
	bool detach, sig_proxy;
	const char *detach_keys, *trace;
};

#define RUN_PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * Everything that needs no image. `command` are the words after the image. `ret` is initialised; its
 * entrypoint, cmd, env and labels hold what was asked for only. Errors are for cmd_refuse.
 */
int run_spec_options(const struct run_args *a, const struct operands *command,
		     struct container_spec *ret, struct err *e) MUST_CHECK;
/*
 * Gives the container an id, and completes the definition from the image (`ref` as the user wrote it).
 * Errors are for cmd_fail.
 */
int run_spec_image(struct container_spec *spec, const struct image *image, const char *ref,
		   struct err *e) MUST_CHECK;

/* The container's environment without what run_spec_image put first by itself: inspect's Config.Env. */
void run_spec_config_env(const struct container_spec *spec, struct strv *ret);

#endif
