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
 * come before the word of its end, and saves the whole shutdown. To free what that VMM had takes the kernel
 * fifty milliseconds, in which it executes nothing any more: where a client waits for the end of a --rm container, only
 * this process waits for that, when all the rest is done. Then a client that waits for the end, or
 * `kvbox finish`, folds state.json into the store (monitor_finish.c), `alive` is released, and the clients
 * hear of the end after the last of their output (DRAIN): a command that returns finds the store up to date.
 * From DRAIN on no file is touched: the container may run again, or be gone.
 *
 * Where the restart policy asks for another run, RESTART takes the place of FINISH: the old VM is gone, the
 * clients that were attached hear of the end of their run, and BOOT follows after a while. Log, locks,
 * control.sock and who waits for the container's real end stay. A restart that fails ends the container.
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

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

#define TRACE_FILE "trace.json"

#define LAUNCH_TIMEOUT 60
/* Syncing what the container wrote last can take that long on a slow disk, and killing the VMM in the middle
 * of it loses data. A guest that hangs is the rarer case. */
#define SHUTDOWN_TIMEOUT 60
#define KILL_TIMEOUT	 10
#define LOSS_TIMEOUT	 2 /* from the end of the channel to the kill of the VMM */

static const char *const life_name[] = {
	[LIFE_NEW] = "new",	      [LIFE_BOOT] = "boot",	[LIFE_SETUP] = "setup",
	[LIFE_READY] = "ready",	      [LIFE_LAUNCH] = "launch", [LIFE_RUN] = "run",
	[LIFE_SHUTDOWN] = "shutdown", [LIFE_KILL] = "kill",	[LIFE_RESTART] = "restart",
	[LIFE_FINISH] = "finish",     [LIFE_DRAIN] = "drain",
};
_Static_assert(ARRAY_LEN(life_name) == LIFE_COUNT, "life_name[] does not match enum life");

#define TO(life) (1u << LIFE_##life)
static const unsigned may_follow[LIFE_COUNT] = {
	[LIFE_NEW] = TO(BOOT) | TO(KILL) | TO(FINISH),
	[LIFE_BOOT] = TO(SETUP) | TO(KILL) | TO(FINISH),
	[LIFE_SETUP] = TO(READY) | TO(KILL) | TO(FINISH),
	[LIFE_READY] = TO(LAUNCH) | TO(KILL) | TO(FINISH),
	[LIFE_LAUNCH] = TO(RUN) | TO(KILL) | TO(FINISH),
	[LIFE_RUN] = TO(SHUTDOWN) | TO(KILL) | TO(RESTART) | TO(FINISH),
	[LIFE_SHUTDOWN] = TO(KILL) | TO(RESTART) | TO(FINISH),
	[LIFE_KILL] = TO(BOOT) | TO(RESTART) | TO(FINISH),
	[LIFE_RESTART] = TO(BOOT) | TO(FINISH),
	[LIFE_FINISH] = TO(DRAIN),
};

static void add_timer(struct monitor *m, unsigned seconds)
{
	monitor_add_timer(m->deadline, seconds * MONITOR_SECOND);
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

/* ---- entering a life --------------------------------------------------------------------------- */

void monitor_boot(struct monitor *m)
{
	struct err e = ERR_INIT;
	int r = monitor_vm_boot(m, &e);

	if (r == 0)
		return;
	if (r < 0 || settings_prepare(m, &e) < 0) {
		monitor_fail(m, &e);
		return;
	}
	monitor_write_state(m);
	add_timer(m, monitor_vm_boot_timeout(m));
}

static void set_error(struct monitor *m, const char *text)
{
	free(m->state.error);
	m->state.error = xstrdup(text);
}

static void run(struct monitor *m)
{
	m->state.phase = VM_RUNNING;
	m->state.started_at = clock_now();
	m->state.exit_code = 0;
	m->state.oom = false;
	m->told_die = false;
	set_error(m, "");
	restart_began(m);
	health_begin(m, true);
	trim_begin(m);
	monitor_write_state(m);
	request_started(m);
	monitor_tell(m, "start", NULL);
}

static void shut_down(struct monitor *m)
{
	if (!m->restart.pending) {
		m->state.phase = VM_STOPPING;
		monitor_write_state(m);
	}
	add_timer(m, monitor_seconds("KVBOX_SHUTDOWN_TIMEOUT", SHUTDOWN_TIMEOUT));
	agent_shutdown(m);
	(void)agent_flush(m);
	monitor_leave_cgroup(m);
}

/* The VMM is gone, or killed. The last that this process writes about the container. */
static void finish(struct monitor *m)
{
	struct err e = ERR_INIT;
	bool told;

	join_end(m);
	process_all_lost(m);
	agent_close(m);
	monitor_vm_release(m);
	logfile_free(m->log);
	m->log = NULL;
	clients_close_socket(m);
	m->state.phase = VM_EXITED;
	m->state.keep = m->keep;
	m->unburied = m->hurried && m->vmm_runs;
	if (!m->unburied) {
		monitor_end_cgroup(m);
		m->state.vmm_pid = m->state.vmm_start = 0;
	}
	if (!m->state.finished_at)
		m->state.finished_at = clock_now();
	if (err_is_set(&m->failure))
		set_error(m, m->failure.msg);
	/* How the VM was run is nobody's concern any more, and whoever folds the rest in reads all of it. */
	free(take_ptr(&m->state.confinement));
	free(take_ptr(&m->state.accel_reason));
	monitor_phase(m, "shutdown");
	write_trace(m);
	told = vmstate_write_last(m->run.fd, &m->state, &e) == 0;
	if (!told) {
		/* Without that word only the end of one whose lock is free is believed; what belongs to it is killed
		 * then, and `kvbox finish` is of this cgroup, as a client is not. */
		log_debug("cannot write the state: %s", e.msg);
		fd_close(take_fd(&m->alive));
	}
	if (m->state.started_at)
		monitor_tell_die(m);
	if (m->stop_asked)
		monitor_tell(m, "stop", NULL);
	finish_begin(m, told);
}

/* The last VM is gone, the next is not there yet. */
static void await_restart(struct monitor *m)
{
	process_all_lost(m);
	agent_close(m);
	monitor_vm_release(m);
	process_run_over(m);
	stop_reset(m);
	m->state.vmm_pid = m->state.vmm_start = 0;
	monitor_write_state(m);
	restart_wait(m);
}

static void drain(struct monitor *m)
{
	monitor_phase(m, "finish");
	monitor_event_free(&m->terminate);
	stop_release(m);
	/* Whoever finds `alive` free finds the other one free as well. */
	fd_close(take_fd(&m->bundle));
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
		monitor_boot(m);
		break;
	case LIFE_SETUP:
		add_timer(m, monitor_vm_boot_timeout(m));
		agent_setup(m);
		break;
	case LIFE_READY:
		request_launch_if_asked(m);
		break;
	case LIFE_LAUNCH:
		add_timer(m, LAUNCH_TIMEOUT);
		break;
	case LIFE_RUN:
		run(m);
		break;
	case LIFE_SHUTDOWN:
		shut_down(m);
		break;
	case LIFE_KILL:
		/* Without an orderly end the disk of a --rm container is lost. */
		m->keep = false;
		add_timer(m, KILL_TIMEOUT);
		monitor_vm_kill(m);
		monitor_leave_cgroup(m);
		break;
	case LIFE_RESTART:
		await_restart(m);
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

/* A copy of a saved VM that does not come up: a boot is tried instead. */
static bool gives_template_up(struct monitor *m, const struct err *why)
{
	if (m->life != LIFE_BOOT || !m->from_template || why->kind == ERR_CANCELLED)
		return false;
	log_debug("the saved virtual machine is of no use: %s", why->msg);
	m->from_template = false;
	m->without_template = m->retry = true;
	return true;
}

/* A boot that failed with KVM is tried once more without. */
static bool falls_back(struct monitor *m, const struct err *why)
{
	auto_free char *text = NULL;

	if (gives_template_up(m, why))
		return true;
	if (m->life != LIFE_BOOT || !m->booted || !m->choice.kvm || m->choice.forced ||
	    why->kind == ERR_CANCELLED || !monitor_vm_blames_kvm(m))
		return false;
	m->kvm_fault = xstrdup(why->msg);
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

static void explain(struct monitor *m, struct err *why)
{
	if (why->kind != ERR_CANCELLED && m->booted && (m->life == LIFE_BOOT || m->panicked))
		monitor_vm_explain(m, why);
}

static void note_failure(struct monitor *m, struct err *why)
{
	m->state.exit_code = code_of_failure(why);
	m->state.finished_at = clock_now();
	m->restart.pending = false;
	explain(m, why);
	err_move(&m->failure, why);
}

/* All that the end of a run means but the next life. */
static void end_run(struct monitor *m, int code)
{
	struct err e = ERR_INIT;

	monitor_phase(m, "process");
	m->state.exit_code = code;
	m->state.finished_at = clock_now();
	pause_reset(m);
	health_end(m);
	trim_end(m);
	restart_decide(m, code);
	if (!m->restart.pending)
		return;
	m->state.phase = VM_RESTARTING;
	monitor_write_state(m);
	monitor_tell_die(m);
	/* Who follows the log reads it once more when the end is told. */
	if (m->log && logfile_flush(m->log, &e) < 0)
		log_debug("%s", e.msg);
	requests_run_over(m);
}

/* Where it goes on when the VMM is gone. */
static enum life after_vm(const struct monitor *m)
{
	return m->restart.pending ? LIFE_RESTART : LIFE_FINISH;
}

static void lose_run(struct monitor *m, struct err *why)
{
	explain(m, why);
	end_run(m, CODE_VM_LOST);
	set_error(m, why->msg);
	if (m->restart.pending)
		err_clear(why);
	else
		err_move(&m->failure, why);
	monitor_set_life(m, m->vmm_runs ? LIFE_KILL : after_vm(m));
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
	if (m->life == LIFE_RUN) {
		lose_run(m, why);
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

void monitor_exited(struct monitor *m, int code)
{
	if (m->life != LIFE_RUN)
		return;
	end_run(m, code);
	m->hurried = m->spec.auto_remove && !m->keep;
	monitor_set_life(m, m->hurried ? LIFE_KILL : LIFE_SHUTDOWN);
}

void monitor_end_hard(struct monitor *m)
{
	if (m->life != LIFE_RUN)
		return;
	end_run(m, 128 + SIGKILL);
	monitor_set_life(m, LIFE_KILL);
}

void monitor_give_up(struct monitor *m)
{
	m->restart.pending = m->retry = false;
	if (m->life == LIFE_RESTART || m->life < LIFE_RUN) {
		monitor_set_life(m, m->vmm_runs ? LIFE_KILL : LIFE_FINISH);
	} else if (m->life < LIFE_FINISH) {
		m->state.phase = VM_STOPPING;
		monitor_write_state(m);
	}
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
		monitor_confine_explain(m, status, &why);
		monitor_fail(m, &why);
	} else if (m->life < LIFE_FINISH) {
		monitor_set_life(m, after_vm(m));
	}
}

void monitor_on_deadline(struct monitor *m)
{
	struct err why = ERR_INIT;

	m->timed_out = true;
	if (m->life < LIFE_SHUTDOWN && m->agent.lost) {
		err_set(&why, ERR_UNAVAILABLE, "the guest's agent has gone");
		monitor_fail(m, &why);
	} else if (m->life == LIFE_SHUTDOWN) {
		monitor_set_life(m, LIFE_KILL);
	} else if (m->life == LIFE_KILL) {
		log_debug("the VMM does not end");
		m->restart.pending = m->hurried = false; /* its disk is not free */
		monitor_set_life(m, LIFE_FINISH);
	} else if (m->life == LIFE_FINISH) {
		finish_overdue(m);
	} else if (m->life == LIFE_BOOT) {
		err_set(&why, ERR_UNAVAILABLE, "the guest did not answer within %u seconds",
			monitor_vm_boot_timeout(m));
		monitor_fail(m, &why);
	} else if (m->life < LIFE_RUN) {
		err_set(&why, ERR_UNAVAILABLE, "the guest's agent did not answer in time (%s)",
			life_name[m->life]);
		monitor_fail(m, &why);
	}
}

/* ---- the loop ---------------------------------------------------------------------------------- */

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
		add_timer(m, LOSS_TIMEOUT);
	}
}

/* Who reads the output of others in that container may get some of it still. */
static void settle_kill(struct monitor *m)
{
	if (m->life != LIFE_KILL || !m->hurried || !process_all_ended(m) || !finish_has_client(m))
		return;
	agent_drain(m);
	monitor_set_life(m, LIFE_FINISH);
}

void monitor_settle(struct monitor *m)
{
	bool more = true;

	if (m->settling)
		return;
	m->settling = true;
	settle_agent(m);
	settle_kill(m);
	while (more) {
		process_settle(m);
		if (m->life == LIFE_DRAIN)
			requests_settle_end(m);
		else
			requests_settle_over(m);
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
