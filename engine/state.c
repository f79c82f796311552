/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define VMSTATE_TEXT_MAX ((size_t)64 << 10)

static const char *const phase_name[] = {
	[VM_STARTING] = "starting", [VM_RUNNING] = "running",	    [VM_PAUSED] = "paused",
	[VM_STOPPING] = "stopping", [VM_RESTARTING] = "restarting", [VM_EXITED] = "exited",
};
_Static_assert(ARRAY_LEN(phase_name) == VM_PHASE_COUNT, "phase_name[] does not match its enum");

/* As it is read: JSON knows no enums. */
struct document {
	int64_t format;
	char *phase;
	struct vmstate s;
};

static const struct json_field fields[] = {
	JSON_INT("format", true, struct document, format),
	JSON_STR("state", true, struct document, phase),
	JSON_INT("pid", true, struct document, s.pid),
	JSON_INT("pid_start", true, struct document, s.pid_start),
	JSON_INT("vmm_pid", false, struct document, s.vmm_pid),
	JSON_INT("vmm_start", false, struct document, s.vmm_start),
	JSON_STR("cgroup", false, struct document, s.cgroup),
	JSON_INT("started_at", false, struct document, s.started_at),
	JSON_INT("finished_at", false, struct document, s.finished_at),
	JSON_INT("exit_code", false, struct document, s.exit_code),
	JSON_BOOL("oom", false, struct document, s.oom),
	JSON_INT("restart_count", false, struct document, s.restart_count),
	JSON_STR("health", false, struct document, s.health),
	JSON_STR("error", false, struct document, s.error),
	JSON_STR("driver", false, struct document, s.driver),
	JSON_STR("accel", false, struct document, s.accel),
	JSON_STR("accel_reason", false, struct document, s.accel_reason),
	JSON_END,
};

void vmstate_release(struct vmstate *s)
{
	free(s->cgroup);
	free(s->error);
	free(s->health);
	free(s->driver);
	free(s->accel);
	free(s->accel_reason);
	*s = (struct vmstate)VMSTATE_INIT;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

int vmstate_write(int dirfd, const struct vmstate *s, struct err *e)
{
	auto_str struct str text = STR_INIT(VMSTATE_TEXT_MAX);
	struct json_writer w;

	jw_init(&w, &text, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "format", VMSTATE_FORMAT);
	jw_str(&w, "state", phase_name[s->phase]);
	jw_int(&w, "pid", s->pid);
	jw_int(&w, "pid_start", s->pid_start);
	jw_int(&w, "vmm_pid", s->vmm_pid);
	jw_int(&w, "vmm_start", s->vmm_start);
	jw_str(&w, "cgroup", or_empty(s->cgroup));
	jw_int(&w, "started_at", s->started_at);
	jw_int(&w, "finished_at", s->finished_at);
	jw_int(&w, "exit_code", s->exit_code);
	jw_bool(&w, "oom", s->oom);
	jw_int(&w, "restart_count", s->restart_count);
	jw_str(&w, "health", or_empty(s->health));
	jw_str(&w, "error", or_empty(s->error));
	jw_str(&w, "driver", or_empty(s->driver));
	jw_str(&w, "accel", or_empty(s->accel));
	jw_str(&w, "accel_reason", or_empty(s->accel_reason));
	jw_end(&w);
	str_addc(&text, '\n');
	if (text.over)
		return err_set(e, ERR_INVALID, "%s would be too long", VMSTATE_FILE);
	return file_write_replace(dirfd, VMSTATE_FILE, text.buf, text.len, 0600, e);
}

static int phase_parse(const char *text, enum vmstate_phase *ret, struct err *e)
{
	for (size_t i = 0; i < VM_PHASE_COUNT; i++) {
		if (str_eq(text, phase_name[i])) {
			*ret = (enum vmstate_phase)i;
			return 0;
		}
	}
	return err_set(e, ERR_CORRUPT, "unknown state '%.40s'", text);
}

static void fill(char **text)
{
	if (!*text)
		*text = xstrdup("");
}

static int read_document(const struct str *text, struct document *doc, struct err *e)
{
	if (json_read_text(text->buf, text->len, fields, doc, e) < 0) {
		e->kind = ERR_CORRUPT;
		return -1;
	}
	if (doc->format != VMSTATE_FORMAT)
		return err_set(e, ERR_CORRUPT, "format %lld is not known", (long long)doc->format);
	return phase_parse(doc->phase, &doc->s.phase, e);
}

int vmstate_read(int dirfd, struct vmstate *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(VMSTATE_TEXT_MAX);
	struct document doc = { 0 };
	int r;

	if (file_read(dirfd, VMSTATE_FILE, &text, e) < 0)
		return -1;
	r = read_document(&text, &doc, e);
	free(doc.phase);
	if (r < 0) {
		vmstate_release(&doc.s);
		return err_wrap(e, "%s is damaged", VMSTATE_FILE);
	}
	fill(&doc.s.cgroup);
	fill(&doc.s.error);
	fill(&doc.s.health);
	fill(&doc.s.driver);
	fill(&doc.s.accel);
	fill(&doc.s.accel_reason);
	*ret = doc.s;
	return 0;
}
