/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU as a child with everything on its command line and two sockets that it inherits: QMP for control
 * and the guest's virtio-serial port for the agent. There are no socket files, so nothing is waited for
 * and nothing is left behind but small files in the run folder: descriptors of joined disks, ACPI tables.
 *
 * How it ends: a guest that powers off or resets makes QEMU exit by itself (-no-reboot), after an event
 * that says which of the two it was. A panic is announced by the pvpanic device first. A guest that KVM
 * cannot run any further only stands still, with a STOP event; then the state is asked for, and if it is
 * an internal error the caller hears that the VM is broken.
 */
#include "vmm/qemu.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/acpi.h"
#include "vmm/binary.h"
#include "vmm/confine.h"
#include "vmm/qemu_cpus.h"
#include "vmm/qemu_plug.h"
#include "vmm/qemu_priv.h"
#include "vmm/tsc.h"
#include "vmm/vmdk.h"

/* Where device states go to and come from, as QEMU was given it. */
#define STATE_NAME "state"
#define STATE_URI  "{\"uri\":\"fd:" STATE_NAME "\"}"

struct qemu {
	struct qmp qmp;
	struct qemu_watch watch;
	struct qemu_plugs plugs;
	struct qemu_cpus cpus;
};

/* ---- what messages mean -------------------------------------------------------------------------- */

void qemu_set_text(struct vmm_event *ev, const char *text)
{
	size_t n = strlen(text);

	if (n > sizeof(ev->text) - 1)
		n = sizeof(ev->text) - 1;
	for (size_t i = 0; i < n; i++)
		ev->text[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	ev->text[n] = '\0';
}

/* Reports something that is told only once. */
static enum qemu_step once(bool *told, enum vmm_event_kind kind, const char *text,
			   struct vmm_event *ret)
{
	if (*told)
		return QEMU_NOTHING;
	*told = true;
	*ret = (struct vmm_event){ .kind = kind };
	qemu_set_text(ret, text);
	return QEMU_REPORT;
}

static enum qemu_step watch_shutdown(struct qemu_watch *w, const struct json *data,
				     struct vmm_event *ret)
{
	const char *reason = json_str(json_get(data, "reason"));

	if (!reason)
		reason = "";
	if (strcmp(reason, "guest-panic") == 0)
		return once(&w->panicked, VMM_EVENT_PANIC, "", ret);
	if (strcmp(reason, "guest-reset") == 0)
		return once(&w->ended, VMM_EVENT_RESET, reason, ret);
	return once(&w->ended, VMM_EVENT_SHUTDOWN, reason, ret);
}

/* How far saving has come: told once it is at its end. */
static enum qemu_step watch_saving(struct qemu_watch *w, const struct json *data,
				   struct vmm_event *ret)
{
	const char *status = json_str(json_get(data, "status"));
	bool failed = status && strcmp(status, "failed") == 0;

	if (w->saving == 0 || !status || (!failed && strcmp(status, "completed") != 0))
		return QEMU_NOTHING;
	*ret = (struct vmm_event){ .kind = VMM_EVENT_DONE,
				   .request = (unsigned)w->saving,
				   .failed = failed };
	qemu_set_text(ret, failed ? "the VM could not be saved" : "");
	w->saving = 0;
	return QEMU_REPORT;
}

static enum qemu_step watch_event(struct qemu_watch *w, const struct qmp_message *m,
				  struct vmm_event *ret)
{
	if (strcmp(m->name, "GUEST_PANICKED") == 0)
		return once(&w->panicked, VMM_EVENT_PANIC, "", ret);
	if (strcmp(m->name, "SHUTDOWN") == 0)
		return watch_shutdown(w, m->data, ret);
	if (strcmp(m->name, "MIGRATION") == 0)
		return watch_saving(w, m->data, ret);
	if (strcmp(m->name, "RESUME") == 0)
		w->pausing = false;
	if (strcmp(m->name, "STOP") == 0 && !w->pausing && !w->panicked && !w->ended)
		return QEMU_ASK;
	return QEMU_NOTHING;
}

/* The answer to our own question after the state. */
static enum qemu_step watch_status(struct qemu_watch *w, const struct qmp_message *m,
				   struct vmm_event *ret)
{
	const char *status = m->kind == QMP_REPLY ? json_str(json_get(m->data, "status")) : NULL;

	w->status = 0;
	if (status && strcmp(status, "internal-error") == 0)
		return once(&w->broken, VMM_EVENT_BROKEN, "KVM cannot run the guest any further",
			    ret);
	if (status && strcmp(status, "io-error") == 0)
		return once(&w->broken, VMM_EVENT_BROKEN, "a disk of the VM failed", ret);
	return QEMU_NOTHING;
}

static enum qemu_step watch_answer(struct qemu_watch *w, const struct qmp_message *m,
				   struct vmm_event *ret)
{
	/* Commands are answered in their order, each once. */
	if (m->id <= w->answered || m->id > w->last_id)
		return QEMU_NOTHING;
	w->answered = m->id;
	if (m->id == w->capabilities)
		return once(&w->ready, VMM_EVENT_READY, "", ret);
	if (m->id == w->status)
		return watch_status(w, m, ret);
	if (m->id <= w->vital)
		return m->kind == QMP_REPLY ? QEMU_NOTHING
					    : once(&w->broken, VMM_EVENT_BROKEN, m->name, ret);
	/* That it was begun says nothing yet. */
	if (m->id == w->saving && m->kind == QMP_REPLY)
		return QEMU_NOTHING;
	*ret = (struct vmm_event){ .kind = VMM_EVENT_DONE, .request = (unsigned)m->id };
	ret->failed = m->kind == QMP_ERROR;
	if (ret->failed)
		qemu_set_text(ret, m->name);
	return QEMU_REPORT;
}

enum qemu_step qemu_watch_message(struct qemu_watch *w, const struct qmp_message *m,
				  struct vmm_event *ret)
{
	switch (m->kind) {
	case QMP_EVENT:
		return watch_event(w, m, ret);
	case QMP_REPLY:
	case QMP_ERROR:
		return watch_answer(w, m, ret);
	case QMP_GREETING:
	case QMP_KIND_COUNT:
		break;
	}
	return QEMU_NOTHING;
}

/* ---- the driver's operations --------------------------------------------------------------------- */

/* Sends a command and remembers its number as the last one. */
static int request_with(struct vmm *vmm, const char *command, const char *arguments, int64_t *ret,
			struct err *e)
{
	struct qemu *q = vmm->priv;

	if (qmp_send(&q->qmp, command, arguments, ret, e) < 0)
		return -1;
	q->watch.last_id = *ret;
	return 0;
}

static int request(struct vmm *vmm, const char *command, int64_t *ret, struct err *e)
{
	return request_with(vmm, command, NULL, ret, e);
}

/* What a message means, and what follows from it at once. */
static int take_message(struct vmm *vmm, const struct qmp_message *m, enum qemu_step *step,
			struct vmm_event *ret, struct err *e)
{
	struct qemu *q = vmm->priv;
	int taken = qemu_plugs_message(&q->plugs, &q->qmp, m, step, ret, e);

	if (taken == 0)
		taken = qemu_cpus_message(&q->cpus, &q->qmp, m, step, ret, e);
	q->watch.last_id = q->qmp.last_id;
	if (taken < 0)
		return -1;
	if (taken == 0)
		*step = qemu_watch_message(&q->watch, m, ret);
	else if (m->id > q->watch.answered)
		q->watch.answered = m->id;
	if (*step == QEMU_ASK && q->watch.status == 0)
		return request(vmm, "query-status", &q->watch.status, e);
	return 0;
}

static int qemu_event(struct vmm *vmm, struct vmm_event *ret, struct err *e)
{
	struct qemu *q = vmm->priv;
	bool filled = false;

	for (;;) {
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
		int got = qmp_next(&q->qmp, &m, e);
		enum qemu_step step;

		if (got < 0)
			return -1;
		if (got == 0) {
			if (filled)
				return 0;
			filled = true;
			got = qmp_fill(&q->qmp, e);
			if (got <= 0)
				return got;
			continue;
		}
		if (take_message(vmm, &m, &step, ret, e) < 0)
			return -1;
		if (step == QEMU_REPORT)
			return 1;
	}
}

static int qemu_pause(struct vmm *vmm, struct err *e)
{
	struct qemu *q = vmm->priv;
	int64_t id;

	if (request(vmm, "stop", &id, e) < 0)
		return -1;
	q->watch.pausing = true;
	return (int)id;
}

static int qemu_resume(struct vmm *vmm, struct err *e)
{
	int64_t id;

	return request(vmm, "cont", &id, e) < 0 ? -1 : (int)id;
}

/*
 * RAM is left where it is, and the rest comes from (or goes to) the descriptor. A guest that goes on runs
 * as soon as all of it was read.
 */
static int prepare_saving(struct vmm *vmm, const struct vmm_spec *spec, struct err *e)
{
	static const char capabilities[] =
		"{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true},"
		"{\"capability\":\"events\",\"state\":true}]}";
	static const char name[] = "{\"fdname\":\"" STATE_NAME "\"}";
	struct qemu *q = vmm->priv;

	if (spec->saving == VMM_NOT_SAVED)
		return 0;
	if (qmp_send_fd(&q->qmp, "getfd", name, spec->state_fd, &q->watch.last_id, e) < 0 ||
	    request_with(vmm, "migrate-set-capabilities", capabilities, &q->watch.vital, e) < 0)
		return -1;
	if (spec->saving == VMM_FROM_SAVED)
		return request_with(vmm, "migrate-incoming", STATE_URI, &q->watch.vital, e);
	return 0;
}

static int qemu_save(struct vmm *vmm, struct err *e)
{
	struct qemu *q = vmm->priv;

	/* A copy has what the command line says. */
	if (qemu_plugs_any(&q->plugs) || qemu_cpus_any(&q->cpus))
		return err_set(e, ERR_INVALID,
			       "a VM with added devices or processors cannot be saved");
	/* The guest is stopped at the end of it; one that was stopped before would stand still in the copy. */
	q->watch.pausing = true;
	if (request_with(vmm, "migrate", STATE_URI, &q->watch.saving, e) < 0)
		return -1;
	return (int)q->watch.saving;
}

/* The number of a request that began a sequence of commands. */
static int begun(struct vmm *vmm, int request)
{
	struct qemu *q = vmm->priv;

	q->watch.last_id = q->qmp.last_id;
	return request;
}

static int qemu_add_disk(struct vmm *vmm, const struct vmm_disk *disk, struct err *e)
{
	struct qemu *q = vmm->priv;

	return begun(vmm, qemu_plug_disk(&q->plugs, &q->qmp, disk, e));
}

static int qemu_add_net(struct vmm *vmm, const struct vmm_net *net, struct err *e)
{
	struct qemu *q = vmm->priv;

	return begun(vmm, qemu_plug_net(&q->plugs, &q->qmp, net, e));
}

static int qemu_remove(struct vmm *vmm, const char *id, struct err *e)
{
	struct qemu *q = vmm->priv;

	return begun(vmm, qemu_unplug(&q->plugs, &q->qmp, id, e));
}

static int qemu_resize_memory(struct vmm *vmm, unsigned mib, struct err *e)
{
	unsigned more = qemu_memory_more(vmm->limits.memory_mib, mib);
	auto_str struct str arguments = STR_INIT(256);
	int64_t id;

	/* Nothing to do, and an answer all the same. */
	if (vmm->limits.memory_max_mib == vmm->limits.memory_mib)
		return request(vmm, "query-status", &id, e) < 0 ? -1 : (int)id;
	str_addf(&arguments,
		 "{\"path\":\"" QEMU_MEMORY_PATH "\",\"property\":\"requested-size\","
		 "\"value\":%" PRIu64 "}",
		 (uint64_t)more << 20);
	return request_with(vmm, "qom-set", arguments.buf, &id, e) < 0 ? -1 : (int)id;
}

static int qemu_resize_vcpus(struct vmm *vmm, unsigned vcpus, struct err *e)
{
	struct qemu *q = vmm->priv;

	return begun(vmm, qemu_cpus_resize(&q->cpus, &q->qmp, vcpus, e));
}

static void qemu_release(struct vmm *vmm)
{
	struct qemu *q = vmm->priv;

	if (q) {
		qemu_plugs_release(&q->plugs);
		qmp_release(&q->qmp);
		free(q);
	}
	vmm->priv = NULL;
	vmm->control = -1;
}

/* ---- start --------------------------------------------------------------------------------------- */

static int write_tables(const struct vmm_spec *spec, struct err *e)
{
	auto_str struct str tables = STR_INIT(ACPI_TEXT_MAX);
	auto_str struct str loader = STR_INIT(ACPI_TEXT_MAX);

	if (spec->kvm)
		return 0;
	acpi_build(spec->vcpus, spec->hotplug, &tables, &loader);
	if (file_write_replace(spec->run_fd, QEMU_FILE_TABLES, tables.buf, tables.len, 0444, e) < 0)
		return -1;
	return file_write_replace(spec->run_fd, QEMU_FILE_LOADER, loader.buf, loader.len, 0444, e);
}

/* QEMU matches the access mode of a descriptor that it is given, and says nothing when it differs. */
static int check_console(const struct vmm_spec *spec, struct err *e)
{
	int flags;

	if (spec->console_fd < 0)
		return 0;
	flags = fcntl(spec->console_fd, F_GETFL);
	if (flags < 0)
		return err_sys(e, "descriptor of the console");
	if ((flags & O_ACCMODE) != O_WRONLY)
		return err_set(e, ERR_INVALID, "descriptor of the console is not write-only");
	return 0;
}

static int spawn_qemu(const struct vmm_spec *spec, const struct qemu_plan *plan, int qmp,
		      int channel, struct proc *ret, struct err *e)
{
	auto_strv struct strv args = STRV_INIT;
	struct spawn_fd fds[10 + VMM_NETS_MAX];
	struct spawn s = {
		.path = spec->binary,
		.fds = fds,
		.cwd = spec->run_fd,
		.die_with_parent = true,
		.cgroup = spec->cgroup_fd,
	};
	size_t n = 0;

	if (qemu_args(spec, plan, &args, e) < 0)
		return -1;
	if (spec->log_fd >= 0) {
		fds[n++] = (struct spawn_fd){ spec->log_fd, 1 };
		fds[n++] = (struct spawn_fd){ spec->log_fd, 2 };
	}
	fds[n++] = (struct spawn_fd){ qmp, QEMU_FD_QMP };
	fds[n++] = (struct spawn_fd){ channel, QEMU_FD_CHANNEL };
	if (spec->console_fd >= 0)
		fds[n++] = (struct spawn_fd){ spec->console_fd, QEMU_FD_CONSOLE };
	if (spec->vm_lock_fd >= 0)
		fds[n++] = (struct spawn_fd){ spec->vm_lock_fd, QEMU_FD_LOCK };
	if (spec->saving != VMM_NOT_SAVED) {
		fds[n++] = (struct spawn_fd){ spec->ram_fd, QEMU_FD_RAM };
	}
	for (size_t i = 0; i < spec->nnets; i++)
		fds[n++] = (struct spawn_fd){ spec->nets[i].tap_fd, QEMU_FD_NETS + (int)i };
	s.nfds = n;
	s.argv = strv_args(&args);
	return vmm_spawn(spec, &s, 0, ret, e);
}

/* Both ends of a connection; ours does not block. */
static int connection(int *ours, int *theirs, struct err *e)
{
	int pair[2];

	if (fd_socketpair(pair, e) < 0)
		return -1;
	*ours = pair[0];
	*theirs = pair[1];
	return fd_set_nonblock(*ours, true, e);
}

static int check_memory(const struct vmm_spec *spec, struct err *e)
{
	if (spec->saving != VMM_NOT_SAVED && spec->memory_max_mib > 0)
		return err_set(e, ERR_INVALID,
			       "the memory of a VM that is saved cannot change in QEMU");
	return 0;
}

static int qemu_start(const struct vmm_spec *spec, struct vmm *ret, struct err *e)
{
	auto_close int qmp = -1, qmp_theirs = -1, channel = -1, channel_theirs = -1;
	struct qemu_plan plan = { .tsc_khz = 0 };
	struct tsc_reading reading;
	bool has_tsc = !spec->kvm && tsc_read(&reading);
	struct qemu *q;

	if (check_memory(spec, e) < 0 || check_console(spec, e) < 0 ||
	    vmdk_write_disks(spec, e) < 0 || write_tables(spec, e) < 0 ||
	    connection(&qmp, &qmp_theirs, e) < 0 || connection(&channel, &channel_theirs, e) < 0)
		return -1;
	if (has_tsc && !tsc_khz(&reading, &plan.tsc_khz))
		plan.tsc_khz = 0;
	if (spawn_qemu(spec, &plan, qmp_theirs, channel_theirs, &ret->proc, e) < 0)
		return -1;

	q = xcalloc(1, sizeof(*q));
	ret->priv = q;
	ret->control = qmp;
	qmp_init(&q->qmp, take_fd(&qmp));
	qemu_plugs_init(&q->plugs, spec);
	qemu_cpus_init(&q->cpus, spec);
	ret->channel_kind = VMM_CHANNEL_SERIAL;
	ret->channel = take_fd(&channel);
	/* QEMU reads this after it has said hello; until then it lies in the socket. */
	if (request(ret, "qmp_capabilities", &q->watch.capabilities, e) < 0)
		return -1;
	return prepare_saving(ret, spec, e);
}

/* "QEMU emulator version 7.2.22 (Debian 1:7.2...)". */
static int qemu_examine(const char *binary, struct vmm_binary *ret, struct err *e)
{
	static const char before[] = "version ";
	auto_str struct str text = STR_INIT(8192);
	const char *at;

	if (vmm_binary_output(binary, "--version", &text, e) < 0)
		return -1;
	at = strstr(text.buf, before);
	return vmm_binary_set_version(ret, at ? at + strlen(before) : "", 7, 2, "QEMU", e);
}

/* qboot, and on some systems a link to where it is. No device of such a VM has a ROM. */
static const char *const data_folders[] = { "share/qemu", "share/qboot", NULL };

const struct vmm_driver vmm_qemu = {
	.name = "qemu",
	.program = "qemu-system-x86_64",
	.env = "KVBOX_QEMU",
	.package = "qemu-system-x86",
	.data_folders = data_folders,
	.caps = VMM_CAP_SOFTWARE | VMM_CAP_JOINED | VMM_CAP_PAUSE | VMM_CAP_POWEROFF |
		VMM_CAP_RECLAIM | VMM_CAP_HOLD | VMM_CAP_SAVE | VMM_CAP_HOTPLUG | VMM_CAP_MEMORY |
		VMM_CAP_VCPUS | VMM_CAP_TAPS,
	.examine = qemu_examine,
	.start = qemu_start,
	.event = qemu_event,
	.pause = qemu_pause,
	.resume = qemu_resume,
	.save = qemu_save,
	.add_disk = qemu_add_disk,
	.add_net = qemu_add_net,
	.remove = qemu_remove,
	.resize_memory = qemu_resize_memory,
	.resize_vcpus = qemu_resize_vcpus,
	.release = qemu_release,
};
