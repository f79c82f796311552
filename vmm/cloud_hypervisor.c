/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Hypervisor as a child with everything on its command line.
 *
 * Three ways lead to it. Its API: the listening socket is bound here, connected to, unlinked and inherited,
 * so that there is nothing to wait for, nobody else can connect, and nothing is left behind. Its event
 * monitor: a pipe of JSON objects, from which ready, panic, reset and shutdown are learned. And the
 * agent's channel: a socket beside the VM's vsock socket, to which it connects when the guest dials. Both
 * descriptors that have to be watched are behind one epoll descriptor, vmm->control.
 *
 * How it ends: a guest that powers off makes it exit by itself. A guest that resets is booted again in the
 * same process, which is never what a container wants: it is killed when it tells so. A vCPU that KVM
 * cannot run makes it exit too, with status 0 and the reason only in its messages.
 */
#include "vmm/cloud_hypervisor.h"

#include <errno.h>
#include <linux/landlock.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "vmm/api.h"
#include "vmm/binary.h"
#include "vmm/cloud_hypervisor_priv.h"
#include "vmm/confine.h"
#include "vmm/vmdk.h"

#define API_ROOT       "/api/v1/"
#define EVENTS_MAX     (64 * 1024) /* of one event; an ordinary one has 150 bytes */
#define EVENTS_READ    4096
#define LANDLOCK_LEAST 3 /* version of the kernel's interface that the VMM insists on */

struct cloud_hypervisor {
	struct api api;
	struct ch_watch watch;
	int events; /* -1: at its end */
	struct str in;
	size_t used; /* bytes of `in` that were looked at */
	/* Of a VM that is to be saved: copies of the spec's descriptors, and the requests of vmm_save. */
	int run_fd, ram_fd, state_fd;
	char *saved_path; /* where the VMM writes; NULL: it is not to be saved */
	unsigned pausing, saving;
};

/* ---- what events mean ---------------------------------------------------------------------------- */

static bool once(bool *told, enum vmm_event_kind kind, struct vmm_event *ret)
{
	if (*told)
		return false;
	*told = true;
	*ret = (struct vmm_event){ .kind = kind };
	return true;
}

bool ch_watch_event(struct ch_watch *w, const char *json, size_t n, struct vmm_event *ret)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;
	const char *source, *event;

	/* An event that was cut (it writes without waiting) is none; the next one is whole again. */
	if (json_parse(json, n, &j, &ignored) < 0)
		return false;
	source = json_str(json_get(j, "source"));
	event = json_str(json_get(j, "event"));
	if (!source || !event)
		return false;
	if (str_eq(source, "guest") && str_eq(event, "panic"))
		return once(&w->panicked, VMM_EVENT_PANIC, ret);
	if (str_eq(source, "vm") && (str_eq(event, "booted") || str_eq(event, "restored")))
		return once(&w->ready, VMM_EVENT_READY, ret);
	if (str_eq(source, "vm") && str_eq(event, "rebooting"))
		return once(&w->reset, VMM_EVENT_RESET, ret);
	if (str_eq(event, "shutdown") && (str_eq(source, "vm") || str_eq(source, "vmm")))
		return !w->reset && once(&w->ended, VMM_EVENT_SHUTDOWN, ret);
	return false;
}

/* ---- events and answers -------------------------------------------------------------------------- */

/* The next event of what was read. Objects are separated by empty lines, which they do not contain. */
static bool next_event(struct cloud_hypervisor *c, struct vmm_event *ret)
{
	while (c->used < c->in.len) {
		const char *at = c->in.buf + c->used;
		const char *end = memmem(at, c->in.len - c->used, "\n\n", 2);

		if (!end)
			return false;
		c->used += (size_t)(end - at) + 2;
		if (ch_watch_event(&c->watch, at, (size_t)(end - at), ret))
			return true;
	}
	return false;
}

static void fill_events(struct cloud_hypervisor *c)
{
	char *room;
	ssize_t n;

	if (c->events < 0)
		return;
	str_consume(&c->in, c->used);
	c->used = 0;
	room = str_reserve(&c->in, EVENTS_READ);
	if (!room) {
		/* Nothing that it tells is that long: look for the end of it. */
		str_clear(&c->in);
		c->in.over = false;
		return;
	}
	do {
		n = read(c->events, room, EVENTS_READ);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		str_grow(&c->in, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		fd_close(take_fd(&c->events));
}

static bool done(unsigned request, bool failed, const char *text, struct vmm_event *ret)
{
	*ret = (struct vmm_event){ VMM_EVENT_DONE, request, failed, "" };
	memcpy(ret->text, text, strnlen(text, sizeof(ret->text) - 1));
	return true;
}

/* The answer to one of vmm_save's requests: the first of them is not told. */
static bool take_saving(struct cloud_hypervisor *c, const struct api_answer *answer,
			const char *text, struct vmm_event *ret)
{
	bool failed = answer->status >= 300;
	struct err e = ERR_INIT;

	if (answer->request == c->pausing) {
		c->pausing = 0;
		return false; /* what could not be paused cannot be saved either */
	}
	c->saving = 0;
	/* A VM that is saved serves nobody, so that nobody minds this wait. */
	if (!failed && ch_saved_collect(c->run_fd, c->ram_fd, c->state_fd, &e) < 0)
		return done(answer->request, true, e.msg, ret);
	return done(answer->request, failed, text, ret);
}

/* The next answer of what was read. */
static bool next_answer(struct cloud_hypervisor *c, struct vmm_event *ret)
{
	struct api_answer answer;
	struct err e = ERR_INIT;
	char text[sizeof(ret->text)] = "";
	unsigned lost;
	int r = api_next(&c->api, &answer, &e);

	if (r == 0 && c->api.fd >= 0 && c->events >= 0)
		return false;
	if (r > 0) {
		if (answer.status >= 300)
			api_error_text(&answer, text, sizeof(text));
		if (answer.request == c->pausing || answer.request == c->saving)
			return take_saving(c, &answer, text, ret) || next_answer(c, ret);
		return done(answer.request, answer.status >= 300, text, ret);
	}
	/* No connection or no VMM any more: what was asked stays undone. */
	lost = api_abandon(&c->api);
	return lost && done(lost, true, "the VMM's control connection has ended", ret);
}

static void fill_answers(struct cloud_hypervisor *c)
{
	struct err e = ERR_INIT;

	/* The end of this connection is not the VMM's: of that the pipe tells. */
	if (c->api.fd >= 0 && api_fill(&c->api, &e) < 0)
		fd_close(take_fd(&c->api.fd));
}

static int ch_event(struct vmm *vmm, struct vmm_event *ret, struct err *e)
{
	struct cloud_hypervisor *c = vmm->priv;
	struct err ignored = ERR_INIT;

	for (bool filled = false;; filled = true) {
		if (next_event(c, ret)) {
			if (ret->kind == VMM_EVENT_RESET &&
			    proc_signal(&vmm->proc, SIGKILL, &ignored) < 0)
				err_clear(&ignored); /* it is gone */
			return 1;
		}
		if (next_answer(c, ret))
			return 1;
		if (c->events < 0)
			return err_set(e, ERR_UNAVAILABLE, "the VMM has ended");
		if (filled)
			return 0;
		fill_events(c);
		fill_answers(c);
	}
}

static int request(struct vmm *vmm, const char *action, struct err *e)
{
	const struct api_call call = { .method = "PUT", .path = action };
	struct cloud_hypervisor *c = vmm->priv;
	unsigned number;

	return api_send(&c->api, &call, &number, e) < 0 ? -1 : (int)number;
}

static int ch_pause(struct vmm *vmm, struct err *e)
{
	return request(vmm, API_ROOT "vm.pause", e);
}

static int ch_resume(struct vmm *vmm, struct err *e)
{
	return request(vmm, API_ROOT "vm.resume", e);
}

static int ch_save(struct vmm *vmm, struct err *e)
{
	const struct api_call pause = { .method = "PUT", .path = API_ROOT "vm.pause" };
	struct api_call snapshot = { .method = "PUT", .path = API_ROOT "vm.snapshot" };
	struct cloud_hypervisor *c = vmm->priv;
	auto_str struct str body = STR_INIT(16384);
	auto_free char *url = NULL;
	struct json_writer w;
	unsigned pausing, saving;

	if (!c->saved_path)
		return err_set(e, ERR_INVALID, "the VM was not made to be saved");
	url = xasprintf("file://%s", c->saved_path);
	jw_init(&w, &body, 0);
	jw_begin_object(&w, NULL);
	jw_str(&w, "destination_url", url);
	jw_end(&w);
	snapshot.body = body.buf;
	if (api_send(&c->api, &pause, &pausing, e) < 0 ||
	    api_send(&c->api, &snapshot, &saving, e) < 0)
		return -1;
	c->pausing = pausing;
	c->saving = saving;
	return (int)saving;
}

static void ch_release(struct vmm *vmm)
{
	struct cloud_hypervisor *c = vmm->priv;

	if (c) {
		api_release(&c->api);
		fd_close(c->events);
		fd_close(c->run_fd);
		fd_close(c->ram_fd);
		fd_close(c->state_fd);
		free(c->saved_path);
		str_release(&c->in);
		free(c);
	}
	vmm->priv = NULL;
	fd_close(take_fd(&vmm->control));
}

/* ---- start --------------------------------------------------------------------------------------- */

/* Our ends and the VMM's. */
struct ends {
	int api, events, channel;
	int api_theirs, events_theirs;
};

static void ends_close(struct ends *s)
{
	fd_close(s->api);
	fd_close(s->events);
	fd_close(s->channel);
	fd_close(s->api_theirs);
	fd_close(s->events_theirs);
}
#define auto_ends __attribute__((cleanup(ends_close)))

/* A connection to the API that waits in the listening socket until the VMM accepts it. */
static int open_api(int run_fd, struct ends *s, struct err *e)
{
	if (file_remove(run_fd, CH_FILE_API, e) < 0 ||
	    sock_listen(run_fd, CH_FILE_API, &s->api_theirs, e) < 0 ||
	    sock_connect(run_fd, CH_FILE_API, &s->api, e) < 0 ||
	    file_remove(run_fd, CH_FILE_API, e) < 0)
		return -1;
	return fd_set_nonblock(s->api, true, e);
}

static int open_ends(const struct vmm_spec *spec, struct ends *s, struct err *e)
{
	int pipe[2], run_fd = spec->run_fd;

	/* What an earlier VMM has left there would be in the way of this one. */
	if (file_remove(run_fd, CH_FILE_VSOCK, e) < 0 ||
	    file_remove(run_fd, CH_FILE_DIALLED, e) < 0 || open_api(run_fd, s, e) < 0 ||
	    sock_listen(run_fd, CH_FILE_DIALLED, &s->channel, e) < 0 || fd_pipe(pipe, e) < 0)
		return -1;
	s->events = pipe[0];
	s->events_theirs = pipe[1];
	if (spec->confine && confine_give(spec->confine, run_fd, CH_FILE_DIALLED, e) < 0)
		return -1;
	if (fd_set_nonblock(s->events, true, e) < 0)
		return -1;
	return fd_set_nonblock(s->channel, true, e);
}

static int watch_both(const struct ends *s, int *ret, struct err *e)
{
	auto_close int fd = epoll_create1(EPOLL_CLOEXEC);
	const int both[] = { s->api, s->events };

	if (fd < 0)
		return err_sys(e, "cannot watch the VMM");
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		if (epoll_ctl(fd, EPOLL_CTL_ADD, both[i], &ev) < 0)
			return err_sys(e, "cannot watch the VMM");
	}
	*ret = take_fd(&fd);
	return 0;
}

static int spawn_ch(const struct vmm_spec *spec, const struct ends *ends, struct proc *ret,
		    struct err *e)
{
	const struct ch_plan plan = {
		/* It cannot make a rule for RAM that is a descriptor. */
		.landlock = spec->saving == VMM_NOT_SAVED &&
			    syscall(SYS_landlock_create_ruleset, NULL, 0,
				    LANDLOCK_CREATE_RULESET_VERSION) >= LANDLOCK_LEAST,
	};
	auto_strv struct strv args = STRV_INIT;
	struct spawn_fd fds[6];
	struct spawn s = {
		.path = spec->binary,
		.fds = fds,
		.cwd = spec->run_fd,
		.die_with_parent = true,
		.cgroup = spec->cgroup_fd,
	};

	if (ch_args(spec, &plan, &args, e) < 0)
		return -1;
	if (spec->console_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->console_fd, STDOUT_FILENO };
	if (spec->log_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->log_fd, STDERR_FILENO };
	fds[s.nfds++] = (struct spawn_fd){ ends->api_theirs, CH_FD_API };
	fds[s.nfds++] = (struct spawn_fd){ ends->events_theirs, CH_FD_EVENTS };
	if (spec->vm_lock_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->vm_lock_fd, CH_FD_LOCK };
	if (spec->saving == VMM_FROM_SAVED)
		fds[s.nfds++] = (struct spawn_fd){ spec->ram_fd, CH_FD_RAM };
	s.argv = strv_args(&args);
	return vmm_spawn(spec, &s, VMM_SPAWN_RW_FOLDER | VMM_SPAWN_IO_URING | VMM_SPAWN_LIST_ROOT,
			 ret, e);
}

static int prepare_saving(const struct vmm_spec *spec, struct err *e)
{
	return spec->saving == VMM_TO_BE_SAVED	? ch_saved_prepare(spec, e)
	       : spec->saving == VMM_FROM_SAVED ? ch_saved_restore(spec, e)
						: 0;
}

/* Keeps what vmm_save needs. */
static int keep_for_saving(const struct vmm_spec *spec, struct cloud_hypervisor *c, struct err *e)
{
	if (spec->saving != VMM_TO_BE_SAVED)
		return 0;
	if (fd_dup(spec->run_fd, &c->run_fd, e) < 0 || fd_dup(spec->ram_fd, &c->ram_fd, e) < 0 ||
	    fd_dup(spec->state_fd, &c->state_fd, e) < 0)
		return -1;
	c->saved_path = xasprintf("%s/" CH_FOLDER_SAVED, spec->run_path);
	return 0;
}

static int ch_start(const struct vmm_spec *spec, struct vmm *ret, struct err *e)
{
	auto_ends struct ends ends = { -1, -1, -1, -1, -1 };
	struct cloud_hypervisor *c;

	if (vmdk_write_disks(spec, e) < 0 || prepare_saving(spec, e) < 0 ||
	    open_ends(spec, &ends, e) < 0 || watch_both(&ends, &ret->control, e) < 0 ||
	    spawn_ch(spec, &ends, &ret->proc, e) < 0)
		return -1;
	c = xcalloc(1, sizeof(*c));
	api_init(&c->api, take_fd(&ends.api));
	str_init(&c->in, EVENTS_MAX);
	c->events = take_fd(&ends.events);
	c->run_fd = c->ram_fd = c->state_fd = -1;
	ret->priv = c;
	ret->channel_kind = VMM_CHANNEL_VSOCK;
	ret->channel = take_fd(&ends.channel);
	return keep_for_saving(spec, c, e);
}

/* ---- what a binary is ---------------------------------------------------------------------------- */

/*
 * Between v53 and v54 there are states of development with and without it, and distributions that take
 * what they want: so not the version is asked but the binary, for the type's name in its API.
 */
int ch_binary_joins(const char *binary, bool *ret, struct err *e)
{
	static const char name[] = "FlatVmdk";
	const size_t keep = sizeof(name) - 2, size = 256 * 1024;
	auto_free char *buf = xreallocarray(NULL, 1, size);
	auto_close int fd = -1;
	size_t have = 0;
	ssize_t n;

	*ret = false;
	if (fd_open(AT_FDCWD, binary, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	while ((n = fd_read_full(fd, buf + have, size - have, e)) > 0) {
		have += (size_t)n;
		if (memmem(buf, have, name, sizeof(name) - 1)) {
			*ret = true;
			return 0;
		}
		/* The name may go over the end of what was read. */
		if (have > keep) {
			memmove(buf, buf + have - keep, keep);
			have = keep;
		}
	}
	return n < 0 ? -1 : 0;
}

/* "cloud-hypervisor v53.0", with more lines behind it. */
static int ch_examine(const char *binary, struct vmm_binary *ret, struct err *e)
{
	static const char before[] = "cloud-hypervisor ";
	auto_str struct str text = STR_INIT(8192);
	const char *at = "";
	bool joins;

	if (vmm_binary_output(binary, "--version", &text, e) < 0)
		return -1;
	if (str_has_prefix(text.buf, before))
		at = text.buf + strlen(before);
	if (vmm_binary_set_version(ret, *at == 'v' ? at + 1 : at, 51, 0, "Cloud Hypervisor", e) <
		    0 ||
	    ch_binary_joins(binary, &joins, e) < 0)
		return -1;
	if (!joins)
		ret->caps &= ~(unsigned)VMM_CAP_JOINED;
	/* Before, a restored VM had to be resumed by another request. */
	if (str_has_prefix(ret->version, "51."))
		ret->caps &= ~(unsigned)VMM_CAP_SAVE;
	return 0;
}

const struct vmm_driver vmm_cloud_hypervisor = {
	.name = "cloud-hypervisor",
	.program = "cloud-hypervisor",
	.env = "KVBOX_CLOUD_HYPERVISOR",
	.package = "cloud-hypervisor",
	.caps = VMM_CAP_JOINED | VMM_CAP_PAUSE | VMM_CAP_POWEROFF | VMM_CAP_RECLAIM | VMM_CAP_SAVE,
	.examine = ch_examine,
	.start = ch_start,
	.event = ch_event,
	.pause = ch_pause,
	.resume = ch_resume,
	.save = ch_save,
	.release = ch_release,
};
