/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See binary.h. The file "vmm.<driver>" of the run root has one line: format, device, inode, size,
 * modification and change time of the binary, its capabilities, its version. A line that does not match
 * is as good as none.
 */
#include "vmm/binary.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"

#define FORMAT	   1
#define LINE_MAX_  512
#define OUTPUT_MAX 4096
#define ANSWER_NS  ((int64_t)10 * 1000000000)

/* ---- running it ---------------------------------------------------------------------------------- */

/* Reads until the end of the output, or of its patience. */
static int read_output(int fd, const char *path, char *room, struct str *ret, struct err *e)
{
	int64_t deadline = clock_monotonic() + ANSWER_NS, left;
	size_t n = 0;
	ssize_t got = 1;

	while (got != 0 && n < OUTPUT_MAX) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		left = deadline - clock_monotonic();
		if (left <= 0 || poll(&p, 1, (int)(left / 1000000) + 1) == 0)
			return err_set(e, ERR_UNAVAILABLE, "'%s' does not tell its version", path);
		got = read(fd, room + n, OUTPUT_MAX - n);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "cannot read what '%s' says", path);
		n += got > 0 ? (size_t)got : 0;
	}
	str_grow(ret, n);
	return 0;
}

static int wait_for_end(struct proc *child, const char *path, const char *option, struct err *e)
{
	struct pollfd p = { .fd = child->pidfd, .events = POLLIN };
	int status;

	/* It has closed its output, so that it is about to end. */
	if (poll(&p, 1, (int)(ANSWER_NS / 1000000)) <= 0)
		return err_set(e, ERR_UNAVAILABLE, "'%s %s' does not end", path, option);
	if (spawn_wait(child, &status, e) < 0)
		return -1;
	if (status != 0)
		return err_set(e, ERR_UNAVAILABLE, "'%s %s' ended with code %d", path, option,
			       status);
	return 0;
}

int vmm_binary_output(const char *path, const char *option, struct str *ret, struct err *e)
{
	auto_free char *program = xstrdup(path), *word = xstrdup(option);
	char *argv[] = { program, word, NULL };
	struct spawn_fd out = { -1, STDOUT_FILENO };
	const struct spawn s = {
		.path = path, .argv = argv, .fds = &out, .nfds = 1, .cwd = -1, .cgroup = -1
	};
	auto_close int reader = -1, writer = -1;
	struct proc child = PROC_INIT;
	char *room = str_reserve(ret, OUTPUT_MAX);
	int pipe[2], r;

	if (!room)
		return err_set(e, ERR_INVALID, "no room for the output of '%s'", path);
	if (fd_pipe(pipe, e) < 0)
		return -1;
	reader = pipe[0];
	writer = out.from = pipe[1];
	if (spawn_start(&s, &child, e) < 0) {
		if (e->sys == ENOEXEC)
			e->kind = ERR_UNAVAILABLE; /* of another kind of machine */
		return -1;
	}
	fd_close(take_fd(&writer));
	r = read_output(reader, path, room, ret, e);
	if (r == 0) {
		fd_close(take_fd(&reader));
		r = wait_for_end(&child, path, option, e);
	}
	if (r < 0)
		proc_destroy(&child);
	return r;
}

int vmm_binary_set_version(struct vmm_binary *ret, const char *text, unsigned major, unsigned minor,
			   const char *name, struct err *e)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+_~";
	size_t n = strspn(text, allowed), digits = strspn(text, "0123456789");
	char number[2][8] = { "0", "0" };
	unsigned have[2] = { 0, 0 };
	const char *at = text;

	if (digits == 0)
		return err_set(e, ERR_UNAVAILABLE, "%s does not tell its version", name);
	for (int i = 0; i < 2 && digits > 0; i++) {
		uint64_t value = 0;
		struct err ignored = ERR_INIT;

		snprintf(number[i], sizeof(number[i]), "%.*s", digits > 6 ? 6 : (int)digits, at);
		if (parse_u64(number[i], UINT32_MAX, &value, &ignored) == 0)
			have[i] = (unsigned)value;
		at += digits;
		digits = *at == '.' ? strspn(++at, "0123456789") : 0;
	}
	if (n >= sizeof(ret->version))
		n = sizeof(ret->version) - 1;
	memcpy(ret->version, text, n);
	ret->version[n] = '\0';
	if (have[0] < major || (have[0] == major && have[1] < minor))
		return err_set(e, ERR_UNAVAILABLE,
			       "%s %s is too old: %u.%u is the first that will do", name,
			       ret->version, major, minor);
	return 0;
}

/* ---- remembering --------------------------------------------------------------------------------- */

static void identify(const struct stat *st, struct str *ret)
{
	str_addf(ret, "%d %ju %ju %jd %jd.%ld %jd.%ld ", FORMAT, (uintmax_t)st->st_dev,
		 (uintmax_t)st->st_ino, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
		 st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool recall(const struct str *key, int run_fd, const char *name, struct vmm_binary *ret)
{
	auto_str struct str text = STR_INIT(LINE_MAX_);
	struct err ignored = ERR_INIT;
	char caps[24];
	const char *at;
	uint64_t value;
	size_t n;

	if (run_fd < 0 || file_read(run_fd, name, &text, &ignored) < 0 ||
	    !str_has_prefix(text.buf, key->buf))
		return false;
	at = text.buf + key->len;
	n = strcspn(at, " ");
	if (at[n] != ' ' || n >= sizeof(caps))
		return false;
	memcpy(caps, at, n);
	caps[n] = '\0';
	at += n + 1;
	n = strcspn(at, "\n");
	if (parse_u64(caps, UINT32_MAX, &value, &ignored) < 0 || n == 0 ||
	    n >= sizeof(ret->version))
		return false;
	ret->caps = (unsigned)value;
	memcpy(ret->version, at, n);
	ret->version[n] = '\0';
	return true;
}

int vmm_binary_examine(const struct vmm_driver *d, const char *path, int run_fd,
		       struct vmm_binary *ret, struct err *e)
{
	auto_free char *name = xasprintf("vmm.%s", d->name);
	auto_str struct str line = STR_INIT(LINE_MAX_);
	struct vmm_binary found = { "", d->caps };
	struct err ignored = ERR_INIT;
	struct stat st;

	if (!d->examine) {
		*ret = found;
		return 0;
	}
	if (stat(path, &st) < 0)
		return err_sys(e, "cannot find '%s'", path);
	identify(&st, &line);
	if (recall(&line, run_fd, name, ret))
		return 0;
	if (d->examine(path, &found, e) < 0)
		return err_wrap(e, "'%s' cannot be used", path);
	*ret = found;
	str_addf(&line, "%u %s\n", found.caps, found.version);
	/* A run root that cannot be written is somebody else's error to report. */
	if (run_fd >= 0 && file_write_replace(run_fd, name, line.buf, line.len, 0644, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return 0;
}
