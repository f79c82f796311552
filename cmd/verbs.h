/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All verbs: under which names they are called ("ps", "container ls", ...).
 *
 * One table, from which the dispatcher, --help, completions and manual pages take the names. The first
 * entry of a verb that has no family is the name it goes by; entries of a family are its long forms.
 */
#ifndef KVBOX_CMD_VERBS_H
#define KVBOX_CMD_VERBS_H

#include "cmd/opt.h"

struct verb_family {
	const char *name; /* NULL ends the table */
	const char *summary;
};
extern const struct verb_family verb_families[];

struct verb_entry {
	const char *family; /* NULL: stands at the top */
	const char *name;   /* NULL ends the table */
	const struct verb *verb;
	bool common; /* listed first in kvbox --help */
};
extern const struct verb_entry verb_entries[];

const struct verb_family *verb_family_find(const char *name);
/* `family` may be NULL. */
const struct verb_entry *verb_entry_find(const char *family, const char *name);

extern const struct verb verb_container_prune, verb_events, verb_history, verb_image_prune;
extern const struct verb verb_template, verb_attach, verb_check, verb_create, verb_exec,
	verb_images, verb_info, verb_inspect, verb_image_inspect, verb_container_inspect, verb_kill,
	verb_load, verb_logs, verb_pause, verb_ps, verb_pull, verb_rename, verb_restart, verb_rm,
	verb_rmi, verb_run, verb_start, verb_stats, verb_stop, verb_top, verb_tag, verb_unpause,
	verb_version, verb_wait;

#endif
