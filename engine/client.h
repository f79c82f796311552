/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command's side of control.sock: asks a container's monitor for things and carries the streams of
 * a process between it and the command's own descriptors. docs/protocol.md has the messages.
 *
 *	client_connect or container_start		a connection, HELLOs exchanged
 *	client_set_hooks				signals of the command, notices (optional)
 *	client_start | client_attach | client_exec	asks; answers when the process runs
 *	client_run_streams				copies until the process has ended
 *	client_free
 *
 * or one of the small calls (client_signal, client_stop, client_pause, ...). Calls block, and
 * while they do, hooks->event is called when hooks->event_fd becomes readable. A call that fails for
 * another reason than the monitor's answer leaves the connection unusable: free it. Every other error
 * of the monitor (ERR_NO_COMMAND, ERR_NOT_EXEC, ERR_NOT_FOUND, ERR_CONFLICT, ...) comes back with the
 * kind that it had there. ERR_UNAVAILABLE: no monitor listens, or it went away.
 */
#ifndef KVBOX_ENGINE_CLIENT_H
#define KVBOX_ENGINE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/paths.h"

struct client;
struct json;

/* To the running container's monitor; ERR_UNAVAILABLE when there is none. That one lives and does not
 * answer is another error. */
int client_connect(const struct paths *paths, const char *id, struct client **ret,
		   struct err *e) MUST_CHECK;
/* The same, but one that does not answer is given up after `patience` ns. */
int client_connect_within(const struct paths *paths, const char *id, int64_t patience,
			  struct client **ret, struct err *e) MUST_CHECK;
/* Over a connected socket (the starting command's); takes `fd` in any case. */
int client_open_fd_take(int fd, struct client **ret, struct err *e) MUST_CHECK;
void client_free(struct client *c);
void client_free_ptr(struct client **c);
#define auto_client __attribute__((cleanup(client_free_ptr)))

struct client_hooks {
	void *ctx;
	/* A descriptor of the caller's that is watched in every blocking call (a signalfd, say), or -1. */
	int event_fd;
	/* It is readable: read it, and for example client_send_signal. -1 with an error ends the call
	 * (ERR_CANCELLED for Ctrl-C before the start was answered). */
	int (*event)(void *ctx, struct client *c, struct err *e);
	/* A line for the user, told while the container starts ("KVM does not work: ..."). May be NULL. */
	void (*notice)(void *ctx, const char *text);
};
void client_set_hooks(struct client *c, const struct client_hooks *hooks);
/*
 * For callers that have the store open, before the request. When the container ends while one of
 * client_start, client_attach, client_stop, client_kill, client_wait (or what follows these) waits for it, the
 * monitor may have `finish` called, which is container_finish (finish.h), in place of starting a program for it.
 * So the caller holds neither a container's lock nor a transaction then. That it fails does no harm.
 */
void client_offer_finish(struct client *c, int (*finish)(void *ctx, const char *id, struct err *e),
			 void *ctx, const char *id);

/* Which streams of a process the client is connected to. With a tty there is no separate `err`. */
struct client_streams {
	bool in, out, err;
};

/* Size of the terminal; 0 0 when there is none. */
struct client_size {
	uint16_t rows, cols;
};

/* Only on the connection of container_start: waits until process 1 runs. */
int client_start(struct client *c, const struct client_streams *streams,
		 const struct client_size *size, struct err *e) MUST_CHECK;

struct client_attached {
	bool tty, open_stdin;
};
/* Connects to those streams of the running process 1 that are wanted, from now on: without `in` nothing is
 * read, for example. Any number of clients may. ERR_CONFLICT in Docker's words when it does not run or is
 * paused. */
int client_attach(struct client *c, const struct client_streams *streams,
		  struct client_attached *ret, struct err *e) MUST_CHECK;

struct client_exec {
	const struct strv *args;
	const struct strv
		*env;	  /* added to the container's own, replacing equal names; may be NULL */
	const char *cwd;  /* NULL or "": the container's */
	const char *user; /* NULL or "": the container's */
	bool tty;
	bool privileged; /* all capabilities and no filter, whatever the container has */
	struct client_streams streams; /* none: the process is left to itself (exec -d) */
	struct client_size size;
};
/* Starts another process. One a connection. */
int client_exec(struct client *c, const struct client_exec *x, struct err *e) MUST_CHECK;

struct client_io {
	int in, out, err; /* -1 where the stream is not connected; borrowed */
	/* Typing these bytes on `in` detaches; NULL: nothing does. */
	const char *detach_keys;
	size_t ndetach_keys;
};
#define CLIENT_IO_INIT              \
	{                           \
		-1, -1, -1, NULL, 0 \
	}

struct client_result {
	bool detached;
	int code; /* when not detached: as Docker's, 128 + signal */
	char error
		[256]; /* why the container failed though its process runs no more ("" as a rule) */
};
/*
 * Copies between `io` and the process that client_start, client_attach or client_exec named, until it
 * has ended and all its output was written. Descriptors of any kind; never changes O_NONBLOCK on them.
 * A failed write to `out` or `err` ends it with errno in the error (EPIPE: reader gone; SIGPIPE is the
 * caller's business).
 */
int client_run_streams(struct client *c, const struct client_io *io, struct client_result *ret,
		       struct err *e) MUST_CHECK;

/* The timeline of the start (with start_options.trace), or of the whole run once client_run_streams has
 * returned, as a trace-event document (base/trace.h); NULL: none. Belongs to the client. */
const char *client_trace(const struct client *c);

/* To the process that client_exec started on this connection, else to process 1; these two do not wait
 * for the answer and may be called from hooks->event. */
void client_send_signal(struct client *c, int sig);
void client_send_resize(struct client *c, const struct client_size *size);

/* To process 1; waits for the answer. */
int client_signal(struct client *c, int sig, struct err *e) MUST_CHECK;
/* The container's stop: `sig` (0: the container's own stop signal), after `timeout` seconds SIGKILL
 * (-1: never, -2: the container's own stop timeout). Returns when it has ended. */
#define CLIENT_STOP_FOREVER (-1)
#define CLIENT_STOP_DEFAULT (-2)
int client_stop(struct client *c, int sig, int timeout, struct err *e) MUST_CHECK;
/* The same in two halves, so that several containers are stopped at a time: the first only asks. */
int client_begin_stop(struct client *c, int sig, int timeout, struct err *e) MUST_CHECK;
int client_end_stop(struct client *c, struct err *e) MUST_CHECK;
/* The first half for who starts the container again afterwards: one of --rm is kept. */
int client_begin_restop(struct client *c, int sig, int timeout, struct err *e) MUST_CHECK;
/* SIGKILL, and the return when it has ended: of a container in any phase, paused or waiting for its next
 * run too. Nothing starts it again. */
int client_kill(struct client *c, struct err *e) MUST_CHECK;
/* Waits for the end, when the store knows it, too: of this run, where the restart policy starts another. */
int client_wait(struct client *c, int *ret_code, struct err *e) MUST_CHECK;

/* The whole guest stands still until client_resume. ERR_CONFLICT in Docker's words when it does already
 * ("Container x is already paused"), or does not ("Container x is not paused"). */
int client_pause(struct client *c, struct err *e) MUST_CHECK;
int client_resume(struct client *c, struct err *e) MUST_CHECK;

/*
 * What the agent counts (container.stats in docs/protocol.md) and which processes there are
 * (container.processes): the reply as it came, so the numbers are the guest's word. Of a paused container
 * as it was when it was paused. In two halves, so that many containers are asked at a time. The document
 * is the client's, until its next call.
 */
int client_begin_stats(struct client *c, struct err *e) MUST_CHECK;
int client_end_stats(struct client *c, const struct json **ret, struct err *e) MUST_CHECK;
/* The processes with numbers (the guest's, "pid") above `after`, as many as fit; "left_out" says how many did
 * not. Of a paused container there may be none although some were left out: nobody knows them. */
int client_top(struct client *c, int64_t after, const struct json **ret, struct err *e) MUST_CHECK;

/* Tells the monitor the container's new name, which it uses in events and messages. The store and
 * config.json are the caller's business (container_rename). */
int client_rename(struct client *c, const char *name, struct err *e) MUST_CHECK;

/*
 * For callers with something else to wait for (logs -f): asks for the end and returns at once. The
 * descriptor, which belongs to the client, becomes readable when the container has ended.
 */
int client_begin_wait(struct client *c, int *ret_fd, struct err *e) MUST_CHECK;

#endif
