/* SPDX-License-Identifier: Apache-2.0 */
/* What `ps --filter` asks of a container's definition, which is read only for these questions. */
#ifndef KVBOX_ENGINE_CONTAINER_MATCH_H
#define KVBOX_ENGINE_CONTAINER_MATCH_H

#include "engine/container.h"

/* Refuses values that make no sense, in Docker's words. */
int container_match_check(const struct container_filter *f, struct err *e) MUST_CHECK;
/* True when one of those questions is asked. */
bool container_match_needs_spec(const struct container_filter *f);
bool container_match_spec(const struct container_filter *f, const struct container_spec *spec);

#endif
