/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Hypervisor's command line, v51 and later: the whole VM, so that one exec boots it and the API is
 * left for what comes later.
 *
 * What a cold start spends, the guest's kernel spends, and much of it on PCI: a device costs some 230 reads and
 * writes of its configuration before it works. So there are only the devices that a container needs, and the
 * console is a serial port, which is found with 30; that each character is an exit costs nothing as long as
 * nothing is said.
 */
#include "vmm/cloud_hypervisor_priv.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"

#define CID 3 /* of the guest; the sockets are this VM's own, so that all may have the same */

/*
 * panic=-1: a panic is the end; the VMM tells of the reset, if not of the panic before it, and is killed
 * then, because it would boot the guest anew.
 * pci=lastbus=0: there is one bus; Linux would probe 255 more, an exit for each device number.
 * reserve=0xcf8,8: those two ports are taken, so that Linux reads the configuration of devices from memory
 *	(MMCONFIG), which is one exit where an address and a data port are two: 1950 exits less of 7300. A guest
 *	kernel without PCI_MMCONFIG has no PCI at all then; Debian's and ours have it.
 * no_timer_check, tsc=reliable: under KVM the timer works, and a watchdog of the TSC has nothing better to
 * compare it with.
 */
int ch_cmdline(const struct vmm_spec *spec, struct str *ret, struct err *e)
{
	str_add(ret, "console=ttyS0");
	vmm_cmdline_console(spec, ret);
	str_add(ret, " panic=-1 cryptomgr.notests rcupdate.rcu_expedited=1"
		     " pci=lastbus=0 reserve=0xcf8,8 no_timer_check tsc=reliable");
	/* Not every kernel takes what is plugged into use by itself; movable, so that it can be given back. */
	if (spec->memory_max_mib > spec->memory_mib)
		str_add(ret, " memhp_default_state=online_movable");
	str_addf(ret, " kvbox.channel=vsock:%d", VMM_VSOCK_PORT);
	return vmm_cmdline_end(spec, ret, e);
}

/* A path as a value of a key=value list: quoted where it has characters that mean something there. */
static int add_path(struct str *out, const char *path, struct err *e)
{
	bool quoted = path[strcspn(path, ",[] \t")] != '\0';

	if (strchr(path, '"'))
		return err_set(e, ERR_INVALID, "quote in the path '%s'", path);
	str_addf(out, quoted ? "\"%s\"" : "%s", path);
	return 0;
}

/* What an address has room for, without the terminator. */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static bool fits(const char *folder)
{
	return strlen(folder) + strlen("/" CH_FILE_DIALLED) <= SOCKET_PATH_MAX;
}

const char *ch_folder(const struct vmm_spec *spec)
{
	return fits(spec->run_path) ? spec->run_path : ".";
}

static int add_vsock(const struct vmm_spec *spec, struct strv *a, struct err *e)
{
	auto_str struct str path = STR_INIT(16384), value = STR_INIT(16384);

	if (!fits(ch_folder(spec)))
		return err_set(e, ERR_INVALID, "'%s' is too long for a socket's path",
			       spec->run_path);
	str_addf(&path, "%s/" CH_FILE_VSOCK, ch_folder(spec));
	str_addf(&value, "cid=%d,socket=", CID);
	if (add_path(&value, path.buf, e) < 0)
		return -1;
	strv_add(a, "--vsock");
	strv_add(a, value.buf);
	return 0;
}

static int add_disk(const struct vmm_spec *spec, const struct vmm_disk *d, struct strv *a,
		    struct err *e)
{
	auto_str struct str path = STR_INIT(16384);
	auto_str struct str value = STR_INIT(16384);

	for (size_t i = 0; vmm_disk_is_joined(d) && i < d->nfiles; i++)
		/* Its reader of such descriptors splits lines at every blank. */
		if (d->files[i].path[strcspn(d->files[i].path, " \t")])
			return err_set(e, ERR_INVALID, "blank in the path '%s'", d->files[i].path);
	if (vmm_disk_is_joined(d))
		str_addf(&path, "%s/%s.vmdk", ch_folder(spec), d->serial);
	else
		str_add(&path, d->files[0].path);
	str_add(&value, "path=");
	if (add_path(&value, path.buf, e) < 0)
		return -1;
	/* Without the type it guesses one, and refuses writes to the first sector. */
	str_addf(&value, ",image_type=%s,readonly=%s,serial=%s,id=%s",
		 vmm_disk_is_joined(d) ? "vmdk" : "raw", d->readonly ? "on" : "off", d->serial,
		 d->serial);
	strv_add(a, value.buf);
	return 0;
}

/*
 * The VMM allows itself what is on its command line. The files behind a joined disk it does not know when it
 * does that, and it looks for them from the root on: with such a disk it may read everything, and
 * what there is to read is the mount namespace's business. Files that are added later are in one folder.
 */
static void add_landlock(const struct vmm_spec *spec, const char *hot, struct strv *a)
{
	bool joined = false;

	for (size_t i = 0; i < spec->ndisks; i++)
		joined |= vmm_disk_is_joined(&spec->disks[i]);
	strv_add(a, "--landlock");
	if (joined || hot)
		strv_add(a, "--landlock-rules");
	if (joined)
		strv_add(a, "path=/,access=r");
	if (hot)
		strv_addf(a, "path=%s,access=rw", hot);
}

/* Its virtio-mem device wants that: the guest's kernel adds memory in such blocks. */
#define HOTPLUG_STEP_MIB 128u

/* RAM is private and anonymous, unless the VM is to be saved: then it is a file. What may come later is a device
 * of its own, from which blocks can be taken back as well. */
static int add_memory(const struct vmm_spec *spec, struct strv *a, struct err *e)
{
	auto_str struct str path = STR_INIT(16384), value = STR_INIT(16384);

	strv_add(a, "--memory");
	if (spec->saving == VMM_NOT_SAVED) {
		unsigned more = spec->memory_max_mib > spec->memory_mib
					? spec->memory_max_mib - spec->memory_mib
					: 0;

		str_addf(&value, "size=%uM", spec->memory_mib);
		if (more > 0)
			str_addf(&value, ",hotplug_method=virtio-mem,hotplug_size=%uM",
				 (more + HOTPLUG_STEP_MIB - 1) / HOTPLUG_STEP_MIB *
					 HOTPLUG_STEP_MIB);
		strv_add(a, value.buf);
		return 0;
	}
	if (spec->memory_max_mib > 0)
		return err_set(e, ERR_INVALID, "a VM that is saved cannot get more memory later");
	strv_add(a, "size=0,shared=on");
	str_addf(&path, "%s/" CH_FILE_RAM, ch_folder(spec));
	str_addf(&value, "id=ram,size=%uM,shared=on,file=", spec->memory_mib);
	if (add_path(&value, path.buf, e) < 0)
		return -1;
	strv_add(a, "--memory-zone");
	strv_add(a, value.buf);
	return 0;
}

static void add_cpus(const struct vmm_spec *spec, struct strv *a)
{
	strv_add(a, "--cpus");
	if (spec->vcpus_max > spec->vcpus)
		strv_addf(a, "boot=%u,max=%u", spec->vcpus, spec->vcpus_max);
	else
		strv_addf(a, "boot=%u", spec->vcpus);
}

/* Checksums and segments are left to the host, as is the default. */
static void add_nets(const struct vmm_spec *spec, struct strv *a)
{
	if (spec->nnets > 0)
		strv_add(a, "--net");
	for (size_t i = 0; i < spec->nnets; i++) {
		const unsigned char *m = spec->nets[i].mac;

		strv_addf(a, "fd=[%d],id=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", CH_FD_NET + (int)i,
			  spec->nets[i].id, m[0], m[1], m[2], m[3], m[4], m[5]);
	}
}

/* What every VMM gets, also one whose VM goes on from what was saved. */
static void add_vmm(const struct vmm_spec *spec, struct strv *a)
{
	strv_add(a, spec->binary);
	strv_add(a, "--api-socket");
	strv_addf(a, "fd=%d", CH_FD_API);
	strv_add(a, "--event-monitor");
	strv_addf(a, "fd=%d", CH_FD_EVENTS);
	strv_add(a, "--seccomp");
	strv_add(a, "true");
}

static int ch_args_saved(const struct vmm_spec *spec, struct strv *ret, struct err *e)
{
	auto_str struct str value = STR_INIT(16384);

	if (spec->memory_max_mib > 0)
		return err_set(e, ERR_INVALID, "a VM that was saved cannot get more memory");
	/* It starts in the run folder where that has no short name. */
	if (ch_folder(spec)[0] != '/' || ch_folder(spec)[strcspn(ch_folder(spec), ",[]\" \t")])
		return err_set(e, ERR_INVALID, "'%s' cannot be the folder of a saved VM",
			       spec->run_path);
	add_vmm(spec, ret);
	strv_add(ret, "--restore");
	str_addf(&value, "source_url=file://%s/" CH_FOLDER_SAVED ",resume=true", ch_folder(spec));
	for (size_t i = 0; i < spec->nnets; i++)
		str_addf(&value, "%s%s@[%d]", i == 0 ? ",net_fds=[" : ",", spec->nets[i].id,
			 CH_FD_NET + (int)i);
	if (spec->nnets > 0)
		str_add(&value, "]");
	strv_add(ret, value.buf);
	return 0;
}

int ch_args(const struct vmm_spec *spec, const struct ch_plan *plan, struct strv *ret,
	    struct err *e)
{
	auto_str struct str cmdline = STR_INIT(2 * VMM_CMDLINE_MAX);

	if (spec->saving == VMM_FROM_SAVED)
		return ch_args_saved(spec, ret, e);
	if (ch_cmdline(spec, &cmdline, e) < 0)
		return -1;
	add_vmm(spec, ret);
	add_cpus(spec, ret);
	if (add_memory(spec, ret, e) < 0)
		return -1;
	strv_add(ret, "--console");
	strv_add(ret, "off");
	/* "tty" is its standard output, whatever that is; a file that it opens itself would not be open for
	 * appending. */
	strv_add(ret, "--serial");
	strv_add(ret, spec->console_fd >= 0 ? "tty" : "null");
	strv_add(ret, "--pvpanic");
	/* What the guest reports as free is simply dropped. */
	strv_add(ret, "--balloon");
	strv_add(ret, "size=0,deflate_on_oom=on,free_page_reporting=on");
	if (add_vsock(spec, ret, e) < 0)
		return -1;
	/* One option with all of them: before v52 a second one replaced the first. */
	if (spec->ndisks > 0)
		strv_add(ret, "--disk");
	for (size_t i = 0; i < spec->ndisks; i++)
		if (add_disk(spec, &spec->disks[i], ret, e) < 0)
			return -1;
	add_nets(spec, ret);
	if (plan->landlock)
		add_landlock(spec, plan->hot, ret);
	strv_add(ret, "--kernel");
	strv_add(ret, spec->kernel);
	if (spec->initramfs) {
		strv_add(ret, "--initramfs");
		strv_add(ret, spec->initramfs);
	}
	strv_add(ret, "--cmdline");
	strv_add(ret, cmdline.buf);
	return 0;
}
