/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of inspect's JSON, as Go writes them. For inspect_*.c. */
#ifndef KVBOX_CMD_INSPECT_PART_H
#define KVBOX_CMD_INSPECT_PART_H

#include <stdint.h>

#include "base/json.h"
#include "engine/spec.h"

/* RFC 3339; 0 is Go's time zero. */
void part_time(struct json_writer *w, const char *key, int64_t ns);
/* null when there is nothing in it. */
void part_list(struct json_writer *w, const char *key, const struct strv *list);
/* Left out when there is nothing in it. */
void part_map_if_any(struct json_writer *w, const char *key, const struct strv *map);
void part_empty_object(struct json_writer *w, const char *key);
void part_empty_array(struct json_writer *w, const char *key);
/* {"80/tcp": {}}, or null */
void part_set(struct json_writer *w, const char *key, const struct strv *names);

/* The member HostConfig (inspect_host.c). */
void inspect_host_config(struct json_writer *w, const struct container_spec *spec);

#endif
