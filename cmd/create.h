/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container for `create` and `run`: options, image (pulled when it is missing), definition, row
 * and disk. The option table of both verbs is here.
 */
#ifndef KVBOX_CMD_CREATE_H
#define KVBOX_CMD_CREATE_H

#include "cmd/cmd.h"
#include "cmd/env.h"
#include "cmd/run_spec.h"
#include "cmd/signals.h"
#include "engine/container.h"
#include "vmm/select.h"

/* The options that create and run share. Sizes and texts as in struct run_args. */
#define CREATE_OPTS                                                                               \
	OPT_LIST('a', "attach", struct run_args, attach, "list",                                  \
		 "Attach to STDIN, STDOUT or STDERR", COMP_NONE, .check = run_spec_stream),       \
		OPT_STR(0, "cidfile", struct run_args, cidfile, "string",                         \
			"Write the container's ID to this file", COMP_FILE),                      \
		OPT_STR(0, "entrypoint", struct run_args, entrypoint, "string",                   \
			"Program to run instead of the image's entrypoint", COMP_NONE),           \
		OPT_LIST('e', "env", struct run_args, env, "list", "Set an environment variable", \
			 COMP_NONE, .check = env_check),                                          \
		OPT_LIST(0, "env-file", struct run_args, env_files, "list",                       \
			 "Set environment variables from the lines of a file", COMP_FILE),        \
		OPT_BOOL('i', "interactive", struct run_args, interactive,                        \
			 "Keep STDIN open, also when not attached"),                              \
		OPT_LIST('l', "label", struct run_args, labels, "list",                           \
			 "Set a label on the container", COMP_NONE, .check = env_check_label),    \
		OPT_LIST(0, "label-file", struct run_args, label_files, "list",                   \
			 "Set labels from the lines of a file", COMP_FILE),                       \
		OPT_STR(0, "name", struct run_args, name, "string", "The container's name",       \
			COMP_NONE),                                                               \
		OPT_STR(0, "platform", struct run_args, platform, "string",                       \
			"Which platform's image to take (os/arch)", COMP_NONE),                   \
		OPT_STR(0, "pull", struct run_args, pull, "string",                               \
			"When to pull the image: always, missing or never", COMP_NONE,            \
			.value = "missing"),                                                      \
		OPT_BOOL('q', "quiet", struct run_args, quiet,                                    \
			 "Do not show the progress of a pull"),                                   \
		OPT_BOOL(0, "rm", struct run_args, rm, "Remove the container when it has ended"), \
		OPT_STR(0, "stop-signal", struct run_args, stop_signal, "string",                 \
			"Signal that asks the container to end", COMP_SIGNAL),                    \
		OPT_INT(0, "stop-timeout", struct run_args, stop_timeout, "int",                  \
			"Seconds until a container that is stopped is killed", COMP_NONE),        \
		OPT_BOOL('t', "tty", struct run_args, tty, "Give the container a terminal"),      \
		OPT_STR('u', "user", struct run_args, user, "string",                             \
			"User to run as: <name|uid>[:<group|gid>]", COMP_NONE),                   \
		OPT_STR(0, "vmm", struct run_args, vmm, "string",                                 \
			"What runs the virtual machine: auto, cloud-hypervisor or qemu",          \
			COMP_NONE, .check = vmm_name_check),                                      \
		OPT_STR('w', "workdir", struct run_args, workdir, "string", "Folder to start in", \
			COMP_NONE),                                                               \
		RUN_LIMITS_OPTS(struct run_args, limits),                                         \
		RUN_SECURITY_OPTS(struct run_args, security),                                     \
		RUN_HOST_OPTS(struct run_args, host), RUN_FILES_OPTS(struct run_args, files),     \
		RUN_NETWORK_OPTS(struct run_args, network),                                       \
		RUN_POLICY_OPTS(struct run_args, policy), RUN_HEALTH_OPTS(struct run_args, health)

/*
 * Of what the options say all that needs no image goes into `ret` (initialised). `operands` are the image
 * and the command. Returns 0, or the exit code after having told why.
 */
int create_options(struct cmd *c, const struct run_args *a, const struct operands *operands,
		   struct container_spec *ret);
/*
 * Makes the container after create_options, from the image `ref`. The store is opened. Returns as above.
 * `signals` are watched while an image is pulled (they are open). `lock` may be NULL, see container_create.
 */
int create_container(struct cmd *c, const struct run_args *a, const char *ref,
		     const struct signals *signals, struct container_spec *ret,
		     struct container_lock *lock);

#endif
