/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it works. The files are read oldest first in blocks, and those line by line: inside a record
 * there is no newline, JSON escapes it (logrecord.c). The last lines are found by counting newlines
 * backward, block by block, without parsing.
 *
 * Following, the folder is watched with inotify. When log.json is another file than the one that
 * is open, it was rotated: the old one is read to its end, then the new one from its beginning.
 */
#include "engine/logread.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/logfile.h"
#include "engine/logrecord.h"

#define BLOCK_SIZE \
	(256u * 1024) /* and the longest line that is read; a record has 100 KiB at most */
#define FILES_MAX    1000u
#define WATCH_EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF)

struct reader {
	const struct logread *r;
	struct log_parser *parser;
	int fd;	       /* the file being read, -1: none */
	bool skipping; /* inside a line that is too long */
	bool ended;    /* `until` was passed */
	struct err *e;

	size_t n; /* bytes in buf */
	char buf[BLOCK_SIZE];
};

/* ---- records --------------------------------------------------------------------------------- */

static int deliver(struct reader *rd, struct log_record *record)
{
	const struct logread *r = rd->r;
	struct err ignored = ERR_INIT;

	if ((r->since || r->until) && clock_parse(record->time, &record->time_ns, &ignored) < 0)
		return 0;
	if (r->since && record->time_ns < r->since)
		return 0;
	if (r->until && record->time_ns > r->until) {
		rd->ended = true;
		return 0;
	}
	return r->record(r->ctx, record, rd->e);
}

/* Complete lines; what they are in is overwritten. */
static int parse_lines(struct reader *rd, char *p, size_t n)
{
	struct log_record record;

	while (n > 0 && !rd->ended) {
		size_t line = (size_t)((char *)memchr(p, '\n', n) + 1 - p);

		if (log_parser_line(rd->parser, p, line, &record) && deliver(rd, &record) < 0)
			return -1;
		p += line;
		n -= line;
	}
	return 0;
}

/* ---- a file ---------------------------------------------------------------------------------- */

/* Takes the complete lines out of the buffer. */
static int use_buffer(struct reader *rd)
{
	char *last = memrchr(rd->buf, '\n', rd->n);
	char *from = rd->buf;
	size_t n;

	if (!last) {
		if (rd->n == BLOCK_SIZE) {
			rd->skipping = true;
			rd->n = 0;
		}
		return 0;
	}
	n = (size_t)(last + 1 - rd->buf);
	if (rd->skipping) {
		from = memchr(rd->buf, '\n', n);
		from++;
		rd->skipping = false;
	}
	if (parse_lines(rd, from, n - (size_t)(from - rd->buf)) < 0)
		return -1;
	memmove(rd->buf, rd->buf + n, rd->n - n);
	rd->n -= n;
	return 0;
}

/* To the present end of the file. */
static int read_on(struct reader *rd)
{
	struct stat st;
	ssize_t k;

	if (rd->fd < 0)
		return 0;
	/* Emptied under our hands (rotation without a second file): from its beginning. */
	if (fstat(rd->fd, &st) == 0 && st.st_size < lseek(rd->fd, 0, SEEK_CUR)) {
		if (lseek(rd->fd, 0, SEEK_SET) < 0)
			return err_sys(rd->e, "cannot read the log");
		rd->n = 0;
	}
	while (!rd->ended) {
		k = read(rd->fd, rd->buf + rd->n, BLOCK_SIZE - rd->n);
		if (k < 0)
			return err_sys(rd->e, "cannot read the log");
		if (k == 0)
			break;
		rd->n += (size_t)k;
		if (use_buffer(rd) < 0)
			return -1;
	}
	return 0;
}

static int open_file(struct reader *rd, const char *name, off_t from)
{
	struct err why = ERR_INIT;
	int fd;

	fd_close(rd->fd);
	rd->fd = -1;
	rd->n = 0;
	rd->skipping = false;
	if (fd_open(rd->r->dirfd, name, O_RDONLY | O_NOCTTY, 0, &fd, &why) < 0)
		return why.kind == ERR_NOT_FOUND ? 0 : err_move(rd->e, &why);
	rd->fd = fd;
	if (from > 0 && lseek(fd, from, SEEK_SET) < 0)
		return err_sys(rd->e, "cannot read the log");
	return 0;
}

/* ---- the last lines -------------------------------------------------------------------------- */

static void file_name(unsigned i, char ret[32])
{
	if (i == 0)
		snprintf(ret, 32, LOGFILE_NAME);
	else
		snprintf(ret, 32, LOGFILE_NAME ".%u", i);
}

/* How many rotated files there are. */
static unsigned count_rotated(int dirfd)
{
	char name[32];
	unsigned n = 0;

	do
		file_name(++n, name);
	while (n < FILES_MAX && file_exists(dirfd, name));
	return n - 1;
}

/*
 * Where the last `*lines` lines of the file begin; 0 when it has fewer. *lines is less by what
 * the file has. An unfinished last line is none.
 */
static int find_tail(struct reader *rd, int fd, int64_t *lines, off_t *ret)
{
	uint64_t size;
	off_t at;
	ssize_t n;
	int64_t found = 0;

	if (fd_size(fd, &size, rd->e) < 0)
		return -1;
	for (at = (off_t)size; at > 0;) {
		size_t want = at < (off_t)BLOCK_SIZE ? (size_t)at : BLOCK_SIZE;
		const char *nl;

		at -= (off_t)want;
		n = fd_pread_full(fd, rd->buf, want, at, rd->e);
		if (n < 0)
			return -1;
		while (n > 0 && (nl = memrchr(rd->buf, '\n', (size_t)n))) {
			/* The newline before the first of the lines that are wanted. */
			if (found++ == *lines) {
				*lines = 0;
				*ret = at + (nl + 1 - rd->buf);
				return 0;
			}
			n = nl - rd->buf;
		}
	}
	*lines -= found;
	*ret = 0;
	return 0;
}

/* The file to begin with (0 is log.json) and the place in it. */
static int find_start(struct reader *rd, unsigned rotated, unsigned *ret_file, off_t *ret_at)
{
	int64_t lines = rd->r->tail;
	unsigned i;

	*ret_file = rotated;
	*ret_at = 0;
	if (lines < 0)
		return 0;
	for (i = 0; i <= rotated; i++) {
		char name[32];

		file_name(i, name);
		if (open_file(rd, name, 0) < 0)
			return -1;
		if (rd->fd < 0)
			continue;
		if (find_tail(rd, rd->fd, &lines, ret_at) < 0)
			return -1;
		*ret_file = i;
		if (lines <= 0)
			return 0;
	}
	return 0;
}

static int read_present(struct reader *rd)
{
	unsigned i;
	off_t at;

	if (find_start(rd, count_rotated(rd->r->dirfd), &i, &at) < 0)
		return -1;
	for (;; i--) {
		char name[32];

		file_name(i, name);
		if (open_file(rd, name, at) < 0 || read_on(rd) < 0)
			return -1;
		at = 0;
		if (i == 0)
			return 0;
	}
}

/* ---- following ------------------------------------------------------------------------------- */

static int is_idle(struct reader *rd)
{
	return rd->r->idle ? rd->r->idle(rd->r->ctx, rd->e) : 0;
}

/* What has come, in the open file and in one that has taken its name. */
static int read_more(struct reader *rd)
{
	struct stat now, open;

	if (read_on(rd) < 0)
		return -1;
	if (fstatat(rd->r->dirfd, LOGFILE_NAME, &now, 0) < 0 ||
	    (rd->fd >= 0 && fstat(rd->fd, &open) == 0 && now.st_ino == open.st_ino))
		return is_idle(rd);
	if (read_on(rd) < 0 || open_file(rd, LOGFILE_NAME, 0) < 0 || read_on(rd) < 0)
		return -1;
	return is_idle(rd);
}

static int open_watch(struct reader *rd, int *ret)
{
	auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", rd->r->dirfd);
	if (fd < 0 || inotify_add_watch(fd, path, WATCH_EVENTS) < 0)
		return err_sys(rd->e, "cannot follow the log");
	*ret = take_fd(&fd);
	return 0;
}

/* Milliseconds until `until`, -1 when there is none. */
static int time_left(const struct logread *r)
{
	int64_t left;

	if (!r->until)
		return -1;
	left = (r->until - clock_now()) / 1000000 + 1;
	return left < 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}

static int follow(struct reader *rd, int watch)
{
	const struct logread *r = rd->r;
	char events[4096];
	bool last = false;
	ssize_t n;

	for (;;) {
		struct pollfd fds[] = {
			{ watch, POLLIN, 0 },
			{ r->end_fd, POLLIN, 0 },
			{ r->event ? r->event_fd : -1, POLLIN, 0 },
		};

		if (read_more(rd) < 0)
			return -1;
		if (last || rd->ended || (r->until && clock_now() > r->until))
			return 0;
		if (poll(fds, ARRAY_LEN(fds), time_left(r)) < 0 && errno != EINTR)
			return err_sys(rd->e, "cannot follow the log");
		if (fds[0].revents)
			do
				n = read(watch, events, sizeof(events));
			while (n > 0);
		if (fds[2].revents && r->event(r->ctx, rd->e) < 0)
			return -1;
		last = fds[1].revents != 0; /* the log is complete then: once more */
	}
}

int logread_run(const struct logread *r, struct err *e)
{
	auto_free struct reader *rd = xreallocarray(NULL, 1, sizeof(*rd));
	auto_close int watch = -1;
	int result;

	memset(rd, 0, offsetof(struct reader, buf));
	rd->r = r;
	rd->e = e;
	rd->fd = -1;
	rd->parser = log_parser_new();
	/* The watch comes first, so that nothing falls between reading and waiting. */
	result = r->follow ? open_watch(rd, &watch) : 0;
	if (result == 0)
		result = read_present(rd);
	if (result == 0)
		result = r->follow ? follow(rd, watch) : is_idle(rd);
	log_parser_free(rd->parser);
	fd_close(rd->fd);
	return result;
}
