/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `logs --details` puts before each line: the labels and variables of the container that --log-opt
 * labels, labels-regex, env, env-regex and tag have chosen, as Docker's json-file driver does. They do not
 * change while the container lives, so they are not in the log but made out of the definition.
 */
#ifndef KVBOX_CMD_LOG_DETAILS_H
#define KVBOX_CMD_LOG_DETAILS_H

#include "engine/spec.h"

/* Appends "key=value,key=value " in the keys' order, escaped as in a URL; only a blank when there are none. */
int log_details(const struct container_spec *spec, struct str *out, struct err *e) MUST_CHECK;

#endif
