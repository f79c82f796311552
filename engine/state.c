/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* Five outputs of a health check, each byte of them an escape in an escape, and the rest. */
#define VMSTATE_TEXT_MAX ((size_t)256 << 10)
/* The last state, with a health that has been cut down. */
#define SPARE_SIZE 8192

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
	JSON_BOOL("keep", false, struct document, s.keep),
	JSON_INT("restart_count", false, struct document, s.restart_count),
	JSON_STR("health", false, struct document, s.health),
	JSON_STR("error", false, struct document, s.error),
	JSON_STR("driver", false, struct document, s.driver),
	JSON_STR("accel", false, struct document, s.accel),
	JSON_STR("accel_reason", false, struct document, s.accel_reason),
	JSON_STR("confinement", false, struct document, s.confinement),
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
	free(s->confinement);
	*s = (struct vmstate)VMSTATE_INIT;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Who reads it takes what is not there as empty. */
static void add_text(struct json_writer *w, const char *key, const char *text)
{
	if (text && *text)
		jw_str(w, key, text);
}

static int write_text(const struct vmstate *s, const char *health, struct str *text, struct err *e)
{
	struct json_writer w;

	jw_init(&w, text, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "format", VMSTATE_FORMAT);
	jw_str(&w, "state", phase_name[s->phase]);
	jw_int(&w, "pid", s->pid);
	jw_int(&w, "pid_start", s->pid_start);
	jw_int(&w, "vmm_pid", s->vmm_pid);
	jw_int(&w, "vmm_start", s->vmm_start);
	add_text(&w, "cgroup", s->cgroup);
	jw_int(&w, "started_at", s->started_at);
	jw_int(&w, "finished_at", s->finished_at);
	jw_int(&w, "exit_code", s->exit_code);
	jw_bool(&w, "oom", s->oom);
	jw_bool(&w, "keep", s->keep);
	jw_int(&w, "restart_count", s->restart_count);
	add_text(&w, "health", health);
	add_text(&w, "error", s->error);
	add_text(&w, "driver", s->driver);
	add_text(&w, "accel", s->accel);
	add_text(&w, "accel_reason", s->accel_reason);
	add_text(&w, "confinement", s->confinement);
	jw_end(&w);
	str_addc(text, '\n');
	if (text->over)
		return err_set(e, ERR_INVALID, "%s would be too long", VMSTATE_FILE);
	return 0;
}

int vmstate_write(int dirfd, const struct vmstate *s, struct err *e)
{
	auto_str struct str text = STR_INIT(VMSTATE_TEXT_MAX);

	if (write_text(s, or_empty(s->health), &text, e) < 0)
		return -1;
	return file_write_replace(dirfd, VMSTATE_FILE, text.buf, text.len, 0600, e);
}

int vmstate_reserve(int dirfd, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (fd_open(dirfd, VMSTATE_SPARE, O_WRONLY | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	r = fault("state.reserve") ? ENOSPC : posix_fallocate(fd, 0, SPARE_SIZE);
	if (r == 0)
		return 0;
	errno = r;
	return err_sys(e, "cannot reserve space in the run folder");
}

/* What of the health fits surely: the status, without the log. */
static const char *health_head(const char *health)
{
	static const char *const words[] = { "starting", "healthy", "unhealthy" };
	static const char *const texts[] = {
		"{\"Status\":\"starting\",\"FailingStreak\":0,\"Log\":[]}",
		"{\"Status\":\"healthy\",\"FailingStreak\":0,\"Log\":[]}",
		"{\"Status\":\"unhealthy\",\"FailingStreak\":0,\"Log\":[]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char want[40];

		snprintf(want, sizeof(want), "{\"Status\":\"%s\"", words[i]);
		if (str_has_prefix(health, want))
			return texts[i];
	}
	return "";
}

/* The place is there already: no block is needed for this, and none for the new name. */
static int write_spare(int dirfd, const struct vmstate *s, struct err *e)
{
	auto_str struct str text = STR_INIT(SPARE_SIZE);
	auto_close int fd = -1;

	if (write_text(s, health_head(or_empty(s->health)), &text, e) < 0 ||
	    fd_open(dirfd, VMSTATE_SPARE, O_WRONLY, 0, &fd, e) < 0 ||
	    fd_pwrite_full(fd, text.buf, text.len, 0, e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)text.len) < 0 ||
	    renameat(dirfd, VMSTATE_SPARE, dirfd, VMSTATE_FILE) < 0)
		return err_sys(e, "cannot write '%s'", VMSTATE_FILE);
	return 0;
}

int vmstate_write_last(int dirfd, const struct vmstate *s, struct err *e)
{
	struct err why = ERR_INIT;

	if (vmstate_write(dirfd, s, &why) == 0)
		return 0;
	log_debug("%s", why.msg);
	return write_spare(dirfd, s, e);
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
	fill(&doc.s.confinement);
	*ret = doc.s;
	return 0;
}
