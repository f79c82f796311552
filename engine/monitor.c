/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a container, from the monitor's side.
 *
 *	NEW -> BOOT -> SETUP -> READY -> LAUNCH -> RUN -> SHUTDOWN -> KILL -> FINISH -> DRAIN
 *
 * The VM boots as soon as the locks are held. When the agent has said HELLO and has set the container up,
 * process 1 starts once the starting command asks for it (READY waits for that). When process 1 has
 * ended, the agent unmounts, syncs and powers off (SHUTDOWN); a container that is removed at its end
 * (--rm) has nothing to keep, so its VMM is killed at once (KILL), which is safe, since all its output has
 * come before the word of its end, and saves the whole shutdown. Then `kvbox finish` folds state.json
 * into the store, `alive` is released, and the clients hear of the end after the last of their output
 * (DRAIN): a command that returns finds the store up to date. From DRAIN on no file is touched: the
 * container may run again, or be gone.
 *
 * What goes wrong before RUN makes the start fail (monitor_fail): the VM is killed, the starting
 * command gets the reason. That it goes away before its answer is such a case. A VM that does not come up
 * with KVM is started a second time in software; the user is told, and KVM is not tried again before the
 * host's next boot. In RUN the end of the VM is the end of the container, with code 255 and the reason.
 *
 * Each life has a deadline where something outside must happen.
 */
#include "engine/monitor.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "engine/cgroup.h"
#include "engine/eventlog.h"
#include "engine/monitor_priv.h"
#include "engine/signame.h"
#include "vmm/probe.h"

#define CONTROL_FD 3
#define TRACE_FILE "trace.json"

#define SECONDS_MAX    86400 /* of a timeout from the environment */
#define LAUNCH_TIMEOUT 60
/* Syncing what the container wrote last can take that long on a slow disk, and killing the VMM in the middle
 * of it loses data. A guest that hangs is the rarer case. */
#define SHUTDOWN_TIMEOUT  60
#define KILL_TIMEOUT	  10
#define LOSS_TIMEOUT	  2 /* from the end of the channel to the kill of the VMM */
#define STOP_LAST_TIMEOUT 5 /* from SIGKILL of process 1 to the kill of the VMM */

static const char *const life_name[] = {
	[LIFE_NEW] = "new",	      [LIFE_BOOT] = "boot",	[LIFE_SETUP] = "setup",
	[LIFE_READY] = "ready",	      [LIFE_LAUNCH] = "launch", [LIFE_RUN] = "run",
	[LIFE_SHUTDOWN] = "shutdown", [LIFE_KILL] = "kill",	[LIFE_FINISH] = "finish",
	[LIFE_DRAIN] = "drain",
};
_Static_assert(ARRAY_LEN(life_name) == LIFE_COUNT, "life_name[] does not match enum life");

#define TO(life) (1u << LIFE_##life)
static const unsigned may_follow[LIFE_COUNT] = {
	[LIFE_NEW] = TO(BOOT) | TO(KILL) | TO(FINISH),
	[LIFE_BOOT] = TO(SETUP) | TO(KILL) | TO(FINISH),
	[LIFE_SETUP] = TO(READY) | TO(KILL) | TO(FINISH),
	[LIFE_READY] = TO(LAUNCH) | TO(KILL) | TO(FINISH),
	[LIFE_LAUNCH] = TO(RUN) | TO(KILL) | TO(FINISH),
	[LIFE_RUN] = TO(SHUTDOWN) | TO(KILL) | TO(FINISH),
	[LIFE_SHUTDOWN] = TO(KILL) | TO(FINISH),
	[LIFE_KILL] = TO(BOOT) | TO(FINISH),
	[LIFE_FINISH] = TO(DRAIN),
};

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

static void add_timer(struct event *ev, unsigned seconds)
{
	struct timeval tv = { .tv_sec = seconds };

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

	trace_add(&m->trace, "monitor", name, m->phase_begin, now);
	m->phase_begin = now;
}

static void write_trace(struct monitor *m)
{
	auto_str struct str text = STR_INIT(1024 * 1024);
	struct err e = ERR_INIT;

	if (!m->tracing)
		return;
	trace_write(&m->trace, &text);
	if (file_write_replace(m->dir, TRACE_FILE, text.buf, text.len, 0640, &e) < 0)
		log_debug("cannot write the timeline: %s", e.msg);
}

static void tell_events(struct monitor *m, const char *action)
{
	auto_strv struct strv attributes = STRV_INIT;

	strv_addf(&attributes, "image=%s", m->spec.image_ref ? m->spec.image_ref : "");
	strv_addf(&attributes, "name=%s", m->spec.name ? m->spec.name : "");
	if (str_eq(action, "die"))
		strv_addf(&attributes, "exitCode=%lld", (long long)m->state.exit_code);
	eventlog_add(&m->paths, "container", action, m->id, &attributes);
}

/* ---- entering a life --------------------------------------------------------------------------- */

static void boot(struct monitor *m)
{
	struct err e = ERR_INIT;

	if (monitor_vm_boot(m, &e) < 0) {
		monitor_fail(m, &e);
		return;
	}
	monitor_write_state(m);
	add_timer(m->deadline, monitor_vm_boot_timeout(m));
}

static void run(struct monitor *m)
{
	m->state.phase = VM_RUNNING;
	m->state.started_at = clock_now();
	monitor_write_state(m);
	request_started(m);
	tell_events(m, "start");
}

static void shut_down(struct monitor *m)
{
	m->state.phase = VM_STOPPING;
	monitor_write_state(m);
	add_timer(m->deadline, monitor_seconds("KVBOX_SHUTDOWN_TIMEOUT", SHUTDOWN_TIMEOUT));
	agent_shutdown(m);
}

static void on_finished(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;
	int status = 0;

	(void)fd;
	(void)what;
	if (spawn_try_wait(&m->finisher, &status, &e) == 0) {
		event_add(m->finished, NULL);
		return;
	}
	if (status != 0)
		log_debug("finish ended with %d", status);
	monitor_event_free(&m->finished);
	proc_release(&m->finisher);
	monitor_set_life(m, LIFE_DRAIN);
	monitor_settle(m);
}

static int spawn_finish(struct monitor *m, struct err *e)
{
	auto_free char *self = proc_own_path(e);
	char verb[] = "finish", name[] = "kvbox";
	char *const argv[] = { name, verb, m->id, NULL };
	const struct spawn_fd fds[] = { { STDERR_FILENO, STDERR_FILENO } };
	const struct spawn s = {
		.path = self,
		.argv = argv,
		.fds = fds,
		.nfds = 1,
		.cwd = -1,
		.cgroup = -1,
	};

	if (!self || spawn_start(&s, &m->finisher, e) < 0)
		return -1;
	m->finished = monitor_event(m, m->finisher.pidfd, EV_READ, on_finished, m);
	event_add(m->finished, NULL);
	return 0;
}

/* The VMM is gone. The last that this process writes about the container. */
static void finish(struct monitor *m)
{
	struct err e = ERR_INIT;

	process_all_lost(m);
	agent_close(m);
	monitor_vm_release(m);
	logfile_free(m->log);
	m->log = NULL;
	clients_close_socket(m);
	if (m->state.cgroup && *m->state.cgroup)
		cgroup_leave(m->state.cgroup);
	m->state.phase = VM_EXITED;
	m->state.vmm_pid = m->state.vmm_start = 0;
	if (!m->state.finished_at)
		m->state.finished_at = clock_now();
	if (err_is_set(&m->failure)) {
		free(m->state.error);
		m->state.error = xstrdup(m->failure.msg);
	}
	monitor_phase(m, "shutdown");
	write_trace(m);
	/* Without that word `finish` believes only in the end of one whose lock is free. */
	if (!monitor_write_state(m))
		fd_close(take_fd(&m->alive));
	if (m->state.started_at)
		tell_events(m, "die");
	if (spawn_finish(m, &e) == 0)
		return;
	/* The next command that meets the container does it. */
	log_debug("cannot run finish: %s", e.msg);
	monitor_set_life(m, LIFE_DRAIN);
}

static void drain(struct monitor *m)
{
	monitor_phase(m, "finish");
	monitor_event_free(&m->terminate);
	monitor_event_free(&m->stop_timer);
	fd_close(take_fd(&m->alive));
}

void monitor_set_life(struct monitor *m, enum life next)
{
	log_debug("%s -> %s", life_name[m->life], life_name[next]);
	assert(may_follow[m->life] & 1u << next);
	m->life = next;
	event_del(m->deadline);
	switch (next) {
	case LIFE_BOOT:
		boot(m);
		break;
	case LIFE_SETUP:
		add_timer(m->deadline, monitor_vm_boot_timeout(m));
		agent_setup(m);
		break;
	case LIFE_READY:
		request_launch_if_asked(m);
		break;
	case LIFE_LAUNCH:
		add_timer(m->deadline, LAUNCH_TIMEOUT);
		break;
	case LIFE_RUN:
		run(m);
		break;
	case LIFE_SHUTDOWN:
		shut_down(m);
		break;
	case LIFE_KILL:
		add_timer(m->deadline, KILL_TIMEOUT);
		monitor_vm_kill(m);
		break;
	case LIFE_FINISH:
		finish(m);
		break;
	case LIFE_DRAIN:
		drain(m);
		break;
	case LIFE_NEW:
	case LIFE_COUNT:
		break;
	}
}

/* ---- what may happen --------------------------------------------------------------------------- */

static int code_of_failure(const struct err *why)
{
	return why->kind == ERR_NO_COMMAND ? 127
	       : why->kind == ERR_NOT_EXEC ? 126
					   : CODE_NOT_STARTED;
}

/* A boot that failed with KVM is tried once more without. */
static bool falls_back(struct monitor *m, const struct err *why)
{
	struct err e = ERR_INIT;
	auto_free char *text = NULL;

	if (m->life != LIFE_BOOT || !m->booted || !m->choice.kvm || m->choice.forced ||
	    why->kind == ERR_CANCELLED || !monitor_vm_blames_kvm(m))
		return false;
	if (kvm_mark_bad(m->paths.run_fd, why->msg, &e) < 0)
		log_debug("%s", e.msg);
	text = xasprintf("KVM does not work here (%.200s); continuing in software, which is slower",
			 why->msg);
	request_notice(m, text);
	m->without_kvm = true;
	m->retry = true;
	return true;
}

static void second_boot(struct monitor *m)
{
	m->retry = false;
	agent_close(m);
	monitor_vm_release(m);
	monitor_set_life(m, LIFE_BOOT);
}

static void note_failure(struct monitor *m, struct err *why)
{
	m->state.exit_code = m->life == LIFE_RUN ? CODE_VM_LOST : code_of_failure(why);
	m->state.finished_at = clock_now();
	if (why->kind != ERR_CANCELLED && m->booted && (m->life == LIFE_BOOT || m->panicked))
		monitor_vm_explain(m, why);
	err_move(&m->failure, why);
}

void monitor_fail(struct monitor *m, struct err *why)
{
	log_debug("%s: %s", life_name[m->life], why->msg);
	if (m->life == LIFE_KILL && m->retry) {
		/* Not worth a second boot any more. */
		m->retry = false;
		note_failure(m, why);
		return;
	}
	if (m->life >= LIFE_SHUTDOWN) {
		err_clear(why);
		return;
	}
	if (falls_back(m, why))
		err_clear(why);
	else
		note_failure(m, why);
	monitor_set_life(m, m->vmm_runs || m->retry ? LIFE_KILL : LIFE_FINISH);
	if (m->retry && !m->vmm_runs)
		second_boot(m);
}

static void end_run(struct monitor *m, int code, enum life next)
{
	monitor_phase(m, "process");
	m->state.exit_code = code;
	m->state.finished_at = clock_now();
	monitor_set_life(m, next);
}

void monitor_exited(struct monitor *m, int code)
{
	if (m->life == LIFE_RUN)
		end_run(m, code, m->spec.auto_remove ? LIFE_KILL : LIFE_SHUTDOWN);
}

void monitor_vmm_gone(struct monitor *m)
{
	struct err why = ERR_INIT, e = ERR_INIT;
	int status = 0;

	monitor_vm_last_events(m);
	agent_drain(m);
	if (spawn_try_wait(&m->vmm.proc, &status, &e) == 0) {
		event_add(m->vmm_gone, NULL);
		return;
	}
	m->vmm_runs = false;
	if (m->life == LIFE_KILL && m->retry) {
		second_boot(m);
		return;
	}
	if (m->life < LIFE_SHUTDOWN) {
		if (status > 128)
			err_set(&why, ERR_UNAVAILABLE,
				"the virtual machine ended unexpectedly (signal %d)", status - 128);
		else
			err_set(&why, ERR_UNAVAILABLE, "the virtual machine ended unexpectedly");
		monitor_fail(m, &why);
	} else if (m->life < LIFE_FINISH) {
		monitor_set_life(m, LIFE_FINISH);
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err why = ERR_INIT;

	(void)fd;
	(void)what;
	m->timed_out = true;
	if (m->life < LIFE_SHUTDOWN && m->agent.lost) {
		err_set(&why, ERR_UNAVAILABLE, "the guest's agent has gone");
		monitor_fail(m, &why);
	} else if (m->life == LIFE_SHUTDOWN) {
		monitor_set_life(m, LIFE_KILL);
	} else if (m->life == LIFE_KILL) {
		log_debug("the VMM does not end");
		monitor_set_life(m, LIFE_FINISH);
	} else if (m->life == LIFE_BOOT) {
		err_set(&why, ERR_UNAVAILABLE, "the guest did not answer within %u seconds",
			monitor_vm_boot_timeout(m));
		monitor_fail(m, &why);
	} else if (m->life < LIFE_RUN) {
		err_set(&why, ERR_UNAVAILABLE, "the guest's agent did not answer in time (%s)",
			life_name[m->life]);
		monitor_fail(m, &why);
	}
	monitor_settle(m);
}

/* ---- stop -------------------------------------------------------------------------------------- */

static void on_stop_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	if (m->life == LIFE_RUN && m->stop_stage == 1) {
		m->stop_stage = 2;
		add_timer(m->stop_timer, STOP_LAST_TIMEOUT);
		process_signal(m, m->main, SIGKILL, NULL, NULL);
	} else if (m->life == LIFE_RUN) {
		/* The guest does not even kill: what was to be done is done to the VM. */
		end_run(m, 128 + SIGKILL, LIFE_KILL);
	}
	monitor_settle(m);
}

static int stop_signal(const struct monitor *m)
{
	const char *name = m->spec.stop_signal;
	struct err e = ERR_INIT;
	int sig;

	if (!name || !*name)
		return SIGTERM;
	return signame_parse(name, &sig, &e) < 0 ? SIGTERM : sig;
}

void monitor_stop(struct monitor *m, int sig, int64_t timeout)
{
	struct err why = ERR_INIT;

	if (m->life < LIFE_RUN || m->retry) {
		err_set(&why, ERR_CANCELLED, "stopped before it was started");
		monitor_fail(m, &why);
		return;
	}
	if (m->life != LIFE_RUN)
		return;
	m->state.phase = VM_STOPPING;
	monitor_write_state(m);
	if (m->stop_stage < 2) {
		m->stop_stage = 1;
		if (timeout >= 0)
			add_timer(m->stop_timer,
				  timeout > INT32_MAX ? INT32_MAX : (unsigned)timeout);
	}
	process_signal(m, m->main, sig ? sig : stop_signal(m), NULL, NULL);
}

/* The host shuts down, or somebody who knows the monitor's pid asks. */
static void on_terminate(evutil_socket_t sig, short what, void *ctx)
{
	(void)sig;
	(void)what;
	monitor_stop(ctx, 0, 10);
	monitor_settle(ctx);
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void on_idle(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;

	(void)fd;
	(void)what;
	if (m->log && logfile_flush(m->log, &e) < 0)
		log_debug("%s", e.msg);
}

static void settle_agent(struct monitor *m)
{
	struct err why = ERR_INIT;

	if (!m->agent.lost || m->agent.loss_seen)
		return;
	m->agent.loss_seen = true;
	agent_unwatch(m);
	if (err_is_set(&m->agent.why)) {
		err_move(&why, &m->agent.why);
		err_wrap(&why, "the guest's agent broke the protocol");
		monitor_fail(m, &why);
	} else if (m->life < LIFE_SHUTDOWN) {
		/* The VMM is about to end and tells more; else it ends now. */
		add_timer(m->deadline, LOSS_TIMEOUT);
	}
}

void monitor_settle(struct monitor *m)
{
	bool more = true;

	if (m->settling)
		return;
	m->settling = true;
	settle_agent(m);
	while (more) {
		process_settle(m);
		if (m->life == LIFE_DRAIN)
			requests_settle_end(m);
		/* What one side takes gives the other side credit. */
		more = agent_flush(m);
		more |= clients_flush(m);
		more |= clients_free_gone(m);
	}
	if (m->log && logfile_is_dirty(m->log))
		event_active(m->idle, EV_TIMEOUT, 1);
	if (m->life == LIFE_DRAIN && !m->peers)
		event_base_loopbreak(m->base);
	m->settling = false;
}

static int open_loop(struct monitor *m, struct err *e)
{
	m->base = event_base_new();
	if (!m->base || event_base_priority_init(m->base, 2) < 0)
		return err_set(e, ERR_SYSTEM, "cannot set up the event loop");
	m->deadline = monitor_event(m, -1, 0, on_deadline, m);
	m->stop_timer = monitor_event(m, -1, 0, on_stop_timer, m);
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
	    rundir_take_alive(&m->run, &m->alive, e) < 0)
		return -1;
	m->run_path = xasprintf("%s/%s", m->paths.runroot, m->run.name);
	return 0;
}

static int prepare(struct monitor *m, struct err *e)
{
	struct err ignored = ERR_INIT;
	uint64_t begun = 0;

	if (take_locks(m, e) < 0 || spec_read_file(m->dir, &m->spec, e) < 0 ||
	    logfile_open(m->dir, NULL, &m->log, e) < 0 || clients_open(m, e) < 0)
		return -1;
	m->state.cgroup = cgroup_own_path(m->run.name);
	m->state.pid = getpid();
	if (proc_start_time(getpid(), &begun, &ignored) == 0)
		m->state.pid_start = (int64_t)begun;
	monitor_phase(m, "store");
	/* What an earlier run may have left there must not be taken for ours. */
	return vmstate_write(m->run.fd, &m->state, e);
}

static void monitor_release(struct monitor *m)
{
	clients_free_all(m);
	agent_close(m);
	process_free_all(m);
	monitor_vm_release(m);
	if (m->listener >= 0)
		clients_close_socket(m);
	logfile_free(m->log);
	monitor_event_free(&m->deadline);
	monitor_event_free(&m->stop_timer);
	monitor_event_free(&m->idle);
	monitor_event_free(&m->terminate);
	if (m->base)
		event_base_free(m->base);
	vmm_choice_release(&m->choice);
	vmstate_release(&m->state);
	spec_release(&m->spec);
	trace_release(&m->trace);
	fd_close(m->alive);
	fd_close(m->dir);
	rundir_release(&m->run);
	paths_release(&m->paths);
	free(m->run_path);
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
	m->dir = m->alive = m->listener = m->agent.fd = m->finisher.pidfd = -1;
	m->outgrow_fd = -1;
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
	monitor_release(m);
	free(m);
	return code;
}
