/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/eventlog.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

static void write_line(struct str *line, const char *type, const char *action, const char *id,
		       const struct strv *attributes)
{
	struct json_writer w;

	jw_init(&w, line, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "time", clock_now());
	jw_str(&w, "type", type);
	jw_str(&w, "action", action);
	jw_str(&w, "id", id);
	if (attributes) {
		jw_map(&w, "attributes", attributes);
	} else {
		jw_begin_object(&w, "attributes");
		jw_end(&w);
	}
	jw_end(&w);
	str_addc(line, '\n');
}

void eventlog_add(const struct paths *p, const char *type, const char *action, const char *id,
		  const struct strv *attributes)
{
	auto_str struct str line = STR_INIT(EVENTLOG_LINE_MAX);
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	if (p->root_fd < 0)
		return;
	write_line(&line, type, action, id, attributes);
	if (line.over) {
		str_release(&line);
		str_init(&line, EVENTLOG_LINE_MAX);
		write_line(&line, type, action, id, NULL);
	}
	/* O_APPEND and one write: lines of several writers never mix. */
	if (fd_open(p->root_fd, EVENTLOG_FILE, O_WRONLY | O_APPEND | O_CREAT, 0600, &fd, &e) < 0 ||
	    fd_write_full(fd, line.buf, line.len, &e) < 0)
		log_debug("event %s %s of %.12s is not logged: %s", type, action, id, e.msg);
}
