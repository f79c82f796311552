/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's announcements of new devices, so that waiting for one needs no polling: open first,
 * then look for the device, then look again whenever the socket became readable.
 */
#ifndef KVBOX_AGENT_UEVENT_H
#define KVBOX_AGENT_UEVENT_H

#include "base/err.h"

/* A netlink socket that never blocks. */
int uevent_open(int *ret, struct err *e) MUST_CHECK;
/* Takes all that is there; what it says does not matter. */
void uevent_drain(int fd);

#endif
