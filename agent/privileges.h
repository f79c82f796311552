/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process may do: its user, capabilities, resource limits and filter of system calls. Set in
 * the new process, between clone and exec.
 */
#ifndef KVBOX_AGENT_PRIVILEGES_H
#define KVBOX_AGENT_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/user.h"
#include "base/err.h"

#define PRIVILEGES_RLIMITS_MAX 64
#define PRIVILEGES_FILTER_MAX  4096 /* the kernel's own limit */

/* -1: unlimited. */
struct privileges_rlimit {
	int64_t resource, soft, hard;
};

struct privileges {
	uint64_t capabilities; /* a mask; bits that the kernel does not know mean nothing */
	bool no_new_privs;
	void *filter;	    /* struct sock_filter, NULL: none */
	size_t filter_size; /* bytes */
	struct privileges_rlimit rlimits[PRIVILEGES_RLIMITS_MAX];
	size_t nrlimits;
	int64_t oom_score_adj;
};

/* All capabilities and nothing else. */
void privileges_init(struct privileges *p);
void privileges_release(struct privileges *p);

/* What needs the agent's rights: resource limits and the OOM score. /proc is the container's. */
int privileges_set_limits(const struct privileges *p, struct err *e) MUST_CHECK;
/*
 * Becomes the user with the capabilities that are left to it, and, where there is a filter that needs
 * it, CAP_SYS_ADMIN until exec.
 */
int privileges_become(const struct privileges *p, const struct user *u, struct err *e) MUST_CHECK;
/* The last thing before exec, which is the only call that the filter has to allow. */
int privileges_install_filter(const struct privileges *p, struct err *e) MUST_CHECK;

/* Cuts a limit to what the kernel takes: `max` is the largest, and the soft one is not above the hard. */
void privileges_clamp(const struct privileges_rlimit *want, uint64_t max, uint64_t *soft,
		      uint64_t *hard);

#endif
