/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/verbs.h"

#include <string.h>

#include "base/str.h"

const struct verb_family verb_families[] = {
	{ "container", "Manage containers" },
	{ "image", "Manage images" },
	{ "system", "Look after kvbox itself" },
	{ NULL, NULL },
};

const struct verb_entry verb_entries[] = {
	{ NULL, "run", &verb_run, true },
	{ NULL, "exec", &verb_exec, true },
	{ NULL, "ps", &verb_ps, true },
	{ NULL, "pull", &verb_pull, true },
	{ NULL, "images", &verb_images, true },
	{ NULL, "version", &verb_version, true },
	{ NULL, "info", &verb_info, true },
	{ NULL, "attach", &verb_attach, false },
	{ NULL, "create", &verb_create, false },
	{ NULL, "events", &verb_events, false },
	{ NULL, "history", &verb_history, false },
	{ NULL, "inspect", &verb_inspect, false },
	{ NULL, "kill", &verb_kill, false },
	{ NULL, "load", &verb_load, false },
	{ NULL, "logs", &verb_logs, false },
	{ NULL, "pause", &verb_pause, false },
	{ NULL, "rename", &verb_rename, false },
	{ NULL, "restart", &verb_restart, false },
	{ NULL, "rm", &verb_rm, false },
	{ NULL, "rmi", &verb_rmi, false },
	{ NULL, "start", &verb_start, false },
	{ NULL, "stats", &verb_stats, false },
	{ NULL, "stop", &verb_stop, false },
	{ NULL, "tag", &verb_tag, false },
	{ NULL, "top", &verb_top, false },
	{ NULL, "unpause", &verb_unpause, false },
	{ NULL, "wait", &verb_wait, false },
	{ "container", "attach", &verb_attach, false },
	{ "container", "create", &verb_create, false },
	{ "container", "exec", &verb_exec, false },
	{ "container", "inspect", &verb_container_inspect, false },
	{ "container", "kill", &verb_kill, false },
	{ "container", "logs", &verb_logs, false },
	{ "container", "ls", &verb_ps, false },
	{ "container", "list", &verb_ps, false },
	{ "container", "ps", &verb_ps, false },
	{ "container", "pause", &verb_pause, false },
	{ "container", "rename", &verb_rename, false },
	{ "container", "restart", &verb_restart, false },
	{ "container", "prune", &verb_container_prune, false },
	{ "container", "rm", &verb_rm, false },
	{ "container", "remove", &verb_rm, false },
	{ "container", "run", &verb_run, false },
	{ "container", "start", &verb_start, false },
	{ "container", "stats", &verb_stats, false },
	{ "container", "stop", &verb_stop, false },
	{ "container", "top", &verb_top, false },
	{ "container", "unpause", &verb_unpause, false },
	{ "container", "wait", &verb_wait, false },
	{ "image", "history", &verb_history, false },
	{ "image", "inspect", &verb_image_inspect, false },
	{ "image", "load", &verb_load, false },
	{ "image", "ls", &verb_images, false },
	{ "image", "list", &verb_images, false },
	{ "image", "prune", &verb_image_prune, false },
	{ "image", "pull", &verb_pull, false },
	{ "image", "rm", &verb_rmi, false },
	{ "image", "remove", &verb_rmi, false },
	{ "image", "tag", &verb_tag, false },
	{ "system", "check", &verb_check, false },
	{ "system", "template", &verb_template, false },
	{ "system", "events", &verb_events, false },
	{ "system", "info", &verb_info, false },
	{ NULL, NULL, NULL, false },
};

const struct verb_family *verb_family_find(const char *name)
{
	for (const struct verb_family *f = verb_families; f->name; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

const struct verb_entry *verb_entry_find(const char *family, const char *name)
{
	for (const struct verb_entry *entry = verb_entries; entry->name; entry++) {
		if (str_eq(entry->family, family) && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}
