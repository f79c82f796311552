/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMM, guest and agent in one small process: real commands with real pipes behind the real protocol, and
 * nothing else. One poll loop over the channel and the processes.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/strv.h"
#include "proto/conn.h"
#include "proto/preamble.h"
#include "vmm/fake.h"

#define CHANNEL_FD    3
#define CONTROL_FD    4
#define PROCESSES_MAX 64
#define FDS_EACH      4 /* pidfd, stdin, stdout, stderr */
#define TEXT_MAX      (128u * 1024)

struct output {
	int fd; /* -1: at its end */
	uint32_t stream;
};

struct process {
	int64_t number; /* 0: free */
	struct proc proc;
	pid_t pid; /* its process group, too */
	bool exited;
	int status;
	int in;
	uint32_t in_stream;
	bool in_ended;
	struct str held; /* input that the pipe did not take yet */
	struct output out[2];
};

struct guest {
	struct conn *conn;
	const char *mode;
	bool scanning, off, paused;
	struct preamble_scan scan;
	struct process processes[PROCESSES_MAX];
	char buf[64 * 1024];
};

static void tell_vmm(char event)
{
	if (write(CONTROL_FD, &event, 1) < 0)
		_exit(1);
}

static int reply(struct guest *g, int64_t id, const struct err *error, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	if (error)
		message_out_error(&out, id, error);
	else
		message_out_reply(&out, id);
	return conn_send_message(g->conn, &out, e);
}

/* ---- processes --------------------------------------------------------------------------------- */

static struct process *find(struct guest *g, int64_t number)
{
	size_t i;

	for (i = 0; i < PROCESSES_MAX; i++)
		if (g->processes[i].number == number)
			return &g->processes[i];
	return NULL;
}

struct start {
	struct strv args, env;
	char *cwd;
};

static void start_release(struct start *s)
{
	strv_release(&s->args);
	strv_release(&s->env);
	free(s->cwd);
}

/* Pipes for the streams that are wanted; ours do not block. */
static int make_pipe(struct guest *g, uint32_t stream, bool input, int *ours, int *theirs,
		     struct process *p, struct err *e)
{
	int pair[2];

	if (!stream)
		return 0;
	if (conn_open_stream(g->conn, stream, p, e) < 0 || fd_pipe(pair, e) < 0)
		return -1;
	*ours = pair[input ? 1 : 0];
	*theirs = pair[input ? 0 : 1];
	return fd_set_nonblock(*ours, true, e);
}

static void classify(struct err *why, const char *name)
{
	int sys = why->sys;

	err_clear(why);
	if (sys == EACCES)
		err_set(why, ERR_NOT_EXEC, "exec: \"%s\": permission denied", name);
	else
		err_set(why, ERR_NO_COMMAND, "exec: \"%s\": executable file not found in $PATH",
			name);
}

static int run(struct process *p, const struct start *s, const int theirs[3], struct err *e)
{
	auto_close int cwd = -1;
	struct spawn_fd fds[3];
	struct spawn spawn = {
		.path = s->args.v[0],
		.argv = strv_args(&s->args),
		.envp = strv_args(&s->env),
		.fds = fds,
		.cgroup = -1,
		.die_with_parent = true,
		.session = true,
	};
	int i;

	if (fd_open_dir(AT_FDCWD, s->cwd ? s->cwd : "/", &cwd, e) < 0)
		return -1;
	spawn.cwd = cwd;
	for (i = 0; i < 3; i++)
		if (theirs[i] >= 0)
			fds[spawn.nfds++] = (struct spawn_fd){ theirs[i], i };
	if (spawn_start(&spawn, &p->proc, e) == 0)
		return 0;
	classify(e, s->args.v[0]);
	return -1;
}

static void process_clear(struct guest *g, struct process *p)
{
	size_t i;

	conn_close_stream(g->conn, p->in_stream);
	fd_close(p->in);
	for (i = 0; i < 2; i++) {
		conn_close_stream(g->conn, p->out[i].stream);
		fd_close(p->out[i].fd);
	}
	str_release(&p->held);
	proc_release(&p->proc);
	*p = (struct process){ .in = -1, .out = { { -1, 0 }, { -1, 0 } }, .proc = PROC_INIT };
}

static uint32_t stream_of(const struct message *msg, const char *key)
{
	return (uint32_t)json_int(json_get(msg->json, key), 0);
}

static int process_start(struct guest *g, const struct message *msg, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct process *p = find(g, 0);
	struct start s = { .cwd = NULL };
	struct err why = ERR_INIT;
	int theirs[3] = { -1, -1, -1 }, i, r;

	if (!p || message_list(msg, "args", 1000, &s.args, e) < 0 ||
	    message_list(msg, "env", 1000, &s.env, e) < 0 ||
	    message_text(msg, "cwd", TEXT_MAX, &s.cwd, e) < 0)
		return -1;
	str_init(&p->held, 2 * CONN_WINDOW);
	p->in_stream = stream_of(msg, "stdin");
	p->out[0].stream = stream_of(msg, "stdout");
	p->out[1].stream = stream_of(msg, "stderr");
	if (make_pipe(g, p->in_stream, true, &p->in, &theirs[0], p, e) < 0 ||
	    make_pipe(g, p->out[0].stream, false, &p->out[0].fd, &theirs[1], p, e) < 0 ||
	    make_pipe(g, p->out[1].stream, false, &p->out[1].fd, &theirs[2], p, e) < 0)
		return -1;
	r = run(p, &s, theirs, &why);
	for (i = 0; i < 3; i++)
		fd_close(theirs[i]);
	start_release(&s);
	if (r < 0) {
		process_clear(g, p);
		return reply(g, message_id(msg), &why, e);
	}
	p->number = json_int(json_get(msg->json, "process"), 0);
	p->pid = p->proc.pid;
	message_out_reply(&out, message_id(msg));
	jw_int(&out.json, "pid", p->proc.pid);
	return conn_send_message(g->conn, &out, e);
}

static int process_signal(struct guest *g, const struct message *msg, struct err *e)
{
	struct process *p = find(g, json_int(json_get(msg->json, "process"), -1));
	struct err why = ERR_INIT;

	if (!p || p->exited) {
		err_set(&why, ERR_NOT_FOUND, "no such process");
		return reply(g, message_id(msg), &why, e);
	}
	if (strcmp(g->mode, "deaf") != 0 &&
	    proc_signal(&p->proc, (int)json_int(json_get(msg->json, "signal"), 0), &why) < 0)
		return reply(g, message_id(msg), &why, e);
	return reply(g, message_id(msg), NULL, e);
}

static int tell_exit(struct guest *g, const struct process *p, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_event(&out, "process.exit");
	jw_int(&out.json, "process", p->number);
	if (p->status > 128)
		jw_int(&out.json, "signal", p->status - 128);
	else
		jw_int(&out.json, "code", p->status);
	return conn_send_message(g->conn, &out, e);
}

/* The end of process 1 is the end of all. */
static void kill_others(struct guest *g)
{
	struct err ignored = ERR_INIT;
	size_t i;

	for (i = 0; i < PROCESSES_MAX; i++)
		if (g->processes[i].number > 1 && !g->processes[i].exited &&
		    proc_signal(&g->processes[i].proc, SIGKILL, &ignored) < 0)
			err_clear(&ignored);
}

/* ---- the channel ------------------------------------------------------------------------------- */

static int tell_stats(struct guest *g, const struct message *msg, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_reply(&out, message_id(msg));
	jw_int(&out.json, "cpu_ns", 1000);
	jw_int(&out.json, "memory", 4096);
	return conn_send_message(g->conn, &out, e);
}

/* Their pids are their places here. In mode "pieces" there is only room for one. */
static int tell_processes(struct guest *g, const struct message *msg, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	int64_t after = json_int(json_get(msg->json, "after"), 0), told = 0, left = 0;

	message_out_reply(&out, message_id(msg));
	jw_begin_array(&out.json, "processes");
	for (int64_t i = after > 0 ? after : 0; i < PROCESSES_MAX; i++) {
		if (g->processes[i].number <= 0)
			continue;
		if (told > 0 && str_eq(g->mode, "pieces")) {
			left++;
			continue;
		}
		told++;
		jw_begin_object(&out.json, NULL);
		jw_int(&out.json, "pid", i + 1);
		jw_end(&out.json);
	}
	jw_end(&out.json);
	jw_int(&out.json, "left_out", left);
	return conn_send_message(g->conn, &out, e);
}

static int tell_oom(struct guest *g, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	message_out_event(&out, "container.oom");
	return conn_send_message(g->conn, &out, e);
}

static int on_request(struct guest *g, const struct message *msg, struct err *e)
{
	const char *op = message_op(msg);
	struct err why = ERR_INIT;

	if (str_eq(op, "process.start"))
		return process_start(g, msg, e) < 0 ||
				       (str_eq(g->mode, "oom") && tell_oom(g, e) < 0)
			       ? -1
			       : 0;
	if (str_eq(op, "process.signal"))
		return process_signal(g, msg, e);
	if (str_eq(op, "container.stats"))
		return tell_stats(g, msg, e);
	if (str_eq(op, "container.processes"))
		return tell_processes(g, msg, e);
	if (str_eq(op, "container.setup") || str_eq(op, "process.resize") || str_eq(op, "clock"))
		return reply(g, message_id(msg), NULL, e);
	if (str_eq(op, "shutdown")) {
		g->off = strcmp(g->mode, "stuck") != 0;
		return reply(g, message_id(msg), NULL, e);
	}
	err_set(&why, ERR_INVALID, "unknown operation");
	return reply(g, message_id(msg), &why, e);
}

static int on_message(void *ctx, const struct message *msg, struct err *e)
{
	struct hello h;

	if (msg->type == FRAME_HELLO)
		return message_hello(msg, "monitor", &h, e);
	if (msg->type == FRAME_REQUEST)
		return on_request(ctx, msg, e);
	return err_set(e, ERR_CORRUPT, "not a request");
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	struct process *process = owner;
	struct guest *g = ctx;

	(void)e;
	if (process->in < 0)
		conn_consumed(g->conn, stream, n);
	else
		str_addn(&process->held, p, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	struct process *p = owner;

	(void)ctx;
	(void)e;
	if (stream == p->in_stream)
		p->in_ended = true;
	return 0;
}

static const struct conn_ops ops = { on_message, on_data, on_eof, NULL };

/* True when all is written. */
static bool write_channel(struct guest *g)
{
	const void *p;
	ssize_t k;
	size_t n;

	for (;;) {
		conn_output(g->conn, &p, &n);
		if (n == 0)
			return true;
		k = send(CHANNEL_FD, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		conn_output_done(g->conn, (size_t)k);
	}
}

static int greet(struct guest *g, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	conn_send_raw(g->conn, g->scan.buf, PREAMBLE_SIZE);
	message_out_hello(&out, "agent");
	jw_str(&out.json, "kernel", "none");
	jw_int(&out.json, "uptime_us", 200);
	jw_int(&out.json, "start_us", 100);
	if (conn_send_message(g->conn, &out, e) < 0)
		return -1;
	if (strcmp(g->mode, "garbage") == 0 && write_channel(g) &&
	    write(CHANNEL_FD, "this is no frame", 16) != 16)
		return err_sys(e, "cannot write to the channel");
	return 0;
}

static int read_channel(struct guest *g, struct err *e)
{
	ssize_t n = recv(CHANNEL_FD, g->buf, sizeof(g->buf), MSG_DONTWAIT);
	const char *p = g->buf;
	size_t used;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return err_set(e, ERR_UNAVAILABLE, "the monitor has gone");
	if (g->scanning) {
		if (!preamble_scan(&g->scan, p, (size_t)n, &used))
			return 0;
		g->scanning = false;
		p += used;
		n -= (ssize_t)used;
		if (greet(g, e) < 0)
			return -1;
	}
	return n > 0 ? conn_feed(g->conn, p, (size_t)n, e) : 0;
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void read_output(struct guest *g, struct output *o)
{
	size_t room = conn_credit(g->conn, o->stream);
	ssize_t n;

	if (o->fd < 0 || room == 0)
		return;
	n = read(o->fd, g->buf, room < sizeof(g->buf) ? room : sizeof(g->buf));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		conn_send_data(g->conn, o->stream, g->buf, (size_t)n);
		return;
	}
	conn_send_eof(g->conn, o->stream);
	fd_close(o->fd);
	o->fd = -1;
}

static void write_input(struct guest *g, struct process *p)
{
	ssize_t n = p->held.len ? write(p->in, p->held.buf, p->held.len) : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		n = (ssize_t)p->held.len;
		conn_send_eof(g->conn, p->in_stream);
		fd_close(p->in);
		p->in = -1;
	}
	conn_consumed(g->conn, p->in_stream, (size_t)n);
	str_consume(&p->held, (size_t)n);
	if (p->in >= 0 && p->in_ended && p->held.len == 0) {
		fd_close(p->in);
		p->in = -1;
	}
}

static void watch_process(struct guest *g, const struct process *p, struct pollfd fds[FDS_EACH])
{
	int i;

	fds[0] = (struct pollfd){ p->number && !p->exited ? p->proc.pidfd : -1, POLLIN, 0 };
	fds[1] = (struct pollfd){ p->number && (p->held.len || p->in_ended) ? p->in : -1, POLLOUT,
				  0 };
	for (i = 0; i < 2; i++)
		fds[2 + i] = (struct pollfd){ p->number && conn_credit(g->conn, p->out[i].stream)
						      ? p->out[i].fd
						      : -1,
					      POLLIN, 0 };
}

static int serve_process(struct guest *g, struct process *p, const struct pollfd fds[FDS_EACH],
			 struct err *e)
{
	int i;

	if (!p->number)
		return 0;
	if (fds[0].revents) {
		if (spawn_try_wait(&p->proc, &p->status, e) < 0)
			return -1;
		p->exited = true;
		/* What it left behind holds its pipes, which a real guest's namespace would not let it. */
		kill(-p->pid, SIGKILL);
		if (p->number == 1)
			kill_others(g);
	}
	if (fds[1].revents)
		write_input(g, p);
	for (i = 0; i < 2; i++)
		if (fds[2 + i].revents)
			read_output(g, &p->out[i]);
	if (p->exited && p->out[0].fd < 0 && p->out[1].fd < 0) {
		if (tell_exit(g, p, e) < 0)
			return -1;
		process_clear(g, p);
	}
	return 0;
}

/* Pause and its end: this program and all that runs in it stand still. */
static int serve_control(struct guest *g, struct err *e)
{
	char what;
	size_t i;

	if (read(CONTROL_FD, &what, 1) != 1)
		return err_set(e, ERR_UNAVAILABLE, "the monitor has gone");
	g->paused = what == 'p';
	for (i = 0; i < PROCESSES_MAX; i++)
		if (g->processes[i].number > 0 && !g->processes[i].exited)
			kill(-g->processes[i].pid, g->paused ? SIGSTOP : SIGCONT);
	tell_vmm('D');
	return 0;
}

static int wait_for_control(struct guest *g, struct err *e)
{
	struct pollfd fd = { CONTROL_FD, POLLIN, 0 };

	while (g->paused) {
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (fd.revents && serve_control(g, e) < 0)
			return -1;
	}
	return 0;
}

static int loop(struct guest *g, struct err *e)
{
	struct pollfd fds[2 + PROCESSES_MAX * FDS_EACH];
	size_t i;

	for (;;) {
		bool written = write_channel(g);

		if (g->off && written)
			return 0;
		fds[0] = (struct pollfd){ CHANNEL_FD, (short)(written ? POLLIN : POLLIN | POLLOUT),
					  0 };
		fds[1] = (struct pollfd){ CONTROL_FD, POLLIN, 0 };
		for (i = 0; i < PROCESSES_MAX; i++)
			watch_process(g, &g->processes[i], fds + 2 + i * FDS_EACH);
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (fds[1].revents && (serve_control(g, e) < 0 || wait_for_control(g, e) < 0))
			return -1;
		if ((fds[0].revents & (POLLIN | POLLHUP)) && read_channel(g, e) < 0)
			return -1;
		for (i = 0; i < PROCESSES_MAX; i++)
			if (serve_process(g, &g->processes[i], fds + 2 + i * FDS_EACH, e) < 0)
				return -1;
	}
}

static void misbehave(const char *mode, bool kvm)
{
	static const char console[] =
		"booting\nline before the end\n\x1b[31mKernel panic\x1b[0m\t\x01now\n";

	if (strcmp(mode, "die") == 0 || strcmp(mode, "panic") == 0)
		if (write(STDOUT_FILENO, console, sizeof(console) - 1) < 0)
			_exit(1);
	if (strcmp(mode, "die") == 0)
		_exit(1);
	if (strcmp(mode, "panic") == 0)
		tell_vmm('P');
	if (strcmp(mode, "panic") == 0 || strcmp(mode, "mute") == 0 ||
	    (strcmp(mode, "kvm-mute") == 0 && kvm))
		for (;;)
			pause();
}

int fake_guest_main(int argc, char **argv)
{
	struct guest *g = xcalloc(1, sizeof(*g));
	struct err e = ERR_INIT;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	g->mode = getenv("KVBOX_FAKE");
	if (!g->mode)
		g->mode = "";
	tell_vmm('R');
	misbehave(g->mode, argc > 1 && strcmp(argv[1], "kvm") == 0);
	g->conn = conn_new(&ops, g);
	for (i = 0; i < PROCESSES_MAX; i++) {
		g->processes[i].number = -1;
		g->processes[i].proc = (struct proc)PROC_INIT;
		process_clear(g, &g->processes[i]);
	}
	g->scanning = true;
	preamble_scan_init(&g->scan, NULL);
	if (loop(g, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		_exit(1);
	}
	tell_vmm('S');
	_exit(0);
}
