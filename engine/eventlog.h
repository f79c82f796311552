/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.log: append-only, one JSON object a line, written by commands and monitors alike with one write
 * each, so lines never mix. Best effort: an event that cannot be written stops nobody.
 *
 *	{"time":ns,"type":"container","action":"start","id":"...","attributes":{"name":"x"}}
 *
 * It stays bounded: a file that has grown past EVENTLOG_SIZE_MAX is renamed to events.log.1, in place of
 * the one before. Writers hold the file's lock shared from looking whether it still has its name until
 * they have written; who renames holds it exclusively. So nothing is ever added to a file that was
 * renamed, and a reader (engine/eventread.h) who has read such a file to its end has seen all of it.
 */
#ifndef KVBOX_ENGINE_EVENTLOG_H
#define KVBOX_ENGINE_EVENTLOG_H

#include "base/err.h"
#include "base/strv.h"
#include "engine/paths.h"

#define EVENTLOG_FILE	  "events.log"
#define EVENTLOG_OLDER	  "events.log.1"
#define EVENTLOG_LINE_MAX ((size_t)64 << 10)
#define EVENTLOG_SIZE_MAX ((uint64_t)4 << 20)

/* `attributes` (key=value; the first of a key counts) may be NULL. A line that would be too long is
 * written without them. */
void eventlog_add(const struct paths *p, const char *type, const char *action, const char *id,
		  const struct strv *attributes);

/* What every event of a container tells beside the action; texts may be NULL. */
struct event_container {
	const char *id, *name, *image; /* as the user wrote the image */
	const struct strv *labels;     /* or NULL */
};
/* `extra` (exitCode, signal, execID, oldName ...) may be NULL; it wins over a label of that name, as do
 * "image" and "name". */
void eventlog_add_container(const struct paths *p, const struct event_container *c,
			    const char *action, const struct strv *extra);

#endif
