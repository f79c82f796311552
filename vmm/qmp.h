/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's machine protocol: JSON objects, one a line, over a connected non-blocking socket.
 *
 * Nothing waits: commands are written at once (the capabilities handshake included, before QEMU has said
 * anything; it reads them when it gets there), answers and events are taken as they come. QEMU counts as
 * hostile once a guest runs in it: a line is limited, nesting too, and what does not look like the
 * protocol ends the connection.
 */
#ifndef KVBOX_VMM_QMP_H
#define KVBOX_VMM_QMP_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

/* Far more than any event or answer that is used here. */
#define QMP_LINE_MAX ((size_t)64 << 10)

enum qmp_kind {
	QMP_GREETING,
	QMP_REPLY, /* `id`, `data` = what is returned */
	QMP_ERROR, /* `id` (-1: none), `name` = the description */
	QMP_EVENT, /* `name`, `data` (may be NULL) */
	QMP_KIND_COUNT,
};

struct qmp_message {
	enum qmp_kind kind;
	int64_t id;
	const char *name;
	const struct json *data;
	struct json *document; /* owns the above */
};
#define QMP_MESSAGE_INIT                           \
	{                                          \
		QMP_GREETING, -1, NULL, NULL, NULL \
	}

struct qmp {
	int fd; /* owned */
	int64_t last_id;
	size_t used; /* bytes of `in` that were returned already */
	struct str in;
};

/* Takes the descriptor. */
void qmp_init(struct qmp *q, int fd);
void qmp_release(struct qmp *q);

/* Sends a command and returns its id (1, 2, ...) in *ret. `arguments` is a JSON object or NULL. A peer that
 * reads nothing is an error (ERR_UNAVAILABLE) and never a wait. */
int qmp_send(struct qmp *q, const char *command, const char *arguments, int64_t *ret,
	     struct err *e) MUST_CHECK;

/* The same for commands that take a descriptor (borrowed): "getfd" and "add-fd". */
int qmp_send_fd(struct qmp *q, const char *command, const char *arguments, int fd, int64_t *ret,
		struct err *e) MUST_CHECK;

/* Reads once what is there: 1 when something came, 0 when there is nothing now. -1: ERR_UNAVAILABLE at the
 * end of the connection, ERR_CORRUPT for a line that is too long. To be called when qmp_next has nothing
 * left; one call per turn of the caller's loop keeps a peer that never stops from stopping the caller. */
int qmp_fill(struct qmp *q, struct err *e) MUST_CHECK;

/* The next message of what was read: 1, or 0 when there is no whole one. -1: ERR_CORRUPT. The caller
 * releases the message. */
int qmp_next(struct qmp *q, struct qmp_message *ret, struct err *e) MUST_CHECK;
void qmp_message_release(struct qmp_message *m);
#define auto_qmp_message __attribute__((cleanup(qmp_message_release)))

/* One line (without its end) into a message; for qmp_next and tests. */
int qmp_parse(const char *line, size_t n, struct qmp_message *ret, struct err *e) MUST_CHECK;

#endif
