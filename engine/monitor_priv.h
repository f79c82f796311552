/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the monitor share. monitor.c: life and end; monitor_vm.c: the VMM; monitor_agent.c:
 * the channel; monitor_process.c: processes and their streams; monitor_clients.c: control.sock;
 * monitor_requests.c: what clients ask for; monitor_outlet.c: output to one client.
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
	LIFE_FINISH,   /* `kvbox finish` runs */
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
	struct str held;
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

struct process {
	struct process *next;
	struct monitor *m;
	int64_t number; /* 1: the container's main process */
	bool tty;
	bool started; /* process.start was answered well */
	bool ended;
	int code;
	uint32_t in; /* the agent's streams, 0: none */
	uint32_t out[LOG_STREAM_COUNT];
	bool out_ended[LOG_STREAM_COUNT];
	bool in_ended;
	struct peer *owner; /* exec: who asked for it, NULL when gone; main: NULL */
	int64_t request;    /* exec: the owner's request to be answered */
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
	/* Requests that wait for something; 0: none. */
	int64_t start_request, stop_request, wait_request;
	bool attached; /* wants EVENT exit */
	struct outlet out[LOG_STREAM_COUNT];
	struct inlet in;
	struct process *exec;
};

/* ---- all of it ---- */

struct monitor {
	char id[ID_TEXT_SIZE];
	struct paths paths;
	struct container_spec spec;
	int dir; /* containers/<id> */
	struct rundir run;
	char *run_path;
	int alive; /* the lock, -1: not held */
	struct vmstate state;

	struct event_base *base;
	enum life life;
	struct event *deadline; /* of the life we are in */
	struct event *idle;	/* nothing else to do: the log is flushed */
	struct event *terminate;

	struct vmm_choice choice;
	struct vmm vmm;
	bool vmm_runs;
	bool booted;	  /* it was started, in this try */
	bool vmm_ready;	  /* it said so */
	bool panicked;	  /* or what comes to the same */
	bool timed_out;	  /* the boot's deadline has passed */
	bool without_kvm; /* KVM has failed here */
	bool retry;	  /* once the VMM is gone, boot again */
	struct event *vmm_gone, *vmm_control;
	int outgrow_fd; /* inotify, -1: none */
	struct event *outgrow;

	struct agent agent;
	int64_t rows, cols; /* of the starting command's terminal */
	struct process *processes;
	int64_t last_process;
	struct process *main; /* one of them, NULL before LIFE_LAUNCH */
	struct logfile *log;

	int listener;
	struct event *acceptable;
	struct peer *peers;
	unsigned npeers;
	uint64_t last_serial;
	struct peer *starter; /* NULL: gone */

	struct event *stop_timer;
	int stop_stage; /* 0: not asked to stop, 1: signal sent, 2: SIGKILL sent */

	struct proc finisher;
	struct event *finished;

	struct err failure; /* why the container could not be started or was lost */
	bool tracing;
	bool settling;
	struct trace trace;
	int64_t phase_begin; /* of the timeline */
	char *buf;	     /* MONITOR_READ_SIZE, for one read at a time */
};

/* monitor.c */
void monitor_set_life(struct monitor *m, enum life next);
/* The container could not be started, or its VM is lost: ends everything. Takes the error's content; only
 * the first counts. */
void monitor_fail(struct monitor *m, struct err *why);
/* Process 1 has ended. */
void monitor_exited(struct monitor *m, int code);
void monitor_vmm_gone(struct monitor *m);
/* Sends `sig` to process 1 and SIGKILL after `timeout` seconds (negative: never). */
void monitor_stop(struct monitor *m, int sig, int64_t timeout);
/* False when it could not be written. */
bool monitor_write_state(struct monitor *m);
/* The timeline: the phase that began at the last call ends now. */
void monitor_phase(struct monitor *m, const char *name);
/* After each callback of the loop. */
void monitor_settle(struct monitor *m);
/* A number of seconds from the environment; what is not one, or 0, counts as not there. */
unsigned monitor_seconds(const char *variable, unsigned otherwise);
/* A timer or signal or descriptor event; asserts that there is memory. */
struct event *monitor_event(struct monitor *m, int fd, short what, event_callback_fn call,
			    void *ctx);
void monitor_event_free(struct event **ev);

/* monitor_vm.c */
int monitor_vm_boot(struct monitor *m, struct err *e) MUST_CHECK;
void monitor_vm_kill(struct monitor *m);
void monitor_vm_release(struct monitor *m);
/* Adds what the guest's console (or the VMM) said last to the error. */
void monitor_vm_explain(struct monitor *m, struct err *why);
unsigned monitor_vm_boot_timeout(const struct monitor *m);
/* What its VMM still has to tell, before its end is believed. */
void monitor_vm_last_events(struct monitor *m);
/* Whether a failed boot speaks against KVM, and not against the VMM's command line. */
bool monitor_vm_blames_kvm(struct monitor *m);

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

/* monitor_process.c */
struct process_start {
	const struct strv *args, *env;
	const char *cwd, *user;
	bool tty, in, out, err;
	int64_t rows, cols;
};
/* Asks the agent for it. Without an owner it is the main process (the first one), whose start makes the
 * container run; else an exec, whose owner's `request` is answered (request_exec_answered). */
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

/* monitor_requests.c */
int request_handle(struct peer *p, const struct message *msg, struct err *e) MUST_CHECK;
/* The other side has gone: what it asked for is dropped or cancelled. */
void request_peer_gone(struct peer *p);
/* `kvbox finish` is through: answers stop, wait and start, and tells the exit to those who have all
 * their output. */
void requests_settle_end(struct monitor *m);
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

#endif
