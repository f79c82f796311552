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
#include "vmm/cloud_hypervisor_priv.h"
#include "vmm/confine.h"
#include "vmm/vmdk.h"

#define EVENTS_MAX     (64 * 1024) /* of one event; an ordinary one has 150 bytes */
#define EVENTS_READ    4096
#define LANDLOCK_LEAST 3 /* version of the kernel's interface that the VMM insists on */

/* ---- what events mean ---------------------------------------------------------------------------- */

static bool once(bool *told, enum vmm_event_kind kind, struct vmm_event *ret)
{
	if (*told)
		return false;
	*told = true;
	*ret = (struct vmm_event){ .kind = kind };
	return true;
}

/* What is longer is none of ours. */
static void note_removed(struct ch_watch *w, const char *id)
{
	if (id && strlen(id) < sizeof(w->removed))
		memcpy(w->removed, id, strlen(id) + 1);
}

bool ch_watch_event(struct ch_watch *w, const char *json, size_t n, struct vmm_event *ret)
{
	auto_json struct json *j = NULL;
	struct err ignored = ERR_INIT;
	const char *source, *event;

	w->removed[0] = '\0';
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
	if (str_eq(source, "vm") && str_eq(event, "device-removed"))
		note_removed(w, json_str(json_get(json_get(j, "properties"), "id")));
	return false;
}

/* ---- events and answers -------------------------------------------------------------------------- */

static bool done(unsigned request, bool failed, const char *text, struct vmm_event *ret)
{
	*ret = (struct vmm_event){ VMM_EVENT_DONE, request, failed, "" };
	memcpy(ret->text, text, strnlen(text, sizeof(ret->text) - 1));
	return true;
}

/* The next event of what was read. Objects are separated by empty lines, which they do not contain. */
static bool next_event(struct vmm *vmm, struct vmm_event *ret)
{
	struct cloud_hypervisor *c = vmm->priv;
	unsigned gone;

	while (c->used < c->in.len) {
		const char *at = c->in.buf + c->used;
		const char *end = memmem(at, c->in.len - c->used, "\n\n", 2);

		if (!end)
			return false;
		c->used += (size_t)(end - at) + 2;
		if (ch_watch_event(&c->watch, at, (size_t)(end - at), ret))
			return true;
		gone = ch_hot_ejected(vmm, c->watch.removed);
		if (gone)
			return done(gone, false, "", ret);
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

/* What was asked stays undone when there is no connection or no VMM any more. */
static bool next_lost(struct vmm *vmm, struct vmm_event *ret)
{
	struct cloud_hypervisor *c = vmm->priv;
	unsigned lost;
	bool failed;

	while ((lost = api_abandon(&c->api))) {
		failed = true;
		if (lost == c->pausing)
			continue; /* of vmm_save: the second of its requests is the one that is told */
		lost = ch_hot_answered(vmm, lost, &failed);
		if (lost)
			break;
	}
	if (!lost)
		lost = ch_hot_lost(c);
	return lost && done(lost, true, "the VMM's control connection has ended", ret);
}

/* The next answer of what was read. */
static bool next_answer(struct vmm *vmm, struct vmm_event *ret)
{
	struct cloud_hypervisor *c = vmm->priv;
	struct api_answer answer;
	struct err e = ERR_INIT;
	char text[sizeof(ret->text)];
	int r;

	while ((r = api_next(&c->api, &answer, &e)) > 0) {
		bool failed = answer.status >= 300;
		unsigned request;

		text[0] = '\0';
		if (failed)
			api_error_text(&answer, text, sizeof(text));
		if (answer.request == c->pausing || answer.request == c->saving) {
			if (take_saving(c, &answer, text, ret))
				return true;
			continue;
		}
		request = ch_hot_answered(vmm, answer.request, &failed);
		if (request)
			return done(request, failed, failed ? text : "", ret);
	}
	if (r == 0 && c->api.fd >= 0 && c->events >= 0)
		return false;
	return next_lost(vmm, ret);
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
		if (next_event(vmm, ret)) {
			if (ret->kind == VMM_EVENT_RESET &&
			    proc_signal(&vmm->proc, SIGKILL, &ignored) < 0)
				err_clear(&ignored); /* it is gone */
			return 1;
		}
		if (next_answer(vmm, ret))
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
	return request(vmm, CH_API "vm.pause", e);
}

static int ch_resume(struct vmm *vmm, struct err *e)
{
	return request(vmm, CH_API "vm.resume", e);
}

static int ch_save(struct vmm *vmm, struct err *e)
{
	const struct api_call pause = { .method = "PUT", .path = CH_API "vm.pause" };
	struct api_call snapshot = { .method = "PUT", .path = CH_API "vm.snapshot" };
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
	    sock_connect(run_fd, CH_FILE_API, 0, &s->api, e) < 0 ||
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
			    /* Nor one for files that may come from anywhere. */
			    (spec->hotplug == 0 || spec->confine) &&
			    syscall(SYS_landlock_create_ruleset, NULL, 0,
				    LANDLOCK_CREATE_RULESET_VERSION) >= LANDLOCK_LEAST,
		.hot = spec->hotplug > 0 && confine_shows(spec->confine) ? spec->run_path : NULL,
	};
	auto_strv struct strv args = STRV_INIT;
	struct spawn_fd fds[6 + VMM_NETS_MAX];
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
	for (size_t i = 0; i < spec->nnets; i++)
		fds[s.nfds++] = (struct spawn_fd){ spec->nets[i].tap_fd, CH_FD_NET + (int)i };
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
	c->memory_mib = spec->memory_mib;
	ret->priv = c;
	ret->channel_kind = VMM_CHANNEL_VSOCK;
	ret->channel = take_fd(&ends.channel);
	return keep_for_saving(spec, c, e);
}

const struct vmm_driver vmm_cloud_hypervisor = {
	.name = "cloud-hypervisor",
	.program = "cloud-hypervisor",
	.env = "KVBOX_CLOUD_HYPERVISOR",
	.package = "cloud-hypervisor",
	.caps = VMM_CAP_JOINED | VMM_CAP_PAUSE | VMM_CAP_POWEROFF | VMM_CAP_RECLAIM | VMM_CAP_SAVE |
		VMM_CAP_HOTPLUG | VMM_CAP_MEMORY | VMM_CAP_VCPUS | VMM_CAP_TAPS,
	.examine = ch_examine,
	.start = ch_start,
	.event = ch_event,
	.pause = ch_pause,
	.resume = ch_resume,
	.save = ch_save,
	.add_disk = ch_add_disk,
	.add_net = ch_add_net,
	.remove = ch_remove,
	.resize_memory = ch_resize_memory,
	.resize_vcpus = ch_resize_vcpus,
	.release = ch_release,
};
