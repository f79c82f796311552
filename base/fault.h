/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: places where a test makes an operation fail.
 *
 * The wrappers of base (open, write, rename, spawn, connect, commit, ...) each visit one. In a normal
 * build fault() is the constant false. In a build with KVBOX_FAULTS, KVBOX_FAULT=N makes the N-th visit
 * in the process fail once, and KVBOX_FAULT_LOG=FILE appends the name of each visited point, so that a
 * test can run the same command for N = 1, 2, ... until nothing is left to fail.
 *
 * KVBOX_FAULT=VERB:N counts only in processes that were started for that verb ("monitor:20"), since those that a
 * command starts have its environment. KVBOX_FAULT_KILL=1 kills the process at that point (SIGKILL) in
 * place of a failure.
 */
#ifndef KVBOX_BASE_FAULT_H
#define KVBOX_BASE_FAULT_H

#include <stdbool.h>

#ifdef KVBOX_FAULTS
/* True when this visit is to fail; errno is then EIO. */
bool fault(const char *point);
#else
static inline bool fault(const char *point)
{
	(void)point;
	return false;
}
#endif

#endif
