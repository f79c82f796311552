/* SPDX-License-Identifier: Apache-2.0 */
/* See api.h. */
#include "vmm/api.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/parse.h"

#define READ_SIZE 4096
#define CHAIN_MAX 16 /* causes of an error that are shown */

struct api_request {
	struct api_request *next;
	unsigned number;
	char *text;
	size_t length;
	int fds[API_FDS_MAX];
	size_t nfds;
};

void api_init(struct api *a, int fd)
{
	*a = (struct api){ .fd = fd };
	str_init(&a->in, API_HEAD_MAX + API_BODY_MAX + READ_SIZE);
}

static void request_free(struct api_request *r)
{
	for (size_t i = 0; i < r->nfds; i++)
		fd_close(r->fds[i]);
	free(r->text);
	free(r);
}

unsigned api_abandon(struct api *a)
{
	struct api_request *r = a->queue;
	unsigned number = a->pending;

	fd_close(take_fd(&a->fd));
	if (number) {
		a->pending = 0;
		return number;
	}
	if (!r)
		return 0;
	number = r->number;
	a->queue = r->next;
	a->queued--;
	request_free(r);
	return number;
}

void api_release(struct api *a)
{
	while (api_abandon(a))
		;
	str_release(&a->in);
}

/* ---- requests ------------------------------------------------------------------------------------ */

/* All of it in one message: the socket's buffer takes far more than a request may have. */
static int transmit(struct api *a, const struct api_request *r, struct err *e)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(API_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { r->text, r->length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;
	ssize_t n;

	if (r->nfds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(r->nfds * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(r->nfds * sizeof(int));
		memcpy(CMSG_DATA(head), r->fds, r->nfds * sizeof(int));
	}
	do {
		n = sendmsg(a->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)r->length)
		return 0;
	if (n < 0 && errno != EAGAIN)
		err_sys(e, "the VMM does not take requests");
	else
		err_set(e, ERR_UNAVAILABLE, "the VMM does not read its requests");
	e->kind = ERR_UNAVAILABLE;
	return -1;
}

/* Sends the first of the queue when nothing is on its way. */
static int advance(struct api *a, struct err *e)
{
	struct api_request *r = a->queue;
	int sent;

	if (!r || a->pending)
		return 0;
	a->queue = r->next;
	a->queued--;
	sent = transmit(a, r, e);
	/* One that could not be sent is one that nobody will answer. */
	a->pending = r->number;
	request_free(r);
	return sent;
}

static int compose(const struct api_call *call, struct api_request *r, struct err *e)
{
	auto_str struct str text = STR_INIT(API_SEND_MAX + API_HEAD_MAX);

	if (call->body && strlen(call->body) > API_SEND_MAX)
		return err_set(e, ERR_INVALID, "request to the VMM is too long");
	str_addf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n", call->method,
		 call->path);
	/* A body of length 0 is not the same as none: with one, a request that takes none is refused. */
	if (call->body)
		str_addf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			 strlen(call->body));
	str_add(&text, "\r\n");
	if (call->body)
		str_add(&text, call->body);
	r->length = text.len;
	r->text = str_take(&text, e);
	if (!r->text)
		return -1;
	for (; r->nfds < call->nfds; r->nfds++)
		if (fd_dup(call->fds[r->nfds], &r->fds[r->nfds], e) < 0)
			return -1;
	return 0;
}

int api_send(struct api *a, const struct api_call *call, unsigned *ret, struct err *e)
{
	struct api_request *r, **at = &a->queue;

	if (a->fd < 0)
		return err_set(e, ERR_UNAVAILABLE, "the VMM takes no requests any more");
	if (call->nfds > API_FDS_MAX)
		return err_set(e, ERR_INVALID, "too many descriptors for one request");
	if (a->queued >= API_QUEUE_MAX)
		return err_set(e, ERR_UNAVAILABLE, "the VMM does not answer its requests");
	r = xcalloc(1, sizeof(*r));
	if (compose(call, r, e) < 0) {
		request_free(r);
		return -1;
	}
	r->number = ++a->last;
	while (*at)
		at = &(*at)->next;
	*at = r;
	a->queued++;
	if (advance(a, e) < 0) {
		a->pending = 0; /* the caller knows */
		return -1;
	}
	*ret = a->last;
	return 0;
}

/* ---- answers ------------------------------------------------------------------------------------- */

/* "HTTP/1.1 204 No Content": the status, 0 when it is none. */
static unsigned parse_status(const char *line, size_t n)
{
	static const char version[] = "HTTP/1.";
	const char *code = line + strlen(version) + 2;

	if (n < strlen(version) + 5 || memcmp(line, version, strlen(version)) != 0 ||
	    (code[-2] != '0' && code[-2] != '1') || code[-1] != ' ')
		return 0;
	for (int i = 0; i < 3; i++)
		if (code[i] < '0' || code[i] > '9')
			return 0;
	if (n > strlen(version) + 5 && code[3] != ' ')
		return 0;
	return (unsigned)((code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0');
}

/* The value of the header if the line is that one; `len` without blanks around it. */
static const char *header_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return NULL;
	line += k + 1;
	n -= k + 1;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	*len = n;
	return line;
}

static int parse_length(const char *value, size_t n, uint64_t *ret, struct err *e)
{
	struct err why = ERR_INIT;
	char text[16];

	if (n == 0 || n >= sizeof(text))
		return err_set(e, ERR_CORRUPT, "the VMM sent an answer of no possible length");
	memcpy(text, value, n);
	text[n] = '\0';
	if (parse_u64(text, API_BODY_MAX, ret, &why) < 0)
		return err_set(e, ERR_CORRUPT, "the VMM sent an answer of length '%s'", text);
	return 0;
}

/* The lines after the first, up to `end`. */
static int parse_headers(const char *at, const char *end, uint64_t *length, struct err *e)
{
	bool has_length = false;
	const char *eol, *value;
	size_t n;

	for (; at < end; at = eol + 2) {
		eol = memmem(at, (size_t)(end - at), "\r\n", 2);
		if (!eol)
			eol = end;
		value = header_value(at, (size_t)(eol - at), "Transfer-Encoding", &n);
		if (value)
			return err_set(e, ERR_CORRUPT, "the VMM sent an answer in pieces");
		value = header_value(at, (size_t)(eol - at), "Content-Length", &n);
		if (!value)
			continue;
		if (has_length)
			return err_set(e, ERR_CORRUPT, "the VMM sent an answer of two lengths");
		has_length = true;
		if (parse_length(value, n, length, e) < 0)
			return -1;
	}
	return 0;
}

int api_parse(const char *bytes, size_t n, struct api_answer *ret, size_t *used, struct err *e)
{
	size_t look = n < API_HEAD_MAX ? n : API_HEAD_MAX;
	const char *end = memmem(bytes, look, "\r\n\r\n", 4), *eol;
	uint64_t length = 0;
	unsigned status;

	if (!end && n >= API_HEAD_MAX)
		return err_set(e, ERR_CORRUPT, "the VMM sent an answer with too long a head");
	/* What is not HTTP is told as soon as it can be, not after all of it has come. */
	if (n >= 5 && memcmp(bytes, "HTTP/", 5) != 0)
		return err_set(e, ERR_CORRUPT, "the VMM sent what is not an answer");
	if (!end)
		return 0;
	eol = memmem(bytes, (size_t)(end - bytes) + 2, "\r\n", 2);
	status = parse_status(bytes, (size_t)(eol - bytes));
	if (status < 200 || status > 599)
		return err_set(e, ERR_CORRUPT, "the VMM sent an answer of unknown status");
	if (eol < end && parse_headers(eol + 2, end, &length, e) < 0)
		return -1;
	if (n - (size_t)(end + 4 - bytes) < length)
		return 0;
	*ret = (struct api_answer){ 0, status, end + 4, (size_t)length };
	*used = (size_t)(end + 4 - bytes) + (size_t)length;
	return 1;
}

int api_fill(struct api *a, struct err *e)
{
	char *room;
	ssize_t n;

	str_consume(&a->in, a->used);
	a->used = 0;
	room = a->fd < 0 ? NULL : str_reserve(&a->in, READ_SIZE);
	if (!room)
		return err_set(e, a->fd < 0 ? ERR_UNAVAILABLE : ERR_CORRUPT,
			       a->fd < 0 ? "the VMM's control connection has ended"
					 : "the VMM sends without end");
	do {
		n = recv(a->fd, room, READ_SIZE, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return err_set(e, ERR_UNAVAILABLE, "the VMM has closed its control connection");
	str_grow(&a->in, (size_t)n);
	return 1;
}

int api_next(struct api *a, struct api_answer *ret, struct err *e)
{
	struct err why = ERR_INIT;
	struct api_answer answer;
	size_t used;
	int r;

	if (a->used == a->in.len)
		return 0;
	r = api_parse(a->in.buf + a->used, a->in.len - a->used, &answer, &used, e);
	if (r <= 0)
		return r;
	if (!a->pending)
		return err_set(e, ERR_CORRUPT, "the VMM answers what was not asked");
	a->used += used;
	answer.request = a->pending;
	a->pending = 0;
	/* This answer is good all the same. */
	if (advance(a, &why) < 0)
		fd_close(take_fd(&a->fd));
	*ret = answer;
	return 1;
}

/* ---- errors -------------------------------------------------------------------------------------- */

static void append(char *ret, size_t size, size_t *len, const char *text)
{
	for (; *text && *len < size - 1; text++)
		ret[(*len)++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	ret[*len] = '\0';
}

void api_error_text(const struct api_answer *answer, char *ret, size_t size)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;
	size_t len = 0, n = 0;

	ret[0] = '\0';
	if (answer->length > 0 && json_parse(answer->body, answer->length, &j, &ignored) == 0)
		n = json_is_array(j) ? json_len(j) : 0;
	for (size_t i = 0; i < n && i < CHAIN_MAX; i++) {
		const char *text = json_str(json_at(j, i));

		if (!text)
			continue;
		if (len > 0)
			append(ret, size, &len, ": ");
		append(ret, size, &len, text);
	}
	if (len == 0) {
		auto_free char *text = xasprintf(
			"status %u%s%.*s", answer->status, answer->length ? ": " : "",
			answer->length > 400 ? 400 : (int)answer->length, answer->body);

		append(ret, size, &len, text);
	}
}
