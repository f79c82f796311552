/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual machine monitors behind one table of operations. A driver turns a `struct vmm_spec` into one
 * VMM process and reports what happens to it; it knows nothing of containers, of the store or of the
 * agent's protocol.
 *
 * Calling order: vmm_start, then vmm_event whenever vmm->control is readable, requests (vmm_pause, ...)
 * in between, vmm_release at the end. Nothing here blocks, so all of it may be called from an event
 * loop; the loop watches three descriptors:
 *
 *	vmm->proc.pidfd   readable: the VMM has ended (spawn_try_wait tells how)
 *	vmm->control      readable: call vmm_event until it returns 0; -1 for drivers without one
 *	vmm->channel      the way to the agent, see enum vmm_channel
 *
 * The VMM is a child of the calling process and dies with it (the kernel kills it when the *thread* that
 * called vmm_start ends). How a container ended is never derived from how its VMM ended: that is the
 * agent's word, and the exit status of a VMM is only good for error messages.
 */
#ifndef KVBOX_VMM_DRIVER_H
#define KVBOX_VMM_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spawn.h"
#include "base/str.h"

/* What a driver can do. */
enum vmm_cap {
	VMM_CAP_SOFTWARE = 1u << 0, /* runs without KVM */
	VMM_CAP_JOINED = 1u << 1,   /* joins several files to one disk without a copy */
	VMM_CAP_PAUSE = 1u << 2,    /* vmm_pause and vmm_resume */
	/* A guest that powers off ends the VMM. Without it the guest resets itself to end, as
	 * "kvbox.off=reboot" on its command line says. */
	VMM_CAP_POWEROFF = 1u << 3,
	VMM_CAP_RECLAIM = 1u << 4, /* pages that the guest frees go back to the host */
	VMM_CAP_BY_NAME = 1u << 5, /* taken only when it is named, never by "auto" */
	VMM_CAP_HOLD = 1u << 6,	   /* vmm_spec.hold */
	VMM_CAP_SAVE = 1u << 7,	   /* vmm_save, and to go on from what it saved */
	VMM_CAP_HOTPLUG = 1u << 8, /* vmm_add_disk, vmm_add_net, vmm_remove */
	VMM_CAP_MEMORY = 1u << 9,  /* vmm_resize_memory */
	VMM_CAP_VCPUS = 1u << 10,  /* vmm_resize_vcpus, with KVM */
	VMM_CAP_TAPS =
		1u << 11, /* network interfaces where it is locked up: by their descriptors alone */
};

/* Every joined disk has this size, whatever it holds: one slot of a saved VM then fits all. */
#define VMM_JOINED_SIZE ((uint64_t)64 << 30)

#define VMM_SERIAL_MAX	20 /* bytes of a virtio disk's serial */
#define VMM_DISKS_MAX	24 /* slots that are free on every driver's first bus */
#define VMM_NETS_MAX	8
#define VMM_HOTPLUG_MAX 16
#define VMM_CMDLINE_MAX 2047 /* what Linux on x86 reads */

struct vmm_file {
	const char *path; /* absolute */
	uint64_t size;	  /* bytes of it that belong to the disk; a multiple of 512 */
};

/*
 * One disk. With one file and !joined it is that file as it is (raw, and the file's own size counts).
 * Else the files are laid end to end in their order and padded with zeros to VMM_JOINED_SIZE, which
 * needs VMM_CAP_JOINED, `readonly` and vmm_spec.pad.
 */
struct vmm_disk {
	const char *serial; /* how the guest finds it: /sys/block/<name>/serial */
	bool readonly;
	bool joined;
	const struct vmm_file *files;
	size_t nfiles;
};
static inline bool vmm_disk_is_joined(const struct vmm_disk *d)
{
	return d->joined || d->nfiles > 1;
}

/*
 * One network interface. Its tap is a descriptor of /dev/net/tun with one queue (IFF_TAP, IFF_NO_PI,
 * IFF_VNET_HDR), which never has a name here: the VMM needs no right to open one, and no place where it
 * could. The guest finds it by its MAC.
 */
#define VMM_MAC_SIZE 6
struct vmm_net {
	const char *id; /* as a disk's serial, and another than any disk's */
	int tap_fd;	/* borrowed */
	unsigned char mac[VMM_MAC_SIZE];
};

/*
 * A VM that is saved once and goes on many times (DESIGN: templates). The copies have the saved VM's
 * command line, processors, memory and disks; of a disk only the slot counts, so that other files may be
 * behind it, as long as it is as large and as read-only as the saved one. Of a net only the id counts: another
 * tap may be behind it, and the guest has the saved MAC until it sets its own.
 */
enum vmm_saving {
	VMM_NOT_SAVED,
	VMM_TO_BE_SAVED, /* boots, with RAM that vmm_save leaves behind */
	VMM_FROM_SAVED,	 /* goes on where vmm_save was called, with a private copy of that RAM */
};

struct vmm_spec {
	const char *binary;    /* of struct vmm_choice */
	unsigned caps;	       /* of struct vmm_choice; 0: all that the driver has */
	bool kvm;	       /* of struct vmm_choice: else software emulation */
	const char *kernel;    /* uncompressed ELF with a PVH entry (vmm/guestfiles.h) */
	const char *initramfs; /* NULL: none */
	const char *cmdline;   /* more words for the kernel, after the driver's own; may be NULL */
	unsigned memory_mib;   /* vmm/size.h */
	unsigned vcpus;
	const struct vmm_disk *disks;
	size_t ndisks;
	const struct vmm_net *nets;
	size_t nnets;
	/* What may come later; all three cost the guest time at its boot, so: 0 where nothing will. */
	unsigned hotplug; /* disks and nets that may be there at a time beside the first ones */
	unsigned memory_max_mib; /* up to where vmm_resize_memory goes */
	unsigned vcpus_max;	 /* up to where vmm_resize_vcpus goes */
	/* Absolute path of a file made by vmm_pad_make; may be NULL without joined disks. */
	const char *pad;
	/* Opened O_WRONLY (| O_APPEND for a file): what the guest's kernel prints, from early boot to
	 * a panic's last line; -1: dropped. A healthy guest prints next to nothing, a hostile one
	 * without end: who hands in a file has to watch its size. */
	int console_fd;
	int log_fd; /* the VMM's own messages (its stderr); -1: dropped */
	int run_fd; /* folder for small files that a driver needs; it removes none of them */
	const char *run_path; /* the same, absolute */
	/* Description that holds the `vm` lock, or -1. Inherited, so that the lock is free when the VMM
	 * is gone; the caller closes its own copy afterwards. */
	int vm_lock_fd;
	int cgroup_fd; /* folder of a cgroup v2 to start in, or -1 */
	/* Where the VMM is locked up (vmm/confine.h); NULL: it is not, as drivers that are taken only by name
	 * never are. The other is for drivers, by vmm_start. */
	const struct confine_host *confine_host;
	struct confine *confine;
	bool verbose; /* the kernel prints all it has to say, which is slow: for debugging */
	bool hold;    /* do not run the guest before vmm_resume (needs VMM_CAP_HOLD) */

	enum vmm_saving saving; /* else than VMM_NOT_SAVED it needs VMM_CAP_SAVE */
	/*
	 * The saved VM: its RAM (vmm/saved.h) and the state of its devices. Both are descriptors of memory
	 * or files, borrowed; the RAM of one that goes on must be sealed, since a driver may let its guest
	 * punch holes into it, which all its siblings would see.
	 */
	int ram_fd, state_fd;
};

enum vmm_channel {
	/* Connected stream to the guest's virtio port VMM_SERIAL_PORT; bytes written before the guest
	 * opens it wait there. */
	VMM_CHANNEL_SERIAL,
	/* Listening socket: the guest dials port VMM_VSOCK_PORT of CID 2, accept(2). Whatever program of
	 * the guest dials first is connected, so only the first connection is to be taken. */
	VMM_CHANNEL_VSOCK,
};
#define VMM_SERIAL_PORT "kvbox.ctl"
#define VMM_VSOCK_PORT	1024

enum vmm_event_kind {
	VMM_EVENT_READY, /* the VMM is up and takes requests; the guest runs (unless held) */
	VMM_EVENT_DONE,	 /* a request was carried out, or not: see `request`, `failed`, `text` */
	VMM_EVENT_PANIC, /* the guest's kernel panicked; the VMM ends soon or is to be stopped */
	/* The guest ended: powered off, or reset itself where that is its way; the VMM ends. */
	VMM_EVENT_SHUTDOWN,
	/* The guest reset itself where that is not its way to end: a triple fault, or a panic that
	 * nobody announced; the VMM ends. */
	VMM_EVENT_RESET,
	/* The guest cannot go on (KVM gave up on it): `text` says why. The VMM does not end by itself:
	 * stop it. */
	VMM_EVENT_BROKEN,
	VMM_EVENT_COUNT,
};

struct vmm_event {
	enum vmm_event_kind kind;
	unsigned request; /* DONE: what vmm_pause and its like returned */
	bool failed;	  /* DONE */
	char text[200];	  /* for people; may be empty. From the VMM, but printable ASCII only */
};

struct vmm_driver;

struct vmm {
	const struct vmm_driver *driver; /* NULL: not started */
	struct proc proc;
	enum vmm_channel channel_kind;
	int channel;		 /* non-blocking; the caller may take it (take_fd) */
	int control;		 /* non-blocking; the driver's: only watch it */
	void *priv;		 /* the driver's */
	struct confine *confine; /* what was done to lock it up; NULL: nothing */
	struct vmm_limits {	 /* of the spec: for what is asked later */
		unsigned caps, hotplug;
		unsigned memory_mib, memory_max_mib, vcpus, vcpus_max;
	} limits;
};
#define VMM_INIT                                                         \
	{                                                                \
		NULL, PROC_INIT, VMM_CHANNEL_SERIAL, -1, -1, NULL, NULL, \
		{                                                        \
			0                                                \
		}                                                        \
	}

/* What a binary turns out to be. */
#define VMM_VERSION_SIZE 32
struct vmm_binary {
	char version[VMM_VERSION_SIZE]; /* "7.2.22": letters, digits, '.', '-', '+', '_' and '~' */
	unsigned caps;			/* those of the driver that this version has */
};

struct vmm_driver {
	const char *name;    /* "qemu" */
	const char *program; /* looked up in PATH: "qemu-system-x86_64" */
	const char *env;     /* variable that names the binary: "KVBOX_QEMU" */
	const char *package; /* Debian's, for the error message */
	/* Folders of the binary's prefix that it reads ("share/qemu"), ended by NULL; may be NULL. */
	const char *const *data_folders;
	unsigned caps; /* enum vmm_cap */

	/* Runs the binary and waits, which takes long: through vmm_binary_examine. ERR_UNAVAILABLE when
	 * it is too old, or cannot be executed here. NULL: nothing to find out. */
	int (*examine)(const char *binary, struct vmm_binary *ret, struct err *e);
	int (*start)(const struct vmm_spec *spec, struct vmm *ret, struct err *e);
	int (*event)(struct vmm *vmm, struct vmm_event *ret, struct err *e);
	int (*pause)(struct vmm *vmm, struct err *e);
	int (*resume)(struct vmm *vmm, struct err *e);
	int (*save)(struct vmm *vmm, struct err *e); /* NULL without VMM_CAP_SAVE */
	/* NULL without VMM_CAP_HOTPLUG. */
	int (*add_disk)(struct vmm *vmm, const struct vmm_disk *disk, struct err *e);
	int (*add_net)(struct vmm *vmm, const struct vmm_net *net, struct err *e);
	int (*remove)(struct vmm *vmm, const char *id, struct err *e);
	int (*resize_memory)(struct vmm *vmm, unsigned mib, struct err *e); /* ... VMM_CAP_MEMORY */
	int (*resize_vcpus)(struct vmm *vmm, unsigned vcpus, struct err *e); /* ... VMM_CAP_VCPUS */
	void (*release)(struct vmm *vmm); /* of priv and control only */
};

/* For drivers: how much the guest's kernel prints while it starts. By default nothing but what it dies of: each
 * character is an exit, and there are kernels and processors with 200 of complaints. The agent wants errors
 * again when it is there. */
void vmm_cmdline_console(const struct vmm_spec *spec, struct str *cmdline);
/* For drivers: ends the guest kernel's command line with spec->cmdline; ERR_INVALID when all of it is too
 * long. */
int vmm_cmdline_end(const struct vmm_spec *spec, struct str *cmdline, struct err *e) MUST_CHECK;

/* All drivers, best first, ended by NULL. */
extern const struct vmm_driver *const vmm_drivers[];
/* NULL when there is none of that name. */
const struct vmm_driver *vmm_driver_find(const char *name);
static inline bool vmm_can(const struct vmm_driver *d, enum vmm_cap cap)
{
	return d->caps & cap;
}

/*
 * Starts the VMM; the guest boots at once. On success the fields of `ret` are valid; what goes wrong
 * later (a disk that the VMM cannot open) shows as the end of the process, with its reason in log_fd.
 * On failure nothing is left running. `spec` and all it points to are borrowed for the call only.
 */
int vmm_start(const struct vmm_driver *d, const struct vmm_spec *spec, struct vmm *ret,
	      struct err *e) MUST_CHECK;

/* The next event: 1 when there is one, 0 when there is none now, -1 when the control connection has
 * ended or speaks nonsense: stop watching it then. -1 is normal at the end of a VMM: ask the pidfd. A VMM
 * that talks without end cannot hold its caller up: each kind comes at most once, DONE once a request.
 * Of a guest that ends within the first milliseconds, before READY, there may be no event at all. */
int vmm_event(struct vmm *vmm, struct vmm_event *ret, struct err *e) MUST_CHECK;

/* Requests return their number, which is positive, when they were sent, and are answered by
 * VMM_EVENT_DONE. May be sent before VMM_EVENT_READY. ERR_INVALID where the driver cannot do it. */
int vmm_pause(struct vmm *vmm, struct err *e) MUST_CHECK;
int vmm_resume(struct vmm *vmm, struct err *e) MUST_CHECK;

/* Of a VM that is VMM_TO_BE_SAVED: stops the guest and writes the state of its devices. It does not run again:
 * vmm_stop. */
int vmm_save(struct vmm *vmm, struct err *e) MUST_CHECK;

/*
 * More devices while the guest runs. A disk has one file here. The request is done when the VMM has the
 * device: the guest finds it a moment later. ERR_INVALID without room (vmm_spec.hotplug), or where the file
 * cannot be shown to a VMM that is locked up.
 */
int vmm_add_disk(struct vmm *vmm, const struct vmm_disk *disk, struct err *e) MUST_CHECK;
int vmm_add_net(struct vmm *vmm, const struct vmm_net *net, struct err *e) MUST_CHECK;
/* Takes away what was added, by its serial or id. Done when the guest has let go of it and the VMM holds neither
 * file nor tap any more; a guest that uses it may hold on to it without end. */
int vmm_remove(struct vmm *vmm, const char *id, struct err *e) MUST_CHECK;

/*
 * Another size: not less than vmm_spec.memory_mib and .vcpus, not more than their maxima. Done when the VMM has
 * been told; the guest takes and gives back memory as it can (blocks that it uses stay), and switches its
 * processors by itself.
 */
int vmm_resize_memory(struct vmm *vmm, unsigned mib, struct err *e) MUST_CHECK;
int vmm_resize_vcpus(struct vmm *vmm, unsigned vcpus, struct err *e) MUST_CHECK;

/* Hard: the guest ends at once (SIGKILL). Returns before the process is gone: the pidfd tells. No error
 * when it has ended already. An orderly end is the agent's business. */
int vmm_stop(struct vmm *vmm, struct err *e) MUST_CHECK;

/* Closes control, channel and pidfd and frees the rest; the VMM is killed and waited for when it still
 * runs. Accepts VMM_INIT. */
void vmm_release(struct vmm *vmm);

/* Makes the sparse file that pads joined disks, unless it is there: VMM_JOINED_SIZE bytes, no blocks,
 * mode 0444. One is enough for all VMs of a run root. */
int vmm_pad_make(int dirfd, const char *name, struct err *e) MUST_CHECK;

#endif
