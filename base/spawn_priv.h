/* SPDX-License-Identifier: Apache-2.0 */
/* What the two ways to start a process share: spawn.c and spawn_confined.c. */
#ifndef KVBOX_BASE_SPAWN_PRIV_H
#define KVBOX_BASE_SPAWN_PRIV_H

#include "base/spawn.h"

#define SPAWN_FDS_MAX 32

/* Room for what the child does with its descriptors, made before it is born. */
struct spawn_table {
	int park[SPAWN_FDS_MAX]; /* the descriptors, out of the way of their final numbers */
	int highest;		 /* largest final number */
};

int spawn_check_fds(const struct spawn *s, struct spawn_table *t, struct err *e) MUST_CHECK;
/* The absolute path of a program, looked up as execvp does; the caller frees. */
char *spawn_find_program(const char *name, struct err *e) MUST_CHECK;

/* As fork, with the child in that cgroup (folder) from the first moment. */
pid_t spawn_clone_into(int cgroup, unsigned long flags, int *pidfd);

/* In the child: system calls only. -1 with errno. */
int spawn_child_fds(const struct spawn *s, struct spawn_table *t);
void spawn_child_signals(void);

#endif
