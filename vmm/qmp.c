/* SPDX-License-Identifier: Apache-2.0 */
/* See qmp.h. */
#include "vmm/qmp.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"

#define READ_SIZE 4096
/* The library parses by recursion. */
#define NESTING_MAX 32

void qmp_init(struct qmp *q, int fd)
{
	*q = (struct qmp){ .fd = fd };
	/* A whole line, and what a read that completes it brings of the next ones. */
	str_init(&q->in, QMP_LINE_MAX + READ_SIZE);
}

void qmp_release(struct qmp *q)
{
	fd_close(q->fd);
	q->fd = -1;
	str_release(&q->in);
}

static int write_command(struct qmp *q, const char *command, const char *arguments,
			 struct str *line, struct err *e)
{
	struct json_writer w;

	jw_init(&w, line, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "execute", command);
	jw_int(&w, "id", q->last_id + 1);
	if (arguments)
		jw_raw(&w, "arguments", arguments);
	jw_end(&w);
	str_addc(line, '\n');
	if (line->over)
		return err_set(e, ERR_INVALID, "command '%s' is too long", command);
	return 0;
}

int qmp_send(struct qmp *q, const char *command, const char *arguments, int64_t *ret, struct err *e)
{
	auto_str struct str line = STR_INIT(QMP_LINE_MAX);
	ssize_t n;

	if (write_command(q, command, arguments, &line, e) < 0)
		return -1;
	/* The socket's buffer takes thousands of commands: when it is full QEMU hangs. */
	n = send(q->fd, line.buf, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)line.len) {
		if (n < 0 && errno != EAGAIN)
			err_sys(e, "QEMU does not take the command '%s'", command);
		else
			err_set(e, ERR_UNAVAILABLE, "QEMU does not read the command '%s'", command);
		e->kind = ERR_UNAVAILABLE;
		return -1;
	}
	*ret = ++q->last_id;
	return 0;
}

int qmp_send_fd(struct qmp *q, const char *command, const char *arguments, int fd, int64_t *ret,
		struct err *e)
{
	auto_str struct str line = STR_INIT(QMP_LINE_MAX);

	if (write_command(q, command, arguments, &line, e) < 0)
		return -1;
	if (sock_send_fds(q->fd, line.buf, line.len, &fd, 1, e) < 0) {
		e->kind = ERR_UNAVAILABLE;
		return err_wrap(e, "QEMU does not take a descriptor");
	}
	*ret = ++q->last_id;
	return 0;
}

static bool is_too_deep(const char *line, size_t n)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = line[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > NESTING_MAX)
			return true;
	}
	return false;
}

/* What kind of message the document is; its parts are borrowed from it. */
static int classify(const struct json *j, struct qmp_message *m, struct err *e)
{
	const struct json *error = json_get(j, "error");

	m->id = json_int(json_get(j, "id"), -1);
	m->data = NULL;
	if (json_get(j, "QMP")) {
		m->kind = QMP_GREETING;
	} else if (json_get(j, "event")) {
		m->kind = QMP_EVENT;
		m->name = json_str(json_get(j, "event"));
		m->data = json_get(j, "data");
	} else if (error) {
		m->kind = QMP_ERROR;
		m->name = json_str(json_get(error, "desc"));
	} else if (json_get(j, "return")) {
		m->kind = QMP_REPLY;
		m->data = json_get(j, "return");
		return 0;
	} else {
		return err_set(e, ERR_CORRUPT, "QEMU sent an unknown kind of message");
	}
	if (m->kind != QMP_GREETING && !m->name)
		return err_set(e, ERR_CORRUPT, "QEMU sent a message without its text");
	return 0;
}

int qmp_parse(const char *line, size_t n, struct qmp_message *ret, struct err *e)
{
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;

	if (is_too_deep(line, n))
		return err_set(e, ERR_CORRUPT, "QEMU sent a message that is nested too deeply");
	if (json_parse(line, n, &m.document, e) < 0) {
		e->kind = ERR_CORRUPT;
		return err_wrap(e, "QEMU sent what is not JSON");
	}
	if (!json_is_object(m.document))
		return err_set(e, ERR_CORRUPT, "QEMU sent what is not a message");
	if (classify(m.document, &m, e) < 0)
		return -1;
	*ret = m;
	m.document = NULL;
	return 0;
}

void qmp_message_release(struct qmp_message *m)
{
	json_free(m->document);
	*m = (struct qmp_message)QMP_MESSAGE_INIT;
}

int qmp_fill(struct qmp *q, struct err *e)
{
	char *room;
	ssize_t n;

	str_consume(&q->in, q->used);
	q->used = 0;
	if (q->in.len > QMP_LINE_MAX)
		return err_set(e, ERR_CORRUPT, "QEMU sent a line of more than %zu bytes",
			       QMP_LINE_MAX);
	room = str_reserve(&q->in, READ_SIZE);
	do {
		n = recv(q->fd, room, READ_SIZE, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	/* A reset is what a killed peer with unread commands leaves: the end as well. */
	if (n <= 0)
		return err_set(e, ERR_UNAVAILABLE, "QEMU has closed its control connection");
	str_grow(&q->in, (size_t)n);
	return 1;
}

int qmp_next(struct qmp *q, struct qmp_message *ret, struct err *e)
{
	const char *line, *end;
	size_t n;

	do {
		line = q->in.buf + q->used;
		end = memchr(line, '\n', q->in.len - q->used);
		if (!end)
			return 0;
		n = (size_t)(end - line);
		q->used += n + 1;
		while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
	} while (n == 0);
	return qmp_parse(line, n, ret, e) < 0 ? -1 : 1;
}
