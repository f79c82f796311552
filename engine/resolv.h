/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/resolv.conf of a container, made out of the host's as Docker makes it. */
#ifndef KVBOX_ENGINE_RESOLV_H
#define KVBOX_ENGINE_RESOLV_H

#include "base/str.h"
#include "base/strv.h"

/* What the user said: a list that is not empty replaces the host's. */
struct resolv_wish {
	const struct strv *servers;
	const struct strv *search; /* "." alone: none */
	const struct strv *options;
};

/* The longest host file that is read. */
#define RESOLV_MAX 65536

/*
 * The lines. Servers of the host that are its loopback's are not the container's; where none is left, Google's
 * are taken.
 */
void resolv_make(const char *host, const struct resolv_wish *wish, struct strv *ret);
/* The host's text; where it only names systemd's own resolver, the one that this uses. "" without one. */
void resolv_read_host(struct str *ret);

#endif
