/* SPDX-License-Identifier: Apache-2.0 */
/* The VM of a container: what it is made of, its start, what its VMM tells, and its last words. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/disk.h"
#include "engine/lastwords.h"
#include "engine/monitor_priv.h"
#include "vmm/guestfiles.h"
#include "vmm/size.h"

#define PAD_FILE "pad"

#define BOOT_TIMEOUT_KVM      20
#define BOOT_TIMEOUT_SOFTWARE 60

unsigned monitor_vm_boot_timeout(const struct monitor *m)
{
	return monitor_seconds("KVBOX_BOOT_TIMEOUT",
			       m->choice.kvm ? BOOT_TIMEOUT_KVM : BOOT_TIMEOUT_SOFTWARE);
}

/* ---- disks ------------------------------------------------------------------------------------- */

/* All that struct vmm_disk points to. */
struct disks {
	struct vmm_disk disk[VMM_DISKS_MAX];
	size_t n;
	struct vmm_file
		*files; /* the chain image, then the layers, bottom first; at last the upper */
	size_t nfiles;
	char (*serials)[VMM_SERIAL_MAX];
};

static void disks_release(struct disks *d)
{
	size_t i;

	for (i = 0; i < d->nfiles; i++)
		mem_free_ptr(&d->files[i].path);
	free(d->files);
	free(d->serials);
}

static int add_file(struct disks *d, const struct paths *paths, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(paths->root_fd, name, &st, 0) < 0)
		return err_sys(e, "cannot find '%s'", name);
	d->files[d->nfiles++] = (struct vmm_file){ paths_absolute(paths, name),
						   (uint64_t)st.st_size };
	return 0;
}

static int collect_files(struct monitor *m, struct disks *d, struct err *e)
{
	const struct container_spec *s = &m->spec;
	char name[PATH_NAME_SIZE];
	size_t i;

	d->files = xcalloc(s->layers.n + 2, sizeof(*d->files));
	if (add_file(d, &m->paths, path_chain(s->chain, name), e) < 0)
		return -1;
	for (i = 0; i < s->layers.n; i++)
		if (add_file(d, &m->paths, path_layer(s->layers.v[i], name), e) < 0)
			return -1;
	return add_file(d, &m->paths, path_container(m->id, DISK_FILE, name), e);
}

static int describe_disks(struct monitor *m, struct disks *d, struct err *e)
{
	size_t nlayers = m->spec.layers.n, i;

	if (collect_files(m, d, e) < 0)
		return -1;
	if (vmm_can(m->choice.driver, VMM_CAP_JOINED)) {
		d->disk[d->n++] = (struct vmm_disk){ "kvb-layers", true, true, d->files,
						     nlayers + 1 };
	} else {
		if (nlayers + 2 > VMM_DISKS_MAX)
			return err_set(e, ERR_INVALID,
				       "image has %zu layers, the VMM has room for %d", nlayers,
				       VMM_DISKS_MAX - 2);
		d->serials = xcalloc(nlayers + 1, sizeof(*d->serials));
		d->disk[d->n++] = (struct vmm_disk){ "kvb-chain", true, false, &d->files[0], 1 };
		for (i = 0; i < nlayers; i++) {
			snprintf(d->serials[i], VMM_SERIAL_MAX, "kvb-l%u", (unsigned)i);
			d->disk[d->n++] = (struct vmm_disk){ d->serials[i], true, false,
							     &d->files[i + 1], 1 };
		}
	}
	d->disk[d->n++] = (struct vmm_disk){ "kvb-upper", false, false, &d->files[nlayers + 1], 1 };
	return 0;
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
	case VMM_EVENT_SHUTDOWN:
	case VMM_EVENT_DONE:
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
	struct vmm_wish wish = { NULL, m->without_kvm ? "tcg" : NULL, m->paths.run_fd };

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
	return vmm_start(m->choice.driver, spec, &m->vmm, e);
	/* Our copy of the lock goes here: it is the VMM's now. */
}

static int start_with_disks(struct monitor *m, const struct disks *d, struct err *e)
{
	auto_guest_files struct guest_files guest = GUEST_FILES_INIT;
	auto_free char *pad = NULL;
	struct vmm_host host;
	struct vmm_size size;
	struct vmm_spec spec;

	if (guest_files_find(&guest, e) < 0 || vmm_host_read(&host, e) < 0 ||
	    vmm_pad_make(m->paths.run_fd, PAD_FILE, e) < 0)
		return -1;
	vmm_size_choose(&host, m->spec.memory, m->spec.nano_cpus, m->choice.kvm, &size);
	pad = xasprintf("%s/" PAD_FILE, m->paths.runroot);
	spec = (struct vmm_spec){
		.binary = m->choice.binary,
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

int monitor_vm_boot(struct monitor *m, struct err *e)
{
	struct disks disks = { .n = 0 };
	struct err ignored = ERR_INIT;
	uint64_t begun = 0;
	int r;

	m->vmm_ready = m->panicked = m->timed_out = m->booted = false;
	r = choose(m, e);
	if (r == 0)
		r = describe_disks(m, &disks, e);
	if (r == 0)
		r = start_with_disks(m, &disks, e);
	disks_release(&disks);
	if (r < 0)
		return err_wrap(e, "cannot start the virtual machine");
	m->vmm_runs = m->booted = true;
	watch(m);
	monitor_phase(m, "vmm");
	m->state.vmm_pid = m->vmm.proc.pid;
	if (proc_start_time(m->vmm.proc.pid, &begun, &ignored) == 0)
		m->state.vmm_start = (int64_t)begun;
	return agent_open(m, e);
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
