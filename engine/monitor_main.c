/* SPDX-License-Identifier: Apache-2.0 */
/* The process `kvbox monitor`: its locks, its loop, and what all parts of it need. monitor.c has its life. */
#include "engine/monitor.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "engine/bundled.h"
#include "engine/cgroup.h"
#include "engine/monitor_priv.h"

#define CONTROL_FD  3
#define SECONDS_MAX 86400 /* of a timeout from the environment */

/* ---- small helpers of all parts ---------------------------------------------------------------- */

struct event *monitor_event(struct monitor *m, int fd, short what, event_callback_fn call,
			    void *ctx)
{
	struct event *ev = event_new(m->base, fd, what, call, ctx);

	if (!ev)
		abort();
	return ev;
}

void monitor_event_free(struct event **ev)
{
	if (*ev)
		event_free(*ev);
	*ev = NULL;
}

unsigned monitor_seconds(const char *variable, unsigned otherwise)
{
	const char *text = getenv(variable);
	struct err e = ERR_INIT;
	uint64_t seconds;

	if (text && parse_u64(text, SECONDS_MAX, &seconds, &e) == 0 && seconds > 0)
		return (unsigned)seconds;
	return otherwise;
}

void monitor_add_timer(struct event *ev, int64_t ns)
{
	struct timeval tv = { .tv_sec = ns / MONITOR_SECOND,
			      .tv_usec = ns % MONITOR_SECOND / 1000 };

	event_add(ev, &tv);
}

bool monitor_write_state(struct monitor *m)
{
	struct err e = ERR_INIT;

	if (vmstate_write(m->run.fd, &m->state, &e) == 0)
		return true;
	log_debug("cannot write the state: %s", e.msg);
	return false;
}

void monitor_phase(struct monitor *m, const char *name)
{
	int64_t now = clock_monotonic();

	/* Of the first run only: there may be thousands. */
	if (m->tracing && m->state.restart_count == 0)
		trace_add(&m->trace, "monitor", name, m->phase_begin, now);
	m->phase_begin = now;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	monitor_on_deadline(ctx);
	monitor_settle(ctx);
}

/* The host shuts down, or somebody who knows the monitor's pid asks. */
static void on_terminate(evutil_socket_t sig, short what, void *ctx)
{
	(void)sig;
	(void)what;
	monitor_stop(ctx, 0, 10);
	monitor_settle(ctx);
}

static void on_idle(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;

	(void)fd;
	(void)what;
	if (m->log && logfile_flush(m->log, &e) < 0)
		log_debug("%s", e.msg);
}

/* How it waits is not for the environment to say: to look there takes sixteen system calls. */
static struct event_base *new_base(void)
{
	struct event_config *how = event_config_new();
	struct event_base *base = NULL;

	if (how && event_config_set_flag(how, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(how);
	if (how)
		event_config_free(how);
	return base;
}

static int open_loop(struct monitor *m, struct err *e)
{
	m->base = new_base();
	if (!m->base || event_base_priority_init(m->base, 2) < 0)
		return err_set(e, ERR_SYSTEM, "cannot set up the event loop");
	m->deadline = monitor_event(m, -1, 0, on_deadline, m);
	stop_open(m);
	restart_open(m);
	pause_open(m);
	trim_open(m);
	m->idle = monitor_event(m, -1, 0, on_idle, m);
	event_priority_set(m->idle, 1);
	m->terminate = monitor_event(m, SIGTERM, EV_SIGNAL | EV_PERSIST, on_terminate, m);
	event_add(m->terminate, NULL);
	return 0;
}

/* ---- the process ------------------------------------------------------------------------------- */

static int take_locks(struct monitor *m, struct err *e)
{
	char name[PATH_NAME_SIZE];

	if (paths_open(NULL, NULL, false, &m->paths, e) < 0)
		return -1;
	if (m->paths.root_fd < 0 || m->paths.run_fd < 0)
		return err_set(e, ERR_NOT_FOUND, "there is no store");
	if (fd_open_dir(m->paths.root_fd, path_container(m->id, NULL, name), &m->dir, e) < 0 ||
	    rundir_open(&m->paths, m->id, false, &m->run, e) < 0 ||
	    rundir_take_alive(&m->run, &m->alive, e) < 0 || bundled_hold(&m->bundle, e) < 0)
		return -1;
	m->run_path = xasprintf("%s/%s", m->paths.runroot, m->run.name);
	return 0;
}

static int open_log(struct monitor *m, struct err *e)
{
	const struct logfile_options options = {
		.max_size = (uint64_t)m->spec.log_max_size,
		.max_files = (unsigned)m->spec.log_max_files,
	};

	if (str_eq(m->spec.log_driver, "none"))
		return 0;
	return logfile_open(m->dir, &options, &m->log, e);
}

static int prepare(struct monitor *m, struct err *e)
{
	struct err ignored = ERR_INIT;
	uint64_t begun = 0;

	if (take_locks(m, e) < 0 || spec_read_file(m->dir, &m->spec, e) < 0 || open_log(m, e) < 0 ||
	    clients_open(m, e) < 0)
		return -1;
	m->state.cgroup = cgroup_own_path(m->run.name);
	m->state.pid = getpid();
	if (proc_start_time(getpid(), &begun, &ignored) == 0)
		m->state.pid_start = (int64_t)begun;
	health_open(m);
	monitor_phase(m, "store");
	/* What an earlier run may have left there must not be taken for ours. */
	if (vmstate_write(m->run.fd, &m->state, e) < 0)
		return -1;
	return vmstate_reserve(m->run.fd, e);
}

static void monitor_release(struct monitor *m)
{
	clients_free_all(m);
	join_end(m);
	agent_close(m);
	process_free_all(m);
	monitor_vm_release(m);
	monitor_outgrow_release(m);
	if (m->listener >= 0)
		clients_close_socket(m);
	logfile_free(m->log);
	monitor_event_free(&m->deadline);
	stop_release(m);
	trim_release(m);
	restart_release(m);
	pause_release(m);
	health_release(m);
	monitor_event_free(&m->idle);
	monitor_event_free(&m->terminate);
	if (m->base)
		event_base_free(m->base);
	vmm_choice_release(&m->choice);
	vmstate_release(&m->state);
	settings_release(m);
	spec_release(&m->spec);
	trace_release(&m->trace);
	fd_close(m->alive);
	fd_close(m->bundle);
	fd_close(m->dir);
	rundir_release(&m->run);
	paths_release(&m->paths);
	free(m->run_path);
	free(m->kvm_fault);
	free(m->buf);
}

static void monitor_init(struct monitor *m, const char *id)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->id, id, ID_TEXT_SIZE);
	m->paths = (struct paths)PATHS_INIT;
	m->run = (struct rundir)RUNDIR_INIT;
	m->state = (struct vmstate)VMSTATE_INIT;
	m->choice = (struct vmm_choice)VMM_CHOICE_INIT;
	m->vmm = (struct vmm)VMM_INIT;
	m->dir = m->alive = m->bundle = m->listener = m->agent.fd = m->finish.program.pidfd = -1;
	m->outgrow_fd = m->join.said = m->saved_ram = -1;
	m->join.child = (struct proc)PROC_INIT;
	m->phase_begin = clock_monotonic();
	m->tracing = getenv("KVBOX_TRACE") != NULL;
	m->buf = xreallocarray(NULL, 1, MONITOR_READ_SIZE);
}

static int monitor_run(struct monitor *m, int control)
{
	struct err e = ERR_INIT;

	if (open_loop(m, &e) < 0) {
		log_debug("%s", e.msg);
		fd_close(control);
		return 1;
	}
	if (prepare(m, &e) < 0) {
		/* Without `alive` state.json is another monitor's: the starter's end is not the end of a run. */
		peer_add(m, control, m->alive >= 0, &e);
		clients_flush(m);
		return 1;
	}
	peer_add(m, control, true, NULL);
	clients_flush(m);
	monitor_set_life(m, LIFE_BOOT);
	monitor_settle(m);
	event_base_dispatch(m->base);
	return err_is_set(&m->failure) ? 1 : 0;
}

int monitor_main(int argc, char **argv)
{
	struct monitor *m;
	struct err e = ERR_INIT;
	int control, code;

	if (argc != 2 || !hex_is(argv[1], ID_TEXT_SIZE - 1))
		return 1;
	if (getenv("KVBOX_DEBUG"))
		log_set_level(1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	/* Inherited without close-on-exec: a copy that has it takes its place. */
	if (fd_dup(CONTROL_FD, &control, &e) < 0)
		return 1;
	fd_close(CONTROL_FD);
	m = xcalloc(1, sizeof(*m));
	monitor_init(m, argv[1]);
	code = monitor_run(m, control);
	monitor_vm_bury(m);
	monitor_release(m);
	free(m);
	return code;
}
