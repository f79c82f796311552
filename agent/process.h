/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that the monitor asked for: starting, streams, signals, the end.
 *
 * A process is `starting` until its exec succeeded (its status pipe was closed by it) or failed
 * (the pipe carries the error); the request is answered then. It is told as ended when it was
 * reaped and its outputs have ended. An output that others hold open (a background process that an
 * exec left behind) is read for a moment longer and then given up.
 */
#ifndef KVBOX_AGENT_PROCESS_H
#define KVBOX_AGENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/child.h"
#include "agent/container.h"
#include "agent/loop.h"
#include "agent/stdio.h"

#define PROCESS_MAIN 1

struct process_spec {
	struct child_spec child;
	int64_t number; /* PROCESS_MAIN: the container's first */
	bool tty;
	int64_t rows, cols;
	int64_t stdin_stream, stdout_stream, stderr_stream; /* 0: /dev/null */
};

void process_spec_release(struct process_spec *s);

struct process;

/* What the processes tell to the outside. */
struct process_ops {
	/* The answer to process_start: `e` NULL when it runs. */
	void (*started)(void *ctx, int64_t request, const struct process *p, int64_t exec_us,
			const struct err *e);
	/* It has ended and all its output was queued. `status` is waitid's: exit code or signal. */
	void (*ended)(void *ctx, const struct process *p, bool by_signal, int status, bool oom);
	/* Some were reaped. */
	void (*reaped)(void *ctx);
};

struct processes;

struct processes *processes_new(struct loop *loop, struct conn *conn, const struct process_ops *ops,
				void *ctx);

/*
 * Starts; takes the contents of `spec`. -1: refused at once, `started` is not called. ERR_CONFLICT
 * when the number is in use, or the container's first process does not run (or does, for a second
 * one).
 */
int process_start_take(struct processes *ps, struct container *c, struct process_spec *spec,
		       int64_t request, struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND when there is no such process, or no more. */
int process_signal(struct processes *ps, const struct container *c, int64_t number, int sig,
		   struct err *e) MUST_CHECK;
int process_resize(struct processes *ps, const struct container *c, int64_t number, int64_t rows,
		   int64_t cols, struct err *e) MUST_CHECK;

const struct container *process_container(const struct process *p);
int64_t process_number(const struct process *p);
pid_t process_pid(const struct process *p);

/* Any that was not reaped yet. */
bool processes_are_left(const struct processes *ps);

#endif
