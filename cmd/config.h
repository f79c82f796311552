/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user has settled once for all commands, in Docker's config.json: in the folder that --config or
 * DOCKER_CONFIG names, else in ~/.docker. (Passwords of registries are in the same file; registry/auth.h
 * reads them for itself.)
 *
 * The file is read when the first setting is asked for, once a command. A damaged one is told in Docker's
 * words, "WARNING: Error parsing config file (...)", and counts as empty.
 */
#ifndef KVBOX_CMD_CONFIG_H
#define KVBOX_CMD_CONFIG_H

#include "cmd/cmd.h"

/* Each is NULL when it is not given or empty, and belongs to the command. */
const char *config_detach_keys(struct cmd *c);
const char *config_ps_format(struct cmd *c);
const char *config_images_format(struct cmd *c);
const char *config_stats_format(struct cmd *c);
/* kvbox's own key, "kvboxVmm": which VMM runs new containers where neither --vmm nor KVBOX_VMM says. */
const char *config_vmm(struct cmd *c);

/* For cmd_release; takes NULL. */
struct config;
void config_free(struct config *config);

#endif
