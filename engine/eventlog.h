/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.log: append-only, one JSON object a line, written by commands and monitors alike with
 * one write each, so lines never mix. Best effort: an event that cannot be written stops nobody.
 *
 *	{"time":ns,"type":"container","action":"start","id":"...","attributes":{"name":"x"}}
 */
#ifndef KVBOX_ENGINE_EVENTLOG_H
#define KVBOX_ENGINE_EVENTLOG_H

#include "base/err.h"
#include "base/strv.h"
#include "engine/paths.h"

#define EVENTLOG_FILE	  "events.log"
#define EVENTLOG_LINE_MAX ((size_t)64 << 10)

/* `attributes` (key=value) may be NULL. A line that would be too long is written without them. */
void eventlog_add(const struct paths *p, const char *type, const char *action, const char *id,
		  const struct strv *attributes);

#endif
