/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client for VMMs that are controlled by HTTP/1.1 over a Unix socket (Cloud Hypervisor, Firecracker).
 *
 * One connection, one request on its way at a time: what is asked meanwhile waits in a queue, because
 * such servers answer in no certain order. Nothing waits here: the socket does not block, answers are
 * taken as they come. Descriptors travel with the request that needs them.
 *
 * The server counts as hostile once a guest runs behind it: head, body and queue are limited, and what does
 * not look like an answer to the request ends the connection. Bodies without a length and chunked ones
 * are refused, since these servers send neither.
 */
#ifndef KVBOX_VMM_API_H
#define KVBOX_VMM_API_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define API_HEAD_MAX  ((size_t)8 << 10)
#define API_BODY_MAX  ((size_t)1 << 20)	 /* of an answer; a VM's whole configuration is far less */
#define API_SEND_MAX  ((size_t)50 << 10) /* of a request: what Cloud Hypervisor v53 takes */
#define API_QUEUE_MAX 16
#define API_FDS_MAX   8

struct api_answer {
	unsigned request; /* the number that api_send gave */
	unsigned status;  /* 200 to 599 */
	const char *body; /* of `length` bytes, not terminated; valid until the next call */
	size_t length;
};

struct api_request; /* one that waits */

struct api {
	int fd;		  /* owned; -1: the connection has ended */
	unsigned last;	  /* number of the last request that was taken */
	unsigned pending; /* number of the one that was sent, 0: none */
	struct api_request *queue;
	unsigned queued;
	struct str in;
	size_t used; /* bytes of `in` that were returned already */
};

/* Takes the connected socket, which must not block; -1 for none. */
void api_init(struct api *a, int fd);
void api_release(struct api *a);

struct api_call {
	const char *method, *path; /* "PUT", "/..." */
	const char *body;	   /* JSON, or NULL: then there is none */
	const int *fds;		   /* borrowed: copies are kept until it is sent */
	size_t nfds;
};

/*
 * Sends a request, or queues it behind the one that is on its way. Returns its number (1, 2, ...) in *ret.
 * ERR_UNAVAILABLE when the connection has ended, the other side does not read, or too many wait already.
 */
int api_send(struct api *a, const struct api_call *call, unsigned *ret, struct err *e) MUST_CHECK;

/* Reads once what is there: 1 when something came, 0 when there is nothing now. -1: ERR_UNAVAILABLE at the
 * end of the connection; ERR_CORRUPT for an answer that is too long. */
int api_fill(struct api *a, struct err *e) MUST_CHECK;

/* The next whole answer of what was read, and sends the next request of the queue: 1, or 0 when there is
 * none. -1: ERR_CORRUPT. */
int api_next(struct api *a, struct api_answer *ret, struct err *e) MUST_CHECK;

/* Ends the connection and forgets the queue. Returns the number of a request that nobody will answer, each
 * once, and 0 when there are no more. */
unsigned api_abandon(struct api *a);

/*
 * The answer at the beginning of `n` bytes (terminated behind them): 1 and how many bytes it takes in
 * *used, 0 when it is not all there, -1 when it never will be an answer. For api_next, tests and the fuzzer.
 */
int api_parse(const char *bytes, size_t n, struct api_answer *ret, size_t *used,
	      struct err *e) MUST_CHECK;

/* The text of a failed answer: an array of strings, outermost cause first, joined by ": ", or what else
 * is there; printable ASCII, at most `size` - 1 characters. */
void api_error_text(const struct api_answer *answer, char *ret, size_t size);

#endif
