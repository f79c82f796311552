/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of files: events.log.1, then events.log. When another file has the name of the open one, that is
 * read once more to its end (nobody adds to it after the renaming, engine/eventlog.h), and reading goes on in
 * what is there then: in events.log.1 too, should two renamings have passed unseen. As long as nobody has
 * written anything after a renaming, what was renamed stays open: so it is known as read.
 */
#include "engine/eventread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/eventlog.h"

#define CHUNK	     ((size_t)64 << 10)
#define WATCH_EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_FROM)

struct eventread {
	int dirfd;
	int watch;	 /* -1: not following */
	int older, fd;	 /* `older` is read first; -1: not there */
	struct str text; /* read, from `at` on not yet given */
	size_t at;
	bool skip;	/* up to the next line feed: a line that is too long */
	bool last_look; /* another file has its name: one more read */
	bool waited;	/* nothing more was there at the last call */
};

void logged_event_release(struct logged_event *ev)
{
	free(ev->type);
	free(ev->action);
	free(ev->id);
	strv_release(&ev->attributes);
	*ev = (struct logged_event)LOGGED_EVENT_INIT;
}

const char *logged_event_attribute(const struct logged_event *ev, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ev->attributes.n; i++) {
		const char *text = ev->attributes.v[i];

		if (strncmp(text, name, n) == 0 && text[n] == '=')
			return text + n + 1;
	}
	return NULL;
}

/* ---- files ---- */

static bool same_file(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* 0, with -1 in `ret` when it is not there. */
static int open_named(int dirfd, const char *name, int *ret, struct err *e)
{
	struct err why = ERR_INIT;

	*ret = -1;
	if (fd_open(dirfd, name, O_RDONLY, 0, ret, &why) == 0 || why.kind == ERR_NOT_FOUND)
		return 0;
	*e = why;
	return -1;
}

/* Opens what is there now; `r->fd` was read and is closed. */
static int open_files(struct eventread *r, struct err *e)
{
	auto_close int done = take_fd(&r->fd);

	/* In this order: what is renamed in between is met again as the older one. */
	if (open_named(r->dirfd, EVENTLOG_FILE, &r->fd, e) < 0 ||
	    open_named(r->dirfd, EVENTLOG_OLDER, &r->older, e) < 0)
		return -1;
	if (same_file(r->older, done) || same_file(r->older, r->fd))
		fd_close(take_fd(&r->older));
	/* Renamed, and nothing written since. */
	if (r->fd < 0)
		r->fd = take_fd(&r->older);
	return 0;
}

static bool has_lost_its_name(const struct eventread *r)
{
	struct stat named, open;

	return fstatat(r->dirfd, EVENTLOG_FILE, &named, 0) == 0 &&
	       (fstat(r->fd, &open) < 0 || named.st_dev != open.st_dev ||
		named.st_ino != open.st_ino);
}

/* What is left of a line in a file that is over will never be completed. */
static void drop_text(struct eventread *r)
{
	str_clear(&r->text);
	r->at = 0;
	r->skip = false;
}

/* At the end of the file: 1 when there is more to read elsewhere, else 0. */
static int go_on(struct eventread *r, struct err *e)
{
	if (r->older >= 0) {
		fd_close(take_fd(&r->older));
		drop_text(r);
		return 1;
	}
	if (r->fd < 0)
		return open_files(r, e) < 0 ? -1 : r->fd >= 0;
	if (!has_lost_its_name(r))
		return 0;
	if (!r->last_look) {
		r->last_look = true;
		return 1;
	}
	r->last_look = false;
	drop_text(r);
	return open_files(r, e) < 0 ? -1 : r->fd >= 0;
}

/* ---- lines ---- */

static int by_key(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t nx = strcspn(x, "="), ny = strcspn(y, "=");
	int order = memcmp(x, y, nx < ny ? nx : ny);

	return order ? order : nx < ny ? -1 : nx > ny;
}

static bool parse(const char *line, size_t n, struct logged_event *ret)
{
	static const struct json_field fields[] = {
		JSON_INT("time", true, struct logged_event, time_ns),
		JSON_STR("type", true, struct logged_event, type),
		JSON_STR("action", true, struct logged_event, action),
		JSON_STR("id", true, struct logged_event, id),
		JSON_MAP("attributes", true, struct logged_event, attributes),
		JSON_END,
	};
	struct err ignored = ERR_INIT;

	logged_event_release(ret);
	if (json_read_text(line, n, fields, ret, &ignored) < 0)
		return false;
	if (ret->attributes.n > 1)
		qsort(ret->attributes.v, ret->attributes.n, sizeof(char *), by_key);
	return true;
}

/* The next whole line of what was read; NULL when there is none. */
static const char *next_line(struct eventread *r, size_t *ret_n)
{
	while (r->at < r->text.len) {
		const char *line = r->text.buf + r->at;
		const char *end = memchr(line, '\n', r->text.len - r->at);
		bool skip = r->skip;

		if (!end)
			break;
		r->at += (size_t)(end - line) + 1;
		r->skip = false;
		*ret_n = (size_t)(end - line);
		if (!skip)
			return line;
	}
	str_consume(&r->text, r->at);
	r->at = 0;
	if (r->text.len > EVENTLOG_LINE_MAX) {
		str_clear(&r->text);
		r->skip = true;
	}
	return NULL;
}

/* The number of bytes; 0 at the end. */
static ssize_t read_some(struct eventread *r, struct err *e)
{
	int fd = r->older >= 0 ? r->older : r->fd;
	ssize_t n;
	char *to;

	if (fd < 0)
		return 0;
	to = str_reserve(&r->text, CHUNK);
	n = read(fd, to, CHUNK);
	if (n < 0)
		return err_sys(e, "cannot read the event log");
	str_grow(&r->text, (size_t)n);
	return n;
}

static void drain(int fd)
{
	char buf[4096];

	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
}

int eventread_next(struct eventread *r, struct logged_event *ret, struct err *e)
{
	const char *line;
	ssize_t got;
	size_t n;

	/* Before the file is looked at: what comes after that look wakes again. */
	if (r->waited)
		drain(r->watch);
	r->waited = false;
	for (;;) {
		while ((line = next_line(r, &n))) {
			if (parse(line, n, ret))
				return 1;
		}
		got = read_some(r, e);
		if (got == 0)
			got = go_on(r, e);
		if (got < 0)
			return -1;
		if (got == 0) {
			r->waited = true;
			return 0;
		}
	}
}

/* ---- opening ---- */

static int open_watch(struct eventread *r, struct err *e)
{
	char path[40];

	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->dirfd);
	if (r->watch < 0 || inotify_add_watch(r->watch, path, WATCH_EVENTS) < 0)
		return err_sys(e, "cannot follow the event log");
	return 0;
}

int eventread_open(int dirfd, unsigned int flags, struct eventread **ret, struct err *e)
{
	auto_eventread struct eventread *r = xcalloc(1, sizeof(*r));

	*r = (struct eventread){ .dirfd = dirfd, .watch = -1, .older = -1, .fd = -1 };
	str_init(&r->text, EVENTLOG_LINE_MAX + 2 * CHUNK);
	if (((flags & EVENTREAD_FOLLOW) && open_watch(r, e) < 0) || open_files(r, e) < 0)
		return -1;
	if (!(flags & EVENTREAD_OLD)) {
		fd_close(take_fd(&r->older));
		if (r->fd >= 0 && lseek(r->fd, 0, SEEK_END) < 0)
			return err_sys(e, "cannot read the event log");
	}
	*ret = take_ptr(&r);
	return 0;
}

void eventread_close(struct eventread *r)
{
	if (!r)
		return;
	fd_close(r->watch);
	fd_close(r->older);
	fd_close(r->fd);
	str_release(&r->text);
	free(r);
}

void eventread_close_ptr(struct eventread **r)
{
	eventread_close(*r);
	*r = NULL;
}

int eventread_fd(const struct eventread *r)
{
	return r->watch;
}
