/* SPDX-License-Identifier: Apache-2.0 */
/* What `info` says about how VMMs are locked up here. */
#ifndef KVBOX_CMD_INFO_CONFINEMENT_H
#define KVBOX_CMD_INFO_CONFINEMENT_H

#include "base/json.h"

/* Both try it (vmm/confine_check.h), which takes 2 ms: one of them a command. */
void info_confinement_print(void);
/* The member "VmmConfinement" of the object that is open. */
void info_confinement_write(struct json_writer *w);

#endif
