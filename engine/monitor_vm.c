/* SPDX-License-Identifier: Apache-2.0 */
/* The VM of a container: what it is made of, its start, what its VMM tells, and its last words. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/lastwords.h"
#include "engine/monitor_priv.h"
#include "engine/template.h"
#include "vmm/guestfiles.h"
#include "vmm/probe.h"
#include "vmm/size.h"

#define PAD_FILE "pad"

#define BOOT_TIMEOUT_KVM      20
#define BOOT_TIMEOUT_SOFTWARE 60
#define BURY_TIMEOUT	      10 /* a killed VMM takes some fifty milliseconds */

unsigned monitor_vm_boot_timeout(const struct monitor *m)
{
	return monitor_seconds("KVBOX_BOOT_TIMEOUT",
			       m->choice.kvm ? BOOT_TIMEOUT_KVM : BOOT_TIMEOUT_SOFTWARE);
}

/* ---- start ------------------------------------------------------------------------------------- */

static void on_gone(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	monitor_vmm_gone(ctx);
	monitor_settle(ctx);
}

static void lost(struct monitor *m, const char *text)
{
	struct err why = ERR_INIT;

	err_set(&why, ERR_UNAVAILABLE, "%s", text);
	monitor_fail(m, &why);
}

static void take_event(struct monitor *m, const struct vmm_event *ev)
{
	switch (ev->kind) {
	case VMM_EVENT_READY:
		m->vmm_ready = true;
		break;
	case VMM_EVENT_PANIC:
		m->panicked = true;
		lost(m, "the guest's kernel panicked");
		break;
	case VMM_EVENT_RESET:
		m->panicked = true;
		lost(m, "the guest reset itself");
		break;
	case VMM_EVENT_BROKEN:
		m->panicked = true;
		lost(m, ev->text[0] ? ev->text : "the guest cannot go on");
		break;
	case VMM_EVENT_DONE:
		pause_answered(m, ev);
		break;
	case VMM_EVENT_SHUTDOWN:
	case VMM_EVENT_COUNT:
		break;
	}
}

static void read_events(struct monitor *m)
{
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int r;

	while ((r = vmm_event(&m->vmm, &ev, &e)) > 0)
		take_event(m, &ev);
	if (r < 0) {
		/* Normal at the end; the pidfd tells. */
		log_debug("vmm: %s", e.msg);
		monitor_event_free(&m->vmm_control);
	}
}

static void on_control(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	read_events(ctx);
	monitor_settle(ctx);
}

void monitor_vm_last_events(struct monitor *m)
{
	if (m->vmm_control)
		read_events(m);
}

static int choose(struct monitor *m, struct err *e)
{
	struct vmm_wish wish = { m->spec.vmm, m->without_kvm ? "tcg" : NULL, m->paths.run_fd };

	vmm_choice_release(&m->choice);
	m->choice = (struct vmm_choice)VMM_CHOICE_INIT;
	if (vmm_select(&wish, &m->choice, e) < 0)
		return -1;
	free(m->state.driver);
	free(m->state.accel);
	free(m->state.accel_reason);
	m->state.driver = xstrdup(m->choice.driver->name);
	m->state.accel = xstrdup(vmm_choice_accel(&m->choice));
	m->state.accel_reason = xstrdup(m->choice.reason);
	return 0;
}

/* Opened anew for each boot: what is in them is of this VM. */
static int open_log(struct monitor *m, const char *name, int *ret, struct err *e)
{
	return fd_open(m->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640, ret, e);
}

static int start(struct monitor *m, struct vmm_spec *spec, struct err *e)
{
	auto_close int console = -1, log = -1, lock = -1;

	if (open_log(m, CONSOLE_FILE, &console, e) < 0 || open_log(m, VMM_LOG_FILE, &log, e) < 0 ||
	    rundir_take_vm(&m->run, &lock, e) < 0)
		return -1;
	spec->console_fd = console;
	spec->log_fd = log;
	spec->vm_lock_fd = lock;
	spec->cgroup_fd = -1; /* it is born in ours */
	return monitor_confine_start(m, spec, e);
	/* Our copy of the lock goes here: it is the VMM's now. */
}

/*
 * A saved VM instead of a boot, where there is one with the same disks: asked for by KVBOX_TEMPLATE=on. That
 * there is none is no error.
 */
static void use_template(struct monitor *m, const struct guest_files *guest,
			 const struct vmm_size *size, struct vmm_spec *spec, struct template *saved)
{
	const struct template_want want = { &m->choice, guest, *size };
	const char *wish = getenv("KVBOX_TEMPLATE");
	struct err why = ERR_INIT;

	m->from_template = wish && str_eq(wish, "on") && !m->without_template &&
			   template_fits(spec) && template_open(&m->paths, &want, saved, &why) == 0;
	if (err_is_set(&why))
		log_debug("%s", why.msg);
	if (!m->from_template)
		return;
	/* Kept as long as the VM: other copies take it from here. */
	m->saved_ram = take_fd(&saved->ram_fd);
	spec->saving = VMM_FROM_SAVED;
	spec->ram_fd = m->saved_ram;
	spec->state_fd = saved->state_fd;
}

static int start_with_disks(struct monitor *m, const struct vm_disks *d, struct err *e)
{
	auto_guest_files struct guest_files guest = GUEST_FILES_INIT;
	auto_template struct template saved = TEMPLATE_INIT;
	auto_free char *pad = NULL;
	struct vmm_host host;
	struct vmm_size size;
	struct vmm_spec spec;

	if (guest_files_find(&guest, e) < 0 || vmm_host_read(&host, e) < 0 ||
	    vmm_pad_make(m->paths.run_fd, PAD_FILE, e) < 0)
		return -1;
	vmm_size_choose(&host, m->spec.memory, settings_nano_cpus(&m->spec), m->choice.kvm, &size);
	pad = xasprintf("%s/" PAD_FILE, m->paths.runroot);
	spec = (struct vmm_spec){
		.binary = m->choice.binary,
		.caps = m->choice.about.caps,
		.kvm = m->choice.kvm,
		.kernel = guest.kernel,
		.initramfs = guest.initramfs,
		.memory_mib = size.memory_mib,
		.vcpus = size.vcpus,
		.disks = d->disk,
		.ndisks = d->n,
		.pad = pad,
		.run_fd = m->run.fd,
		.run_path = m->run_path,
	};
	use_template(m, &guest, &size, &spec, &saved);
	return start(m, &spec, e);
}

static void watch(struct monitor *m)
{
	m->vmm_gone = monitor_event(m, m->vmm.proc.pidfd, EV_READ, on_gone, m);
	event_add(m->vmm_gone, NULL);
	if (m->vmm.control >= 0) {
		m->vmm_control = monitor_event(m, m->vmm.control, EV_READ | EV_PERSIST, on_control,
					       m);
		event_add(m->vmm_control, NULL);
	}
	monitor_outgrow_watch(m);
}

static int start_vm(struct monitor *m, struct err *e)
{
	struct vm_disks disks = { .n = 0 };
	int r = vm_disks_describe(m, &disks, e);

	if (r == 0)
		r = start_with_disks(m, &disks, e);
	vm_disks_release(&disks);
	return r;
}

int monitor_vm_boot(struct monitor *m, struct err *e)
{
	struct err ignored = ERR_INIT;
	uint64_t begun = 0;
	bool missing;

	m->vmm_ready = m->panicked = m->timed_out = m->booted = false;
	if (choose(m, e) < 0)
		return err_wrap(e, "cannot start the virtual machine");
	missing = !m->join.tried && vm_disks_missing(m);
	if ((missing ? join_begin(m, e) : start_vm(m, e)) < 0)
		return err_wrap(e, "cannot start the virtual machine");
	if (missing)
		return 0;
	m->vmm_runs = m->booted = true;
	watch(m);
	monitor_phase(m, "vmm");
	m->state.vmm_pid = m->vmm.proc.pid;
	if (proc_start_time(m->vmm.proc.pid, &begun, &ignored) == 0)
		m->state.vmm_start = (int64_t)begun;
	return agent_open(m, e) < 0 ? -1 : 1;
}

void monitor_vm_kill(struct monitor *m)
{
	struct err e = ERR_INIT;

	if (m->vmm_runs && vmm_stop(&m->vmm, &e) < 0)
		log_debug("cannot kill the VMM: %s", e.msg);
}

void monitor_vm_release(struct monitor *m)
{
	monitor_event_free(&m->vmm_gone);
	monitor_event_free(&m->vmm_control);
	monitor_outgrow_end(m);
	/* One that does not even die is left to the kernel, and to the `vm` lock that it holds. */
	if (m->vmm_runs)
		return;
	vmm_release(&m->vmm);
	m->vmm = (struct vmm)VMM_INIT;
	fd_close(take_fd(&m->saved_ram));
	monitor_confine_end(m);
}

void monitor_vm_bury(struct monitor *m)
{
	struct pollfd gone = { .fd = m->vmm.proc.pidfd, .events = POLLIN };
	struct err e = ERR_INIT;
	int status;

	if (!m->unburied)
		return;
	if (poll(&gone, 1, BURY_TIMEOUT * 1000) <= 0 ||
	    spawn_try_wait(&m->vmm.proc, &status, &e) <= 0) {
		log_debug("the VMM does not end");
		return;
	}
	m->vmm_runs = false;
	monitor_vm_release(m);
	monitor_end_cgroup(m);
}

/* ---- last words -------------------------------------------------------------------------------- */

void monitor_vm_explain(struct monitor *m, struct err *why)
{
	auto_str struct str text = STR_INIT(LASTWORDS_MAX);
	const char *from = "last lines of the console";
	struct err said;

	lastwords_read(m->dir, CONSOLE_FILE, &text);
	if (text.len == 0) {
		from = "the VMM said";
		lastwords_read(m->dir, VMM_LOG_FILE, &text);
	}
	if (text.len == 0)
		return;
	/* What does not fit is cut: of the cause, too, since it is the longer one then. */
	said = *why;
	err_clear(why);
	err_set(why, said.kind, "%.*s; %s: %s", (int)(sizeof(why->msg) - LASTWORDS_MAX - 40),
		said.msg, from, text.buf);
}

bool monitor_vm_blames_kvm(struct monitor *m)
{
	auto_str struct str text = STR_INIT(LASTWORDS_MAX);

	/* It came up, or hangs: then only the accelerator is left. */
	if (m->vmm_ready || m->panicked || m->timed_out)
		return true;
	lastwords_read(m->dir, VMM_LOG_FILE, &text);
	return strcasestr(text.buf, "kvm") != NULL;
}

void monitor_vm_judge_kvm(struct monitor *m)
{
	struct err e = ERR_INIT;

	if (m->kvm_fault && kvm_mark_bad(m->paths.run_fd, m->kvm_fault, &e) < 0)
		log_debug("%s", e.msg);
	free(take_ptr(&m->kvm_fault));
}
