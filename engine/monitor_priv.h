/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the monitor share. monitor_main.c: the process; monitor.c: life and end;
 * monitor_finish.c: its result in the store; monitor_stop.c: stop and kill; monitor_restart.c: the restart
 * policy; monitor_pause.c, monitor_health.c;
 * monitor_vm.c: the VMM; monitor_agent.c: the channel; monitor_process.c: processes and their streams;
 * monitor_clients.c: control.sock; monitor_requests.c: what clients ask for, monitor_orders.c: of that what
 * is passed on; monitor_outlet.c: output to one client; monitor_tell.c: events.
 *
 * All of it runs in one libevent loop. A callback of the loop ends with monitor_settle(), which writes
 * what was queued and frees what has ended: so no function below frees a client, a process or the channel
 * while somebody further up works with it; they are only marked.
 */
#ifndef KVBOX_ENGINE_MONITOR_PRIV_H
#define KVBOX_ENGINE_MONITOR_PRIV_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"
#include "base/spawn.h"
#include "base/trace.h"
#include "engine/logfile.h"
#include "engine/paths.h"
#include "engine/rundir.h"
#include "engine/spec.h"
#include "engine/state.h"
#include "proto/conn.h"
#include "proto/preamble.h"
#include "vmm/driver.h"
#include "vmm/select.h"

/* Exit codes of a container whose process did not give one. */
#define CODE_NOT_STARTED 128 /* as Docker's */
#define CODE_VM_LOST	 255

/* In the container's folder: what the guest's kernel prints, and what the VMM does. */
#define CONSOLE_FILE "console.log"
#define VMM_LOG_FILE "vmm.log"

#define MONITOR_READ_SIZE (128u * 1024)

enum life {
	LIFE_NEW,      /* locks and files */
	LIFE_BOOT,     /* the VMM runs, no HELLO from the agent yet */
	LIFE_SETUP,    /* container.setup was sent */
	LIFE_READY,    /* waits for the starting command */
	LIFE_LAUNCH,   /* process.start was sent */
	LIFE_RUN,      /* process 1 runs */
	LIFE_SHUTDOWN, /* it has ended; the agent syncs and powers off */
	LIFE_KILL,     /* the VMM was killed and is not gone yet */
	LIFE_RESTART,  /* the VM is gone, the restart policy waits to boot the next */
	LIFE_FINISH,   /* a client or `kvbox finish` folds the result into the store */
	LIFE_DRAIN,    /* `alive` is released; clients get the rest of their output */
	LIFE_COUNT,
};

struct monitor;
struct process;
struct peer;

/* ---- monitor_agent.c ---- */

/* `error` is set or `reply` is; both valid during the call. */
typedef void agent_done(struct monitor *m, void *ctx, const struct message *reply,
			const struct err *error);

struct agent_request {
	struct agent_request *next;
	int64_t id;
	agent_done *done;
	void *ctx;
};

struct agent {
	int fd;		/* -1: none */
	bool listening; /* fd is a listening socket */
	int call;	/* accepted while listening, but has said nothing yet; -1: none */
	bool greeted;	/* the agent's HELLO has come */
	bool lost;	/* the connection is at its end */
	bool loss_seen; /* by monitor_settle */
	struct err why; /* of that; may be empty: the other side closed */
	struct event *readable, *writable;
	struct conn *conn;
	bool scanning; /* the preamble is not complete */
	struct preamble_scan scan;
	int64_t last_id;
	uint32_t last_stream;
	struct agent_request *requests;
	char kernel[64]; /* the guest's release, out of its HELLO */
};

/* ---- monitor_outlet.c ---- */

/* What a stream of a client's connection belongs to: the first member of an outlet and an inlet. */
struct stream_end {
	bool is_outlet;
	struct peer *peer;
	uint32_t stream; /* 0: not connected */
};

/* One output stream of a process on its way to one client. */
struct outlet {
	struct stream_end end;
	struct process *process;
	unsigned which; /* of the process's outputs: enum log_stream */
	/* Coupled: what the client has no credit for stays in `held`, unacknowledged, and so the process
	 * waits (exec). Else it goes to an unnamed file, and the process does not (process 1). */
	bool coupled;
	struct str
		held; /* uncoupled: what comes after the file's content, while that cannot be written */
	int spill; /* -1: none yet */
	uint64_t spill_read, spill_end;
	bool ended; /* EOF follows when all was passed on */
};

/* A client's input on its way to a process. */
struct inlet {
	struct stream_end end;
	struct process *process;
	struct str held; /* what the agent gave no credit for; the client's credit bounds it */
	bool ended;
};

/* ---- monitor_process.c ---- */

enum process_kind {
	PROCESS_MAIN,  /* the container's, number 1 */
	PROCESS_EXEC,  /* a client's */
	PROCESS_CHECK, /* the monitor's own: a health check */
};

struct process {
	struct process *next;
	struct monitor *m;
	enum process_kind kind;
	int64_t number;
	char exec_id[ID_TEXT_SIZE]; /* not of the main process */
	char *command;		    /* for events; likewise */
	bool tty;
	bool started; /* process.start was answered well */
	bool ended;
	int code;
	uint32_t in; /* the agent's streams, 0: none */
	uint32_t out[LOG_STREAM_COUNT];
	bool out_ended[LOG_STREAM_COUNT];
	bool in_ended;
	struct peer *owner; /* exec: who asked for it, NULL when gone; else NULL */
	int64_t request;    /* exec: the owner's request to be answered */
};

/* ---- monitor_restart.c ---- */

struct restart {
	bool pending;	/* the run has ended, or is about to, and another follows */
	bool cancelled; /* by stop or kill */
	bool by_hand;	/* somebody has sent a signal, whatever came of it */
	int64_t began;	/* of the run (clock_monotonic) */
	int64_t delay;	/* ns, before the last restart; 0: there was none */
	int64_t due;	/* of the next (clock_monotonic) */
	struct event *timer;
};

/* ---- monitor_pause.c ---- */

enum pause_step {
	PAUSE_NONE,
	PAUSE_ASKING, /* the agent for what clients will want to know meanwhile */
	PAUSE_GOING,  /* the VMM was told */
	PAUSE_ON,
	PAUSE_ENDING, /* the VMM was told to go on */
};

/* A client's request that is still to be answered; id 0: none. */
struct asker {
	uint64_t serial; /* of the peer */
	int64_t id;
};

/* Of a list of processes, each of some 600 of them; what is beyond is not shown while it is paused. */
#define PAUSE_PIECES_MAX 16

struct pause {
	enum pause_step step;
	bool wake;	    /* go on again as soon as it stands still */
	unsigned missing;   /* answers of the agent */
	unsigned snapshots; /* counts the pauses: which one an answer belongs to */
	unsigned request;   /* the VMM's number of ours */
	struct asker pauser, resumer;
	char *stats; /* JSON, as the agent replied; NULL: it did not */
	/* Likewise, in as many pieces as it sent, and the number of the process after which each begins. */
	struct strv processes;
	int64_t pieces_after[PAUSE_PIECES_MAX];
	struct event *timer;
};

/* ---- monitor_health.c ---- */

#define HEALTH_LOG_MAX	  5
#define HEALTH_OUTPUT_MAX 4096

enum health_status { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_STATUS_COUNT };

struct health_result {
	int64_t start, end; /* ns since 1970 */
	int code;
	char *output;
};

struct health {
	bool checked; /* the container has a check */
	enum health_status status;
	int64_t streak; /* of failures */
	struct health_result log[HEALTH_LOG_MAX];
	size_t n;
	struct event *timer;	 /* of the next check, or of the end of this one */
	struct process *process; /* the check that runs, or is being killed; NULL: none */
	bool counts;		 /* its result */
	int64_t start;		 /* of it */
	struct str output;
	bool more_output; /* than is kept */
};

/* ---- monitor_trim.c ---- */

struct trimming {
	struct event *timer;
	int64_t seen;	/* when the disk was written to, at the last look */
	int64_t done;	/* and when it was trimmed */
	bool asked;	/* the agent is at it */
	unsigned busy;	/* looks in a row at which it was not quiet */
	unsigned delay; /* looks to be left out after the last trim */
	unsigned wait;	/* those of them to come */
};

/* ---- monitor_join.c ---- */

struct join {
	struct proc child;
	struct event *ended; /* NULL: nothing is copied now */
	int said;	     /* a memory file with the reason when it fails */
	bool tried;	     /* it has ended well: what is missing all the same stays so */
};

/* ---- monitor_clients.c ---- */

/* A connection of control.sock. */
struct peer {
	struct peer *next;
	struct monitor *m;
	uint64_t serial; /* never used twice */
	int fd;
	struct conn *conn;
	struct event *readable, *writable;
	bool greeted;
	bool starter; /* the inherited connection */
	bool closing; /* close when all output is written */
	bool gone;    /* to be freed by monitor_settle */
	bool lost;    /* cut off (peer_lose) */
	/* Requests that wait for something; 0: none. */
	int64_t start_request, stop_request, wait_request;
	bool keeps;    /* it has said so with its stop_request: see monitor.keep */
	bool finishes; /* it would fold the result into the store */
	bool attached; /* wants EVENT exit */
	bool over;     /* the run that it is attached to has ended, with this code */
	int over_code;
	struct outlet out[LOG_STREAM_COUNT];
	struct inlet in;
	struct process *exec;
};

/* ---- monitor_finish.c ---- */

struct finishing {
	struct peer *client; /* was asked to fold the result into the store */
	struct proc program; /* `kvbox finish` */
	struct event *ended;
};

/* ---- monitor_setup.c ---- */

/* What is worked out of the definition before the agent is asked for anything. */
struct settings {
	bool ready;
	uint64_t capabilities;
	struct str filter; /* seccomp's; empty: none */
};

/* ---- all of it ---- */

struct monitor {
	char id[ID_TEXT_SIZE];
	struct paths paths;
	struct container_spec spec;
	int dir; /* containers/<id> */
	struct rundir run;
	char *run_path;
	int alive;  /* the lock, -1: not held */
	int bundle; /* keeps the folder of kernel and VMM (engine/bundled.h) */
	struct vmstate state;
	struct settings settings;

	struct event_base *base;
	enum life life;
	struct event *deadline; /* of the life we are in */
	struct event *idle;	/* nothing else to do: the log is flushed */
	struct event *terminate;

	struct vmm_choice choice;
	bool from_template;    /* the VM is a copy of a saved one */
	bool without_template; /* one has failed */
	int saved_ram;	       /* of the copy, -1: none */
	struct vmm vmm;
	bool vmm_runs;
	bool hurried; /* it was killed at the end of a --rm container: who waits for that need not wait for it */
	bool unburied;	  /* and it lived still when all the rest was done */
	bool limited;	  /* it has cgroups, or is about to */
	bool left;	  /* this process is not in the container's cgroup any more */
	bool booted;	  /* it was started, in this try */
	bool vmm_ready;	  /* it said so */
	bool panicked;	  /* or what comes to the same */
	bool timed_out;	  /* the boot's deadline has passed */
	bool without_kvm; /* KVM has failed here */
	char *kvm_fault;  /* how; kept for other starts when software then does better */
	bool retry;	  /* once the VMM is gone, boot again */
	struct event *vmm_gone, *vmm_control;
	int outgrow_fd; /* inotify, -1: none */
	struct event *outgrow, *outgrow_while;

	struct agent agent;
	int64_t rows, cols; /* of the starting command's terminal */
	struct process *processes;
	int64_t last_process;
	struct process *main; /* one of them, NULL before LIFE_LAUNCH */
	struct logfile *log;

	int listener;
	struct event *acceptable, *accept_again;
	struct peer *peers;
	unsigned npeers;
	uint64_t last_serial;
	struct peer *starter; /* NULL: gone */

	struct event *stop_timer;
	int stop_stage;	  /* 0: not asked to stop, 1: signal sent, 2: SIGKILL sent */
	bool stop_asked;  /* by `stop`: its event is due at the end */
	bool keep;	  /* although it is --rm: who stops it starts it again */
	bool told_die;	  /* the event of the end of this run */
	int64_t oom_told; /* when (clock_monotonic), 0: never */
	struct join join;
	struct restart restart;
	struct pause pause;
	struct health health;
	struct trimming trim;

	struct finishing finish;

	struct err failure; /* why the container could not be started or was lost */
	bool tracing;
	bool settling;
	struct trace trace;
	int64_t phase_begin; /* of the timeline */
	char *buf;	     /* MONITOR_READ_SIZE, for one read at a time */
};

/* monitor.c */
/* In LIFE_BOOT: starts the VM, or what has to be done before. */
void monitor_boot(struct monitor *m);
void monitor_set_life(struct monitor *m, enum life next);
/* The container could not be started, or its VM is lost: ends everything, or the run where another
 * follows. Takes the error's content; only the first counts. */
void monitor_fail(struct monitor *m, struct err *why);
/* Process 1 has ended. */
void monitor_exited(struct monitor *m, int code);
/* The guest does not even kill process 1: the VM ends, and with it the run. */
void monitor_end_hard(struct monitor *m);
/* Between two runs: there is no other one after all. */
void monitor_give_up(struct monitor *m);
void monitor_vmm_gone(struct monitor *m);
/* Of LIFE_BOOT and the like: what had to come has not. */
void monitor_on_deadline(struct monitor *m);
bool monitor_runs(const struct monitor *m); /* process 1 does, paused or not */
/* After each callback of the loop. */
void monitor_settle(struct monitor *m);

/* monitor_main.c */
/* False when it could not be written. */
bool monitor_write_state(struct monitor *m);
/* The timeline: the phase that began at the last call ends now. */
void monitor_phase(struct monitor *m, const char *name);
/* A number of seconds from the environment; what is not one, or 0, counts as not there. */
unsigned monitor_seconds(const char *variable, unsigned otherwise);
/* A timer or signal or descriptor event; asserts that there is memory. */
struct event *monitor_event(struct monitor *m, int fd, short what, event_callback_fn call,
			    void *ctx);
void monitor_event_free(struct event **ev);
void monitor_add_timer(struct event *ev, int64_t ns);
#define MONITOR_SECOND ((int64_t)1000000000)

/* monitor_tell.c */
/* Writes an event about the container; `extra` (attributes) may be NULL. */
void monitor_tell(struct monitor *m, const char *action, const struct strv *extra);
/* With one attribute more, "key=value". */
void monitor_tell_one(struct monitor *m, const char *action, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* "exec_create", "exec_start" (both with the command) or "exec_die". */
void monitor_tell_exec(struct monitor *m, const char *action, const struct process *p);
/* The end of the run, with code and duration. */
void monitor_tell_die(struct monitor *m);

/* monitor_stop.c */
void stop_open(struct monitor *m); /* the timer */
void stop_release(struct monitor *m);
/* A run begins or has ended: nobody has asked. */
void stop_reset(struct monitor *m);
/* Sends `sig` (0: the container's own) to process 1 and SIGKILL after `timeout` seconds (negative: never).
 * Nothing is started again. */
void monitor_stop(struct monitor *m, int sig, int64_t timeout);
/* SIGKILL, in any life. */
void monitor_kill(struct monitor *m);
/* Somebody sends process 1 a signal by hand. True: it is to be sent; false: no process runs now. */
bool monitor_signalled(struct monitor *m, int64_t sig);

/* monitor_finish.c */
/* In LIFE_FINISH: sees to it that the result comes into the store, by a client where one `may` be asked. */
void finish_begin(struct monitor *m, bool may_ask);
/* There is one that may be asked. */
bool finish_has_client(struct monitor *m);
/* The client has done it; with an `error` that is not empty it has not. */
int finish_answered(struct peer *p, const char *error, struct err *e) MUST_CHECK;
void finish_overdue(struct monitor *m);
void finish_peer_gone(struct peer *p);

/* monitor_restart.c */
void restart_open(struct monitor *m);
void restart_release(struct monitor *m);
/* Process 1 runs from now on. */
void restart_began(struct monitor *m);
/* The run has ended with `code`: sets `pending`, counts, and says when. */
void restart_decide(struct monitor *m, int code);
void restart_cancel(struct monitor *m);
/* In LIFE_RESTART: boots when it is time. */
void restart_wait(struct monitor *m);

/* monitor_pause.c */
void pause_open(struct monitor *m);
void pause_release(struct monitor *m);
/* Both answer the request. */
void pause_begin(struct monitor *m, struct asker who);
void pause_end(struct monitor *m, struct asker who);
/* The guest is to go on, if it does not: something was sent to it that it has to act on. */
void pause_wake(struct monitor *m);
/* The VMM has answered a request. */
void pause_answered(struct monitor *m, const struct vmm_event *ev);
/* The run is over. */
void pause_reset(struct monitor *m);
bool pause_is_on(const struct monitor *m); /* or is about to be */
/* The agent's reply about the processes behind number `after` (JSON), or NULL. */
const char *pause_processes(const struct monitor *m, int64_t after);

/* monitor_health.c */
void health_open(struct monitor *m);
void health_release(struct monitor *m);
/* Process 1 runs, or goes on: checks from now on. */
void health_begin(struct monitor *m, bool new_run);
/* No checks: paused, or the run is over. */
void health_suspend(struct monitor *m);
void health_end(struct monitor *m);
/* Of the process of a check. */
void health_answered(struct monitor *m, const struct err *error);
void health_output(struct monitor *m, const char *p, size_t n);
void health_exited(struct monitor *m, int code);

/* monitor_trim.c */
void trim_open(struct monitor *m); /* the timer */
void trim_release(struct monitor *m);
/* Process 1 runs, or has ended. */
void trim_begin(struct monitor *m);
void trim_end(struct monitor *m);

/* monitor_join.c */
int join_begin(struct monitor *m, struct err *e) MUST_CHECK;
void join_end(struct monitor *m); /* also when there is none */

/* monitor_vm.c */
/* 1: it runs; 0: something has to be done first, and monitor_boot() is called when it is done. */
int monitor_vm_boot(struct monitor *m, struct err *e) MUST_CHECK;
void monitor_vm_kill(struct monitor *m);
void monitor_vm_release(struct monitor *m);
/* The last of this process: the end of a VMM that was killed, and what is left of it then. */
void monitor_vm_bury(struct monitor *m);
/* Adds what the guest's console (or the VMM) said last to the error. */
void monitor_vm_explain(struct monitor *m, struct err *why);
unsigned monitor_vm_boot_timeout(const struct monitor *m);
/* What its VMM still has to tell, before its end is believed. */
void monitor_vm_last_events(struct monitor *m);
/* Whether a failed boot speaks against KVM, and not against the VMM's command line. */
bool monitor_vm_blames_kvm(struct monitor *m);
/* The guest has answered. Where KVM had failed before, that is held against KVM: on a host that is
 * merely slow software, being slower still, would not have come up in the same time. */
void monitor_vm_judge_kvm(struct monitor *m);

/* monitor_disks.c */
/* All that struct vmm_disk points to. */
struct vm_disks {
	struct vmm_disk disk[VMM_DISKS_MAX];
	size_t n;
	struct vmm_file *files; /* the upper, then what the root file system is made of */
	size_t nfiles;
	char (*serials)[VMM_SERIAL_MAX];
};
/* What vm_disks_describe needs is not there yet: join_begin() makes it. */
bool vm_disks_missing(const struct monitor *m);
int vm_disks_describe(struct monitor *m, struct vm_disks *ret, struct err *e) MUST_CHECK;
void vm_disks_release(struct vm_disks *d);
/* For container.setup: the members "root" and "upper", which say under which serials they are found. */
void vm_disks_tell(const struct monitor *m, struct json_writer *w);

/* monitor_confine.c: starts the VMM with what it may have; the rest of `spec` is filled in. */
int monitor_confine_start(struct monitor *m, struct vmm_spec *spec, struct err *e) MUST_CHECK;
/* Why the VMM is gone that nobody ended, by its exit status. */
void monitor_confine_explain(struct monitor *m, int status, struct err *ret);
void monitor_confine_end(struct monitor *m);
/* Leaving the container's cgroup waits (cgroup.h). So that is done while the VM ends, unless another comes after it; and
 * when it has ended the cgroup is removed. */
void monitor_leave_cgroup(struct monitor *m);
void monitor_end_cgroup(struct monitor *m);

/* monitor_agent.c */
int agent_open(struct monitor *m, struct err *e) MUST_CHECK; /* takes the VMM's channel */
void agent_close(struct monitor *m);
bool agent_flush(struct monitor *m); /* true: something was written */
/* The channel is lost, and nothing can be read or written; what was asked stays unanswered until
 * agent_close. */
void agent_unwatch(struct monitor *m);
/* Reads what has come until there is no more: before the end of a VMM is believed. */
void agent_drain(struct monitor *m);
bool agent_is_up(const struct monitor *m);
/* agent_begin, members, agent_send; `done` may be NULL. When the channel is or gets lost, `done` is
 * called with that error. */
void agent_begin(struct monitor *m, struct message_out *out, const char *op);
void agent_send(struct monitor *m, struct message_out *out, agent_done *done, void *ctx);
uint32_t agent_new_stream(struct monitor *m);
void agent_setup(struct monitor *m);
void agent_shutdown(struct monitor *m);

/* monitor_setup.c: the container's settings, for the agent */
/* Capabilities and filter; takes a moment, so it is done while the VM boots. Again: nothing. */
int settings_prepare(struct monitor *m, struct err *e) MUST_CHECK;
void settings_release(struct monitor *m);
/* Members of container.setup, all but the container and its disks. */
void settings_tell_container(const struct monitor *m, struct json_writer *w);
/* Members of process.start that are not about one process; `privileged` as of exec --privileged. */
void settings_tell_process(const struct monitor *m, bool privileged, struct message_out *out);
/* The arguments of process 1, appended: with --init they are the init's. */
void settings_main_args(const struct monitor *m, struct strv *ret);
/* How many CPUs the VM needs, in billionths, where more is asked for than a limit. */
int64_t settings_nano_cpus(const struct container_spec *s);

/* monitor_process.c */
struct process_start {
	enum process_kind kind;
	const struct strv *args, *env;
	const char *cwd, *user;
	bool tty, in, out, err;
	bool privileged; /* all capabilities and no filter */
	int64_t rows, cols;
};
/* Asks the agent for it. The start of the main process makes the container run; an exec's owner gets its
 * `request` answered (request_exec_answered), if there is one. */
void process_launch(struct monitor *m, const struct process_start *s, struct peer *owner,
		    int64_t request);
/* From the agent. */
int process_data(struct monitor *m, struct process *p, uint32_t stream, const void *bytes,
		 size_t n);
void process_eof(struct monitor *m, struct process *p, uint32_t stream);
void process_window(struct monitor *m, struct process *p);
int process_exit_event(struct monitor *m, const struct message *msg, struct err *e) MUST_CHECK;
/* The VM is gone, and with it all that ran in it. */
void process_all_lost(struct monitor *m);
bool process_all_ended(const struct monitor *m);
/* Behind that and agent_close, where another run follows: forgets process 1, and what belongs to the
 * agent's streams. */
void process_run_over(struct monitor *m);
void process_signal(struct monitor *m, struct process *p, int64_t sig, agent_done *done, void *ctx);
void process_resize(struct monitor *m, struct process *p, int64_t rows, int64_t cols);
struct process *process_find(struct monitor *m, int64_t number);
/* Tells the owners of ended execs whose output is all passed on. */
void process_settle(struct monitor *m);
void process_free_all(struct monitor *m);
/* The client of this outlet reads no more: what it held counts as consumed. */
void process_output_dropped(struct outlet *o);
/* Something was passed on for which the agent gets credit. */
void process_consumed(struct process *p, unsigned which, size_t n);

/* monitor_outlet.c */
void outlet_init(struct outlet *o);
void outlet_release(struct outlet *o);
/* Returns how many bytes count as consumed now. */
size_t outlet_write(struct outlet *o, const char *p, size_t n);
void outlet_end(struct outlet *o);
/* The client gave credit. */
void outlet_resume(struct outlet *o);
bool outlet_is_done(
	const struct outlet *o); /* nothing is left to pass on, or it is not connected */
void inlet_init(struct inlet *i);
void inlet_release(struct inlet *i);
void inlet_write(struct inlet *i, const char *p, size_t n);
void inlet_end(struct inlet *i);
void inlet_resume(struct inlet *i); /* the agent gave credit */

/* monitor_clients.c */
int clients_open(struct monitor *m, struct err *e) MUST_CHECK; /* control.sock */
void clients_close_socket(struct monitor *m);
/* An accepted or inherited connection; takes fd. `error`: sends a HELLO that tells it, and closes. */
void peer_add(struct monitor *m, int fd, bool starter, const struct err *error);
struct peer *peer_find(struct monitor *m, uint64_t serial); /* NULL: gone */
/* Ends the connection when all that is queued was written; the client is told that it has not got all of
 * the output. */
void peer_lose(struct peer *p, const char *why);
/* Ends the connection when all that is queued was written. */
void peer_close(struct peer *p);
void peer_send(struct peer *p, struct message_out *out);
void peer_reply(struct peer *p, int64_t id);
void peer_reply_error(struct peer *p, int64_t id, const struct err *error);
bool peer_is_drained(
	const struct peer *p);	       /* all output of process 1 was passed to the connection */
bool clients_flush(struct monitor *m); /* true: something was written */
bool clients_free_gone(struct monitor *m); /* true: there were some */
void clients_free_all(struct monitor *m);

/* monitor_orders.c: requests about the container and its processes. */
typedef int request_handler(struct peer *p, int64_t id, const struct message *msg, struct err *e);
request_handler order_signal, order_resize, order_stop, order_wait, order_pause, order_resume,
	order_stats, order_top, order_rename, order_detach, order_finished;
/* Somebody who asks this waits for the end: whether it would do what is to be done then. */
void order_note_finishes(struct peer *p, const struct json *request);
/* Answers a request in Docker's words when process 1 does not run, or (unless `even_paused`) is paused:
 * `action` is what it would have to be unpaused before. True: it was answered. */
bool order_refused(struct peer *p, int64_t id, bool even_paused, const char *action);
/* A reply with all that the agent's (a JSON object) has. */
void order_reply_copy(struct monitor *m, struct asker who, const struct json *document);
void order_reply(struct monitor *m, struct asker *who,
		 const struct err *error); /* error may be NULL */

/* monitor_requests.c */
int request_handle(struct peer *p, const struct message *msg, struct err *e) MUST_CHECK;
/* The other side has gone: what it asked for is dropped or cancelled. */
void request_peer_gone(struct peer *p);
/* The store knows the end: answers stop, wait and start, and tells the exit to those who have all
 * their output. */
void requests_settle_end(struct monitor *m);
/* The run has ended and another follows: who is attached hears of the end after all output, who waits now. */
void requests_run_over(struct monitor *m);
void requests_settle_over(struct monitor *m);
/* The container is ready: process 1 is launched as soon as the starting command has asked for it. */
void request_launch_if_asked(struct monitor *m);
/* Process 1 runs. */
void request_started(struct monitor *m);
/* The line that is told to the user while the container starts. */
void request_notice(struct monitor *m, const char *text);
void request_exec_answered(struct process *p, const struct message *reply, const struct err *error);
void request_exec_ended(struct process *p);

/* monitor_outgrow.c: keeps the two files above from filling the disk, while a VMM runs. */
void monitor_outgrow_watch(struct monitor *m);
void monitor_outgrow_end(struct monitor *m);
void monitor_outgrow_release(struct monitor *m);

#endif
