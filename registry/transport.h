/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: several transfers at a time from one thread, over libcurl (opened on first use).
 *
 *	transfer_start		begins; bodies arrive through the request's data callback
 *	transport_wait		lets all transfers go on and sleeps until something happens to one
 *				of them or to a descriptor of the caller's
 *	transfer_is_done, transfer_result
 *	transfer_free		at any time; cancels
 *
 * What it decides: only https, except to loopback hosts; redirects are followed (10 at most),
 * credentials go to the origin that they were given for and nowhere else; 30 s to connect, 60 s
 * without a byte end a transfer, there is no limit on the whole; proxies and certificates as the
 * environment says (https_proxy, no_proxy, SSL_CERT_FILE, SSL_CERT_DIR); HTTP/1.1, a connection per
 * transfer at a time, since layers in parallel over one HTTP/2 connection stop each other when one
 * is not read.
 *
 * Messages never contain credentials, nor the query of a URL, which may be a signature.
 */
#ifndef KVBOX_REGISTRY_TRANSPORT_H
#define KVBOX_REGISTRY_TRANSPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/auth.h"

struct transport;
struct transfer;

/* `cancel_fd` (or -1) is watched in every wait: when it is readable, the wait is ERR_CANCELLED. */
int transport_new(int cancel_fd, struct transport **ret, struct err *e) MUST_CHECK;
void transport_free(struct transport *t); /* after all its transfers */
void transport_free_ptr(struct transport **t);
#define auto_transport __attribute__((cleanup(transport_free_ptr)))

struct http_request {
	const char *url;
	const char *const *accept;	      /* ends in NULL; may be NULL */
	const char *bearer;		      /* token, or NULL */
	const struct auth_credentials *basic; /* name and password, or NULL */
	const char *form;		      /* body of a POST; NULL: GET */
	uint64_t from;			      /* first byte wanted (Range), 0: all */
	/*
	 * Takes a piece of the body of a 2xx response, of at most 16 KiB. -1 ends the transfer with
	 * that error.
	 */
	int (*data)(void *ctx, const void *p, size_t n, struct err *e);
	void *ctx;
};

struct http_response {
	int status;
	char *content_type; /* without parameters, or NULL */
	char *digest;	    /* Docker-Content-Digest, or NULL */
	int64_t from;	    /* first byte as Content-Range has it, -1: there is none */
	struct auth_challenges challenges;
	struct str body; /* of a response that is not 2xx, its beginning */
};

/* All of `r` is copied. */
int transfer_start(struct transport *t, const struct http_request *r, struct transfer **ret,
		   struct err *e) MUST_CHECK;
void transfer_free(struct transfer *tr);
void transfer_free_ptr(struct transfer **tr);
#define auto_transfer __attribute__((cleanup(transfer_free_ptr)))
bool transfer_is_done(const struct transfer *tr);
/* The head is complete (status is not 0) when data arrives. */
const struct http_response *transfer_response(const struct transfer *tr);
/* What went wrong, as far as it matters for what to do next. */
enum http_trouble {
	HTTP_TROUBLE_NONE,
	HTTP_TROUBLE_UNREACHABLE, /* no such host, or nobody listens */
	HTTP_TROUBLE_BROKEN,	  /* the connection ended or stalled in the middle: try again */
	HTTP_TROUBLE_NOT_TLS,	  /* the other side does not speak it */
	HTTP_TROUBLE_OTHER,
};
/* Once done: 0 when the response arrived completely, whatever its status. ERR_UNAVAILABLE for
 * trouble of the network. `ret` may be NULL. */
int transfer_result(struct transfer *tr, enum http_trouble *ret, struct err *e) MUST_CHECK;

/*
 * Sleeps until a transfer moved, one of `fds` has an event, or `timeout` ms have passed (-1: no
 * limit). Returns at once when a transfer is done and has not been freed. revents are filled in.
 */
int transport_wait(struct transport *t, struct pollfd *fds, size_t n, int timeout,
		   struct err *e) MUST_CHECK;

/* One request from start to end, its body (of a 2xx response) into `body`, whose limit holds. `ret`
 * gets the response, which the caller releases; r->data is ignored. */
int transport_call(struct transport *t, const struct http_request *r, struct str *body,
		   struct http_response *ret, struct err *e) MUST_CHECK;

void http_response_init(struct http_response *r);
void http_response_release(struct http_response *r);
#define auto_response __attribute__((cleanup(http_response_release)))

/* "localhost:5000", "127.1.2.3", "[::1]:80": names this machine. */
bool transport_is_loopback(const char *authority);
/* Appends `text` with all but unreserved characters percent-encoded. */
void transport_add_encoded(struct str *out, const char *text);

#endif
