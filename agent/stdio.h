/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of a process: a descriptor on this side (a pipe's end, or a terminal's master) and a
 * stream of the connection. Bytes move when both sides can take them, so a reader who stalls stops
 * only its own process.
 */
#ifndef KVBOX_AGENT_STDIO_H
#define KVBOX_AGENT_STDIO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/loop.h"
#include "base/str.h"
#include "proto/conn.h"

/* What all streams share. */
struct stdio_env {
	struct loop *loop;
	struct conn *conn;
};

struct stdio {
	struct stdio_env *env;
	struct source source; /* fd -1: closed, or never used */
	uint32_t stream;
	bool is_input; /* to the process */
	bool is_pty;
	bool eof; /* input: the peer sends no more. output: end after `left` more bytes */
	size_t left;
	struct str pending;	  /* input: received and not written yet */
	void (*ended)(void *ctx); /* output: no more will be sent */
	void *ctx;
};

/* Owns `fd`, non-blocking, from here on and opens the stream. */
int stdio_open(struct stdio *s, struct stdio_env *env, uint32_t stream, int fd,
	       struct err *e) MUST_CHECK;
/* Ends both sides; the peer is told. Again, or on a zeroed one: nothing. */
void stdio_close(struct stdio *s);

/* Output: starts sending. */
void stdio_start(struct stdio *s);
/* Output: sends what is there without waiting for more, then ends. */
void stdio_finish(struct stdio *s);

/* The connection's events for the stream. */
void stdio_data(struct stdio *s, const void *p, size_t n);
void stdio_eof(struct stdio *s);
void stdio_window(struct stdio *s);

#endif
