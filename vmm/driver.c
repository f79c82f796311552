/* SPDX-License-Identifier: Apache-2.0 */
/* See driver.h: what is the same for all drivers. */
#include "vmm/driver.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/cloud_hypervisor.h"
#include "vmm/confine.h"
#include "vmm/fake.h"
#include "vmm/qemu.h"

#define MEMORY_MIN_MIB 32
#define MEMORY_MAX_MIB ((unsigned)16 << 20)
#define VCPUS_MAX      255

const struct vmm_driver *const vmm_drivers[] = { &vmm_cloud_hypervisor, &vmm_qemu, &vmm_fake,
						 NULL };

const struct vmm_driver *vmm_driver_find(const char *name)
{
	for (size_t i = 0; vmm_drivers[i]; i++)
		if (strcmp(vmm_drivers[i]->name, name) == 0)
			return vmm_drivers[i];
	return NULL;
}

/* A disk's serial or a net's id. */
static int check_id(const char *id, const char *what, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (!*id || strlen(id) > VMM_SERIAL_MAX || id[strspn(id, allowed)])
		return err_set(e, ERR_INVALID, "'%s' cannot be the %s", id, what);
	return 0;
}

/* A file that is shorter than said would read as zeros at its end: a damaged image, and nobody told. */
static int check_file(const struct vmm_file *f, struct err *e)
{
	auto_close int fd = -1;
	uint64_t size;

	if (f->size == 0 || f->size % 512 != 0)
		return err_set(e, ERR_INVALID, "size of '%s' is not a positive multiple of 512",
			       f->path);
	if (fd_open(AT_FDCWD, f->path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	if (fd_size(fd, &size, e) < 0)
		return err_wrap(e, "cannot use '%s' as a disk", f->path);
	if (size < f->size)
		return err_set(e, ERR_CORRUPT,
			       "file '%s' has %" PRIu64 " bytes and should have %" PRIu64, f->path,
			       size, f->size);
	return 0;
}

/* Of this binary, where that is known. */
static unsigned caps_of(const struct vmm_driver *d, const struct vmm_spec *spec)
{
	return spec->caps ? spec->caps : d->caps;
}

static int check_disk(const struct vmm_driver *d, const struct vmm_spec *spec,
		      const struct vmm_disk *disk, struct err *e)
{
	bool joined = vmm_disk_is_joined(disk);

	if (check_id(disk->serial, "serial of a disk", e) < 0)
		return -1;
	if (disk->nfiles == 0)
		return err_set(e, ERR_INVALID, "disk '%s' has no file", disk->serial);
	if (joined && !(caps_of(d, spec) & VMM_CAP_JOINED))
		return err_set(e, ERR_INVALID, "%s cannot join files to a disk", d->name);
	if (joined && (!disk->readonly || !spec->pad))
		return err_set(e, ERR_INVALID, "joined disk '%s' is writable or has no padding",
			       disk->serial);
	for (size_t i = 0; i < disk->nfiles; i++)
		if (check_file(&disk->files[i], e) < 0)
			return err_wrap(e, "disk '%s'", disk->serial);
	return 0;
}

static int check_net(const struct vmm_net *net, struct err *e)
{
	if (check_id(net->id, "name of a network interface", e) < 0)
		return -1;
	/* A group's address, or none. */
	if ((net->mac[0] & 1) ||
	    memcmp(net->mac, (unsigned char[VMM_MAC_SIZE]){ 0 }, VMM_MAC_SIZE) == 0)
		return err_set(e, ERR_INVALID, "interface '%s' has no address of its own", net->id);
	if (net->tap_fd < 0)
		return err_set(e, ERR_INVALID, "interface '%s' has no tap", net->id);
	return 0;
}

/* What may come later. */
static int check_room(const struct vmm_driver *d, const struct vmm_spec *spec, struct err *e)
{
	unsigned caps = caps_of(d, spec);

	if (spec->hotplug > VMM_HOTPLUG_MAX)
		return err_set(e, ERR_INVALID, "a VM cannot have room for %u devices more",
			       spec->hotplug);
	if (spec->hotplug > 0 && !(caps & VMM_CAP_HOTPLUG))
		return err_set(e, ERR_INVALID, "%s cannot add devices", d->name);
	if (spec->memory_max_mib > 0 &&
	    (!(caps & VMM_CAP_MEMORY) || spec->memory_max_mib < spec->memory_mib ||
	     spec->memory_max_mib > MEMORY_MAX_MIB))
		return err_set(e, ERR_INVALID, "%s cannot give a VM up to %u MiB of memory",
			       d->name, spec->memory_max_mib);
	if (spec->vcpus_max > 0 && (!spec->kvm || !(caps & VMM_CAP_VCPUS) ||
				    spec->vcpus_max < spec->vcpus || spec->vcpus_max > VCPUS_MAX))
		return err_set(e, ERR_INVALID, "%s cannot give a VM up to %u processors", d->name,
			       spec->vcpus_max);
	return 0;
}

static int check_spec(const struct vmm_driver *d, const struct vmm_spec *spec, struct err *e)
{
	if (!spec->kvm && !vmm_can(d, VMM_CAP_SOFTWARE))
		return err_set(e, ERR_INVALID, "%s needs KVM", d->name);
	if (spec->hold && !vmm_can(d, VMM_CAP_HOLD))
		return err_set(e, ERR_INVALID, "%s cannot start a guest paused", d->name);
	if (spec->saving != VMM_NOT_SAVED && !(caps_of(d, spec) & VMM_CAP_SAVE))
		return err_set(e, ERR_INVALID, "%s cannot save a guest", d->name);
	if (spec->memory_mib < MEMORY_MIN_MIB || spec->memory_mib > MEMORY_MAX_MIB)
		return err_set(e, ERR_INVALID, "a VM cannot have %u MiB of memory",
			       spec->memory_mib);
	if (spec->vcpus < 1 || spec->vcpus > VCPUS_MAX)
		return err_set(e, ERR_INVALID, "a VM cannot have %u processors", spec->vcpus);
	if (spec->ndisks > VMM_DISKS_MAX)
		return err_set(e, ERR_INVALID, "a VM cannot have %zu disks", spec->ndisks);
	for (size_t i = 0; i < spec->ndisks; i++)
		if (check_disk(d, spec, &spec->disks[i], e) < 0)
			return -1;
	if (spec->nnets > VMM_NETS_MAX)
		return err_set(e, ERR_INVALID, "a VM cannot have %zu network interfaces",
			       spec->nnets);
	if (spec->nnets > 0 && spec->confine_host && !(caps_of(d, spec) & VMM_CAP_TAPS))
		return err_set(e, ERR_UNAVAILABLE,
			       "this version of %s looks for network interfaces by name, "
			       "which it cannot where it is locked up: a newer one is needed",
			       d->name);
	for (size_t i = 0; i < spec->nnets; i++)
		if (check_net(&spec->nets[i], e) < 0)
			return -1;
	return check_room(d, spec, e);
}

int vmm_start(const struct vmm_driver *d, const struct vmm_spec *spec, struct vmm *ret,
	      struct err *e)
{
	struct vmm vmm = VMM_INIT;

	if (check_spec(d, spec, e) < 0)
		return -1;
	vmm.driver = d;
	if (spec->confine_host && !vmm_can(d, VMM_CAP_BY_NAME) &&
	    confine_open(d, spec, &vmm.confine, e) < 0)
		return -1;
	while (d->start(vmm.confine ? confine_spec(vmm.confine) : spec, &vmm, e) < 0) {
		struct confine *kept = take_ptr(&vmm.confine);

		vmm_release(&vmm);
		vmm.driver = d;
		vmm.confine = kept;
		if (!kept || !confine_weaken(kept, e)) {
			vmm_release(&vmm);
			return -1;
		}
	}
	vmm.limits = (struct vmm_limits){
		.caps = caps_of(d, spec),
		.hotplug = spec->hotplug,
		.memory_mib = spec->memory_mib,
		.memory_max_mib = spec->memory_max_mib,
		.vcpus = spec->vcpus,
		.vcpus_max = spec->vcpus_max,
	};
	*ret = vmm;
	return 0;
}

void vmm_cmdline_console(const struct vmm_spec *spec, struct str *cmdline)
{
	if (!spec->verbose)
		str_add(cmdline, " loglevel=3");
}

int vmm_cmdline_end(const struct vmm_spec *spec, struct str *cmdline, struct err *e)
{
	if (spec->cmdline && *spec->cmdline)
		str_addf(cmdline, " %s", spec->cmdline);
	if (cmdline->over || cmdline->len > VMM_CMDLINE_MAX)
		return err_set(e, ERR_INVALID,
			       "guest kernel's command line is longer than %d bytes",
			       VMM_CMDLINE_MAX);
	return 0;
}

int vmm_event(struct vmm *vmm, struct vmm_event *ret, struct err *e)
{
	if (!vmm->driver->event)
		return 0;
	return vmm->driver->event(vmm, ret, e);
}

int vmm_pause(struct vmm *vmm, struct err *e)
{
	if (!vmm_can(vmm->driver, VMM_CAP_PAUSE))
		return err_set(e, ERR_INVALID, "%s cannot pause a guest", vmm->driver->name);
	return vmm->driver->pause(vmm, e);
}

int vmm_resume(struct vmm *vmm, struct err *e)
{
	if (!vmm_can(vmm->driver, VMM_CAP_PAUSE))
		return err_set(e, ERR_INVALID, "%s cannot resume a guest", vmm->driver->name);
	return vmm->driver->resume(vmm, e);
}

int vmm_save(struct vmm *vmm, struct err *e)
{
	if (!vmm_can(vmm->driver, VMM_CAP_SAVE))
		return err_set(e, ERR_INVALID, "%s cannot save a guest", vmm->driver->name);
	return vmm->driver->save(vmm, e);
}

static int check_hotplug(const struct vmm *vmm, struct err *e)
{
	if (vmm->limits.hotplug == 0)
		return err_set(e, ERR_INVALID, "the VM has no room for more devices");
	return 0;
}

int vmm_add_disk(struct vmm *vmm, const struct vmm_disk *disk, struct err *e)
{
	if (check_hotplug(vmm, e) < 0 || check_id(disk->serial, "serial of a disk", e) < 0)
		return -1;
	if (disk->nfiles != 1 || vmm_disk_is_joined(disk))
		return err_set(e, ERR_INVALID, "disk '%s' has another number of files than one",
			       disk->serial);
	if (check_file(&disk->files[0], e) < 0)
		return err_wrap(e, "disk '%s'", disk->serial);
	return vmm->driver->add_disk(vmm, disk, e);
}

int vmm_add_net(struct vmm *vmm, const struct vmm_net *net, struct err *e)
{
	if (check_hotplug(vmm, e) < 0 || check_net(net, e) < 0)
		return -1;
	return vmm->driver->add_net(vmm, net, e);
}

int vmm_remove(struct vmm *vmm, const char *id, struct err *e)
{
	if (check_hotplug(vmm, e) < 0)
		return -1;
	return vmm->driver->remove(vmm, id, e);
}

int vmm_resize_memory(struct vmm *vmm, unsigned mib, struct err *e)
{
	const struct vmm_limits *l = &vmm->limits;

	if (mib < l->memory_mib || mib > l->memory_max_mib)
		return err_set(e, ERR_INVALID, "the VM cannot have %u MiB of memory", mib);
	return vmm->driver->resize_memory(vmm, mib, e);
}

int vmm_resize_vcpus(struct vmm *vmm, unsigned vcpus, struct err *e)
{
	const struct vmm_limits *l = &vmm->limits;

	if (vcpus < l->vcpus || vcpus > l->vcpus_max)
		return err_set(e, ERR_INVALID, "the VM cannot have %u processors", vcpus);
	return vmm->driver->resize_vcpus(vmm, vcpus, e);
}

int vmm_stop(struct vmm *vmm, struct err *e)
{
	struct err why = ERR_INIT;

	if (proc_signal(&vmm->proc, SIGKILL, &why) < 0 && why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	return 0;
}

void vmm_release(struct vmm *vmm)
{
	proc_destroy(&vmm->proc);
	if (vmm->driver && vmm->driver->release)
		vmm->driver->release(vmm);
	fd_close(vmm->channel);
	confine_close(vmm->confine);
	*vmm = (struct vmm)VMM_INIT;
}

/* Makes the file under a name of its own and then gives it the right one. */
int vmm_pad_make(int dirfd, const char *name, struct err *e)
{
	auto_close int fd = -1;
	struct err why = ERR_INIT;

	if (file_exists(dirfd, name))
		return 0;
	if (fd_open_tmp(dirfd, 0444, &fd, e) < 0)
		return err_wrap(e, "cannot make '%s'", name);
	if (ftruncate(fd, (off_t)VMM_JOINED_SIZE) < 0)
		return err_sys(e, "cannot make '%s'", name);
	/* Somebody else may have been quicker, with the same result. */
	if (fd_link(fd, dirfd, name, &why) < 0 && why.kind != ERR_CONFLICT)
		return err_move(e, &why);
	return 0;
}
