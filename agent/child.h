/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs between clone and exec, in the new process: namespaces, mounts, terminal, user,
 * command.
 */
#ifndef KVBOX_AGENT_CHILD_H
#define KVBOX_AGENT_CHILD_H

#include <stdbool.h>

#include "agent/container.h"
#include "agent/privileges.h"
#include "base/err.h"
#include "base/strv.h"

/* What process.start asks for. */
struct child_spec {
	struct strv args;
	struct strv env;
	char *cwd;
	char *user;
	struct strv groups; /* more of them: names or numbers */
	struct privileges privileges;
};

struct child_plan {
	const struct child_spec *spec;
	const struct container *container;
	bool is_main; /* makes the namespaces; else it joins those of the first process */
	int stdio[3]; /* -1: /dev/null */
	int pty;      /* master of the terminal that becomes all three, or -1 */
};

/*
 * Executes the command. Only what fails before that comes back, as -1; the caller reports it and
 * ends. A main process has its PID, mount, IPC and UTS namespaces already, but shares the agent's memory:
 * it changes nothing in there.
 */
int child_exec(const struct child_plan *plan, struct err *e);

#endif
