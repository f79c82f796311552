/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's command line, 7.2 and later.
 *
 * Every device and every word here was measured: in software emulation a PCI function costs the guest
 * milliseconds, and the ordinary start of Linux on a PC waits three times for timers that tell it what
 * the host knows already. Processor time from exec to power-off, the guest doing nothing (256 MiB, two
 * disks, medians on a busy machine, so that only the proportions count):
 *
 *	q35 with SeaBIOS                              1150 ms
 *	qboot instead                                 1010
 *	words for software but the last two            810
 *	noapictimer                                    740
 *	our own ACPI tables                            670
 *
 * Of no use, or worse: other CPU models, thread=single, tb-size, an I/O thread, io_uring, no
 * ioeventfds, no huge pages, no serial port. RAM costs 70 microseconds per MiB.
 */
#include "vmm/qemu_priv.h"

#include <inttypes.h>
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/acpi_hotplug.h"

#define FREE_SLOTS 26

#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/*
 * Words for a guest in software emulation:
 *
 * mitigations=off: emulated code does not speculate, and asking for what the kernel was not compiled with
 *	prints an error at every boot.
 * no_timer_check: Linux knows by itself under KVM that the timer's interrupt works, else it counts 10 ticks.
 * noreplace-smp: with one processor it would patch 8000 lock prefixes out of itself, each a page of
 *	translated code thrown away.
 * tsc_early_khz, tsc=reliable: see tsc.h; "reliable" leaves out the watchdog, which has nothing to compare
 *	with when time stands still for a guest that does not get to run.
 * noapictimer: counting how fast the local APIC's timer runs takes 100 ms; with one processor the other
 *	timer does as well.
 * pci=nocrs: the tables of acpi.h know nothing of the bus but that it is there.
 */
static void software_words(const struct vmm_spec *spec, const struct qemu_plan *plan,
			   struct str *ret)
{
	str_add(ret, " mitigations=off no_timer_check pci=nocrs");
	if (spec->vcpus == 1)
		str_add(ret, " noreplace-smp noapictimer");
	if (plan->tsc_khz > 0)
		str_addf(ret, " tsc_early_khz=%u tsc=reliable", plan->tsc_khz);
}

int qemu_cmdline(const struct vmm_spec *spec, const struct qemu_plan *plan, struct str *ret,
		 struct err *e)
{
	str_add(ret, "console=ttyS0");
	vmm_cmdline_console(spec, ret);
	/*
	 * A panic is the end; -no-reboot turns the reset into QEMU's own. A distribution's kernel tests its
	 * ciphers at every boot, which takes more than half a second of emulation.
	 */
	str_add(ret, " panic=-1 cryptomgr.notests rcupdate.rcu_expedited=1 "
		     "kvbox.channel=serial:" VMM_SERIAL_PORT);
	if (spec->kvm)
		/* All is on one bus or behind its bridges. With the tables of QEMU, Linux would look at the 32
		 * devices of 255 more, an exit each: a third of the exits of a boot. */
		str_add(ret, " pci=lastbus=0");
	else
		software_words(spec, plan, ret);
	/* Memory that comes later: of what kind, so that most of it can go again, and yet the kernel has enough
	 * that it can use for itself. */
	if (qemu_memory_more(spec->memory_mib, spec->memory_max_mib) > 0)
		str_add(ret, " memhp_default_state=online"
			     " memory_hotplug.online_policy=auto-movable");
	return vmm_cmdline_end(spec, ret, e);
}

/* A path as a value of a key=value list: commas are doubled. `folder` may be NULL. */
static void add_path(struct str *out, const char *folder, const char *name, const char *suffix)
{
	const char *const parts[] = { folder, "/", name, suffix };

	for (size_t i = folder ? 0 : 2; i < ARRAY_LEN(parts); i++) {
		for (const char *p = parts[i]; *p; p++) {
			if (*p == ',')
				str_addc(out, ',');
			str_addc(out, *p);
		}
	}
}

const char *qemu_folder(const struct vmm_spec *spec)
{
	return spec->confine ? spec->run_path : ".";
}

/* Hands a file of the run folder to the firmware. */
static void add_firmware_file(const struct vmm_spec *spec, const char *name, const char *file,
			      struct strv *a)
{
	auto_str struct str value = STR_INIT(16384);

	str_addf(&value, "name=%s,file=", name);
	add_path(&value, qemu_folder(spec), file, "");
	strv_add(a, "-fw_cfg");
	strv_add(a, value.buf);
}

/*
 * Before 8.2, QEMU may run a piece of code on one vCPU while another patches it, and guest kernels patch
 * themselves: with several vCPUs they take turns in one thread.
 */
static const char *tcg(const struct vmm_spec *spec)
{
	return spec->vcpus > 1 ? "tcg,thread=single" : "tcg,thread=multi";
}

/*
 * RAM that is not copied when the VM is saved: it is the file's contents. Copies map it privately. A path,
 * since QEMU takes no descriptor here; it opens the file for writing also when it only copies, which is
 * one more reason for the seals.
 */
static void add_ram(const struct vmm_spec *spec, struct strv *a)
{
	if (spec->saving == VMM_NOT_SAVED)
		return;
	strv_add(a, "-object");
	strv_addf(a, "memory-backend-file,id=ram,size=%uM,share=%s,mem-path=/proc/self/fd/%d",
		  spec->memory_mib, spec->saving == VMM_TO_BE_SAVED ? "on" : "off", QEMU_FD_RAM);
	/* It takes files of these names for its own tables, which could grow, and breaks down. */
	if (!spec->kvm) {
		strv_add(a, "-global");
		strv_add(a, "fw_cfg_io.acpi-mr-restore=off");
	}
	if (spec->saving == VMM_FROM_SAVED) {
		strv_add(a, "-incoming");
		strv_add(a, "defer");
	}
}

static void add_device(struct strv *a, const char *device)
{
	strv_add(a, "-device");
	strv_add(a, device);
}

/* With a place for each that may come: the first ones are cores 0 and up of the only socket. */
static void add_processors(const struct vmm_spec *spec, struct strv *a)
{
	strv_add(a, "-smp");
	if (spec->vcpus_max > spec->vcpus)
		strv_addf(a, "%u,maxcpus=%u,sockets=1,cores=%u,threads=1", spec->vcpus,
			  spec->vcpus_max, spec->vcpus_max);
	else
		strv_addf(a, "%u", spec->vcpus);
}

/* ---- memory that comes later --------------------------------------------------------------------- */

unsigned qemu_memory_more(unsigned memory_mib, unsigned memory_max_mib)
{
	unsigned more = memory_max_mib > memory_mib ? memory_max_mib - memory_mib : 0;

	return (more + QEMU_MEMORY_BLOCK_MIB - 1) / QEMU_MEMORY_BLOCK_MIB * QEMU_MEMORY_BLOCK_MIB;
}

/*
 * The memory lies above 4 GiB and the RAM there. So do registers of devices that a guest in software places
 * itself: its tables do not say where it may (acpi.h), and it takes the first free address after the RAM. They
 * are left a gap of at least 1 GiB. This is the address of the memory in such a guest; in MiB, as all of it
 * here.
 */
static uint64_t memory_gap(const struct vmm_spec *spec)
{
	return spec->kvm ? 0 : (spec->memory_mib + 1023ull) / 1024 * 1024 + 1024;
}

static void add_memory_size(const struct vmm_spec *spec, struct strv *a)
{
	unsigned more = qemu_memory_more(spec->memory_mib, spec->memory_max_mib);

	strv_add(a, "-m");
	if (more > 0)
		strv_addf(a, "size=%uM,maxmem=%" PRIu64 "M", spec->memory_mib,
			  spec->memory_mib + memory_gap(spec) + more);
	else
		strv_addf(a, "%u", spec->memory_mib);
}

static void add_memory_device(const struct vmm_spec *spec, struct strv *a)
{
	unsigned more = qemu_memory_more(spec->memory_mib, spec->memory_max_mib);
	auto_str struct str device = STR_INIT(256);

	if (more == 0)
		return;
	strv_add(a, "-object");
	strv_addf(a, "memory-backend-ram,id=more,size=%uM,reserve=off", more);
	str_addf(&device,
		 "virtio-mem-pci,id=memory,disable-legacy=on,memdev=more,block-size=%uM,"
		 "requested-size=0",
		 QEMU_MEMORY_BLOCK_MIB);
	if (!spec->kvm)
		str_addf(&device, ",memaddr=%" PRIu64, (4096 + memory_gap(spec)) << 20);
	add_device(a, device.buf);
}

static void add_machine(const struct vmm_spec *spec, struct strv *a)
{
	add_ram(spec, a);
	strv_add(a, "-machine");
	/* What a container's VM never uses, each of it a device to find or a port to probe. */
	strv_addf(a,
		  "q35,%s%ssmm=off,vmport=off,sata=off,smbus=off,usb=off,i8042=off,"
		  "dump-guest-core=off",
		  spec->kvm ? "" : "acpi=off,",
		  spec->saving == VMM_NOT_SAVED ? "" : "memory-backend=ram,");
	if (!spec->kvm) {
		add_firmware_file(spec, ACPI_FILE_TABLES, QEMU_FILE_TABLES, a);
		add_firmware_file(spec, ACPI_FILE_LOADER, QEMU_FILE_LOADER, a);
	}
	strv_add(a, "-bios");
	strv_add(a, "qboot.rom");
	strv_add(a, "-accel");
	strv_add(a, spec->kvm ? "kvm" : tcg(spec));
	strv_add(a, "-cpu");
	strv_add(a, spec->kvm ? "host" : "max");
	add_processors(spec, a);
	add_memory_size(spec, a);
}

#define RNG "virtio-rng-pci,disable-legacy=on"

/*
 * The bridge for devices that come later. An old one, since one port of PCI Express takes a single device, and
 * each costs the guest time. The guest gives a bridge addresses for what is behind it, when it boots: so
 * something is. QEMU tells the guest by ACPI, here as in its own tables.
 */
static void add_hotplug(struct strv *a)
{
	strv_add(a, "-device");
	strv_addf(a, "pci-bridge,id=" QEMU_HOTPLUG_BUS ",addr=%x,chassis_nr=1,shpc=off,msi=off",
		  ACPI_HOTPLUG_BRIDGE);
	add_device(a, RNG ",bus=" QEMU_HOTPLUG_BUS ",addr=0");
}

static void add_devices(const struct vmm_spec *spec, struct strv *a)
{
	strv_add(a, "-chardev");
	strv_addf(a, "socket,id=qmp,fd=%d", QEMU_FD_QMP);
	strv_add(a, "-mon");
	strv_add(a, "chardev=qmp,mode=control");

	strv_add(a, "-chardev");
	strv_addf(a, "socket,id=ctl,fd=%d", QEMU_FD_CHANNEL);
	/* Port 0 is reserved for a console, so that one port makes two; the default of 31 would be 64 queues
	 * for the guest to set up. */
	add_device(a, "virtio-serial-pci,disable-legacy=on,max_ports=2");
	add_device(a, "virtserialport,chardev=ctl,nr=1,name=" VMM_SERIAL_PORT);

	/* A serial port as console: it is there before all other devices, in every kernel, and quiet
	 * kernels print next to nothing on it. */
	strv_add(a, "-chardev");
	if (spec->console_fd >= 0) {
		strv_add(a, "file,id=con,path=/dev/fdset/1,append=on");
		strv_add(a, "-add-fd");
		strv_addf(a, "fd=%d,set=1", QEMU_FD_CONSOLE);
	} else {
		strv_add(a, "null,id=con");
	}
	add_device(a, "isa-serial,chardev=con");

	if (spec->hotplug > 0)
		add_hotplug(a);
	else
		add_device(a, RNG);
	/* RAM is private and anonymous: what the guest reports as free is simply dropped. */
	add_device(a,
		   "virtio-balloon-pci,disable-legacy=on,free-page-reporting=on,deflate-on-oom=on");
	add_device(a, "pvpanic-pci");
	add_memory_device(spec, a);
}

static void add_disk(const struct vmm_spec *spec, size_t i, struct strv *a)
{
	const struct vmm_disk *d = &spec->disks[i];
	bool joined = vmm_disk_is_joined(d);
	auto_str struct str node = STR_INIT(16384);

	str_addf(&node, "driver=%s,node-name=d%zu,read-only=%s,", joined ? "vmdk" : "raw", i,
		 d->readonly ? "on" : "off");
	/* Blocks that the guest trims are freed in the file. */
	str_add(&node, d->readonly ? "" : "discard=unmap,");
	str_add(&node, "file.driver=file,file.filename=");
	if (joined)
		add_path(&node, qemu_folder(spec), d->serial, ".vmdk");
	else
		add_path(&node, NULL, d->files[0].path, "");
	strv_add(a, "-blockdev");
	strv_add(a, node.buf);

	strv_add(a, "-device");
	/* An error of the host's file is the guest's to see: by default a full host disk would freeze the
	 * VM without a word. */
	strv_addf(a, "virtio-blk-pci,disable-legacy=on,drive=d%zu,serial=%s,num-queues=1%s", i,
		  d->serial, d->readonly ? "" : ",werror=report,rerror=report");
}

void qemu_mac(const unsigned char mac[VMM_MAC_SIZE], struct str *ret)
{
	for (size_t i = 0; i < VMM_MAC_SIZE; i++)
		str_addf(ret, "%s%02x", i ? ":" : "", mac[i]);
}

/* No firmware runs that could boot from it, and nothing of the host's network is opened: vhost stays off. */
static void add_net(const struct vmm_spec *spec, size_t i, struct strv *a)
{
	auto_str struct str mac = STR_INIT(32);

	qemu_mac(spec->nets[i].mac, &mac);
	strv_add(a, "-netdev");
	strv_addf(a, "tap,id=t%zu,fd=%zu", i, QEMU_FD_NETS + i);
	strv_add(a, "-device");
	strv_addf(a, "virtio-net-pci,disable-legacy=on,netdev=t%zu,mac=%s,romfile=", i, mac.buf);
}

/* The first bus has 32 slots; two are the machine's, and what add_devices puts there takes four. */
static int check_slots(const struct vmm_spec *spec, struct err *e)
{
	size_t n = spec->ndisks + spec->nnets +
		   (qemu_memory_more(spec->memory_mib, spec->memory_max_mib) > 0);

	if (n > FREE_SLOTS)
		return err_set(e, ERR_INVALID, "QEMU has room for %d devices, not for %zu",
			       FREE_SLOTS, n);
	return 0;
}

int qemu_args(const struct vmm_spec *spec, const struct qemu_plan *plan, struct strv *ret,
	      struct err *e)
{
	auto_str struct str cmdline = STR_INIT(2 * VMM_CMDLINE_MAX);

	if (check_slots(spec, e) < 0 || qemu_cmdline(spec, plan, &cmdline, e) < 0)
		return -1;
	strv_add(ret, spec->binary);
	strv_add(ret, "-nodefaults");
	strv_add(ret, "-no-user-config");
	strv_add(ret, "-display");
	strv_add(ret, "none");
	strv_add(ret, "-no-reboot");
	strv_add(ret, "-sandbox");
	strv_add(ret, SANDBOX);
	if (spec->hold)
		strv_add(ret, "-S");
	add_machine(spec, ret);
	add_devices(spec, ret);
	for (size_t i = 0; i < spec->ndisks; i++)
		add_disk(spec, i, ret);
	for (size_t i = 0; i < spec->nnets; i++)
		add_net(spec, i, ret);
	strv_add(ret, "-kernel");
	strv_add(ret, spec->kernel);
	if (spec->initramfs) {
		/* QEMU takes commas here as ends of names. */
		if (strchr(spec->initramfs, ','))
			return err_set(e, ERR_INVALID, "comma in the initramfs' path '%s'",
				       spec->initramfs);
		strv_add(ret, "-initrd");
		strv_add(ret, spec->initramfs);
	}
	strv_add(ret, "-append");
	strv_add(ret, cmdline.buf);
	return 0;
}
