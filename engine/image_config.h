/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration document of an image (OCI image configuration, Docker's is the same): what a
 * container inherits from it and which layers it stands on.
 *
 * The document comes from a registry or an archive, so it is hostile: its size and its number of
 * layers are limited, and every diff id is a valid digest afterwards.
 */
#ifndef KVBOX_ENGINE_IMAGE_CONFIG_H
#define KVBOX_ENGINE_IMAGE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "registry/platform.h"

#define IMAGE_CONFIG_MAX ((size_t)8 << 20) /* bytes */
#define IMAGE_LAYERS_MAX 127u		   /* as Docker's */

struct image_config {
	struct platform platform;
	int64_t created; /* ns of the epoch, 0: not said */
	char *author;
	struct strv env; /* NAME=VALUE, in order */
	struct strv entrypoint;
	struct strv cmd;
	struct strv shell;
	struct strv onbuild;
	char *workdir; /* never NULL, "" when not said; so are user and stop_signal */
	char *user;
	char *stop_signal;
	struct strv labels;	   /* key=value, in order */
	struct strv exposed_ports; /* "80/tcp" */
	struct strv volumes;	   /* "/data" */
	char *healthcheck;	   /* JSON text as it came, or NULL */
	char *history;		   /* JSON text of the array, or NULL */
	struct strv layers;	   /* diff ids, bottom first; at least one */
};

void image_config_init(struct image_config *c);
void image_config_release(struct image_config *c);
#define auto_image_config __attribute__((cleanup(image_config_release)))

/* `ret` is initialised or holds an earlier one, which is released. ERR_CORRUPT when it makes no
 * sense. */
int image_config_parse(const char *text, size_t n, struct image_config *ret,
		       struct err *e) MUST_CHECK;

#endif
