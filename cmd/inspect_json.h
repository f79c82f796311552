/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and images as JSON objects in the shape of Docker's inspect. Pure. */
#ifndef KVBOX_CMD_INSPECT_JSON_H
#define KVBOX_CMD_INSPECT_JSON_H

#include <stdint.h>

#include "base/json.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/spec.h"

struct inspect_container {
	const struct container *row;
	const struct container_spec *spec;
	const char *log_path;
	int64_t pid; /* of the VMM; 0: does not run */
};

/* Each writes one object as an entry of the open array. */
void inspect_container_json(struct json_writer *w, const struct inspect_container *c);
void inspect_image_json(struct json_writer *w, const struct image *image);

#endif
