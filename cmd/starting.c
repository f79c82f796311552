/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/starting.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/spawn.h"
#include "cmd/target.h"
#include "engine/bundled.h"
#include "engine/finish.h"
#include "engine/rundir.h"
#include "engine/start.h"
#include "engine/state.h"

/* A monitor that takes a VM down needs well under a second; one that hangs is the next command's. */
#define CLEANUP_WAIT_MS 15000

/* Waits until the container's monitor has ended, which is after it has cleaned up. */
static void wait_for_monitor(const struct paths *paths, const char *id)
{
	auto_rundir struct rundir dir = RUNDIR_INIT;
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	struct proc monitor = PROC_INIT;
	struct err ignored = ERR_INIT;
	struct pollfd end;

	if (rundir_open(paths, id, false, &dir, &ignored) < 0 ||
	    vmstate_read(dir.fd, &state, &ignored) < 0 ||
	    proc_open((pid_t)state.pid, (uint64_t)state.pid_start, &monitor, &ignored) < 0) {
		log_debug("no monitor to wait for: %s", ignored.msg);
		return;
	}
	end = (struct pollfd){ .fd = monitor.pidfd, .events = POLLIN };
	if (poll(&end, 1, CLEANUP_WAIT_MS) == 0)
		log_debug("the monitor still cleans up");
	proc_release(&monitor);
}

static int spawn_monitor(struct cmd *c, struct container_lock *lock,
			 const struct starting_options *options, struct client **ret, struct err *e)
{
	const struct start_options start = { .trace = options->trace };
	auto_close int bundle = -1; /* until the monitor holds it */
	struct err ignored = ERR_INIT;

	if (container_begin_start(lock, e) < 0)
		return -1;
	if (bundled_use(&c->paths, &bundle, e) == 0 &&
	    container_start(&c->paths, lock->row.id, &start, ret, e) == 0)
		return 0;
	if (container_finish_locked(lock, &ignored) < 0)
		log_debug("cannot clean up after a failed start: %s", ignored.msg);
	return -1;
}

int starting_run(struct cmd *c, struct container_lock *lock, const struct starting_options *options,
		 struct client **ret, struct err *e)
{
	const struct client_size size = session_size(options->session);
	auto_client struct client *client = NULL;
	struct err ignored = ERR_INIT;
	char id[ID_TEXT_SIZE];
	bool auto_remove;
	int r;

	memcpy(id, lock->row.id, sizeof(id));
	auto_remove = lock->row.auto_remove;
	r = spawn_monitor(c, lock, options, &client, e);
	container_unlock(lock);
	if (r < 0)
		return -1;
	session_use(options->session, client);
	target_offer_finish(c, id, client);
	if (client_start(client, &options->session->streams, &size, e) < 0) {
		client_free(take_ptr(&client));
		wait_for_monitor(&c->paths, id);
		return -1;
	}
	/* It runs. Whoever looks at a row that says "starting" sees so in state.json, and so does `finish`. A row that
	 * is not to outlive a power cut needs no more. */
	if (!auto_remove && container_started(c->store, id, clock_now(), &ignored) < 0)
		log_debug("the store does not know yet that %.12s runs: %s", id, ignored.msg);
	*ret = take_ptr(&client);
	return 0;
}
