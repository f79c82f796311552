/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel parameters of a container, in the namespaces of the calling process. */
#ifndef KVBOX_AGENT_SYSCTL_H
#define KVBOX_AGENT_SYSCTL_H

#include "base/err.h"
#include "base/str.h"

/* "net.ipv4.ip_forward=1". Errors are worded as runc's. */
int sysctl_set(const char *assignment, struct err *e) MUST_CHECK;

/*
 * Its file's path. Where the first separator is a dot, dots separate and a slash stands for a dot (of an
 * interface "eth0.1"); where it is a slash, it is the other way round.
 */
void sysctl_path(const char *name, size_t n, struct str *ret);

#endif
