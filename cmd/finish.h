/* SPDX-License-Identifier: Apache-2.0 */
/* `kvbox finish ID`, hidden: what a monitor starts as its last act (engine/finish.h). The folders come from
 * the environment (KVBOX_ROOT, KVBOX_RUNROOT); messages go to stderr, the monitor's log. */
#ifndef KVBOX_CMD_FINISH_H
#define KVBOX_CMD_FINISH_H

/* argv[1] is the id. Returns the exit code: 0 or 1. */
int finish_main(int argc, char **argv);

#endif
