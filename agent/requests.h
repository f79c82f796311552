/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as a whole: what the monitor asks for, and what it is told (docs/protocol.md). */
#ifndef KVBOX_AGENT_REQUESTS_H
#define KVBOX_AGENT_REQUESTS_H

#include "agent/boot.h"
#include "agent/channel.h"
#include "agent/container.h"
#include "agent/loop.h"
#include "agent/process.h"
#include "agent/trim.h"

struct agent {
	struct loop *loop;
	struct boot_options options;
	struct boot_modules modules;
	struct channel *channel;
	struct processes *processes;
	struct container *containers;

	bool prepared; /* container_prepare was done */

	/* A container.setup that waits for its disks. */
	struct container_setup setup;
	int64_t setup_request; /* 0: none */
	int64_t setup_begin_us;
	struct timer setup_timer;

	/* A shutdown that waits for the last process. */
	int64_t off_request; /* 0: none */
	bool trim, keep;
	struct trim trimming;
	int64_t trim_request;
	bool resting; /* the session ends when its last answer is written */
};

extern const struct conn_ops requests_ops; /* with the agent as context */
extern const struct process_ops requests_process_ops;

/* Loads what modules are left and calls container_prepare, once. */
int agent_prepare(struct agent *a, struct err *e) MUST_CHECK;
/* A device appeared: perhaps the one that a setup waits for. */
void requests_devices_changed(struct agent *a);

/* Before each wait: what has to be done once everything was answered. */
int requests_turn(struct agent *a, struct err *e) MUST_CHECK;

/* The end of this VM, at once. */
void agent_power_off(const struct agent *a) __attribute__((noreturn));

#endif
