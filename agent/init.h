/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The init of a container (--init): the agent's own binary, mounted at INIT_PATH and called by that
 * name, as process 1 of the container. It starts the command, passes signals on to it, reaps whatever
 * ends, and ends as the command does.
 */
#ifndef KVBOX_AGENT_INIT_H
#define KVBOX_AGENT_INIT_H

#include <stdbool.h>

#define INIT_PATH "/sbin/docker-init"

/* Whether the program was called by that name. */
bool init_is_wanted(const char *argv0);
/*
 * argv: "/sbin/docker-init", "--", command and arguments. Returns the exit code: the command's, 128 +
 * signal, or 127 or 126 when it cannot be started, which it says on stderr.
 */
int init_main(int argc, char **argv);

#endif
