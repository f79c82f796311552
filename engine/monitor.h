/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor: one process per running container, `kvbox monitor <id>` (a hidden verb), spawned by
 * container_start (engine/start.h). It owns the VMM, the agent's channel, the log file and the attached
 * clients for as long as the container runs, and never opens the database. monitor.c tells its life.
 *
 * Inherited: descriptor 3, the connected control connection of the command that starts the container;
 * descriptor 2, containers/<id>/monitor.log. Environment:
 *
 *	KVBOX_ROOT, KVBOX_RUNROOT	the store's folders
 *	KVBOX_BOOT_TIMEOUT		seconds until the agent's HELLO (default 20 with KVM, 60 without)
 *	KVBOX_SHUTDOWN_TIMEOUT		seconds until a guest that was told to power off is killed (60)
 *	KVBOX_TRACE=1			writes containers/<id>/trace.json
 *	KVBOX_DEBUG=1			debug messages on descriptor 2
 *	KVBOX_VMM=<driver>		instead of "auto"
 */
#ifndef KVBOX_ENGINE_MONITOR_H
#define KVBOX_ENGINE_MONITOR_H

/* The whole verb. Returns the exit code of the process: 0, or 1 when the container could not be run. */
int monitor_main(int argc, char **argv);

/* `kvbox join <id>`, hidden too: the monitor's child that copies the image's layers into one file. */
int monitor_join_main(int argc, char **argv);

#endif
