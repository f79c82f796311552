/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/eventlog.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

/* How often a writer looks again when the file was renamed under its hands. */
#define OPEN_TRIES 8

static bool has_key_before(const struct strv *map, size_t at, size_t n)
{
	for (size_t i = 0; i < at; i++) {
		if (strncmp(map->v[i], map->v[at], n) == 0 && map->v[i][n] == '=')
			return true;
	}
	return false;
}

static void write_attributes(struct json_writer *w, const struct strv *attributes)
{
	auto_strv struct strv unique = STRV_INIT;

	for (size_t i = 0; attributes && i < attributes->n; i++) {
		const char *text = attributes->v[i];

		if (!has_key_before(attributes, i, strcspn(text, "=")))
			strv_add(&unique, text);
	}
	jw_map(w, "attributes", &unique);
}

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
	write_attributes(&w, attributes);
	jw_end(&w);
	str_addc(line, '\n');
}

/* Whether the open file is the one that has the name still, and its size. */
static bool is_current(int dirfd, int fd, uint64_t *ret_size)
{
	struct stat ours, named;

	if (fstat(fd, &ours) < 0 || fstatat(dirfd, EVENTLOG_FILE, &named, 0) < 0 ||
	    ours.st_dev != named.st_dev || ours.st_ino != named.st_ino)
		return false;
	*ret_size = (uint64_t)ours.st_size;
	return true;
}

static int open_log(int dirfd, int *ret, struct err *e)
{
	/* read as well, for a shared lock wants it */
	return fd_open(dirfd, EVENTLOG_FILE, O_RDWR | O_APPEND | O_CREAT, 0600, ret, e);
}

/* Opens the log and locks it so that it keeps its name. With others that write, its size is one that it had. */
static int open_current(int dirfd, enum lock_kind kind, int *ret, uint64_t *ret_size, struct err *e)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		auto_close int fd = -1;

		if (open_log(dirfd, &fd, e) < 0 || fd_lock(fd, kind, true, e) < 0)
			return -1;
		if (is_current(dirfd, fd, ret_size)) {
			*ret = take_fd(&fd);
			return 0;
		}
	}
	return err_set(e, ERR_UNAVAILABLE, "it is renamed all the time");
}

/* While others write nothing is done: whoever writes next tries again. */
static int rotate(int dirfd, struct err *e)
{
	auto_close int fd = -1;
	uint64_t size;
	int r;

	if (open_log(dirfd, &fd, e) < 0)
		return -1;
	r = fd_lock(fd, LOCK_EXCLUSIVE, false, e);
	if (r <= 0)
		return r;
	/* Else somebody was quicker. */
	if (!is_current(dirfd, fd, &size) || size < EVENTLOG_SIZE_MAX)
		return 0;
	return file_rename(dirfd, EVENTLOG_FILE, dirfd, EVENTLOG_OLDER, e);
}

/* The last writer got less than its line to the disk, which was full or lost power. Or it is not done yet:
 * that is only known without others. */
static bool is_torn(int fd, uint64_t size)
{
	struct err ignored = ERR_INIT;
	char last;

	return size > 0 && fd_pread_full(fd, &last, 1, (off_t)size - 1, &ignored) == 1 &&
	       last != '\n';
}

/* Behind half a line a new one begins: its event is lost, the next is not. */
static int mend(int dirfd, int *fd, struct err *e)
{
	uint64_t size;

	fd_close(take_fd(fd));
	if (open_current(dirfd, LOCK_EXCLUSIVE, fd, &size, e) < 0)
		return -1;
	return is_torn(*fd, size) ? fd_write_full(*fd, "\n", 1, e) : 0;
}

static int append(int dirfd, const struct str *line, bool *ret_full, struct err *e)
{
	auto_close int fd = -1;
	uint64_t size;

	if (open_current(dirfd, LOCK_SHARED, &fd, &size, e) < 0 ||
	    (is_torn(fd, size) && mend(dirfd, &fd, e) < 0) ||
	    fd_write_full(fd, line->buf, line->len, e) < 0)
		return -1;
	*ret_full = size + line->len >= EVENTLOG_SIZE_MAX;
	return 0;
}

void eventlog_add(const struct paths *p, const char *type, const char *action, const char *id,
		  const struct strv *attributes)
{
	auto_str struct str line = STR_INIT(EVENTLOG_LINE_MAX);
	struct err e = ERR_INIT;
	bool full = false;

	if (p->root_fd < 0)
		return;
	write_line(&line, type, action, id, attributes);
	if (line.over) {
		str_release(&line);
		str_init(&line, EVENTLOG_LINE_MAX);
		write_line(&line, type, action, id, NULL);
	}
	if (append(p->root_fd, &line, &full, &e) < 0 || (full && rotate(p->root_fd, &e) < 0))
		log_debug("event %s %s of %.12s is not logged: %s", type, action, id, e.msg);
}

void eventlog_add_container(const struct paths *p, const struct event_container *c,
			    const char *action, const struct strv *extra)
{
	auto_strv struct strv attributes = STRV_INIT;

	strv_addf(&attributes, "image=%s", c->image ? c->image : "");
	strv_addf(&attributes, "name=%s", c->name ? c->name : "");
	if (extra)
		strv_add_all(&attributes, extra);
	if (c->labels)
		strv_add_all(&attributes, c->labels);
	eventlog_add(p, "container", action, c->id, &attributes);
}
