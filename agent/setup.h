/* SPDX-License-Identifier: Apache-2.0 */
/* The two requests that carry settings, as structs: container.setup and process.start. */
#ifndef KVBOX_AGENT_SETUP_H
#define KVBOX_AGENT_SETUP_H

#include "agent/container.h"
#include "agent/process.h"
#include "proto/message.h"

/* ERR_INVALID with the name of the member. `ret` is zeroed by the caller, who releases it in any case. */
int setup_read(const struct message *m, struct container_setup *ret, struct err *e) MUST_CHECK;
/* Likewise; *container, too, is the caller's in any case. */
int setup_read_process(const struct message *m, struct process_spec *ret, char **container,
		       struct err *e) MUST_CHECK;

int setup_check_range(const char *name, int64_t value, int64_t min, int64_t max,
		      struct err *e) MUST_CHECK;

/* The largest number of rows or columns of a terminal. */
#define SETUP_CELLS_MAX 65535

#endif
