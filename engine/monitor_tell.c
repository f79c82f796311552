/* SPDX-License-Identifier: Apache-2.0 */
/* Events that the monitor is the one to tell: what happens to a container that runs. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/eventlog.h"
#include "engine/monitor_priv.h"

#define TEXT_MAX ((size_t)16 << 10)

void monitor_tell(struct monitor *m, const char *action, const struct strv *extra)
{
	const struct event_container c = { m->id, m->spec.name, m->spec.image_ref,
					   &m->spec.labels };

	eventlog_add_container(&m->paths, &c, action, extra);
}

void monitor_tell_one(struct monitor *m, const char *action, const char *fmt, ...)
{
	auto_strv struct strv extra = STRV_INIT;
	auto_str struct str text = STR_INIT(TEXT_MAX);
	va_list args;

	va_start(args, fmt);
	str_addv(&text, fmt, args);
	va_end(args);
	strv_add(&extra, text.buf);
	monitor_tell(m, action, &extra);
}

void monitor_tell_exec(struct monitor *m, const char *action, const struct process *p)
{
	bool ended = str_eq(action, "exec_die");
	auto_free char *full = ended ? NULL : xasprintf("%s: %s", action, p->command);
	auto_strv struct strv extra = STRV_INIT;

	strv_addf(&extra, "execID=%s", p->exec_id);
	if (ended)
		strv_addf(&extra, "exitCode=%d", p->code);
	monitor_tell(m, full ? full : action, &extra);
}

void monitor_tell_die(struct monitor *m)
{
	auto_strv struct strv extra = STRV_INIT;
	int64_t duration = m->state.finished_at - m->state.started_at;

	if (m->told_die)
		return;
	m->told_die = true;
	strv_addf(&extra, "execDuration=%lld", (long long)(duration / MONITOR_SECOND));
	strv_addf(&extra, "exitCode=%lld", (long long)m->state.exit_code);
	monitor_tell(m, "die", &extra);
}
