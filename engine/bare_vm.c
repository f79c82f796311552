/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bare_vm.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "proto/conn.h"
#include "proto/preamble.h"

/* In a machine that is emulated itself a first boot can take a minute. */
#define STEP_TIMEOUT_MS 300000
#define READ_SIZE	65536

struct bare_vm {
	struct vmm vmm;
	int fd; /* of the channel */
	bool listening;
	int call; /* accepted while listening, but has said nothing yet; -1: none */
	struct conn *conn;
	bool scanning;
	struct preamble_scan scan;

	bool greeted;
	int64_t last_id;
	bool answered; /* the request last_id; `failure` tells how */
	bool done;     /* the VMM's request `request` */
	int request;
	bool saving;	    /* the agent rests */
	struct err failure; /* of either */
	char buf[READ_SIZE];
};

/* ---- what comes ---- */

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct bare_vm *vm = ctx;
	struct hello hello;

	switch (m->type) {
	case FRAME_HELLO:
		vm->greeted = true;
		return message_hello(m, "agent", &hello, e);
	case FRAME_REPLY:
		if (vm->answered || message_id(m) != vm->last_id)
			return err_set(e, ERR_CORRUPT, "the agent answers what was not asked");
		vm->answered = true;
		(void)!message_reply_error(m, &vm->failure);
		return 0;
	case FRAME_EVENT:
		return 0;
	case FRAME_REQUEST:
	case FRAME_DATA:
	case FRAME_EOF:
	case FRAME_WINDOW:
	case FRAME_TYPE_END:
	default:
		return err_set(e, ERR_CORRUPT, "the agent sends what only a monitor may");
	}
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)owner;
	(void)p;
	(void)n;
	return err_set(e, ERR_CORRUPT, "data on stream %u, which nobody opened", stream);
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	return on_data(ctx, stream, owner, NULL, 0, e);
}

static const struct conn_ops ops = { on_message, on_data, on_eof, NULL };

static int take_event(struct bare_vm *vm, const struct vmm_event *ev, struct err *e)
{
	switch (ev->kind) {
	case VMM_EVENT_DONE:
		if (vm->request == 0 || ev->request != (unsigned)vm->request)
			return 0;
		if (ev->failed && !vm->done)
			err_set(&vm->failure, ERR_UNAVAILABLE, "%s", ev->text);
		vm->done = true;
		return 0;
	case VMM_EVENT_PANIC:
	case VMM_EVENT_RESET:
		return err_set(e, ERR_UNAVAILABLE, "the guest's kernel panicked");
	case VMM_EVENT_BROKEN:
		return err_set(e, ERR_UNAVAILABLE, "the guest cannot go on: %s", ev->text);
	case VMM_EVENT_SHUTDOWN:
	case VMM_EVENT_READY:
	case VMM_EVENT_COUNT:
		break;
	}
	return 0;
}

static int read_events(struct bare_vm *vm, struct err *e)
{
	struct vmm_event ev;
	int r;

	while ((r = vmm_event(&vm->vmm, &ev, e)) > 0) {
		if (take_event(vm, &ev, e) < 0)
			return -1;
	}
	return r;
}

static int take_bytes(struct bare_vm *vm, const char *p, size_t n, struct err *e)
{
	size_t used;

	if (vm->scanning) {
		vm->scanning = !preamble_scan(&vm->scan, p, n, &used);
		p += used;
		n -= used;
	}
	return conn_feed(vm->conn, p, n, e);
}

/* A call that ends before its first byte is none: a guest that was saved while it dialled has given it up. */
static int read_listening(struct bare_vm *vm, struct err *e)
{
	char first;

	if (vm->call < 0)
		return sock_accept(vm->fd, &vm->call, e);
	if (recv(vm->call, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
		fd_close(take_fd(&vm->call));
		return 0;
	}
	fd_close(vm->fd);
	vm->fd = take_fd(&vm->call);
	vm->listening = false;
	return fd_set_nonblock(vm->fd, true, e);
}

static int read_channel(struct bare_vm *vm, struct err *e)
{
	ssize_t n;

	if (vm->listening)
		return read_listening(vm, e);
	n = read(vm->fd, vm->buf, sizeof(vm->buf));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 && vm->saving) {
		/* It hangs up where connections do not survive. */
		fd_close(take_fd(&vm->fd));
		return 0;
	}
	if (n < 0)
		return err_sys(e, "cannot read from the agent");
	if (n == 0)
		return err_set(e, ERR_UNAVAILABLE, "the agent has gone");
	return take_bytes(vm, vm->buf, (size_t)n, e);
}

static int write_channel(struct bare_vm *vm, struct err *e)
{
	const void *p;
	ssize_t k;
	size_t n;

	conn_output(vm->conn, &p, &n);
	k = send(vm->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (k < 0 && errno != EAGAIN && errno != EINTR)
		return err_sys(e, "cannot write to the agent");
	if (k > 0)
		conn_output_done(vm->conn, (size_t)k);
	return 0;
}

/* ---- waiting ---- */

static bool wants_to_write(const struct bare_vm *vm)
{
	const void *p;
	size_t n;

	conn_output(vm->conn, &p, &n);
	return n > 0 && !vm->listening;
}

/* One look at everything, `ms` at most. */
static int turn(struct bare_vm *vm, int ms, struct err *e)
{
	short channel = (short)(POLLIN | (wants_to_write(vm) ? POLLOUT : 0));
	struct pollfd fds[] = {
		{ vm->call >= 0 ? vm->call : vm->fd, channel, 0 },
		{ vm->vmm.control, POLLIN, 0 },
		{ vm->vmm.proc.pidfd, POLLIN, 0 },
	};

	if (poll(fds, ARRAY_LEN(fds), ms) < 0)
		return errno == EINTR ? 0 : err_sys(e, "cannot wait for the VM");
	if (fds[0].revents & POLLOUT && write_channel(vm, e) < 0)
		return -1;
	if (fds[0].revents & (POLLIN | POLLHUP) && read_channel(vm, e) < 0)
		return -1;
	if (fds[1].revents && read_events(vm, e) < 0)
		return -1;
	if (fds[2].revents)
		return err_set(e, ERR_UNAVAILABLE, "the VMM has ended");
	return 0;
}

static int wait_until(struct bare_vm *vm, const bool *flag, const char *what, struct err *e)
{
	int64_t until = clock_monotonic() / 1000000 + STEP_TIMEOUT_MS;

	while (!*flag) {
		int64_t left = until - clock_monotonic() / 1000000;

		if (left <= 0)
			err_set(e, ERR_UNAVAILABLE, "nothing came within %d seconds",
				STEP_TIMEOUT_MS / 1000);
		if (left <= 0 || turn(vm, (int)left, e) < 0)
			return err_wrap(e, "waiting for %s", what);
	}
	return 0;
}

/* ---- interface ---- */

static int greet(struct bare_vm *vm, struct err *e)
{
	auto_message_out struct message_out hello = MESSAGE_OUT_INIT;
	unsigned char mine[PREAMBLE_SIZE];

	vm->listening = vm->vmm.channel_kind == VMM_CHANNEL_VSOCK;
	vm->fd = take_fd(&vm->vmm.channel);
	if (!vm->listening) {
		preamble_make(mine);
		preamble_scan_init(&vm->scan, mine);
		vm->scanning = true;
		conn_send_raw(vm->conn, mine, sizeof(mine));
	}
	message_out_hello(&hello, "monitor");
	if (conn_send_message(vm->conn, &hello, e) < 0)
		return -1;
	return wait_until(vm, &vm->greeted, "the agent's hello", e);
}

int bare_vm_start(const struct vmm_driver *d, const struct vmm_spec *spec, struct bare_vm **ret,
		  struct err *e)
{
	struct bare_vm *vm = xcalloc(1, sizeof(*vm));

	vm->vmm = (struct vmm)VMM_INIT;
	vm->fd = vm->call = -1;
	vm->conn = conn_new(&ops, vm);
	if (vmm_start(d, spec, &vm->vmm, e) < 0 || greet(vm, e) < 0) {
		bare_vm_free(vm);
		return -1;
	}
	*ret = vm;
	return 0;
}

void bare_vm_free(struct bare_vm *vm)
{
	if (!vm)
		return;
	vmm_release(&vm->vmm);
	fd_close(vm->fd);
	fd_close(vm->call);
	conn_free(vm->conn);
	free(vm);
}

void bare_vm_free_ptr(struct bare_vm **vm)
{
	bare_vm_free(*vm);
}

void bare_vm_begin(struct bare_vm *vm, struct message_out *m, const char *op)
{
	message_out_request(m, op, ++vm->last_id);
}

int bare_vm_request(struct bare_vm *vm, struct message_out *m, struct err *e)
{
	vm->answered = false;
	err_clear(&vm->failure);
	if (conn_send_message(vm->conn, m, e) < 0 ||
	    wait_until(vm, &vm->answered, "the agent's answer", e) < 0)
		return -1;
	return err_is_set(&vm->failure) ? err_move(e, &vm->failure) : 0;
}

int bare_vm_save(struct bare_vm *vm, struct err *e)
{
	vm->done = false;
	vm->saving = true;
	err_clear(&vm->failure);
	vm->request = vmm_save(&vm->vmm, e);
	if (vm->request < 0 || wait_until(vm, &vm->done, "the VM to be saved", e) < 0)
		return -1;
	return err_is_set(&vm->failure) ? err_move(e, &vm->failure) : 0;
}
