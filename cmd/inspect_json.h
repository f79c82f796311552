/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and images as JSON objects in the shape of Docker 28's inspect. Pure. */
#ifndef KVBOX_CMD_INSPECT_JSON_H
#define KVBOX_CMD_INSPECT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/spec.h"
#include "engine/state.h"

/* What stands for Docker's storage driver. */
#define INSPECT_DRIVER "erofs"

struct inspect_container {
	const struct container *row;
	const struct container_spec *spec;
	const char *log_path, *disk_path;
	const struct vmstate *vm; /* NULL: does not run */
	bool size;		  /* --size: the next two are shown */
	int64_t size_rw, size_root;
};

/* Each writes one object as an entry of the open array. */
void inspect_container_json(struct json_writer *w, const struct inspect_container *c);
void inspect_image_json(struct json_writer *w, const struct image *image); /* inspect_image.c */

#endif
