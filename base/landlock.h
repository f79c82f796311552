/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: what a process may still open, given up for good and without privileges.
 *
 * All three calls make system calls only, and so may be used between clone and exec. A ruleset refuses all
 * that its ABI knows; landlock_allow makes exceptions. From ABI 4 on TCP is refused as well, from 6 on
 * signals to and abstract sockets of processes outside.
 */
#ifndef KVBOX_BASE_LANDLOCK_H
#define KVBOX_BASE_LANDLOCK_H

/* A descriptor of an empty ruleset, and the kernel's ABI; -1 with errno (ENOSYS, EOPNOTSUPP: none). */
int landlock_ruleset(int *abi);
/* `access` as enum confine_access (spawn_confined.h). 0, or -1 with errno. */
int landlock_allow(int ruleset, int abi, const char *path, unsigned access);
/* Needs no_new_privs. 0, or -1 with errno. */
int landlock_enforce(int ruleset);

#endif
