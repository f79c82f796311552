/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to the monitor: a virtio-serial port or a vsock connection, and the protocol on
 * it.
 *
 * channel_try_open is called until it succeeds (at the start and whenever a device appeared); then
 * channel_turn moves bytes. On a port the HELLO goes out when the host's preamble was seen, on
 * vsock at once. A vsock connection that ends, or a peer that breaks the protocol, ends the guest:
 * nobody could ever talk to it again.
 */
#ifndef KVBOX_AGENT_CHANNEL_H
#define KVBOX_AGENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/boot.h"
#include "agent/loop.h"
#include "proto/conn.h"

/* Of the name of a port's device. */
#define CHANNEL_PORT_SIZE 32

struct channel;

/* `ops` and `ctx` are the connection's; `start_us` is told in the HELLO. */
struct channel *channel_new(struct loop *loop, const struct boot_options *options, int64_t start_us,
			    const struct conn_ops *ops, void *ctx);

/* 1 when it is open, 0 when its device is not there yet. */
int channel_try_open(struct channel *c, struct err *e) MUST_CHECK;
bool channel_is_open(const struct channel *c);
/* The HELLO has been handed to the kernel. */
bool channel_said_hello(const struct channel *c);

struct conn *channel_conn(struct channel *c);

/*
 * Reads and writes as far as it goes without waiting. 1 when there is more to read at once, 0 when
 * not, -1 when the channel is of no more use.
 */
int channel_turn(struct channel *c, struct err *e) MUST_CHECK;

/* Writes everything that waits, blocking until the host has it. */
int channel_drain(struct channel *c, struct err *e) MUST_CHECK;

/*
 * Before the VM is saved: writes everything that waits, forgets the session, and goes back to waiting for
 * the next one: on a port in silence, on vsock (where no connection survives) by dialling until somebody
 * answers.
 */
int channel_rest(struct channel *c, struct err *e) MUST_CHECK;

/*
 * /dev's name of the virtio port called `name`, looked up below `class_dir`; 1 when found, else 0.
 */
int channel_find_port(int class_dir, const char *name, char ret[CHANNEL_PORT_SIZE],
		      struct err *e) MUST_CHECK;

#endif
