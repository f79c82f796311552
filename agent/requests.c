/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/requests.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/console.h"
#include "agent/disk.h"
#include "base/mem.h"

#define ARGS_MAX       65536u
#define PATH_BYTES_MAX 4096u
#define USER_BYTES_MAX 512u
#define HOSTNAME_MAX   64
#define LINES_MAX      4096u
#define SIZE_MAX_CELLS 65535
/* How long a container.setup waits for a disk that is not there. */
#define DISK_WAIT_MS 10000

/* ---- answers --------------------------------------------------------------------------------- */

/*
 * A message that cannot be sent leaves the monitor waiting for it, so it is the end of the channel.
 */
static void send(struct agent *a, struct message_out *m)
{
	struct err e = ERR_INIT;

	if (conn_send_message(channel_conn(a->channel), m, &e) == 0)
		return;
	console_error("cannot answer: %s", e.msg);
	agent_power_off(a);
}

static void answer_error(struct agent *a, int64_t id, const struct err *error)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_error(&m, id, error);
	send(a, &m);
}

static void answer_ok(struct agent *a, int64_t id)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_reply(&m, id);
	send(a, &m);
}

static void answer_us(struct agent *a, int64_t id, const char *key, int64_t us)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_reply(&m, id);
	jw_int(&m.json, key, us);
	send(a, &m);
}

static void log_to_monitor(struct agent *a, const char *text)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_event(&m, "agent.log");
	jw_str(&m.json, "message", text);
	send(a, &m);
}

/* ---- looking things up ----------------------------------------------------------------------- */

static int check_range(const char *name, int64_t value, int64_t min, int64_t max, struct err *e)
{
	if (value < min || value > max)
		return err_set(e, ERR_INVALID, "'%s' is %lld", name, (long long)value);
	return 0;
}

static int find_container(struct agent *a, const char *id, struct container **ret, struct err *e)
{
	struct container *c = a->containers;

	while (c && strcmp(c->id, id) != 0)
		c = c->next;
	if (!c)
		return err_set(e, ERR_NOT_FOUND, "no such container: %.64s", id);
	*ret = c;
	return 0;
}

/* Requests about one process; members that an operation does not have stay 0. */
struct target {
	char *container;
	int64_t process, signal, rows, cols;
};

static int read_target(struct agent *a, const struct message *m, struct target *t,
		       struct container **c, struct err *e)
{
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct target, container),
		JSON_INT("process", true, struct target, process),
		JSON_INT("signal", false, struct target, signal),
		JSON_INT("rows", false, struct target, rows),
		JSON_INT("cols", false, struct target, cols),
		JSON_END,
	};
	int r = json_read(m->json, fields, t, e);

	if (r == 0)
		r = find_container(a, t->container, c, e);
	free(t->container);
	t->container = NULL;
	return r;
}

/* ---- container.setup ------------------------------------------------------------------------- */

static int check_serial(const char *serial, struct err *e)
{
	if (!*serial || strlen(serial) > DISK_SERIAL_MAX)
		return err_set(e, ERR_INVALID, "bad disk serial '%.40s'", serial);
	return 0;
}

static int check_setup(const struct container_setup *s, struct err *e)
{
	if (!hex_is(s->id, CONTAINER_ID_SIZE))
		return err_set(e, ERR_INVALID, "bad container id '%.80s'", s->id);
	if (strlen(s->hostname) > HOSTNAME_MAX)
		return err_set(e, ERR_INVALID, "hostname is longer than %d bytes", HOSTNAME_MAX);
	if (!s->joined == !s->chain)
		return err_set(e, ERR_INVALID, "'root' needs either 'joined' or 'chain'");
	if (check_serial(s->joined ? s->joined : s->chain, e) < 0 || check_serial(s->upper, e) < 0)
		return -1;
	if (s->layers.n > CONTAINER_LAYERS_MAX || s->hosts.n > LINES_MAX ||
	    s->resolv_conf.n > LINES_MAX)
		return err_set(e, ERR_INVALID, "too many layers or lines");
	for (size_t i = 0; i < s->layers.n; i++) {
		if (check_serial(s->layers.v[i], e) < 0)
			return -1;
	}
	return check_range("memory", s->memory, 0, INT64_MAX, e) < 0 ||
			       check_range("cpus", s->nano_cpus, 0, INT64_MAX, e) < 0
		       ? -1
		       : 0;
}

static int read_setup(const struct message *m, struct container_setup *s, struct err *e)
{
	static const struct json_field root_fields[] = {
		JSON_STR("joined", false, struct container_setup, joined),
		JSON_STR("chain", false, struct container_setup, chain),
		JSON_STRV("layers", false, struct container_setup, layers),
		JSON_END,
	};
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct container_setup, id),
		JSON_STR("hostname", true, struct container_setup, hostname),
		JSON_STR("upper", true, struct container_setup, upper),
		JSON_BOOL("volatile", false, struct container_setup, is_volatile),
		JSON_INT("memory", false, struct container_setup, memory),
		JSON_INT("cpus", false, struct container_setup, nano_cpus),
		JSON_STRV("hosts", false, struct container_setup, hosts),
		JSON_STRV("resolv_conf", false, struct container_setup, resolv_conf),
		JSON_END,
	};
	const struct json *root = json_get(m->json, "root");

	if (json_read(m->json, fields, s, e) < 0)
		return -1;
	if (!json_is_object(root))
		return err_set(e, ERR_INVALID, "'root' is not an object");
	return json_read(root, root_fields, s, e) < 0 ? -1 : check_setup(s, e);
}

int agent_prepare(struct agent *a, struct err *e)
{
	if (a->prepared)
		return 0;
	while (boot_modules_step(&a->modules))
		;
	if (container_prepare(e) < 0) {
		/* ERR_NOT_FOUND would be taken for a disk that is still to come. */
		e->kind = ERR_SYSTEM;
		return -1;
	}
	a->prepared = true;
	return 0;
}

static void end_setup(struct agent *a)
{
	loop_timer_stop(a->loop, &a->setup_timer);
	container_setup_release(&a->setup);
	a->setup_request = 0;
}

/* With `last`, a disk that is missing is an error, else a reason to wait. */
static void try_setup(struct agent *a, bool last)
{
	struct container *c = NULL;
	struct err e = ERR_INIT;

	if (agent_prepare(a, &e) < 0 || container_make(&a->setup, &c, &e) < 0) {
		if (e.kind == ERR_NOT_FOUND && !last)
			return;
		answer_error(a, a->setup_request, &e);
	} else {
		c->next = a->containers;
		a->containers = c;
		answer_us(a, a->setup_request, "mount_us", boot_us() - a->setup_begin_us);
	}
	end_setup(a);
}

static void setup_waited(void *ctx)
{
	try_setup(ctx, true);
}

void requests_devices_changed(struct agent *a)
{
	if (a->setup_request)
		try_setup(a, false);
}

static int op_setup(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct container_setup s = { 0 };
	struct container *c = NULL;
	struct err none = ERR_INIT;
	int r;

	if (a->setup_request)
		return err_set(e, ERR_CONFLICT, "another container is being set up");
	r = read_setup(m, &s, e);
	if (r == 0 && find_container(a, s.id, &c, &none) == 0)
		r = err_set(e, ERR_CONFLICT, "container is set up already");
	if (r < 0) {
		container_setup_release(&s);
		return -1;
	}
	a->setup = s;
	a->setup_request = id;
	a->setup_begin_us = boot_us();
	a->setup_timer = (struct timer){ .fire = setup_waited, .ctx = a };
	loop_timer_set(a->loop, &a->setup_timer, DISK_WAIT_MS);
	try_setup(a, false);
	return 0;
}

/* ---- process.* ------------------------------------------------------------------------------- */

static int check_process(const struct process_spec *s, struct err *e)
{
	const int64_t streams[] = { s->stdin_stream, s->stdout_stream, s->stderr_stream };

	if (!s->child.args.n)
		return err_set(e, ERR_INVALID, "no command");
	if (*s->child.cwd && *s->child.cwd != '/')
		return err_set(e, ERR_INVALID, "working directory '%s' is not absolute",
			       s->child.cwd);
	if (check_range("process", s->number, 1, INT64_MAX, e) < 0 ||
	    check_range("rows", s->rows, 0, SIZE_MAX_CELLS, e) < 0 ||
	    check_range("cols", s->cols, 0, SIZE_MAX_CELLS, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		if (check_range("stream", streams[i], 0, UINT32_MAX, e) < 0)
			return -1;
	}
	return 0;
}

static int read_process(const struct message *m, struct process_spec *s, char **container,
			struct err *e)
{
	struct wire {
		char *container, *user;
		struct process_spec s;
	} w = { 0 };
	static const struct json_field fields[] = {
		JSON_STR("container", true, struct wire, container),
		JSON_STR("user", false, struct wire, user),
		JSON_INT("process", true, struct wire, s.number),
		JSON_BOOL("tty", false, struct wire, s.tty),
		JSON_INT("rows", false, struct wire, s.rows),
		JSON_INT("cols", false, struct wire, s.cols),
		JSON_INT("stdin", false, struct wire, s.stdin_stream),
		JSON_INT("stdout", false, struct wire, s.stdout_stream),
		JSON_INT("stderr", false, struct wire, s.stderr_stream),
		JSON_END,
	};
	int r = json_read(m->json, fields, &w, e);

	*container = w.container;
	*s = w.s;
	s->child.user = w.user ? w.user : xstrdup("");
	if (r < 0)
		return -1;
	if (strlen(s->child.user) > USER_BYTES_MAX)
		return err_set(e, ERR_INVALID, "user is longer than %u bytes", USER_BYTES_MAX);
	if (message_list(m, "args", ARGS_MAX, &s->child.args, e) < 0 ||
	    message_list(m, "env", ARGS_MAX, &s->child.env, e) < 0 ||
	    message_text(m, "cwd", PATH_BYTES_MAX, &s->child.cwd, e) < 0)
		return -1;
	if (!s->child.cwd)
		s->child.cwd = xstrdup("");
	return check_process(s, e);
}

static int op_start(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	__attribute__((cleanup(process_spec_release))) struct process_spec s = { 0 };
	auto_free char *container_id = NULL;
	struct container *c = NULL;

	if (a->off_request)
		return err_set(e, ERR_CONFLICT, "the virtual machine is shutting down");
	if (read_process(m, &s, &container_id, e) < 0 || find_container(a, container_id, &c, e) < 0)
		return -1;
	return process_start_take(a->processes, c, &s, id, e);
}

static int op_signal(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct target t = { 0 };
	struct container *c = NULL;

	if (read_target(a, m, &t, &c, e) < 0 || check_range("signal", t.signal, 1, SIGRTMAX, e) < 0)
		return -1;
	if (process_signal(a->processes, c, t.process, (int)t.signal, e) < 0)
		return -1;
	answer_ok(a, id);
	return 0;
}

static int op_resize(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	struct target t = { 0 };
	struct container *c = NULL;

	if (read_target(a, m, &t, &c, e) < 0 ||
	    check_range("rows", t.rows, 0, SIZE_MAX_CELLS, e) < 0 ||
	    check_range("cols", t.cols, 0, SIZE_MAX_CELLS, e) < 0)
		return -1;
	if (process_resize(a->processes, c, t.process, t.rows, t.cols, e) < 0)
		return -1;
	answer_ok(a, id);
	return 0;
}

static void process_started(void *ctx, int64_t request, const struct process *p, int64_t exec_us,
			    const struct err *e)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct agent *a = ctx;

	if (e) {
		answer_error(a, request, e);
		return;
	}
	message_out_reply(&m, request);
	jw_int(&m.json, "pid", process_pid(p));
	jw_int(&m.json, "exec_us", exec_us);
	send(a, &m);
}

static void process_ended(void *ctx, const struct process *p, bool by_signal, int status, bool oom)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct agent *a = ctx;

	message_out_event(&m, "process.exit");
	jw_str(&m.json, "container", process_container(p)->id);
	jw_int(&m.json, "process", process_number(p));
	jw_int(&m.json, by_signal ? "signal" : "code", status);
	if (oom)
		jw_bool(&m.json, "oom", true);
	send(a, &m);
}

const struct process_ops requests_process_ops = { process_started, process_ended };

/* ---- shutdown -------------------------------------------------------------------------------- */

void agent_power_off(const struct agent *a)
{
	reboot(a->options.off_by_reboot ? RB_AUTOBOOT : RB_POWER_OFF);
	/* Not reached; if it ever is, the end of PID 1 is the end of the VM too. */
	abort();
}

static void finish_shutdown(struct agent *a)
{
	struct err e = ERR_INIT;

	for (const struct container *c = a->containers; c; c = c->next) {
		/* Nothing of it has to survive. */
		if (c->is_volatile)
			continue;
		if (container_unmount(c, a->trim, &e) < 0) {
			log_to_monitor(a, e.msg);
			err_clear(&e);
		}
	}
	answer_ok(a, a->off_request);
	if (channel_drain(a->channel, &e) < 0)
		console_error("%s", e.msg);
	agent_power_off(a);
}

void requests_processes_changed(struct agent *a)
{
	if (a->off_request && !processes_are_left(a->processes))
		finish_shutdown(a);
}

static int op_shutdown(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	if (a->off_request)
		return err_set(e, ERR_CONFLICT, "the virtual machine is shutting down");
	a->off_request = id;
	a->trim = json_bool(json_get(m->json, "trim"));
	for (const struct container *c = a->containers; c; c = c->next) {
		struct err ignored = ERR_INIT;

		if (cgroup_kill(c->cgroup, &ignored) < 0)
			log_to_monitor(a, ignored.msg);
	}
	requests_processes_changed(a);
	return 0;
}

/* ---- the connection's callbacks -------------------------------------------------------------- */

static const struct {
	const char *op;
	/* 0: was answered or will be; -1: the error is the answer. */
	int (*run)(struct agent *a, const struct message *m, int64_t id, struct err *e);
} operations[] = {
	{ "container.setup", op_setup }, { "process.start", op_start },
	{ "process.signal", op_signal }, { "process.resize", op_resize },
	{ "shutdown", op_shutdown },
};

static int run_request(struct agent *a, const struct message *m, int64_t id, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].op, message_op(m)) == 0)
			return operations[i].run(a, m, id, e);
	}
	return err_set(e, ERR_INVALID, "unknown operation '%.64s'", message_op(m));
}

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct agent *a = ctx;
	struct err failed = ERR_INIT;
	struct hello hello;
	int64_t id = message_id(m);

	if (m->type == FRAME_HELLO)
		return message_hello(m, "monitor", &hello, e);
	if (m->type != FRAME_REQUEST || id <= 0)
		return err_set(e, ERR_CORRUPT, "message that is not a request with an id");
	if (run_request(a, m, id, &failed) < 0)
		answer_error(a, id, &failed);
	return 0;
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)stream;
	(void)e;
	stdio_data(owner, p, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	(void)ctx;
	(void)stream;
	(void)e;
	stdio_eof(owner);
	return 0;
}

static void on_window(void *ctx, uint32_t stream, void *owner)
{
	(void)ctx;
	(void)stream;
	stdio_window(owner);
}

const struct conn_ops requests_ops = { on_message, on_data, on_eof, on_window };
